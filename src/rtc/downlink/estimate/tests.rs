//! The estimator in a closed loop over a simulated path, in virtual time: 40 ms each way, 2 % of
//! loss on the way there and of the feedback on the way back, a queue of 300 ms before the narrow
//! place. `make bench-estimator` prints what the tests measure.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "simulated rates and sizes are small and positive"
)]

mod alone;
mod flow;
mod listener;
mod path;
mod remb;
mod shared;
mod steps;
mod tcp;
mod trouble;

use std::time::Duration;

use flow::{Flow, Media};
use path::Path;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A path of `bits_per_second` with one sender of ours, with luck of its own for each `seed`.
fn alone(bits_per_second: u64, media: Media, seed: u64) -> Path {
    with_sender(Path::new(bits_per_second, seed), media, seed)
}

fn with_sender(path: Path, media: Media, seed: u64) -> Path {
    with_sender_at(path, media, seed, Duration::ZERO)
}

/// As [`with_sender`], from `begins` on.
fn with_sender_at(mut path: Path, media: Media, seed: u64, begins: Duration) -> Path {
    path.add_flow(Flow::new(media, begins, seed + 100));
    path.flow(0).estimator.set_useful(6_000_000, None);
    path
}

/// What of the path the first sender used, 0 to 1.
fn used(path: &Path, bits_per_second: u64, from: u64, until: u64) -> f64 {
    path.rate(0, secs(from), secs(until)) / bits_per_second as f64
}
