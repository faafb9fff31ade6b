//! Whether somebody else fills the queue, by how it empties.
//!
//! A queue of our own making empties no faster than we send less than the path carries. Whoever waits
//! for loss, as most of TCP does, fills it over seconds and then falls silent for a while: the queue
//! is gone at once, and nothing that we did was the reason. Seen twice, it is no coincidence. (A radio
//! that stalls makes a queue that goes at once, too, but one that also came at once.)
//!
//! A stream that begins beside such traffic never sees the queue empty and takes its lowest point for
//! none. It yields to each wave in turn, and what it yields is filled before it has found out: 8 to 11 %
//! of 1 Mb/s were left to it. Whoever knows of the rival competes instead ([`super::contest`]).

use std::collections::VecDeque;
use std::time::Duration;

use super::signs::Signs;

/// How far back the queue is looked at: a TCP that has halved its window is silent for half a round
/// trip, 200 ms here, and is heard of by the second report after that.
const LOOK_BACK: Duration = Duration::from_millis(450);

/// By how much the queue has to have become shorter: this, what a frame of ours makes of it, in bits, and
/// so many times what delays differ by. Half of a queue of 300 ms is more. With 120 ms or twice the bits
/// waves were missed, and a stream behind a TCP was left as little as 8 or 9 % of 1 Mb/s; with half the bits a
/// TCP that came later was left 23 % of 300 kb/s instead of 57, and without the third 37. Without that and
/// [`STOOD`], exponential jitter of 30 ms looked like waves: packets waited for 186 to 351 ms (p95) at 1 Mb/s
/// instead of 175 to 180.
const FALL: Duration = Duration::from_millis(60);
const BURST_BITS: f64 = 4_000.0;
const SPREADS: u32 = 3;

/// What passed meanwhile is this many times what passed while the queue stood. Alone, both are the
/// capacity: without this, one of three links of 40 kb/s saw a rival in its own frames, and packets waited
/// for 501 ms (p95) instead of 145. At 1.8 a stream behind a TCP had 14 to 38 % instead of 18 to 53.
const FASTER: f64 = 1.4;

/// If it is this many times as much, most of the path was theirs. That would be 2, but what passes in so
/// short a time falls short: at 2, a stream had 12 instead of 18 % of 3 Mb/s.
const HALF: f64 = 1.7;

/// Arrivals closer to each other than this say nothing of a rate.
const SHORTEST: f64 = 0.02;

/// A queue that has stood for less is of a path that held everything back for a moment. Where it does so for
/// 250 ms every 3 s, half of the packets waited for 168 to 215 ms at 100 kb/s without this and [`SPREADS`],
/// for 21 at most with either, and wait for 14 with both. 200 and 800 ms do as well.
const STOOD: Duration = Duration::from_millis(400);

/// A wave is seen once.
const PAUSE: Duration = Duration::from_secs(1);

/// What was seen counts for so long: two waves of a TCP over 3 Mb/s and 300 ms of queue.
const REMEMBERED: Duration = Duration::from_secs(60);

/// So many queues in a row that empty otherwise are our own.
const UNSEEN: u32 = 3;

/// The most moments that are kept.
const KEPT: usize = 32;

/// Looks out for others.
#[derive(Debug, Default)]
pub(super) struct Rivals {
    /// The path as of late; no more than feedback comes in [`LOOK_BACK`].
    moments: VecDeque<Moment>,
    /// Since when, and until when, there was a queue of more than [`FALL`].
    stood: Option<(Duration, Duration)>,
    /// When they last went, and the time before that.
    last: Option<Duration>,
    before: Option<Duration>,
    /// Queues since then that emptied otherwise.
    unseen: u32,
    /// How much more passed while they were silent, the last time.
    factor: f64,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Duration,
    /// When the last packet had left that is known to have come, and what had come until then.
    latest: Duration,
    bits: f64,
    queue: Duration,
    /// How much delays differed.
    spread: Duration,
    /// What passed then, bit/s.
    acknowledged: f64,
}

impl Rivals {
    /// Takes in what is seen now. Where somebody has gone, gives what passed while they were silent: the
    /// capacity, bit/s.
    pub(super) fn look(&mut self, signs: &Signs) -> Option<f64> {
        let rates = signs.rates?;
        let now = Moment {
            at: signs.now,
            latest: signs.latest,
            bits: signs.arrived_bits,
            queue: signs.newest,
            spread: signs.spread,
            acknowledged: rates.acknowledged,
        };
        self.note_queue(&now);
        self.moments.push_back(now);
        while self.moments.len() > KEPT || self.moments[0].at + LOOK_BACK < now.at {
            self.moments.pop_front();
        }
        let rested = self.last.is_none_or(|last| now.at > last + PAUSE);
        let full = self.moments.iter().max_by_key(|moment| moment.queue);
        let passed = full
            .filter(|full| rested && self.had_stood(full))
            .and_then(|full| has_gone(full, &now))?;
        (self.before, self.last, self.unseen) = (self.last, Some(now.at), 0);
        self.factor = full.map_or(1.0, |full| passed / full.acknowledged.max(1.0));
        Some(passed)
    }

