//! The async runtime as the `webrtc` crate sees it: tokio, except for where datagrams go.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
};

use super::lane::{LaneHold, LaneSocket};
use super::overhear::{OverhearingSocket, Wanted};

/// What a connection gets for its placeholder.
#[derive(Debug)]
pub(super) enum Outlet {
    Lane(Arc<LaneHold>),
    /// Bound already; taken when the connection asks.
    Own(Mutex<Option<std::net::UdpSocket>>),
}

impl Outlet {
    pub(super) fn own(socket: std::net::UdpSocket) -> Self {
        Self::Own(Mutex::new(Some(socket)))
    }
}

/// Serves one connection, which has one UDP socket: neither multicast DNS nor STUN or TURN servers.
#[derive(Debug)]
pub(super) struct OutletRuntime {
    inner: Arc<dyn Runtime>,
    outlet: Outlet,
    /// Streams to be found; taken with the socket.
    wanted: Mutex<Option<Wanted>>,
}

impl OutletRuntime {
    pub(super) fn new(inner: Arc<dyn Runtime>, outlet: Outlet, wanted: Option<Wanted>) -> Self {
        Self {
            inner,
            outlet,
            wanted: Mutex::new(wanted),
        }
    }
}

impl Runtime for OutletRuntime {
    /// Closes the placeholder and puts the real thing in its place.
    fn wrap_udp_socket(
        &self,
        placeholder: std::net::UdpSocket,
    ) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket: Arc<dyn AsyncUdpSocket> = match &self.outlet {
            Outlet::Lane(hold) => {
                let address = placeholder.local_addr()?;
                Arc::new(LaneSocket::new(Arc::clone(hold), address))
            }
            Outlet::Own(socket) => {
                let socket = socket
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .take()
                    .ok_or_else(|| io::Error::other("a connection has one socket"))?;
                self.inner.wrap_udp_socket(socket)?
            }
        };
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(match wanted.take() {
            Some(wanted) => Arc::new(OverhearingSocket::new(socket, wanted)),
            None => socket,
        })
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        self.inner.spawn(future)
    }

    fn spawn_reactor(
        &self,
        reactor_pool_size: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        self.inner.spawn_reactor(reactor_pool_size, future)
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.inner.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        self.inner.connect_tcp(remote)
    }

    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        self.inner.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.inner.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.inner.block_on(future);
    }

    fn yield_now(&self) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        self.inner.yield_now()
    }

    fn name(&self) -> &'static str {
        "mosaicd"
    }
}
