//! Which UDP ports media comes to: one for everybody, or one of a range for each leg of a transport.
//!
//! The `webrtc` crate binds a socket for every connection. It is given a placeholder on loopback to
//! bind, and when it hands that over to be wrapped ([`runtime`]) it gets back what we chose instead:
//! a lane of the shared port ([`lane`], [`port`]), or a socket of our own in the range ([`range`]).
//! The connection believes in its placeholder; its candidates are rewritten as they go out
//! (`announce`).
//!
//! On the shared port, datagrams find their connection by signed STUN requests first and by source
//! address then ([`routes`]).

mod lane;
mod overhear;
mod port;
mod range;
mod routes;
mod runtime;
mod stun;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use tracing::info;
use webrtc::runtime::Runtime;

pub(super) use overhear::{Stream, Wanted};
pub(super) use routes::Credentials;

use lane::LaneHold;
use port::Port;
use range::PortRange;
use runtime::{Outlet, OutletRuntime};

/// Whether a datagram gets in where nobody has introduced themselves yet, and a connection is known
/// by the name `ours`.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn lets_in(from: SocketAddr, datagram: &[u8]) -> bool {
    let Ok(crypto) = rtc::crypto::default_provider() else {
        return false;
    };
    let mut routes = routes::Routes::new(crypto);
    let lane = routes.open(());
    let credentials = Credentials {
        ufrag: "ours".to_owned(),
        password: "of sufficient length".to_owned(),
    };
    routes.admit(lane, credentials);
    let now = std::time::Instant::now();
    routes.route(from, datagram, now).is_ok()
}

/// Where media comes to, and what participants are told of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaAddress {
    /// The address to bind. An unspecified one is for use with `announce` only.
    pub ip: IpAddr,
    /// The port or ports to bind.
    pub ports: MediaPorts,
    /// What our candidates say instead of what is bound: the outside of a NAT or a relay.
    pub announce: Option<Announce>,
}

/// How many UDP ports there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaPorts {
    /// One for everybody; 0 is any free one.
    Shared(u16),
    /// One of these for each participant, two for who does not bundle audio and video.
    Each(RangeInclusive<u16>),
}

impl fmt::Display for MediaPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(port) => write!(f, "{port}"),
            Self::Each(range) => write!(f, "{}-{}", range.start(), range.end()),
        }
    }
}

/// An address to announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The address.
    pub ip: IpAddr,
    /// The port, where it is not the one that is bound. Only a shared port has another outside.
    pub port: Option<u16>,
}

/// The ports that media comes to. Cheap to clone; closed with the last clone.
#[derive(Clone)]
pub(super) struct Ports {
    ports: Bound,
    announce: Option<Announce>,
}

#[derive(Clone)]
enum Bound {
    Shared(Arc<Port>),
    Each(Arc<PortRange>),
}

/// One leg's way in and out.
pub(super) struct Door {
    bound: SocketAddr,
    address: SocketAddr,
    runtime: Arc<dyn Runtime>,
    lane: Option<Arc<LaneHold>>,
}

impl Ports {
    /// Binds the shared port, and says what was got. A range is bound as it is needed.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub(super) fn bind(address: &MediaAddress) -> io::Result<Self> {
        let ports = match &address.ports {
            MediaPorts::Shared(number) => {
                let port = Port::bind(SocketAddr::new(address.ip, *number))?;
                Bound::Shared(Arc::new(port))
            }
            MediaPorts::Each(range) => {
                Bound::Each(Arc::new(PortRange::new(address.ip, range.clone())))
            }
        };
        let ports = Self {
            ports,
            announce: address.announce,
        };
        ports.say(address);
        Ok(ports)
    }

    /// Makes a way in and out for one leg, whose streams are found as far as they are wanted.
    ///
    /// # Errors
    ///
    /// If no port of the range is free.
    pub(super) fn open(&self, wanted: Option<Wanted>) -> io::Result<Door> {
        let inner = webrtc::runtime::default_runtime()
            .ok_or_else(|| io::Error::other("the transport crate has no runtime"))?;
        let (bound, outlet, lane) = match &self.ports {
            Bound::Shared(port) => {
                let lane = port.open();
                let outlet = Outlet::Lane(Arc::clone(&lane));
                (port.address(), outlet, Some(lane))
            }
            Bound::Each(range) => {
                let socket = range.bind()?;
                (socket.local_addr()?, Outlet::own(socket), None)
            }
        };
        Ok(Door {
            bound,
            address: self.announced(bound),
            runtime: Arc::new(OutletRuntime::new(inner, outlet, wanted)),
            lane,
        })
    }

    fn say(&self, address: &MediaAddress) {
        match &self.ports {
            Bound::Shared(port) => {
                let bound = port.address();
                info!(%bound, announced = %self.announced(bound), "media on one UDP port");
            }
            Bound::Each(_) => {
                let announced = self.announce.map_or(address.ip, |announce| announce.ip);
                info!(bound = %address.ip, ports = %address.ports, %announced, "media on UDP ports");
            }
        }
    }

    fn announced(&self, bound: SocketAddr) -> SocketAddr {
        match self.announce {
            Some(Announce { ip, port }) => {
                SocketAddr::new(ip, port.unwrap_or_else(|| bound.port()))
            }
            None => bound,
        }
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports")
            .field("announce", &self.announce)
            .finish_non_exhaustive()
    }
}

impl Door {
    /// What our candidates are to say.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to have the crate bind: of the family of the real thing, since ICE pairs by family.
    pub(super) fn placeholder(&self) -> SocketAddr {
        let ip = if self.bound.is_ipv4() {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        };
        SocketAddr::new(ip, 0)
    }

    /// The runtime that swaps the placeholder for the real thing.
    pub(super) fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::clone(&self.runtime)
    }

    /// Lets those in who know these credentials, from now on.
    pub(super) fn admit(&self, credentials: Credentials) {
        if let Some(lane) = &self.lane {
            lane.admit(credentials);
        }
    }

    /// Lets those in as well who answer our requests: the other side makes none (ICE lite).
    pub(super) fn admit_answers(&self) {
        if let Some(lane) = &self.lane {
            lane.admit_answers();
        }
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
