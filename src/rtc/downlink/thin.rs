//! A receiver behind a thin link, in virtual time: what the ladder chooses, the encoder makes and the
//! pacer lets go, over a path that loses some of it, with the estimate that comes of that.
//!
//! The encoder is a model: frames of a third more or less than their share, and every five seconds
//! another speaker, whose first pictures weigh as much as they did with libvpx at these rates.
//! `make bench-thin` prints what the tests measure.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "simulated rates and sizes are small and positive"
)]

mod call;
mod outcome;
mod wire;

use std::time::Duration;

use call::Call;

/// One way.
const DELAY: Duration = Duration::from_millis(40);
const QUEUE_MS: u64 = 300;
const LOSS: f64 = 0.02;

/// Headers down to IP, and the transport-wide number.
const HEADERS: usize = 60;

const SPEAKER_LASTS: u64 = 5_000;

/// What the first frames of another speaker weigh, in shares of a frame; then they are usual.
const CUT: [f64; 8] = [1.9, 2.6, 0.5, 0.6, 0.6, 0.7, 0.8, 0.8];

/// The encoder waits while so many frames do.
const BEHIND: usize = 2;

const ALLOCATE_EVERY: u64 = 100;
const FEEDBACK_EVERY: u64 = 100;

/// How long a link that halves and doubles stays as it is.
const HALVED_FOR: u64 = 20_000;

/// Judged from here on.
const SETTLED: u64 = 10_000;
const UNTIL: u64 = 70_000;

#[test]
fn what_is_promised_on_a_thin_link_comes_and_the_queue_stays_short() {
    for (kbps, rung, promised_share, promised_wait) in [
        (64, "stills", 90, 200),
        (100, "speaker", 90, 150),
        (200, "low", 90, 100),
        (400, "medium", 90, 100),
    ] {
        for seed in 0..6 {
            let outcome = Call::new(kbps * 1_000, 10 * seed).run();

            let [middle, most, longest] = [50, 95, 100].map(|percent| outcome.wait(percent));
            println!(
                "{kbps:4} kb/s: {:3} % of the time {rung}, waits {middle:3} {most:3} {longest:3} ms \
                 (p50 p95 max), {} % used, {} changes",
                outcome.share(rung),
                outcome.used(kbps),
                outcome.changes,
            );
            assert!(
                outcome.share(rung) >= promised_share,
                "{kbps} kb/s, {seed}: {:?}",
                outcome.rungs
            );
            assert!(most < promised_wait, "{kbps} kb/s, {seed}: {most} ms");
        }
    }
}

#[test]
fn without_padding_the_rung_that_fits_is_found_and_the_next_one_tried_now_and_then() {
    for (kbps, rung, least_share, longest_wait) in [
        (200, "low", 80, 100),
        (400, "medium", 80, 100),
        (600, "medium", 80, 100),
        (1_200, "top", 80, 100),
    ] {
        for seed in 0..3 {
            let mut call = Call::new(kbps * 1_000, 10 * seed);
            call.can_pad = false;

            let outcome = call.run();

            println!(
                "{kbps:4} kb/s without padding: {:3} % of the time {rung}, waits {:3} {:3} ms \
                 (p95 max), {} changes",
                outcome.share(rung),
                outcome.wait(95),
                outcome.wait(100),
                outcome.changes,
            );
            assert!(
                outcome.share(rung) >= least_share,
                "{kbps} kb/s, {seed}: {:?}",
                outcome.rungs
            );
            assert!(outcome.wait(95) < longest_wait, "{kbps} kb/s, {seed}");
        }
    }
}

#[test]
fn a_link_that_halves_is_followed_within_a_second() {
    for kbps in [1_200, 400, 200] {
        let mut falls = Vec::new();
        for seed in 0..20 {
            let mut call = Call::new(kbps * 1_000, 10 * seed);
            call.halves = Some(kbps * 1_000);

            falls.extend(call.run().falls);
        }

        falls.sort_unstable();
        println!("{kbps:4} kb/s halved: followed after {falls:?} ms");
        assert_eq!(falls.len(), 40, "{kbps} kb/s");
        assert!(falls.iter().all(|ms| *ms < 1_000), "{kbps} kb/s: {falls:?}");
    }
}
