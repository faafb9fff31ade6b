//! RTP as it is, over UDP on loopback, to and from mixers that speak no WebRTC here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::observe::Packet;

pub(crate) const OPUS: u8 = 111;
pub(crate) const VP8: u8 = 96;

/// A fixed RTP header without contributing sources or extensions (RFC 3550 §5.1).
const HEADER_BYTES: usize = 12;
const VERSION: u8 = 2 << 6;
const MARKER: u8 = 1 << 7;

/// One stream on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    payload_type: u8,
    ssrc: u32,
    seq: u16,
    timestamp: u32,
}

impl Outgoing {
    pub(crate) async fn new(to: SocketAddr, payload_type: u8) -> anyhow::Result<Self> {
        Ok(Self {
            socket: Arc::new(UdpSocket::bind("127.0.0.1:0").await?),
            to,
            payload_type,
            ssrc: rand::random(),
            seq: 0,
            timestamp: rand::random(),
        })
    }

    /// The same stream from another socket: as a mixer answers to where packets come from.
    pub(crate) fn over(mut self, socket: Arc<UdpSocket>) -> Self {
        self.socket = socket;
        self
    }

    pub(crate) async fn send(
        &mut self,
        timestamp: u32,
        last: bool,
        payload: &[u8],
    ) -> anyhow::Result<()> {
        let mut packet = Vec::with_capacity(HEADER_BYTES + payload.len());
        let marker = if last { MARKER } else { 0 };
        packet.extend([VERSION, marker | self.payload_type]);
        packet.extend(self.seq.to_be_bytes());
        packet.extend(self.timestamp.wrapping_add(timestamp).to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.seq = self.seq.wrapping_add(1);
        self.socket.send_to(&packet, self.to).await?;
        Ok(())
    }
}

/// Keeps what comes to `socket` until told to stop.
pub(crate) fn keep(socket: Arc<UdpSocket>) -> Keeper {
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let keeping = tokio::spawn(async move {
        let mut packets = Vec::new();
        let mut datagram = vec![0; 2_048];
        loop {
            tokio::select! {
                _ = &mut stopped => return packets,
                received = socket.recv_from(&mut datagram) => {
                    let at = Instant::now();
                    if let Ok((bytes, _)) = received {
                        packets.extend(parse(at, &datagram[..bytes]));
                    }
                }
            }
        }
    });
    Keeper { stop, keeping }
}

/// See [`keep`].
#[derive(Debug)]
pub(crate) struct Keeper {
    stop: tokio::sync::oneshot::Sender<()>,
    keeping: JoinHandle<Vec<Packet>>,
}

impl Keeper {
    /// What came.
    pub(crate) async fn stop(self) -> anyhow::Result<Vec<Packet>> {
        let _ = self.stop.send(());
        Ok(self.keeping.await?)
    }
}

/// A packet with a fixed header; what these mixers send has no other.
fn parse(at: Instant, datagram: &[u8]) -> Option<Packet> {
    let (header, payload) = datagram.split_at_checked(HEADER_BYTES)?;
    let is_rtp = header[0] == VERSION && matches!(header[1] & !MARKER, OPUS | VP8);
    is_rtp.then(|| Packet {
        at,
        seq: u16::from_be_bytes([header[2], header[3]]),
        marker: header[1] & MARKER != 0,
        payload: Bytes::copy_from_slice(payload),
    })
}
