//! A way for UDP between one connection and the server that can be cut and mended.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

/// The longest datagram there is.
const MAX_DATAGRAM_BYTES: usize = 65_535;

/// Dropping it cuts it for good.
pub(crate) struct Line {
    /// Where the connection is to send to.
    pub(crate) near: SocketAddr,
    is_cut: Arc<AtomicBool>,
    carrying: AbortHandle,
}

impl Line {
    /// A line to `server`.
    pub(crate) async fn to(server: SocketAddr) -> anyhow::Result<Self> {
        let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        far.connect(server).await?;
        let address = near.local_addr()?;
        let is_cut = Arc::new(AtomicBool::new(false));
        let carrying = tokio::spawn(carry(near, far, Arc::clone(&is_cut)));
        Ok(Self {
            near: address,
            is_cut,
            carrying: carrying.abort_handle(),
        })
    }

    /// Loses all packets from now on, both ways.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    /// Loses none any more.
    pub(crate) fn mend(&self) {
        self.is_cut.store(false, Ordering::Release);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn carry(near: UdpSocket, far: UdpSocket, is_cut: Arc<AtomicBool>) {
    let mut client = None;
    let (mut up, mut down) = (vec![0; MAX_DATAGRAM_BYTES], vec![0; MAX_DATAGRAM_BYTES]);
    loop {
        // What a socket has to say of an earlier packet is no reason to stop.
        tokio::select! {
            received = near.recv_from(&mut up) => if let Ok((length, from)) = received {
                client = Some(from);
                if !is_cut.load(Ordering::Acquire) {
                    let _ = far.send(&up[..length]).await;
                }
            },
            received = far.recv(&mut down) => if let (Ok(length), Some(client)) = (received, client)
                && !is_cut.load(Ordering::Acquire)
            {
                let _ = near.send_to(&down[..length], client).await;
            },
        }
    }
}
