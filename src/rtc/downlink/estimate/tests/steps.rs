//! Bandwidth that changes.

use std::time::Duration;

use super::flow::Media;
use super::{alone, secs, used};

/// From and to, bit/s.
const STEPS: [(u64, u64); 3] = [
    (1_200_000, 600_000),
    (200_000, 100_000),
    (1_200_000, 120_000),
];

#[test]
fn a_link_that_narrows_is_followed_down_and_up_again() {
    for (wide, narrow) in STEPS {
        for seed in 1..4 {
            let mut path = alone(wide, Media::suiting(narrow), seed);
            path.run_until(secs(30));

            path.set_bandwidth(narrow);
            path.run_until(secs(60));
            path.set_bandwidth(wide);
            path.run_until(secs(90));

            let down = path.flow(0).falls_to(narrow, secs(30)) - secs(30);
            let up = path.flow(0).reaches(wide * 8 / 10, secs(60)) - secs(60);
            let waits = path.waits(0, secs(32), secs(34));
            let (low, high) = (used(&path, narrow, 35, 60), used(&path, wide, 75, 90));
            println!(
                "{:>4} to {:>3} kb/s: down in {:>3} ms, waits {waits:?} 2 to 4 s later, back up in \
                 {:>4} ms, {:.0} % and {:.0} % used",
                wide / 1_000,
                narrow / 1_000,
                down.as_millis(),
                up.as_millis(),
                low * 100.0,
                high * 100.0
            );
            assert!(down < Duration::from_millis(1_100), "{wide}: {down:?}");
            assert!(up < secs(12), "{wide}: {up:?}");
            // A frame of two packets alone waits for 80 ms at 100 kb/s.
            let longest_wait = if narrow > 300_000 { 100 } else { 200 };
            assert!(waits.0 < longest_wait, "{wide}: {waits:?}");
            assert!(low > 0.75 && high > 0.75, "{wide}: {low} {high}");
        }
    }
}

#[test]
fn a_queue_is_full_for_no_longer_than_two_seconds_after_the_link_has_halved() {
    let mut path = alone(1_200_000, Media::default(), 1);
    path.run_until(secs(30));

    path.set_bandwidth(600_000);
    path.run_until(secs(40));

    // Behind the queue that was there already, with the word of it taking 200 ms.
    let longest = path.waits(0, secs(30), secs(40)).2;
    assert!(longest <= 300, "{longest}");
    assert!(path.waits(0, secs(33), secs(40)).1 <= 100);
}
