//! Which connection a datagram on the shared port is for. Pure: time is an argument.
//!
//! A source that is not known yet must show a STUN request which names one of our connections and
//! is signed with its password; from then on its address is enough. Where the other side only answers
//! (ICE lite, RFC 8445 §2.5), it is the response to a request that we sent to that address. Nothing is kept of or sent to
//! anybody else, so strangers cost no memory and are answered nothing.
//!
//! Bounds, each per connection: [`MAX_SOURCES`] addresses, of which the oldest go, and the
//! credentials of the last [`MAX_CREDENTIALS`] ICE generations.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc::crypto::RTCCryptoProvider;

use super::stun::{self, Kind, Transaction};

/// Addresses one connection may be reached from: a client's interfaces, times a move or two.
const MAX_SOURCES: usize = 16;

/// During an ICE restart the client still uses the credentials of before (RFC 8445 §9).
const MAX_CREDENTIALS: usize = 2;

/// Requests of one connection whose responses may still introduce somebody; the oldest go.
const MAX_ASKED: usize = 64;

/// A source heard of more recently than this is not handed to another connection: credentials of
/// one's own and a forged address are not enough to take somebody else's packets away.
const SOURCE_HOLD: Duration = Duration::from_secs(2);

/// Tells connections on the port apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LaneId(u64);

/// The ICE credentials of our end (RFC 8839 §5.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Credentials {
    pub(in super::super) ufrag: String,
    pub(in super::super) password: String,
}

/// Why a datagram is for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stray {
    /// Not STUN, DTLS, RTP or RTCP.
    Garbage,
    /// From a source that has not introduced itself, or to a connection that is not there.
    Unknown,
    /// Names a connection of ours without knowing its password.
    Forged,
    /// From a source that is another connection's at the moment.
    Taken,
}

struct Lane<T> {
    inlet: T,
    sources: VecDeque<SocketAddr>,
    credentials: VecDeque<Credentials>,
    asked: VecDeque<(SocketAddr, Transaction)>,
}

struct Source {
    lane: LaneId,
    heard: Instant,
}

/// The connections on a port, each with an inlet `T` for what is for it.
pub(super) struct Routes<T> {
    lanes: HashMap<LaneId, Lane<T>>,
    sources: HashMap<SocketAddr, Source>,
    ufrags: HashMap<String, LaneId>,
    asked: HashMap<(SocketAddr, Transaction), LaneId>,
    next_lane: u64,
    crypto: Arc<dyn RTCCryptoProvider>,
}

impl<T> Routes<T> {
    pub(super) fn new(crypto: Arc<dyn RTCCryptoProvider>) -> Self {
        Self {
            lanes: HashMap::new(),
            sources: HashMap::new(),
            ufrags: HashMap::new(),
            asked: HashMap::new(),
            next_lane: 0,
            crypto,
        }
    }

    /// Makes a connection, which nothing reaches before it has credentials.
    pub(super) fn open(&mut self, inlet: T) -> LaneId {
        let id = LaneId(self.next_lane);
        self.next_lane += 1;
        let lane = Lane {
            inlet,
            sources: VecDeque::new(),
            credentials: VecDeque::new(),
            asked: VecDeque::new(),
        };
        self.lanes.insert(id, lane);
        id
    }

    /// Forgets a connection and all that leads to it.
    pub(super) fn close(&mut self, id: LaneId) {
        let Some(lane) = self.lanes.remove(&id) else {
            return;
        };
        for source in lane.sources {
            self.sources.remove(&source);
        }
        for Credentials { ufrag, .. } in lane.credentials {
            self.ufrags.remove(&ufrag);
        }
        for asked in lane.asked {
            self.asked.remove(&asked);
        }
    }

