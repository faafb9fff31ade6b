//! The shared UDP port: one socket, one task that reads it, any number of lanes.
//!
//! All connections share one kernel buffer, so it is made large and read in batches; a datagram
//! waits only in its own lane. What belongs to nobody is dropped and counted. A full send buffer is
//! waited for by whoever fills it: the socket's one send waker is fanned out to the lanes.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};
use webrtc::runtime::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};

use super::lane::{Datagram, Filed, Inlet, LaneHold};
use super::routes::{Routes, Stray};

/// What is asked of the kernel: at 50 participants the usual 208 KiB overflowed 700 times a second.
const BUFFER_BYTES: usize = 4 << 20;

/// The longest datagram that is passed on. WebRTC stays below 1,500, the crate reads 2,000.
const MAX_DATAGRAM_BYTES: usize = 2_000;

/// Messages a read may return. Each may hold several datagrams of one sender (UDP GRO).
const BATCH_MESSAGES: usize = 16;

/// The most that the kernel puts into one message.
const MAX_MESSAGE_BYTES: usize = 65_535;

/// How often losses are reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// A pause after an error that may come again at once.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// The port. Dropping it ends its tasks.
pub(super) struct Port {
    shared: Arc<Shared>,
    address: SocketAddr,
    tasks: [JoinHandle<()>; 2],
}

/// What the port's tasks and lanes have in common.
pub(super) struct Shared {
    socket: UdpSocket,
    batch: UdpSocketState,
    routes: Mutex<Routes<Arc<Inlet>>>,
    full: Notify,
}

/// What was dropped since the port was bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Dropped {
    /// Not STUN, DTLS, RTP or RTCP, or too long.
    garbage: u64,
    /// For nobody here, or not proven.
    unknown: u64,
    /// More than a transport could take.
    overflow: u64,
}

