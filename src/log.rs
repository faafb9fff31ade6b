//! The log on stderr, and how much of it may be about the network.
//!
//! `RUST_LOG` decides what is logged. The WebRTC crates say something of every packet that they
//! cannot take, at levels that are always on; whoever floods us would flood the log as well. So of
//! their warnings and errors at most [`MOST`] pass in each [`PERIOD`]; at lower levels, which one
//! has to ask for, everything does.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, dynamic_filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// The crates that are throttled, by the beginning of their modules' names.
const TALKATIVE: [&str; 2] = ["webrtc", "rtc"];

/// Lines of them that pass.
const MOST: u32 = 5;

/// How long until as many pass again.
const PERIOD: Duration = Duration::from_secs(10);

/// Logs to stderr from now on, as `RUST_LOG` says, or as `default` says without it.
pub fn to_stderr(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let throttle = Mutex::new(Throttle::default());
    let passes = dynamic_filter_fn(move |metadata, _| {
        let mut throttle = throttle.lock().unwrap_or_else(PoisonError::into_inner);
        !is_throttled(metadata) || throttle.passes(Instant::now())
    });
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(lines.with_filter(filter.and(passes)))
        .init();
}

fn is_throttled(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_event()
        && *metadata.level() <= Level::WARN
        && TALKATIVE.iter().any(|name| target.starts_with(name))
}

/// Counts what passes.
#[derive(Debug, Default)]
struct Throttle {
    since: Option<Instant>,
    passed: u32,
}

impl Throttle {
    fn passes(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now - since >= PERIOD) {
            self.since = Some(now);
            self.passed = 0;
        }
        self.passed += 1;
        self.passed <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_a_few_in_each_period() {
        let start = Instant::now();
        let mut throttle = Throttle::default();

        let passed: Vec<u64> = (0..2_500)
            .map(|n| n * 10)
            .filter(|ms| throttle.passes(start + Duration::from_millis(*ms)))
            .collect();

        let each = [0, 10, 20, 30, 40];
        let expected = [0, 10_000, 20_000].map(|period| each.map(|at| period + at));
        assert_eq!(passed, expected.concat());
    }
}
