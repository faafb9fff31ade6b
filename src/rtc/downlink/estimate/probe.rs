//! Probing: for a moment sending more than the estimate, to see whether it passes.
//!
//! A probe sends at [`OVER`] times the estimate for [`LENGTH`]; what the media does not fill is
//! padding. If the path carries no more than the estimate, the excess waits: (2 - 1) x 50 ms, so a
//! probe never adds more than 50 ms of queue, whatever the rate. On thin links that is too few
//! bytes to tell anything, so below [`THIN`] it is half as much over for twice as long: the same
//! 50 ms. Probes are the exception: at least [`PAUSE`] lies between two while they find more, and
//! [`RETRY`], doubled up to [`LONGEST_RETRY`], after one that did not.
//!
//! What arrived is compared with what left: if it came as fast as it was sent, the path carries at
//! least that; if not, the rate of arrival is what it carries (as in the draft's successors; the
//! 0.9 allows for the receiver's clock, which counts in 250 us).

use std::time::Duration;

use super::received::Received;
use super::whole;

/// Sent over the estimate.
const OVER: f64 = 2.0;
const LENGTH: Duration = Duration::from_millis(50);

/// Below this estimate, in bit/s, other figures.
const THIN: f64 = 300_000.0;
const THIN_OVER: f64 = 1.5;
const THIN_LENGTH: Duration = Duration::from_millis(100);

/// Between two probes that find more.
const PAUSE: Duration = Duration::from_millis(250);

/// After one that did not tell.
const AGAIN: Duration = Duration::from_millis(500);

/// After one that found no more than was known, doubled each time.
const RETRY: Duration = Duration::from_secs(4);
const LONGEST_RETRY: Duration = Duration::from_secs(16);

/// How long after its end a probe's last packets may be reported: a full queue of 300 ms, a lost report
/// of those that come every 250, and a way there and back of half a second.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// How long the trend still shows a probe after its end is known.
const AFTERMATH: Duration = Duration::from_millis(300);

/// This much more than the estimate must leave, or there was nothing to pad with: less is what frames
/// differ by.
const FILLED: f64 = 1.15;

/// Arrived as fast as it was sent, if at least this share of it.
const AS_FAST: f64 = 0.9;

/// A request to send at `bits_per_second` until `bytes` have left, media included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) struct Probe {
    /// On the path, headers and all.
    pub(in crate::rtc::downlink) bits_per_second: u64,
    /// Of media and padding together.
    pub(in crate::rtc::downlink) bytes: u64,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finding {
    /// The path carries at least this many bit/s.
    AtLeast(f64),
    /// It carries just this.
    JustThis(f64),
    /// Hardly more left than the media: there was nothing to pad with.
    Unfilled,
    /// Too little arrived to tell.
    Nothing,
}

/// Says when to probe, and reads the results.
#[derive(Debug, Default)]
pub(super) struct Prober {
    under_way: Option<UnderWay>,
    not_before: Duration,
    retry: Option<Duration>,
    disturbed_until: Duration,
    /// Whether the last probe was.
    unfilled: bool,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    began: Duration,
    until: Duration,
    estimate: f64,
}

impl Prober {
    /// A probe above `estimate`, in bit/s, if it is time for one.
    pub(super) fn begin(&mut self, now: Duration, estimate: f64) -> Option<Probe> {
        if self.under_way.is_some() || now < self.not_before {
            return None;
        }
        let (over, length) = match estimate < THIN {
            true => (THIN_OVER, THIN_LENGTH),
            false => (OVER, LENGTH),
        };
        let until = now + length;
        self.under_way = Some(UnderWay {
            began: now,
            until,
            estimate,
        });
        let rate = estimate * over;
        Some(Probe {
            bits_per_second: whole(rate),
            bytes: whole(rate * length.as_secs_f64() / 8.0),
        })
    }

    /// What the probe under way has found, once it is known: `received` holds what left up to
    /// `latest`.
    pub(super) fn finding(
        &mut self,
        now: Duration,
        latest: Duration,
        received: &Received,
    ) -> Option<Finding> {
        let probe = self.under_way?;
        if latest <= probe.until && now < probe.until + PATIENCE {
            return None;
        }
        self.under_way = None;
        self.disturbed_until = now + AFTERMATH;
        let finding = judge(&probe, received);
        self.unfilled = finding == Finding::Unfilled;
        self.not_before = now
            + match finding {
                Finding::AtLeast(_) => {
                    self.retry = None;
                    PAUSE
                }
                Finding::Unfilled | Finding::Nothing => AGAIN,
                Finding::JustThis(_) => {
                    let retry = self
                        .retry
                        .map_or(RETRY, |retry| (retry * 2).min(LONGEST_RETRY));
                    self.retry = Some(retry);
                    retry
                }
            };
        Some(finding)
    }