impl Port {
    /// Binds the port and starts to read it. Must be called inside the tokio runtime.
    pub(super) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = open(address)?;
        grow_buffers(&socket);
        let socket = UdpSocket::from_std(socket.into())?;
        let batch = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let crypto = rtc::crypto::default_provider().map_err(io::Error::other)?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            socket,
            batch,
            routes: Mutex::new(Routes::new(crypto)),
            full: Notify::new(),
        });
        let tasks = [
            tokio::spawn(read(Arc::clone(&shared))),
            tokio::spawn(wake_writers(Arc::clone(&shared))),
        ];
        Ok(Self {
            shared,
            address,
            tasks,
        })
    }

    /// What is bound.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes a lane, which nothing reaches before it has credentials.
    pub(super) fn open(&self) -> Arc<LaneHold> {
        let inlet = Arc::new(Inlet::new());
        let id = self.shared.routes().open(Arc::clone(&inlet));
        Arc::new(LaneHold::new(Arc::clone(&self.shared), id, inlet))
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// The routes. Held for a batch at most; a panic elsewhere leaves them whole.
    pub(super) fn routes(&self) -> MutexGuard<'_, Routes<Arc<Inlet>>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn max_gso_segments(&self) -> usize {
        self.batch.max_gso_segments()
    }

    /// Sends, or does not while the kernel's buffer is full. An address that cannot be sent to is
    /// like one that does not answer: the port serves the others, and ICE finds out.
    pub(super) fn try_send(&self, transmit: &Transmit<'_>) -> Option<usize> {
        let sent = self.socket.try_io(Interest::WRITABLE, || {
            self.batch
                .try_send(UdpSockRef::from(&self.socket), transmit)
        });
        match sent {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
            Err(error) => debug!(to = %transmit.destination, %error, "not sent"),
        }
        Some(transmit.contents.len())
    }

    /// Has all writers woken as soon as the socket takes datagrams again.
    pub(super) fn wait_until_writable(&self) {
        self.full.notify_one();
    }

    /// Reads what is there, and files it.
    async fn read_batch(&self, buffers: &mut [Vec<u8>], dropped: &mut Dropped) -> io::Result<()> {
        let mut meta = [RecvMeta::default(); BATCH_MESSAGES];
        self.socket.readable().await?;
        let received = self.socket.try_io(Interest::READABLE, || {
            let mut slices: [IoSliceMut<'_>; BATCH_MESSAGES] = {
                let mut buffers = buffers.iter_mut();
                std::array::from_fn(|_| {
                    IoSliceMut::new(buffers.next().map_or(&mut [], Vec::as_mut_slice))
                })
            };
            self.batch
                .recv(UdpSockRef::from(&self.socket), &mut slices, &mut meta)
        });
        let count = match received {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        let mut routes = self.routes();
        for (buffer, meta) in buffers.iter().zip(&meta[..count]) {
            for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                dropped.count(file(&mut routes, meta.addr, datagram, now));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

impl Dropped {
    fn count(&mut self, filed: Result<Filed, Stray>) {
        match filed {
            Ok(Filed::Kept) => {}
            Ok(Filed::OldestDropped) => self.overflow += 1,
            Err(Stray::Garbage) => self.garbage += 1,
            Err(Stray::Unknown | Stray::Forged | Stray::Taken) => self.unknown += 1,
        }
    }

    fn report(self, before: Self) {
        let Self {
            garbage,
            unknown,
            overflow,
        } = self;
        if overflow > before.overflow {
            warn!(
                overflow,
                garbage, unknown, "media port: a transport does not keep up"
            );
        } else if self != before {
            debug!(garbage, unknown, "media port: datagrams for nobody");
        }
    }
}

fn file(
    routes: &mut Routes<Arc<Inlet>>,
    from: SocketAddr,
    bytes: &[u8],
    now: Instant,
) -> Result<Filed, Stray> {
    if bytes.len() > MAX_DATAGRAM_BYTES {
        return Err(Stray::Garbage);
    }
    let inlet = routes.route(from, bytes, now)?;
    let bytes = Bytes::copy_from_slice(bytes);
    Ok(inlet.push(Datagram { from, bytes }))
}

async fn read(shared: Arc<Shared>) {
    let length = if shared.batch.gro_segments() > 1 {
        MAX_MESSAGE_BYTES
    } else {
        MAX_DATAGRAM_BYTES + 1
    };
    let mut buffers = vec![vec![0; length]; BATCH_MESSAGES];
    let (mut dropped, mut reported) = (Dropped::default(), Dropped::default());
    let mut report_at = Instant::now() + REPORT_INTERVAL;
    loop {
        if let Err(error) = shared.read_batch(&mut buffers, &mut dropped).await {
            warn!(%error, "media port: cannot be read");
            tokio::time::sleep(ERROR_PAUSE).await;
        }
        if Instant::now() >= report_at {
            dropped.report(reported);
            reported = dropped;
            report_at = Instant::now() + REPORT_INTERVAL;
        }
    }
}

async fn wake_writers(shared: Arc<Shared>) {
    loop {
        shared.full.notified().await;
        // An error is found out by whoever sends next.
        let _ = shared.socket.writable().await;
        for inlet in shared.routes().inlets() {
            inlet.writer.wake();
        }
    }
}

/// Binds a UDP socket. An IPv6 one takes IPv6 only.
pub(super) fn open(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Asks for large buffers and says what was granted. The kernel reports twice what it grants, the
/// rest being for its own bookkeeping (socket(7)).
fn grow_buffers(socket: &Socket) {
    let granted = socket
        .set_recv_buffer_size(BUFFER_BYTES)
        .and_then(|()| socket.recv_buffer_size())
        .map_or(0, |doubled| doubled / 2);
    let (granted_kib, asked_kib) = (granted >> 10, BUFFER_BYTES >> 10);
    if granted < BUFFER_BYTES {
        warn!(
            granted_kib,
            asked_kib,
            "media port: small receive buffer, large rooms will lose packets: raise net.core.rmem_max"
        );
    } else {
        info!(granted_kib, "media port: receive buffer");
    }
    // Bursts of keyframes to everybody at once wait here; less of it only makes senders wait.
    if let Err(error) = socket.set_send_buffer_size(BUFFER_BYTES) {
        debug!(%error, "media port: send buffer");
    }
}

#[cfg(test)]
mod tests;
