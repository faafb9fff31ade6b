//! What was refused, and how often. Counters only grow.
//!
//! Two looks at it: by [`Refusal`], which is what was too much, and by [`ErrorCode`], which is what
//! those were told who had asked. One refusal may be in both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::signaling::message::ErrorCode;

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A connection beyond what the server holds.
    Connection,
    /// A connection beyond what one address may have.
    ConnectionOfAddress,
    /// A connection that came too soon after others of its address.
    ConnectionRate,
    /// A connection of an address of which too many have yet to ask for something, or one that took
    /// too long to.
    Opening,
    /// A handshake of TLS that failed or took too long.
    TlsHandshake,
    /// A request beyond the rate of its address.
    Request,
    /// A session beyond what the server holds.
    Session,
    /// A session beyond what one address may have.
    SessionOfAddress,
    /// A seat beyond what one address may have.
    Participant,
    /// A room beyond what one address may open.
    RoomOfAddress,
    /// A request of a page from elsewhere.
    Origin,
    /// A stranger, where only this machine is served.
    NotLoopback,
    /// Nothing was shown where something is asked for.
    AuthRequired,
    /// Something was shown that is good for nothing.
    BadAuth,
    /// What was shown was good once.
    AuthExpired,
    /// What was shown is good for another room.
    NotThisRoom,
    /// A message beyond the rate of its session.
    Message,
    /// A message that is too long.
    MessageLength,
    /// A request with messages beyond those that one session may have under way.
    Post,
    /// A carrier or a session over which nobody joined in time.
    Unjoined,
    /// An offer beyond the rate of its session, or of its address where it has none.
    Offer,
    /// An offer that is too long.
    OfferLength,
    /// A candidate beyond what may follow an offer.
    Candidate,
    /// A request of an operator with a wrong key, or with none.
    ApiKey,
    /// A request of an operator whose address has shown too many wrong keys.
    ApiKeyRate,
}

impl Refusal {
    const ALL: [Self; 25] = [
        Self::Connection,
        Self::ConnectionOfAddress,
        Self::ConnectionRate,
        Self::Opening,
        Self::TlsHandshake,
        Self::Request,
        Self::Session,
        Self::SessionOfAddress,
        Self::Participant,
        Self::RoomOfAddress,
        Self::Origin,
        Self::NotLoopback,
        Self::AuthRequired,
        Self::BadAuth,
        Self::AuthExpired,
        Self::NotThisRoom,
        Self::Message,
        Self::MessageLength,
        Self::Post,
        Self::Unjoined,
        Self::Offer,
        Self::OfferLength,
        Self::Candidate,
        Self::ApiKey,
        Self::ApiKeyRate,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Connection => "connections",
            Self::ConnectionOfAddress => "connections_of_address",
            Self::ConnectionRate => "connection_rate",
            Self::Opening => "openings",
            Self::TlsHandshake => "tls_handshakes",
            Self::Request => "requests",
            Self::Session => "sessions",
            Self::SessionOfAddress => "sessions_of_address",
            Self::Participant => "participants",
            Self::RoomOfAddress => "rooms_of_address",
            Self::Origin => "wrong_origin",
            Self::NotLoopback => "not_loopback",
            Self::AuthRequired => "auth_required",
            Self::BadAuth => "bad_auth",
            Self::AuthExpired => "auth_expired",
            Self::NotThisRoom => "not_this_room",
            Self::Message => "messages",
            Self::MessageLength => "message_bytes",
            Self::Post => "posts",
            Self::Unjoined => "unjoined",
            Self::Offer => "offers",
            Self::OfferLength => "offer_bytes",
            Self::Candidate => "candidates",
            Self::ApiKey => "api_keys",
            Self::ApiKeyRate => "api_keys_of_address",
        }
    }
}

/// One counter for each [`Refusal`], and one for each code that was ever told.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: [AtomicU64; Refusal::ALL.len()],
    codes: Mutex<BTreeMap<ErrorCode, u64>>,
}

impl Counters {
    /// Counts one.
    pub(crate) fn count(&self, refusal: Refusal) {
        self.counts[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that was answered with this code.
    pub(crate) fn count_code(&self, code: ErrorCode) {
        *self.codes().entry(code).or_default() += 1;
    }

    /// How often requests were answered with an error, by its code; none that is zero.
    pub(crate) fn by_code(&self) -> BTreeMap<ErrorCode, u64> {
        self.codes().clone()
    }

    fn codes(&self) -> MutexGuard<'_, BTreeMap<ErrorCode, u64>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them now, by names that do not change. Those that are zero are there as well.
    pub(crate) fn snapshot(&self) -> BTreeMap<&'static str, u64> {
        let named = Refusal::ALL.iter().zip(&self.counts);
        named
            .map(|(refusal, count)| (refusal.name(), count.load(Ordering::Relaxed)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_counted_by_itself() {
        let counters = Counters::default();

        for code in [ErrorCode::RoomFull, ErrorCode::Banned, ErrorCode::RoomFull] {
            counters.count_code(code);
        }

        let expected = [(ErrorCode::RoomFull, 2), (ErrorCode::Banned, 1)];
        assert_eq!(counters.by_code(), expected.into());
    }

    #[test]
    fn each_refusal_has_a_name_and_a_counter_of_its_own() {
        let counters = Counters::default();

        for (n, refusal) in Refusal::ALL.into_iter().enumerate() {
            for _ in 0..=n {
                counters.count(refusal);
            }
        }

        let snapshot = counters.snapshot();
        assert_eq!(snapshot.len(), Refusal::ALL.len());
        for (n, refusal) in (1..).zip(Refusal::ALL) {
            assert_eq!(snapshot[refusal.name()], n, "{refusal:?}");
        }
    }
}
