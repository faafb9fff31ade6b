//! Whether a session's client can be reached, and for how long it may not. Pure: time is an argument.
//!
//! A carrier that stands all the time is lost when it closes, or when nothing was heard from the
//! client for [`SILENCE`], whatever its connection says. Requests that come and go are
//! lost when there was none for as long.

use std::time::Duration;

use tokio::time::Instant;

use super::SILENCE;

/// How a client is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Stands, both ways.
    Socket,
    /// Stands, from us to the client; its requests come beside it.
    Stream,
    /// One request of many, which ends soon by itself.
    Request,
}

/// What is known of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It can be reached, or is expected to be back at once.
    Here,
    /// It cannot be reached.
    Away,
    /// It was away for as long as a seat is held.
    Gone,
}

/// What has become of the carrier, and when something was heard last.
#[derive(Debug)]
pub(super) struct Presence {
    hold: Duration,
    carrier: Option<Carrier>,
    heard_at: Instant,
    lost_at: Option<Instant>,
}

impl Presence {
    /// Nobody is there yet. Somebody away for `hold` is gone.
    pub(super) const fn new(hold: Duration, now: Instant) -> Self {
        Self {
            hold,
            carrier: None,
            heard_at: now,
            lost_at: None,
        }
    }

    /// A carrier has come, in place of one that may be there.
    pub(super) const fn attach(&mut self, carrier: Carrier, now: Instant) {
        self.carrier = Some(carrier);
        self.hear(now);
    }

    /// The carrier has gone.
    pub(super) fn detach(&mut self, now: Instant) {
        match self.carrier.take() {
            Some(Carrier::Socket) => self.lost_at = Some(now),
            Some(Carrier::Stream) => {}
            Some(Carrier::Request) => self.heard_at = now,
            None => {}
        }
    }

    /// The client has said something, if only that it lives.
    pub(super) const fn hear(&mut self, now: Instant) {
        self.heard_at = now;
        self.lost_at = None;
    }

    /// Whether the client can be reached at `now`, and when that may change by itself.
    pub(super) fn judge(&mut self, now: Instant) -> (Reach, Option<Instant>) {
        if self.carrier == Some(Carrier::Request) {
            return (Reach::Here, None);
        }
        let silent_at = self.heard_at + SILENCE;
        if self.lost_at.is_none() && now >= silent_at {
            self.carrier = None;
            self.lost_at = Some(silent_at);
        }
        let Some(lost_at) = self.lost_at else {
            return (Reach::Here, Some(silent_at));
        };
        let gone_at = lost_at + self.hold;
        if now < gone_at {
            (Reach::Away, Some(gone_at))
        } else {
            (Reach::Gone, None)
        }
    }

    /// Whether there is a carrier.
    pub(super) const fn has_carrier(&self) -> bool {
        self.carrier.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_secs(30);
    const MOMENT: Duration = Duration::from_millis(1);

    fn met_by(carrier: Carrier) -> (Presence, Instant) {
        let now = Instant::now();
        let mut presence = Presence::new(HOLD, now);
        presence.attach(carrier, now);
        (presence, now)
    }

    #[test]
    fn a_socket_that_closes_is_lost_at_once() {
        let (mut presence, start) = met_by(Carrier::Socket);

        presence.detach(start);

        let gone_at = start + HOLD;
        assert_eq!(presence.judge(start), (Reach::Away, Some(gone_at)));
        assert_eq!(presence.judge(gone_at - MOMENT).0, Reach::Away);
        assert_eq!(presence.judge(gone_at), (Reach::Gone, None));
    }

    #[test]
    fn a_carrier_over_which_nothing_is_heard_is_lost_though_it_stands() {
        for carrier in [Carrier::Socket, Carrier::Stream] {
            let (mut presence, start) = met_by(carrier);
            let silent_at = start + SILENCE;

            assert_eq!(
                presence.judge(silent_at - MOMENT),
                (Reach::Here, Some(silent_at))
            );
            assert!(presence.has_carrier());

            assert_eq!(
                presence.judge(silent_at),
                (Reach::Away, Some(silent_at + HOLD))
            );
            assert!(!presence.has_carrier(), "{carrier:?}");
        }
    }

    #[test]
    fn every_word_grants_the_whole_time_again() {
        let (mut presence, start) = met_by(Carrier::Stream);
        let later = start + SILENCE - MOMENT;

        presence.hear(later);

        let expected = (Reach::Here, Some(later + SILENCE));
        assert_eq!(presence.judge(start + SILENCE), expected);
    }

    #[test]
    fn a_stream_that_breaks_may_come_back_within_the_silence() {
        let (mut presence, start) = met_by(Carrier::Stream);

        presence.detach(start + MOMENT);

        assert_eq!(presence.judge(start + SILENCE - MOMENT).0, Reach::Here);
        assert_eq!(presence.judge(start + SILENCE).0, Reach::Away);
    }

    #[test]
    fn whoever_waits_in_a_request_is_here_and_has_the_silence_after_it() {
        let (mut presence, start) = met_by(Carrier::Request);
        let answered = start + 2 * SILENCE;

        assert_eq!(presence.judge(answered), (Reach::Here, None));
        presence.detach(answered);

        assert_eq!(presence.judge(answered + SILENCE - MOMENT).0, Reach::Here);
        assert_eq!(presence.judge(answered + SILENCE).0, Reach::Away);
    }

    #[test]
    fn whoever_comes_back_is_here_again() {
        let (mut presence, start) = met_by(Carrier::Socket);
        presence.detach(start);
        let back = start + HOLD - MOMENT;

        presence.attach(Carrier::Stream, back);

        assert_eq!(presence.judge(back).0, Reach::Here);
    }

    #[test]
    fn nobody_who_never_came_is_waited_for_longer_than_for_others() {
        let now = Instant::now();
        let mut presence = Presence::new(HOLD, now);

        assert_eq!(presence.judge(now + SILENCE).0, Reach::Away);
        assert_eq!(presence.judge(now + SILENCE + HOLD).0, Reach::Gone);
    }
}
