//! One sender alone.

use std::time::Duration;

use super::flow::{Flow, Media};
use super::path::{Path, ms};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn scratch() {
    for rate in [
        40_000, 64_000, 100_000, 200_000, 300_000, 1_000_000, 5_000_000,
    ] {
        for seed in 1..4 {
            let mut path = Path::new(rate, seed);
            let flow = path.add_flow(Flow::new(Media::suiting(rate), Duration::ZERO, seed + 100));
            path.flow(flow).estimator.set_useful(6_000_000);
            path.run_until(secs(60));
            let r = rate as f64;
            let t80 = path
                .flow(flow)
                .rates
                .iter()
                .find(|(_, x)| *x as f64 > 0.8 * r)
                .map_or(9999, |x| x.0.as_millis());
            let pad = path.flow(flow).padding as f64 * 8.0 / 60.0 / r;
            eprintln!(
                "{rate} util {:.2} waits {:?} first5s {:?} t80 {t80} pad {pad:.3}",
                path.rate(flow, secs(15), secs(60)) / r,
                path.waits(flow, secs(5), secs(60)),
                path.waits(flow, ms(0), secs(5))
            );
        }
    }
}
