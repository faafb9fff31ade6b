//! Carries out a [`Probe`]: says how many bytes of padding are due beside the media.
//!
//! Padding goes in small portions between the packets of media, so that all that leaves keeps to
//! the probe's rate. A probe that is not through after [`LONGEST`] is given up: then there was
//! nothing to pad with. Time is an argument.

use std::time::{Duration, Instant};

use super::estimate::Probe;

/// How often a portion is due.
const STEP: Duration = Duration::from_millis(5);

/// The longest that a probe takes: twice what is asked for at most.
const LONGEST: Duration = Duration::from_millis(200);

/// One probe under way, or none.
#[derive(Debug, Default)]
pub(super) struct Padding {
    current: Option<Current>,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    probe: Probe,
    began: Instant,
    /// Of media and padding.
    sent: u64,
    wake: Instant,
}

impl Padding {
    /// Begins `probe` at `now`.
    pub(super) fn begin(&mut self, probe: Probe, now: Instant) {
        self.current = Some(Current {
            probe,
            began: now,
            sent: 0,
            wake: now,
        });
    }

    /// Media or padding of `bytes` left.
    pub(super) fn sent(&mut self, bytes: u64) {
        if let Some(current) = &mut self.current {
            current.sent += bytes;
        }
    }

    /// When padding is due next.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.current.map(|current| current.wake)
    }

    /// How many bytes of padding may leave at `now`, at most.
    pub(super) fn due(&mut self, now: Instant) -> u64 {
        let Some(current) = &mut self.current else {
            return 0;
        };
        let elapsed = now.saturating_duration_since(current.began);
        let (sent, probe) = (current.sent, current.probe);
        if sent >= probe.bytes || elapsed > LONGEST {
            self.current = None;
            return 0;
        }
        current.wake = now + STEP;
        // What is due until the next step.
        let micros = u64::try_from((elapsed + STEP).as_micros()).unwrap_or(u64::MAX);
        let by_now = probe.bits_per_second.saturating_mul(micros) / 8_000_000;
        by_now.min(probe.bytes).saturating_sub(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Probe = Probe {
        bits_per_second: 800_000,
        bytes: 5_000,
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn padding_fills_what_the_media_leaves_of_the_probes_rate() {
        let start = Instant::now();
        let mut padding = Padding::default();
        assert_eq!((padding.wake(), padding.due(start)), (None, 0));

        padding.begin(PROBE, start);

        assert_eq!(padding.wake(), Some(start));
        assert_eq!(padding.due(start), 500);
        padding.sent(300);
        assert_eq!(padding.due(start + ms(5)), 700);
        padding.sent(4_000);
        assert_eq!(padding.due(start + ms(10)), 0);
        assert_eq!(padding.due(start + ms(45)), 700);
        padding.sent(700);
        assert_eq!((padding.due(start + ms(50)), padding.wake()), (0, None));
    }

    #[test]
    fn a_probe_without_padding_is_given_up() {
        let start = Instant::now();
        let mut padding = Padding::default();
        padding.begin(PROBE, start);

        assert!(padding.due(start + ms(200)) > 0);
        assert_eq!(padding.due(start + ms(201)), 0);
        assert_eq!(padding.wake(), None);
    }
}
