//! A receiver that estimates its downlink by itself and says so by REMB, with reports of loss, as
//! browsers did before there was feedback per packet (draft-ietf-rmcat-gcc-02 §3, figure 2, with the
//! delay-based controller on its side).
//!
//! Plainer than any of theirs: what came in the last second; up by [`GROWTH`] a second while the queue
//! is not seen to grow, to one and a half times what came at most; down to [`CUT`] of what came when it
//! grows, and held until it shrinks no more. It says so once a second, and at once when it falls by
//! more than 3 %.

use std::collections::VecDeque;
use std::time::Duration;

use super::path::ms;

/// As the draft allows (§5.5).
const GROWTH: f64 = 0.08;
const CUT: f64 = 0.85;
const BEYOND: f64 = 1.5;
const BEYOND_NOTHING: f64 = 10_000.0;

/// The queue grows if the shortest wait of these is so much longer than of those before them.
const RECENT: Duration = Duration::from_millis(300);
const GROWS: Duration = Duration::from_millis(20);

const SAID_EVERY: Duration = Duration::from_secs(1);
const FALLS: f64 = 0.97;

/// What the receiver says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) bits_per_second: u64,
    /// In 256ths, of the last report.
    pub(super) fraction_lost: u8,
}

#[derive(Debug, Default)]
pub(super) struct Listener {
    /// Arrival, bits and one-way delay of what came in the last second.
    came: VecDeque<(Duration, f64, Duration)>,
    estimate: f64,
    began: Option<Duration>,
    stepped_at: Duration,
    said: f64,
    said_at: Duration,
    /// Of the reports: the highest number, what came since the last, and what that said.
    highest: u64,
    reported: (u64, Duration),
    count: u64,
    fraction_lost: u8,
}

impl Listener {
    pub(super) fn receive(&mut self, at: Duration, seq: u64, sent: Duration, bytes: usize) {
        self.began.get_or_insert(at);
        self.came.push_back((at, bytes as f64 * 8.0, at - sent));
        self.highest = self.highest.max(seq);
        self.count += 1;
    }

    /// What is to be said at `now`, if anything is.
    pub(super) fn speak(&mut self, now: Duration) -> Option<Word> {
        while self
            .came
            .front()
            .is_some_and(|(at, ..)| *at + ms(1_000) < now)
        {
            self.came.pop_front();
        }
        // What came in a second is not known before it is over.
        let began = self.began.is_some_and(|began| now > began + ms(1_000));
        if !began || now < self.stepped_at + ms(100) {
            return None;
        }
        let elapsed = (now - self.stepped_at).as_secs_f64().min(1.0);
        self.stepped_at = now;
        self.step(now, elapsed);
        self.report(now);
        let due = now >= self.said_at + SAID_EVERY || self.estimate < FALLS * self.said;
        (due && self.estimate > 0.0).then(|| {
            (self.said, self.said_at) = (self.estimate, now);
            Word {
                bits_per_second: self.estimate as u64,
                fraction_lost: self.fraction_lost,
            }
        })
    }

    fn step(&mut self, now: Duration, elapsed: f64) {
        let came: f64 = self.came.iter().map(|(_, bits, _)| bits).sum();
        let (last, before) = (
            self.shortest(now.saturating_sub(RECENT), now),
            self.shortest(now.saturating_sub(2 * RECENT), now.saturating_sub(RECENT)),
        );
        let (Some(last), Some(before)) = (last, before) else {
            return;
        };
        if last > before + GROWS {
            self.estimate = self.estimate.min(CUT * came);
        } else if last + GROWS > before {
            let grown = self.estimate.max(BEYOND_NOTHING) * (1.0 + GROWTH * elapsed);
            let most = BEYOND * came + BEYOND_NOTHING;
            self.estimate = match self.estimate > 0.0 {
                true => grown.min(most).max(self.estimate),
                false => came,
            };
        }
    }

    fn shortest(&self, from: Duration, until: Duration) -> Option<Duration> {
        let within = |(at, ..): &&(Duration, f64, Duration)| *at >= from && *at < until;
        let came = self.came.iter().filter(within);
        came.map(|(.., took)| *took).min()
    }

    fn report(&mut self, now: Duration) {
        let (highest, at) = self.reported;
        if now < at + ms(1_000) || self.highest == highest {
            return;
        }
        let expected = self.highest - highest;
        let lost = expected.saturating_sub(self.count);
        self.fraction_lost = u8::try_from(256 * lost / expected).unwrap_or(u8::MAX);
        self.reported = (self.highest, now);
        self.count = 0;
    }
}
