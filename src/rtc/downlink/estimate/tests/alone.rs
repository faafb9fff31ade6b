//! One sender alone, for long.

use super::flow::Media;
use super::path::ms;
use super::{alone, secs, used};

/// Of each link, bit/s: the least that is used of it, the 95th percentile of the wait in ms, both
/// from 15 s on; when 80 % of it was first estimated, in ms. On a thin link a frame of two packets
/// alone makes the third wait for 125 ms.
const LINKS: [(u64, f64, u128, u128); 7] = [
    (40_000, 0.80, 200, 500),
    (64_000, 0.80, 200, 500),
    (100_000, 0.80, 200, 500),
    (200_000, 0.80, 100, 5_000),
    (300_000, 0.80, 100, 6_000),
    (1_000_000, 0.80, 100, 8_000),
    (5_000_000, 0.80, 100, 12_000),
];

#[test]
fn a_link_of_any_width_is_used_and_its_queue_kept_short() {
    for (bits_per_second, least_used, longest_wait, soonest) in LINKS {
        for seed in 1..4 {
            let mut path = alone(bits_per_second, Media::suiting(bits_per_second), seed);

            path.run_until(secs(60));

            let used = used(&path, bits_per_second, 15, 60);
            let waits = path.waits(0, secs(15), secs(60));
            let found = path.flow(0).reaches(bits_per_second * 8 / 10, secs(0));
            let padding = path.flow(0).padding as f64 * 8.0 / 60.0 / bits_per_second as f64;
            println!(
                "{:>5} kb/s: {:>3.0} % used, waits {:>3} {:>3} {:>3} ms (p50 p95 max), \
                 80 % found after {:>5} ms, {:.1} % padding",
                bits_per_second / 1_000,
                used * 100.0,
                waits.0,
                waits.1,
                waits.2,
                found.as_millis(),
                padding * 100.0
            );
            assert!(
                (least_used..=1.0).contains(&used),
                "{bits_per_second}: {used}"
            );
            assert!(waits.1 <= longest_wait, "{bits_per_second}: {waits:?}");
            assert!(found.as_millis() <= soonest, "{bits_per_second}: {found:?}");
            assert!(padding < 0.03, "{bits_per_second}: {padding}");
        }
    }
}

#[test]
fn clocks_that_drift_apart_for_half_an_hour_are_not_taken_for_a_queue() {
    for drift_ppm in [-200, 200] {
        let media = Media {
            drift_ppm,
            ..Media::default()
        };
        let mut path = alone(300_000, media, 1);

        path.run_until(secs(1_800));

        let used = used(&path, 300_000, 1_200, 1_800);
        let waits = path.waits(0, secs(1_200), secs(1_800));
        println!(
            "drift of {drift_ppm} ppm: {:.0} % used, waits {waits:?}",
            used * 100.0
        );
        assert!((0.8..=1.0).contains(&used), "{drift_ppm}: {used}");
        assert!(waits.1 <= 100, "{drift_ppm}: {waits:?}");
    }
}

#[test]
fn feedback_four_times_a_second_is_enough() {
    for bits_per_second in [64_000, 300_000, 1_000_000] {
        let media = Media {
            feedback_interval: ms(250),
            ..Media::suiting(bits_per_second)
        };
        let mut path = alone(bits_per_second, media, 1);

        path.run_until(secs(60));

        let used = used(&path, bits_per_second, 20, 60);
        let waits = path.waits(0, secs(20), secs(60));
        println!(
            "{:>5} kb/s, feedback every 250 ms: {:.0} % used, waits {waits:?}",
            bits_per_second / 1_000,
            used * 100.0
        );
        assert!((0.8..=1.0).contains(&used), "{bits_per_second}: {used}");
        let longest_wait = if bits_per_second < 200_000 { 200 } else { 100 };
        assert!(waits.1 <= longest_wait, "{bits_per_second}: {waits:?}");
    }
}
