//! Keeps the limits of addresses, for all who ask at the same time.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::addresses::{Addresses, Coming, Holding, Place};
use super::{Address, Counters, Limits, Refusal};
use crate::signaling::message::ErrorCode;

/// After how long it is worth asking again for what an address has too many of: somebody must end
/// theirs first.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(5);

/// After how long it is worth sending again what came while as much was under way.
const WAIT_FOR_POSTS: Duration = Duration::from_secs(1);

/// What everybody's limits are kept by.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: Limits,
    counters: Arc<Counters>,
    addresses: Mutex<Addresses>,
}

/// That an address holds one of something. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    /// `None`: nobody's in particular.
    place: Option<Place>,
    holding: Holding,
}

/// Too much was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Excess {
    #[error("too much at once, wait {} ms", .wait.as_micros().div_ceil(1_000))]
    Rate { wait: Duration },
    #[error("this address has {max} sessions, which is all it may have")]
    Sessions { max: u32 },
    #[error("this address has {max} participants, which is all it may have")]
    Participants { max: u32 },
    #[error("{max} rooms were opened from this address, which is all there may be")]
    Rooms { max: u32 },
    #[error("there are {max} connections, which is all there may be")]
    Connections { max: u32 },
    #[error("{max} connections have asked for nothing yet, which is all there may be")]
    Openings { max: u32 },
    #[error("a message of {bytes} bytes, expected at most {max}")]
    Message { bytes: usize, max: u32 },
    #[error(
        "{max} requests of this session are under way, which is all there may be: wait for the answer"
    )]
    Posts { max: u32 },
    #[error("an offer of {bytes} bytes, expected at most {max}")]
    Offer { bytes: usize, max: u32 },
    #[error("more than {max} candidates after one offer")]
    Candidates { max: u32 },
}

/// Who a carrier speaks for.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    /// What was brought along to show who this is: the bearer of the Authorization header.
    pub(crate) credential: Option<String>,
    /// Where they are; `None` only in tests.
    pub(crate) address: Option<Address>,
}

impl Excess {
    /// As the protocol has it.
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::Rate { .. } | Self::Posts { .. } => ErrorCode::RateLimited,
            Self::Sessions { .. }
            | Self::Participants { .. }
            | Self::Rooms { .. }
            | Self::Connections { .. }
            | Self::Openings { .. } => ErrorCode::TooManyFromAddress,
            Self::Message { .. } | Self::Offer { .. } => ErrorCode::TooLarge,
            Self::Candidates { .. } => ErrorCode::TooManyCandidates,
        }
    }

    /// After how long it is worth asking again, where that is any use.
    pub(crate) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Rate { wait } => Some(wait),
            Self::Posts { .. } => Some(WAIT_FOR_POSTS),
            Self::Sessions { .. }
            | Self::Participants { .. }
            | Self::Rooms { .. }
            | Self::Connections { .. }
            | Self::Openings { .. } => Some(WAIT_FOR_OTHERS),
            Self::Message { .. } | Self::Offer { .. } | Self::Candidates { .. } => None,
        }
    }
}

