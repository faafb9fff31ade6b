//! A socket that finds out which streams come over it.
//!
//! An offer need not announce its streams (RFC 8829 §5.2.1 has no `a=ssrc`), and with several
//! sections the crate then drops what it cannot place. SRTP leaves the header of a packet readable
//! (RFC 3711 §3.1), so its payload type tells the section. What is found here is not authenticated
//! yet: it is good for no more than to name one stream for each section, once.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// The length of the fixed header of RTP (RFC 3550 §5.1).
const HEADER_BYTES: usize = 12;

/// A stream, by what its packets say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) struct Stream {
    pub(in crate::rtc) payload_type: u8,
    pub(in crate::rtc) ssrc: u32,
}

/// Payload types of which the streams are to be found, and whom to tell.
#[derive(Debug)]
pub(in crate::rtc) struct Wanted {
    pub(in crate::rtc) payload_types: Vec<u8>,
    pub(in crate::rtc) tell: mpsc::Sender<Stream>,
}

#[derive(Debug)]
pub(super) struct OverhearingSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    wanted: Mutex<Wanted>,
    all_found: AtomicBool,
}

impl OverhearingSocket {
    pub(super) fn new(inner: Arc<dyn AsyncUdpSocket>, wanted: Wanted) -> Self {
        Self {
            inner,
            wanted: Mutex::new(wanted),
            all_found: AtomicBool::new(false),
        }
    }

    fn overhear(&self, datagram: &[u8]) {
        let Some(stream) = stream_of(datagram) else {
            return;
        };
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let mut types = wanted.payload_types.iter();
        let Some(index) = types.position(|it| *it == stream.payload_type) else {
            return;
        };
        // Full: the next packet tells it as well.
        if wanted.tell.try_send(stream).is_ok() {
            wanted.payload_types.swap_remove(index);
            let all_found = wanted.payload_types.is_empty();
            self.all_found.store(all_found, Ordering::Relaxed);
        }
    }
}

impl AsyncUdpSocket for OverhearingSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.inner.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.inner.poll_recv(cx, bufs, meta);
        if let Poll::Ready(Ok(count)) = received
            && !self.all_found.load(Ordering::Relaxed)
        {
            for (buffer, meta) in bufs.iter().zip(meta.iter()).take(count) {
                let bytes = &buffer[..meta.len.min(buffer.len())];
                bytes
                    .chunks(meta.stride.max(1))
                    .for_each(|datagram| self.overhear(datagram));
            }
        }
        received
    }
}

/// The stream of a packet of RTP; `None` of anything else (RFC 7983 §7, RFC 5761 §4).
fn stream_of(datagram: &[u8]) -> Option<Stream> {
    let head = datagram.first_chunk::<HEADER_BYTES>()?;
    let is_rtp_or_rtcp = (128..=191).contains(&head[0]);
    let is_rtcp = (192..=223).contains(&head[1]);
    (is_rtp_or_rtcp && !is_rtcp).then(|| Stream {
        payload_type: head[1] & 0x7f,
        ssrc: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, ssrc: u8) -> Vec<u8> {
        let mut packet = vec![0x80, kind];
        packet.extend([0; 9]);
        packet.extend([ssrc, 1, 2, 3]);
        packet
    }

    #[test]
    fn rtp_has_a_stream_and_nothing_else_has() {
        let found = |ssrc, payload_type| Some(Stream { payload_type, ssrc });
        let stun = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0];
        let rows = [
            (packet(111, 7), found(7, 111)),
            (packet(0x80 | 96, 9), found(9, 96)),
            (packet(200, 7), None),
            (packet(111, 7)[..11].to_vec(), None),
            (stun.to_vec(), None),
            (vec![], None),
        ];

        for (datagram, expected) in rows {
            assert_eq!(stream_of(&datagram), expected, "{datagram:?}");
        }
    }

    #[test]
    fn of_each_wanted_payload_type_the_first_stream_is_told_once() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let _in_runtime = runtime.enter();
        let inner = webrtc::runtime::default_runtime().unwrap();
        let inner = inner.wrap_udp_socket(socket).unwrap();
        let (tell, mut told) = mpsc::channel(2);
        let payload_types = vec![111, 96];
        let socket = OverhearingSocket::new(
            inner,
            Wanted {
                payload_types,
                tell,
            },
        );

        for (kind, ssrc) in [(5, 1), (96, 2), (96, 3), (111, 4), (111, 5)] {
            socket.overhear(&packet(kind, ssrc));
        }

        let mut streams = Vec::new();
        while let Ok(stream) = told.try_recv() {
            streams.push((stream.payload_type, stream.ssrc));
        }
        assert_eq!(streams, [(96, 2), (111, 4)]);
        assert!(socket.all_found.load(Ordering::Relaxed));
    }
}
