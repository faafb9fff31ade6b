//! The participant's own estimate of its downlink (REMB, draft-alvestrand-rmcat-remb-03), followed
//! where there is no feedback per packet.
//!
//! Whoever sends REMB judges the queue itself and comes down when it grows, so what is said is done,
//! at once where it is less than before. But it is an estimate of what arrives: it says no more than
//! half as much again (draft-ietf-rmcat-gcc-02 §5.5), so that a sender which needs less than it may
//! have, as a rung below the next one does, would stay where it is. While little is sent and what is
//! said does not fall, the rate therefore creeps beyond it; and stays there for [`TRIAL`] after more is
//! sent, longer while more is said, until it is known whether that arrives.
//!
//! A queue that is full grows no more, and then delay says nothing to whoever waits for it to grow:
//! simulated in `tests/remb.rs`, a link that narrowed from 1,200 to 240 kb/s was found out after 11 s by
//! REMB alone, and after 1.9 s with its loss. So much loss as only a full queue has brings the rate
//! below what arrives (the draft has its sender judge loss too, §6). Loss that stays whatever is sent is
//! the path's own, as in `loss`.
//!
//! Constant in size.

use std::time::Duration;

/// Below so much of what was said before, it has fallen (senders of REMB tell of 3 % at once).
const FELL: f64 = 0.97;

/// Above so much of it, it has risen.
const ROSE: f64 = 1.01;

/// For so long it must not have fallen: three words of it, at one a second.
const CALM: Duration = Duration::from_secs(3);

/// And for so long is more tried than it says: the word after the one that can know of it.
const TRIAL: Duration = Duration::from_secs(3);

/// Growth per second beyond what is said, and up to which multiple of it: what the slowest of those
/// who send REMB grow by themselves, and the most that they say of what arrives (§5.5).
const GROWTH: f64 = 0.05;
const BEYOND: f64 = 1.5;

/// Who sends less than this share of the rate sends little.
const LITTLE: f64 = 0.7;

/// Loss above which nothing is sent beyond what is said: a report of a second on a thin link is of
/// forty packets, of which one is 2.5 %.
const LOSS_HOLDS: f64 = 0.05;

/// Loss that brings the rate down (§6), beyond what the path always loses, and to how much of what
/// arrives: the queue has to drain (§5.5).
const LOSS_REDUCES: f64 = 0.1;
const DRAINS: f64 = 0.85;

/// Between two reductions for loss: reports come once a second, and tell of a second.
const LOSS_PAUSE: Duration = Duration::from_millis(1_500);

/// After so many reductions, none longer after the last than this, the loss is the path's own; at most
/// this much is.
const CUTS: u32 = 3;
const SERIES: Duration = Duration::from_secs(10);
const MOST_INHERENT: f64 = 0.3;

/// What it loses less is believed by so much a report.
const FORGETS: f64 = 0.05;

/// What is sent is measured over this at least.
const SHORTEST: Duration = Duration::from_millis(500);

/// What has been said, and what was sent meanwhile.
#[derive(Debug, Default)]
pub(super) struct Remb {
    last: Option<(Duration, f64)>,
    fell_at: Option<Duration>,
    /// Until then more is sent than is said.
    tried_until: Duration,
    counting_since: Duration,
    bits: f64,
    /// bit/s.
    sent: f64,
    cut_at: Option<Duration>,
    cuts: u32,
    /// The share that the path always loses.
    inherent: f64,
}

impl Remb {
    /// When something was said last.
    pub(super) fn last(&self) -> Option<Duration> {
        self.last.map(|(at, _)| at)
    }

    /// So many bits leave.
    pub(super) fn left(&mut self, bits: f64) {
        self.bits += bits;
    }

    /// Whether little of `rate` has left since something was said.
    pub(super) fn little_left(&self, now: Duration, rate: f64) -> bool {
        let elapsed = now.saturating_sub(self.counting_since);
        self.bits < LITTLE * rate * elapsed.as_secs_f64()
    }

    /// The participant says `said`, bit/s, having reported a loss of so many 256ths: what `rate`
    /// becomes.
    pub(super) fn hear(&mut self, now: Duration, said: f64, fraction_lost: u8, rate: f64) -> f64 {
        let (elapsed, before) = self.last.map_or((0.0, said), |(at, before)| {
            (now.saturating_sub(at).as_secs_f64().min(1.0), before)
        });
        self.last = Some((now, said));
        self.measure(now);
        if said < before * FELL {
            self.fell_at = Some(now);
        }
        let loss = f64::from(fraction_lost) / 256.0;
        let reduced = self.yield_to_loss(now, loss, rate);
        let is_calm = self.fell_at.is_none_or(|fell_at| now >= fell_at + CALM);
        if !is_calm || loss - self.inherent > LOSS_HOLDS {
            self.tried_until = now;
            return reduced.map_or(said, |reduced| reduced.min(said));
        }
        let is_little = self.sent < LITTLE * rate;
        if is_little || said > before * ROSE {
            self.tried_until = now + TRIAL;
        }
        let growth = if is_little { GROWTH * elapsed } else { 0.0 };
        let tried = match now < self.tried_until {
            true => rate * (1.0 + growth),
            false => 0.0,
        };
        tried.min(said * BEYOND).max(said)
    }

    /// What the rate becomes if so much is lost that it has to come down, or has had to just now.
    fn yield_to_loss(&mut self, now: Duration, loss: f64, rate: f64) -> Option<f64> {
        let is_recent = self.cut_at.is_some_and(|cut_at| now < cut_at + LOSS_PAUSE);
        if is_recent {
            return Some(rate);
        }
        let is_ours = self.sent >= LITTLE * rate;
        if !is_ours || loss - self.inherent < LOSS_REDUCES {
            self.inherent -= (self.inherent - loss).max(0.0) * FORGETS;
            return None;
        }
        let is_late = self.cut_at.is_some_and(|cut_at| now > cut_at + SERIES);
        if is_late {
            self.cuts = 0;
        }
        if self.cuts == CUTS {
            self.cuts = 0;
            self.inherent = loss.min(MOST_INHERENT);
            return None;
        }
        self.cuts += 1;
        self.cut_at = Some(now);
        let arrives = self.sent.min(rate) * (1.0 - loss);
        Some(arrives * DRAINS)
    }

    fn measure(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.counting_since);
        if elapsed >= SHORTEST {
            self.sent = self.bits / elapsed.as_secs_f64();
            (self.counting_since, self.bits) = (now, 0.0);
        }
    }
}
