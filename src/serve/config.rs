//! What the server is told to do. Everything has been checked when this exists.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use mixer::ladder::Ladder;
use mixer::video::Fit;

use super::{AllowedOrigin, HouseRules, MediaAddress, Openness, TlsConfig};
use crate::access::AccessConfig;
use crate::access::api_key::ApiKeyFile;
use crate::ice_servers::IceServers;
use crate::limits::Limits;
use crate::webhooks::WebhooksConfig;

/// What the server does.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where HTTP and the WebSocket are served.
    pub listen: SocketAddr,
    /// Where media comes to, and what the server's ICE candidates say of that.
    pub media: MediaAddress,
    /// The pictures that a room offers which has none of its own.
    pub ladder: Ladder,
    /// The most that each one's mixed audio gets, in kb/s.
    pub audio_kbps: u32,
    /// How long the seat of an absent participant is held.
    pub seat_hold: Duration,
    /// The most participants in a room, 1 to 49.
    pub max_participants: usize,
    /// The most rooms at a time.
    pub max_rooms: usize,
    /// How pictures meet regions of another aspect.
    pub fit: Fit,
    /// Who gets into rooms, and what rooms keep.
    pub house: HouseRules,
    /// Rooms that are there from the beginning, and stay.
    pub rooms: Vec<ListedRoom>,
    /// What is asked of whoever comes.
    pub access: AccessConfig,
    /// Who is served.
    pub openness: Openness,
    /// Pages that may connect beside the server's own.
    pub origins: Vec<AllowedOrigin>,
    /// Proxies that are believed who asks.
    pub trusted_proxies: Vec<IpNet>,
    /// How much anybody may ask for.
    pub limits: Limits,
    /// `None`: no TLS.
    pub tls: Option<TlsConfig>,
    /// What participants are told of STUN and TURN.
    pub ice_servers: IceServers,
    /// What there is for operators.
    pub operators: OperatorsConfig,
}

/// A room that is there from the beginning.
#[derive(Clone, Debug)]
pub struct ListedRoom {
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub name: String,
    /// The pictures that it offers; `None`: the server's.
    pub ladder: Option<Ladder>,
}

/// What there is for operators.
#[derive(Clone, Debug)]
pub struct OperatorsConfig {
    /// What they are known by; `None`: there is no interface for them.
    pub api_keys: Option<Arc<ApiKeyFile>>,
    /// How many events are kept for whoever is behind, 1 to 100,000. Default 1,000.
    pub events_kept: usize,
    /// Who is told what happens; `None`: nobody.
    pub webhooks: Option<WebhooksConfig>,
}

impl ServeConfig {
    /// What a certificate of our own is for: all that this server may be called by, as far as it knows.
    pub(super) fn names(&self) -> Vec<String> {
        let announced = self.media.announce.map(|announce| announce.ip);
        let own = [Some(self.listen.ip()), Some(self.media.ip), announced];
        let known = own.into_iter().flatten().filter(|ip| !ip.is_unspecified());
        let loopback = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let names: BTreeSet<String> = known.map(|ip| ip.to_string()).chain(loopback).collect();
        names.into_iter().collect()
    }

    /// Where people find the server that listens on `address`.
    pub(super) fn host(&self, address: SocketAddr) -> SocketAddr {
        match address.ip().is_unspecified() {
            true => SocketAddr::new(self.media.ip, address.port()),
            false => address,
        }
    }
}
