//! How much anybody may ask for, and what of that was refused.
//!
//! [`Limits`] are settings, [`Limiter`] keeps them: it knows what each address holds and how fast
//! it asks, and [`Counters`] what was refused and why. Pure but for a lock: time is an argument.
//!
//! Of at most 65,536 addresses something is remembered; those beyond share one account.

mod addresses;
mod allowance;
mod bucket;
mod counters;
mod limiter;

use std::time::Duration;

use serde::Deserialize;

pub(crate) use addresses::Address;
pub(crate) use allowance::Allowance;
pub(crate) use bucket::{Bucket, Rate};
pub(crate) use counters::{Counters, Refusal};
pub(crate) use limiter::{Caller, Excess, Limiter, Permit};

/// The least that `message_bytes` may be: an offer of a browser with one camera is as long.
const MIN_MESSAGE_BYTES: u32 = 8 * 1024;

/// The most that `message_bytes` may be.
const MAX_MESSAGE_BYTES: u32 = 1024 * 1024;

/// The most that `opening_seconds` may be: what the head of any request may take.
const MAX_OPENING_SECONDS: u32 = 30;

/// The most that `join_seconds` may be.
const MAX_JOIN_SECONDS: u32 = 3_600;

/// The most that `offer_bytes` may be: what is looked at at all.
const MAX_OFFER_BYTES: u32 = 48 * 1024;

/// The most that any other may be.
const MAX_USUAL: u32 = 1_000_000;

/// How much anybody may ask for. Each is 1 or more, and at most 1,000,000 where it does not say less.
///
/// An IPv6 address counts together with its /64, which is what one subscriber usually has.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Connections at a time, of everybody. Beyond, new ones are cut. Default 10,000.
    pub connections: u32,
    /// Connections at a time from one address; a trusted proxy has no such limit. Beyond, new ones
    /// are cut. Default 1,000.
    pub connections_per_address: u32,
    /// New connections a second from one address; a trusted proxy has no such limit. Default 200.
    /// Beyond, they are cut.
    pub connections_per_second: u32,
    /// New connections that may come at once from one address. Default 1,000.
    pub connection_burst: u32,
    /// Connections at a time from one address that have not asked for anything yet: those with a
    /// handshake of TLS under way, or the head of their first request. Default 250; a trusted proxy has
    /// no such limit. Beyond, new ones are cut.
    pub openings_per_address: u32,
    /// How long a connection may take until then, in seconds, at most 30. Default 10. Then it is cut.
    pub opening_seconds: u32,
    /// HTTP requests a second from one address, each WebSocket counted once, when it begins.
    /// Default 200. Beyond: `rate_limited`.
    pub requests_per_second: u32,
    /// Requests that may come at once from one address. Default 1,000.
    pub request_burst: u32,
    /// Sessions at a time, of everybody, those included whose client is away. Default 5,000. Beyond:
    /// `too_many_sessions`.
    pub sessions: u32,
    /// Sessions at a time from one address, where they began. Default 500. Beyond:
    /// `too_many_from_address`.
    pub sessions_per_address: u32,
    /// Seats at a time that were taken from one address, those held for the absent included.
    /// Default 250. Beyond: `too_many_from_address`.
    pub participants_per_address: u32,
    /// Rooms at a time that were opened from one address by who came first. Default 50. Beyond:
    /// `too_many_from_address`.
    pub rooms_per_address: u32,
    /// The longest message of a client, in bytes, 8,192 to 1,048,576. Default 65,536. Beyond:
    /// `too_large`; four times as long, and the connection is cut.
    pub message_bytes: u32,
    /// Messages a second in one session. Default 50. Beyond: `rate_limited`.
    pub messages_per_second: u32,
    /// Messages that may come at once in one session. Default 200.
    pub message_burst: u32,
    /// Requests with messages (`POST /sessions/{id}`) of one session that are under way at a time.
    /// Default 4. Beyond: `rate_limited`.
    pub posts_per_session: u32,
    /// How long a carrier may be there without a session, and a session without a seat or a place in
    /// a lobby, in seconds, at most 3,600. Default 10. Then: `bye` with `not_joined`.
    pub join_seconds: u32,
    /// Offers a minute in one session, and as many at once; also over WHIP and WHEP from one address,
    /// restarts of ICE apart, of which each resource may have as many. Default 30. Beyond: `rate_limited`.
    pub offers_per_minute: u32,
    /// The longest offer, in bytes, at most 49,152, which is the default. Beyond: `too_large`.
    pub offer_bytes: u32,
    /// Candidates after one offer, those in it included. Default 64. Beyond:
    /// `too_many_candidates`.
    pub candidates_per_offer: u32,
    /// Wrong keys of operators a minute from one address, and as many at once. Default 10. Beyond:
    /// `rate_limited`, whatever the key.
    pub wrong_keys_per_minute: u32,
}