    /// Notes what a connection sends to `to`: whoever answers a request of ours is let in.
    pub(super) fn ask(&mut self, id: LaneId, to: SocketAddr, datagram: &[u8]) {
        let transaction = stun::transaction_of(datagram).filter(|_| stun::is_request(datagram));
        let (Some(transaction), Some(lane)) = (transaction, self.lanes.get_mut(&id)) else {
            return;
        };
        let asked = (to, transaction);
        if self.sources.contains_key(&to) || self.asked.contains_key(&asked) {
            return;
        }
        self.asked.insert(asked, id);
        lane.asked.push_back(asked);
        if lane.asked.len() > MAX_ASKED
            && let Some(oldest) = lane.asked.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }

    /// The inlets of all connections, in no order.
    pub(super) fn inlets(&self) -> impl Iterator<Item = &T> {
        self.lanes.values().map(|lane| &lane.inlet)
    }

    /// The credentials a connection goes by from now on. Those it had are kept for one more change.
    pub(super) fn admit(&mut self, id: LaneId, credentials: Credentials) {
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        if lane.credentials.contains(&credentials) {
            return;
        }
        // A fragment drawn twice: whoever has it keeps it.
        if self.ufrags.contains_key(&credentials.ufrag) {
            return;
        }
        self.ufrags.insert(credentials.ufrag.clone(), id);
        lane.credentials.push_back(credentials);
        if lane.credentials.len() > MAX_CREDENTIALS
            && let Some(old) = lane.credentials.pop_front()
        {
            self.ufrags.remove(&old.ufrag);
        }
    }

    /// The inlet of the connection that a datagram is for.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub(super) fn route(
        &mut self,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Result<&T, Stray> {
        let id = match stun::classify(datagram) {
            Kind::Garbage => return Err(Stray::Garbage),
            Kind::Request { ufrag } => {
                let id = *self.ufrags.get(ufrag).ok_or(Stray::Unknown)?;
                match self.sources.get_mut(&from) {
                    // Not verified again: that is the connection's own business.
                    Some(source) if source.lane == id => source.heard = now,
                    _ => self.learn(id, from, (ufrag, datagram), now)?,
                }
                id
            }
            Kind::OtherStun if !self.sources.contains_key(&from) => {
                let transaction = stun::transaction_of(datagram).ok_or(Stray::Garbage)?;
                let asked = self.asked.get(&(from, transaction));
                let id = *asked.ok_or(Stray::Unknown)?;
                self.let_in(id, from, now)?;
                id
            }
            Kind::OtherStun | Kind::Media => {
                let source = self.sources.get_mut(&from).ok_or(Stray::Unknown)?;
                source.heard = now;
                source.lane
            }
        };
        let lane = self.lanes.get(&id).ok_or(Stray::Unknown)?;
        Ok(&lane.inlet)
    }

    /// Notes that `from` speaks for a connection, if its request proves that.
    fn learn(
        &mut self,
        id: LaneId,
        from: SocketAddr,
        (ufrag, request): (&str, &[u8]),
        now: Instant,
    ) -> Result<(), Stray> {
        let lane = self.lanes.get_mut(&id).ok_or(Stray::Unknown)?;
        let credentials = lane.credentials.iter().find(|it| it.ufrag == ufrag);
        let password = &credentials.ok_or(Stray::Unknown)?.password;
        if !stun::is_authentic(request, password, &self.crypto) {
            return Err(Stray::Forged);
        }
        if let Some(source) = self.sources.get(&from)
            && now.saturating_duration_since(source.heard) < SOURCE_HOLD
        {
            return Err(Stray::Taken);
        }
        self.let_in(id, from, now)
    }

    /// From now on the address is enough.
    fn let_in(&mut self, id: LaneId, from: SocketAddr, now: Instant) -> Result<(), Stray> {
        let lane = self.lanes.get_mut(&id).ok_or(Stray::Unknown)?;
        lane.sources.push_back(from);
        if lane.sources.len() > MAX_SOURCES
            && let Some(oldest) = lane.sources.pop_front()
        {
            self.sources.remove(&oldest);
        }
        let source = Source {
            lane: id,
            heard: now,
        };
        if let Some(before) = self.sources.insert(from, source)
            && let Some(loser) = self.lanes.get_mut(&before.lane)
        {
            loser.sources.retain(|source| *source != from);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