    /// Whether there is something to fill probes with, as far as is known.
    pub(super) fn is_filled(&self) -> bool {
        !self.unfilled
    }

    /// Whether delay that rises may be of a probe's making.
    pub(super) fn disturbs(&self, now: Duration) -> bool {
        self.under_way.is_some() || now < self.disturbed_until
    }

    /// Nothing will be known of the probe under way.
    pub(super) fn abandon(&mut self) {
        self.under_way = None;
    }

    /// The path has shown a limit: no probe for a while.
    pub(super) fn put_off(&mut self, now: Duration) {
        self.under_way = None;
        self.retry = None;
        self.not_before = self.not_before.max(now + RETRY);
    }

    /// The estimate has left its last limit behind: probing pays again.
    pub(super) fn allow(&mut self, now: Duration) {
        self.retry = None;
        self.not_before = self.not_before.min(now + PAUSE);
    }
}

fn judge(probe: &UnderWay, received: &Received) -> Finding {
    let lasted = probe.until.saturating_sub(probe.began).as_secs_f64();
    let left = received.left(probe.began, probe.until) / lasted;
    let Some(rates) = received.between(probe.began, probe.until) else {
        return nothing(left, probe);
    };
    if rates.survived < FILLED * probe.estimate {
        return nothing(left, probe);
    }
    if rates.acknowledged >= AS_FAST * rates.survived {
        Finding::AtLeast(rates.acknowledged.min(rates.survived))
    } else {
        Finding::JustThis(rates.acknowledged)
    }
}

/// What a probe that did not arrive as one was, of which `left` bit/s left.
fn nothing(left: f64, probe: &UnderWay) -> Finding {
    match left < FILLED * probe.estimate {
        true => Finding::Unfilled,
        false => Finding::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Fate;
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Ten packets of 500 bytes, one every 10 ms, which arrive one every `spacing` ms.
    fn received(spacing: u64) -> Received {
        let mut received = Received::default();
        for n in 0..11 {
            let arrival = ms(1_000 + spacing * n);
            received.push(ms(10 * n), Fate::Arrived(arrival), 4_000.0);
        }
        received
    }

    fn finding(spacing: u64) -> Option<Finding> {
        let mut prober = Prober::default();
        prober.begin(ms(0), 250_000.0).unwrap();
        assert_eq!(prober.finding(ms(150), ms(90), &received(spacing)), None);
        prober.finding(ms(200), ms(110), &received(spacing))
    }

    #[test]
    fn what_comes_as_fast_as_it_left_passes_and_what_does_not_is_the_capacity() {
        assert_eq!(finding(10), Some(Finding::AtLeast(400_000.0)));
        assert_eq!(finding(16), Some(Finding::JustThis(250_000.0)));
    }

    #[test]
    fn a_probe_that_was_not_filled_tells_nothing() {
        let mut prober = Prober::default();
        prober.begin(ms(0), 390_000.0).unwrap();

        assert_eq!(
            prober.finding(ms(200), ms(110), &received(10)),
            Some(Finding::Unfilled)
        );
        assert!(!prober.is_filled());
    }

    #[test]
    fn one_probe_is_under_way_at_a_time_and_failures_space_them_out() {
        let mut prober = Prober::default();
        let mut began = Vec::new();
        for now in (0..60_000).step_by(100).map(ms) {
            began.extend(prober.begin(now, 250_000.0).map(|_| now.as_millis()));
            let narrow = {
                let mut received = Received::default();
                let start = u64::try_from(*began.last().unwrap()).unwrap();
                for n in 0..11 {
                    received.push(
                        ms(start + 10 * n),
                        Fate::Arrived(ms(start + 20 * n)),
                        4_000.0,
                    );
                }
                received
            };
            prober.finding(now, now, &narrow);
        }

        assert_eq!(began, [0, 4_200, 12_400, 28_600, 44_800]);
    }

    #[test]
    fn no_probe_adds_more_than_fifty_milliseconds_of_queue() {
        for rate in [24_000, 64_000, 100_000, 299_000, 300_000, 5_000_000] {
            let rate = f64::from(rate);
            let probe = Prober::default().begin(ms(0), rate).unwrap();

            // What does not pass while it is sent, over a path that carries just the estimate.
            let sent = probe.bytes as f64 * 8.0;
            let took = sent / probe.bits_per_second as f64;
            let queue = (sent - rate * took) / rate;

            assert!(queue <= 0.050_5, "{rate}: {queue}");
        }
    }
}