    fn note_queue(&mut self, now: &Moment) {
        if now.queue <= FALL {
            return;
        }
        let follows = |until: Duration| {
            let before = self.moments.back();
            before.is_some_and(|before| before.at == until)
        };
        let since = match self.stood {
            Some((since, until)) if follows(until) => since,
            _ => now.at,
        };
        self.stood = Some((since, now.at));
    }

    /// Whether the queue had been there for a while at the moment `full`.
    fn had_stood(&self, full: &Moment) -> bool {
        let long = |since: Duration| full.at.saturating_sub(since) >= STOOD;
        self.stood.is_some_and(|(since, _)| long(since))
    }

    /// Whether there is somebody.
    pub(super) fn are_there(&self, now: Duration) -> bool {
        self.before.is_some_and(|before| now < before + REMEMBERED)
    }

    /// Whether they have more of the path than we do.
    pub(super) fn have_more(&self, now: Duration) -> bool {
        self.are_there(now) && self.factor > HALF
    }

    /// Whether somebody has gone just now.
    pub(super) fn have_gone(&self, now: Duration) -> bool {
        self.last.is_some_and(|last| now <= last + PAUSE)
    }

    /// A queue that was taken for theirs has emptied, and nobody has gone.
    pub(super) fn were_not_seen(&mut self) {
        self.unseen += 1;
        if self.unseen == UNSEEN {
            self.forget();
        }
    }

    /// It was us after all.
    pub(super) fn forget(&mut self) {
        (self.last, self.before, self.unseen) = (None, None, 0);
    }
}

/// What passed between `full` and `now`, if somebody has gone between them.
fn has_gone(full: &Moment, now: &Moment) -> Option<f64> {
    let fell = full.queue.saturating_sub(now.queue);
    let left = now.latest.saturating_sub(full.latest);
    let came = left.saturating_sub(fell).as_secs_f64().max(SHORTEST);
    let passed = (now.bits - full.bits) / came;
    let burst = Duration::from_secs_f64(BURST_BITS / full.acknowledged.max(1.0));
    (fell > FALL + burst + SPREADS * full.spread && passed > FASTER * full.acknowledged)
        .then_some(passed)
}

#[cfg(test)]
mod tests {
    use super::super::super::received::Rates;
    use super::super::super::trend::Trend;
    use super::*;

    /// What is seen every 100 ms of a queue of so many ms each time, while 100 kb/s leave: as long as it
    /// stands `share` of the path is ours.
    fn seen(queues: &[u64], share: f64) -> Rivals {
        let mut rivals = Rivals::default();
        let mut bits = 0.0;
        for (n, queue) in (0_u64..).zip(queues) {
            let at = Duration::from_millis(100 * n);
            bits += 10_000.0;
            let _ = rivals.look(&signs(at, Duration::from_millis(*queue), bits, share));
        }
        rivals
    }

    fn signs(at: Duration, queue: Duration, arrived_bits: f64, share: f64) -> Signs {
        let rates = Rates {
            sent: 100_000.0,
            survived: 100_000.0,
            acknowledged: 100_000.0 * share,
        };
        Signs {
            now: at + Duration::from_millis(200),
            queue,
            newest: queue,
            spread: Duration::ZERO,
            trend: Trend::Steady,
            excess_loss: 0.0,
            inherent_loss: 0.0,
            rates: Some(rates),
            passed: None,
            peak: 100_000.0,
            untried: 0.0,
            latest: at,
            arrived_bits,
            response: Duration::from_millis(200),
        }
    }

    const WAVE: [u64; 12] = [0, 30, 60, 90, 120, 150, 180, 200, 220, 240, 100, 10];

    #[test]
    fn whose_queue_goes_at_once_and_twice_is_there() {
        let now = Duration::from_secs(4);

        let once = seen(&WAVE, 1.0);
        let twice = seen(&[WAVE, WAVE].concat(), 1.0);

        assert!(!once.are_there(now));
        assert!(twice.are_there(now) && twice.have_more(now));
        assert!(!twice.are_there(now + REMEMBERED));
    }

    #[test]
    fn a_queue_that_shrinks_as_the_path_carries_is_nobodys_but_ours() {
        // 100 kb/s over 200 kb/s: half a second of it goes in each second.
        let slope: Vec<u64> = (0..40)
            .map(|n| (1_000_u64).saturating_sub(50 * n))
            .collect();

        let rivals = seen(&slope, 2.0);

        assert!(!rivals.are_there(Duration::from_secs(4)));
        assert!(rivals.last.is_none());
    }

    #[test]
    fn a_queue_that_comes_at_once_as_well_is_of_a_path_that_stalls() {
        let stall = [0, 0, 0, 0, 0, 0, 0, 0, 250, 240, 100, 10];

        let rivals = seen(&[stall, stall].concat(), 1.0);

        assert!(rivals.last.is_none());
    }

    #[test]
    fn queues_that_empty_otherwise_clear_them() {
        let mut rivals = seen(&[WAVE, WAVE].concat(), 1.0);

        for _ in 0..UNSEEN {
            assert!(rivals.are_there(Duration::from_secs(4)));
            rivals.were_not_seen();
        }

        assert!(!rivals.are_there(Duration::from_secs(4)));
    }
}