impl Limiter {
    pub(crate) fn new(limits: Limits, counters: Arc<Counters>) -> Self {
        let addresses = Mutex::new(Addresses::new(Instant::now()));
        Self {
            limits,
            counters,
            addresses,
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes note of a request over HTTP.
    ///
    /// # Errors
    ///
    /// [`Excess::Rate`].
    pub(crate) fn request(&self, address: Address, now: Instant) -> Result<(), Excess> {
        let rate = self.limits.requests();
        let taken = self.addresses().take(address, Coming::Request, rate, now);
        taken.map_err(|wait| {
            self.counters.count(Refusal::Request);
            Excess::Rate { wait }
        })
    }

    /// Takes note of an offer that takes a seat by itself, without a session to count it.
    ///
    /// # Errors
    ///
    /// [`Excess::Rate`].
    pub(crate) fn offer(&self, address: Address, now: Instant) -> Result<(), Excess> {
        let rate = self.limits.offers();
        let taken = self.addresses().take(address, Coming::Offer, rate, now);
        taken.map_err(|wait| {
            self.counters.count(Refusal::Offer);
            Excess::Rate { wait }
        })
    }

    /// Whether somebody there may show a key of operators.
    ///
    /// # Errors
    ///
    /// [`Excess::Rate`] if too many were wrong.
    pub(crate) fn may_show_key(&self, address: Address, now: Instant) -> Result<(), Excess> {
        let rate = self.limits.wrong_keys();
        let looked = self.addresses().look(address, Coming::WrongKey, rate, now);
        looked.map_err(|wait| {
            self.counters.count(Refusal::ApiKeyRate);
            Excess::Rate { wait }
        })
    }

    /// Takes note that somebody there showed a wrong key of operators, or none.
    pub(crate) fn show_wrong_key(&self, address: Address, now: Instant) {
        self.counters.count(Refusal::ApiKey);
        let rate = self.limits.wrong_keys();
        // One too many is known by its being refused a look.
        let _ = self.addresses().take(address, Coming::WrongKey, rate, now);
    }

    /// Takes note of a connection until the first permit is dropped, and that nothing was asked over
    /// it until the second is. Without an address it counts among those of everybody alone.
    ///
    /// # Errors
    ///
    /// [`Excess::Connections`], of everybody or of the address; [`Excess::Openings`] and
    /// [`Excess::Rate`], of the address.
    pub(crate) fn connect(
        self: &Arc<Self>,
        address: Option<Address>,
        now: Instant,
    ) -> Result<[Permit; 2], Excess> {
        let begun = self.begin_connection(address, now);
        let place = begun.map_err(|(refusal, excess)| {
            self.counters.count(refusal);
            excess
        })?;
        Ok(
            [Holding::Connection, Holding::Opening].map(|holding| Permit {
                limiter: Arc::clone(self),
                place,
                holding,
            }),
        )
    }

    fn begin_connection(
        &self,
        address: Option<Address>,
        now: Instant,
    ) -> Result<Option<Place>, (Refusal, Excess)> {
        let max = self.limits.connections;
        let mut addresses = self.addresses();
        if !addresses.connect(max) {
            return Err((Refusal::Connection, Excess::Connections { max }));
        }
        let Some(address) = address else {
            return Ok(None);
        };
        let begun = self.begin_at(&mut addresses, address, now);
        if begun.is_err() {
            addresses.disconnect();
        }
        begun.map(Some)
    }

    fn begin_at(
        &self,
        addresses: &mut Addresses,
        address: Address,
        now: Instant,
    ) -> Result<Place, (Refusal, Excess)> {
        let begun = addresses.take(address, Coming::Connection, self.limits.connecting(), now);
        begun.map_err(|wait| (Refusal::ConnectionRate, Excess::Rate { wait }))?;
        let max = self.limits.connections_per_address;
        let place = addresses
            .hold(address, Holding::Connection, max, now)
            .ok_or((Refusal::ConnectionOfAddress, Excess::Connections { max }))?;
        let max = self.limits.openings_per_address;
        if !addresses.hold_too(place, Holding::Opening, max) {
            addresses.release(place, Holding::Connection);
            return Err((Refusal::Opening, Excess::Openings { max }));
        }
        Ok(place)
    }

    /// Takes note of a session from `address` until the permit is dropped.
    ///
    /// # Errors
    ///
    /// [`Excess::Sessions`].
    pub(crate) fn begin_session(
        self: &Arc<Self>,
        address: Address,
        now: Instant,
    ) -> Result<Permit, Excess> {
        let max = self.limits.sessions_per_address;
        self.hold(address, Holding::Session, max, now)
            .ok_or_else(|| {
                self.counters.count(Refusal::SessionOfAddress);
                Excess::Sessions { max }
            })
    }

    /// Takes note of a seat taken from `address` until the permit is dropped.
    ///
    /// # Errors
    ///
    /// [`Excess::Participants`].
    pub(crate) fn take_seat(
        self: &Arc<Self>,
        address: Address,
        now: Instant,
    ) -> Result<Permit, Excess> {
        let max = self.limits.participants_per_address;
        self.hold(address, Holding::Participant, max, now)
            .ok_or_else(|| {
                self.counters.count(Refusal::Participant);
                Excess::Participants { max }
            })
    }

    fn hold(
        self: &Arc<Self>,
        address: Address,
        holding: Holding,
        max: u32,
        now: Instant,
    ) -> Option<Permit> {
        let place = self.addresses().hold(address, holding, max, now)?;
        Some(Permit {
            limiter: Arc::clone(self),
            place: Some(place),
            holding,
        })
    }

    fn addresses(&self) -> MutexGuard<'_, Addresses> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Takes note that whoever has this permit opened a room, until the one that is given is dropped.
    ///
    /// # Errors
    ///
    /// [`Excess::Rooms`].
    pub(crate) fn for_room(&self) -> Result<Self, Excess> {
        let (limiter, holding) = (&self.limiter, Holding::Room);
        let max = limiter.limits.rooms_per_address;
        if let Some(place) = self.place
            && !limiter.addresses().hold_too(place, holding, max)
        {
            limiter.counters.count(Refusal::RoomOfAddress);
            return Err(Excess::Rooms { max });
        }
        Ok(Self {
            limiter: Arc::clone(limiter),
            place: self.place,
            holding,
        })
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(Limits::default(), Arc::default())
    }
}

impl fmt::Debug for Caller {
    /// Without the credential: whoever reads a log is not to come in with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut addresses = self.limiter.addresses();
        if self.holding == Holding::Connection {
            addresses.disconnect();
        }
        if let Some(place) = self.place {
            addresses.release(place, self.holding);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn what_is_refused_is_counted_and_what_is_dropped_is_free_again() {
        let limits = Limits {
            sessions_per_address: 1,
            ..Limits::default()
        };
        let limiter = Arc::new(Limiter::new(limits, Arc::default()));
        let address = Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let hold = || limiter.begin_session(address, Instant::now());

        let permit = hold().unwrap();
        assert_eq!(hold().unwrap_err(), Excess::Sessions { max: 1 });
        drop(permit);

        assert!(hold().is_ok());
        assert_eq!(limiter.counters().snapshot()["sessions_of_address"], 1);
    }

    #[test]
    fn offers_without_a_session_are_bounded_for_each_address() {
        let limits = Limits {
            offers_per_minute: 2,
            ..Limits::default()
        };
        let limiter = Limiter::new(limits, Arc::default());
        let now = Instant::now();
        let offer = |n: u8, now| limiter.offer(Address::from(IpAddr::from([192, 0, 2, n])), now);

        assert_eq!((offer(1, now), offer(1, now)), (Ok(()), Ok(())));
        let wait = Duration::from_secs(30);
        assert_eq!(offer(1, now), Err(Excess::Rate { wait }));
        assert_eq!(offer(2, now), Ok(()), "another address");
        assert_eq!(offer(1, now + wait), Ok(()), "as told");

        assert_eq!(limiter.counters().snapshot()["offers"], 1);
    }

    #[test]
    fn connections_are_bounded_for_each_address_and_for_all_together() {
        let limits = Limits {
            connections: 3,
            connections_per_address: 1,
            ..Limits::default()
        };
        let limiter = Arc::new(Limiter::new(limits, Arc::default()));
        let connect = |n: u8| {
            let address = Address::from(IpAddr::from([192, 0, 2, n]));
            limiter.connect(Some(address), Instant::now())
        };

        let first = connect(1).unwrap();
        assert_eq!(connect(1).unwrap_err(), Excess::Connections { max: 1 });
        let _second = connect(2).unwrap();
        let _proxy = limiter.connect(None, Instant::now()).unwrap();
        assert_eq!(connect(3).unwrap_err(), Excess::Connections { max: 3 });
        drop(first);

        assert!(connect(3).is_ok());
        let counted = limiter.counters().snapshot();
        assert_eq!(
            (counted["connections"], counted["connections_of_address"]),
            (1, 1)
        );
    }

    #[test]
    fn connections_that_ask_for_nothing_are_bounded_and_those_that_did_are_not_among_them() {
        let limits = Limits {
            openings_per_address: 1,
            ..Limits::default()
        };
        let limiter = Arc::new(Limiter::new(limits, Arc::default()));
        let address = Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let connect = || limiter.connect(Some(address), Instant::now());

        let [_connection, opening] = connect().unwrap();
        assert_eq!(connect().unwrap_err(), Excess::Openings { max: 1 });
        drop(opening);
        let _second = connect().unwrap();

        let _proxy = [(); 3].map(|()| limiter.connect(None, Instant::now()).unwrap());
        assert_eq!(limiter.counters().snapshot()["openings"], 1);
    }

    #[test]
    fn who_connects_too_often_is_refused_until_a_while_has_passed() {
        let limits = Limits {
            connections_per_second: 10,
            connection_burst: 2,
            ..Limits::default()
        };
        let limiter = Arc::new(Limiter::new(limits, Arc::default()));
        let (address, now) = (
            Address::from(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Instant::now(),
        );
        let connect = |now| limiter.connect(Some(address), now).map(drop);

        assert_eq!((connect(now), connect(now)), (Ok(()), Ok(())));
        let wait = Duration::from_millis(100);
        assert_eq!(connect(now), Err(Excess::Rate { wait }));

        assert_eq!(connect(now + wait), Ok(()));
        assert_eq!(limiter.counters().snapshot()["connection_rate"], 1);
    }
}
