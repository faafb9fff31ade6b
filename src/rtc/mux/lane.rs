//! One connection's share of the shared port: a queue in, the common socket out.
//!
//! The queue holds at most [`QUEUE_DATAGRAMS`]; when the connection does not keep up, the oldest
//! goes and is counted, and nobody else notices. Dropping the socket closes the lane.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use futures_util::task::AtomicWaker;
use tokio::task::coop;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

use super::port::Shared;
use super::routes::{Credentials, LaneId};
use super::stun;

/// Datagrams that may wait for their connection: a second and a half of 2.5 Mb/s, at most 1 MB.
const QUEUE_DATAGRAMS: usize = 512;

/// One datagram, as it came.
#[derive(Debug)]
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    pub(super) bytes: Bytes,
}

/// Where the port leaves what is for a connection.
#[derive(Debug)]
pub(super) struct Inlet {
    queue: ArrayQueue<Datagram>,
    dropped: AtomicU64,
    reader: AtomicWaker,
    /// Woken when the socket takes datagrams again.
    pub(super) writer: AtomicWaker,
}

/// Whether a datagram cost an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filed {
    Kept,
    OldestDropped,
}

impl Inlet {
    pub(super) fn new() -> Self {
        Self {
            queue: ArrayQueue::new(QUEUE_DATAGRAMS),
            dropped: AtomicU64::new(0),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }
    }

    pub(super) fn push(&self, datagram: Datagram) -> Filed {
        let displaced = self.queue.force_push(datagram);
        self.reader.wake();
        if displaced.is_none() {
            return Filed::Kept;
        }
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Filed::OldestDropped
    }

    fn poll_pop(&self, cx: &Context<'_>) -> Poll<Datagram> {
        if let Some(datagram) = self.queue.pop() {
            return Poll::Ready(datagram);
        }
        self.reader.register(cx.waker());
        // Again: what came between the two looks has woken nobody.
        self.queue.pop().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Keeps a lane open. It closes with the last of these, or with its socket.
pub(super) struct LaneHold {
    shared: Arc<Shared>,
    id: LaneId,
    inlet: Arc<Inlet>,
    /// Whether the other side only answers.
    asks: AtomicBool,
}

impl LaneHold {
    pub(super) fn new(shared: Arc<Shared>, id: LaneId, inlet: Arc<Inlet>) -> Self {
        Self {
            shared,
            id,
            inlet,
            asks: AtomicBool::new(false),
        }
    }

    /// Lets those in as well who answer what is asked over this lane.
    pub(super) fn admit_answers(&self) {
        self.asks.store(true, Ordering::Relaxed);
    }

    /// Lets those in who know these credentials.
    pub(super) fn admit(&self, credentials: Credentials) {
        self.shared.routes().admit(self.id, credentials);
    }
}

impl Drop for LaneHold {
    fn drop(&mut self) {
        self.shared.routes().close(self.id);
        let dropped = self.inlet.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            tracing::info!(dropped, "a transport that did not keep up lost datagrams");
        }
    }
}

impl std::fmt::Debug for LaneHold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LaneHold")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a connection takes for its socket.
#[derive(Debug)]
pub(super) struct LaneSocket {
    hold: Arc<LaneHold>,
    placeholder: SocketAddr,
}

impl LaneSocket {
    /// A socket that says it is bound to `placeholder`.
    pub(super) fn new(hold: Arc<LaneHold>, placeholder: SocketAddr) -> Self {
        Self { hold, placeholder }
    }
}

impl Drop for LaneSocket {
    fn drop(&mut self) {
        self.hold.shared.routes().close(self.hold.id);
    }
}

impl AsyncUdpSocket for LaneSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.placeholder)
    }

    fn max_gso_segments(&self) -> usize {
        self.hold.shared.max_gso_segments()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let shared = &self.hold.shared;
        if self.hold.asks.load(Ordering::Relaxed) && stun::is_request(transmit.contents) {
            let to = transmit.destination;
            shared.routes().ask(self.hold.id, to, transmit.contents);
        }
        if let Some(sent) = shared.try_send(transmit) {
            return Poll::Ready(Ok(sent));
        }
        self.hold.inlet.writer.register(cx.waker());
        match shared.try_send(transmit) {
            Some(sent) => Poll::Ready(Ok(sent)),
            None => {
                shared.wait_until_writable();
                Poll::Pending
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        // A flooded connection must not keep its worker thread from the others.
        let turn = ready!(coop::poll_proceed(cx));
        let mut filled = 0;
        for (buffer, meta) in bufs.iter_mut().zip(meta) {
            let datagram = if filled == 0 {
                ready!(self.hold.inlet.poll_pop(cx))
            } else {
                match self.hold.inlet.queue.pop() {
                    Some(datagram) => datagram,
                    None => break,
                }
            };
            let length = datagram.bytes.len().min(buffer.len());
            buffer[..length].copy_from_slice(&datagram.bytes[..length]);
            *meta = RecvMeta::default();
            meta.addr = datagram.from;
            meta.len = length;
            meta.stride = length.max(1);
            filled += 1;
        }
        turn.made_progress();
        Poll::Ready(Ok(filled))
    }
}