/// Why limits are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// Out of its range.
    #[error("{name} is {value}, expected {min} to {max}")]
    Range {
        /// As in the configuration.
        name: &'static str,
        /// What was asked for.
        value: u32,
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// An offer is sent in a message.
    #[error("offer-bytes is {offer}, expected less than the {message} of message-bytes")]
    OfferBeyondMessage {
        /// The longest offer.
        offer: u32,
        /// The longest message.
        message: u32,
    },
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 1_000,
            connections_per_second: 200,
            connection_burst: 1_000,
            openings_per_address: 250,
            opening_seconds: 10,
            requests_per_second: 200,
            request_burst: 1_000,
            sessions: 5_000,
            sessions_per_address: 500,
            participants_per_address: 250,
            rooms_per_address: 50,
            message_bytes: 64 * 1024,
            messages_per_second: 50,
            message_burst: 200,
            posts_per_session: 4,
            join_seconds: 10,
            offers_per_minute: 30,
            offer_bytes: MAX_OFFER_BYTES,
            candidates_per_offer: 64,
            wrong_keys_per_minute: 10,
        }
    }
}

impl Limits {
    /// Whether they make sense.
    ///
    /// # Errors
    ///
    /// [`LimitsError`], for the first that does not.
    pub fn check(&self) -> Result<(), LimitsError> {
        let usual = [
            ("connections", self.connections),
            ("connections-per-address", self.connections_per_address),
            ("connections-per-second", self.connections_per_second),
            ("connection-burst", self.connection_burst),
            ("openings-per-address", self.openings_per_address),
            ("requests-per-second", self.requests_per_second),
            ("request-burst", self.request_burst),
            ("sessions", self.sessions),
            ("sessions-per-address", self.sessions_per_address),
            ("participants-per-address", self.participants_per_address),
            ("rooms-per-address", self.rooms_per_address),
            ("messages-per-second", self.messages_per_second),
            ("message-burst", self.message_burst),
            ("posts-per-session", self.posts_per_session),
            ("offers-per-minute", self.offers_per_minute),
            ("candidates-per-offer", self.candidates_per_offer),
            ("wrong-keys-per-minute", self.wrong_keys_per_minute),
        ];
        let usual = usual.map(|(name, value)| (name, value, 1, MAX_USUAL));
        let others = [
            (
                "opening-seconds",
                self.opening_seconds,
                1,
                MAX_OPENING_SECONDS,
            ),
            (
                "message-bytes",
                self.message_bytes,
                MIN_MESSAGE_BYTES,
                MAX_MESSAGE_BYTES,
            ),
            ("join-seconds", self.join_seconds, 1, MAX_JOIN_SECONDS),
            ("offer-bytes", self.offer_bytes, 1, MAX_OFFER_BYTES),
        ];
        for (name, value, min, max) in usual.into_iter().chain(others) {
            if !(min..=max).contains(&value) {
                return Err(LimitsError::Range {
                    name,
                    value,
                    min,
                    max,
                });
            }
        }
        if self.offer_bytes >= self.message_bytes {
            return Err(LimitsError::OfferBeyondMessage {
                offer: self.offer_bytes,
                message: self.message_bytes,
            });
        }
        Ok(())
    }

    /// How often one address may connect.
    pub(crate) fn connecting(&self) -> Rate {
        Rate::per_second(self.connections_per_second, self.connection_burst)
    }

    /// How long a connection may take to ask for something.
    pub(crate) fn open_within(&self) -> Duration {
        Duration::from_secs(self.opening_seconds.into())
    }

    /// What one address may ask over HTTP.
    pub(crate) fn requests(&self) -> Rate {
        Rate::per_second(self.requests_per_second, self.request_burst)
    }

    /// What one session may say.
    pub(crate) fn messages(&self) -> Rate {
        Rate::per_second(self.messages_per_second, self.message_burst)
    }

    /// How often one address may show a wrong key.
    pub(crate) fn wrong_keys(&self) -> Rate {
        Rate::per_minute(self.wrong_keys_per_minute, self.wrong_keys_per_minute)
    }

    /// How long a client may take to join.
    pub(crate) fn join_within(&self) -> Duration {
        Duration::from_secs(self.join_seconds.into())
    }

    /// How often one session may offer, and one address that has none.
    pub(crate) fn offers(&self) -> Rate {
        Rate::per_minute(self.offers_per_minute, self.offers_per_minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_that_hold_unless_told_otherwise_make_sense() {
        assert_eq!(Limits::default().check(), Ok(()));
    }

    #[test]
    fn limits_out_of_their_range_are_named() {
        let none = Limits {
            sessions_per_address: 0,
            ..Limits::default()
        };
        let long = Limits {
            message_bytes: MIN_MESSAGE_BYTES,
            ..Limits::default()
        };

        let error = none.check().unwrap_err().to_string();
        assert_eq!(error, "sessions-per-address is 0, expected 1 to 1000000");
        assert!(matches!(
            long.check(),
            Err(LimitsError::OfferBeyondMessage { .. })
        ));
    }
}
