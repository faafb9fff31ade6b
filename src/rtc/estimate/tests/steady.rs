//! One sender alone.

use std::time::Duration;

use super::flow::{Flow, Media};
use super::path::{Path, ms, Sender};
use super::tcp::Tcp;

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn scratch() {
    for rate in [40_000, 64_000, 100_000, 200_000, 300_000, 1_000_000, 5_000_000] {
        for seed in 1..4 {
        let mut path = Path::new(rate, seed);
        let flow = path.add_flow(Flow::new(Media::suiting(rate), Duration::ZERO, seed+100));
        path.flow(flow).estimator.set_useful(6_000_000);
        path.run_until(secs(60));
        let r = rate as f64;
        let t80 = path.flow(flow).rates.iter().find(|(_, x)| *x as f64 > 0.8 * r).map_or(9999, |x| x.0.as_millis());
        let pad = path.flow(flow).padding as f64 * 8.0 / 60.0 / r;
        eprintln!("{rate} util {:.2} waits {:?} first5s {:?} t80 {t80} pad {pad:.3}", path.rate(flow, secs(15), secs(60)) / r, path.waits(flow, secs(5), secs(60)), path.waits(flow, ms(0), secs(5)));
        }
    }
    for (a, b) in [(1_200_000, 600_000), (200_000, 100_000), (1_200_000, 120_000)] {
        for seed in 1..4 {
        let mut path = Path::new(a, seed);
        let flow = path.add_flow(Flow::new(Media::suiting(b), Duration::ZERO, seed+100));
        path.run_until(secs(30));
        path.set_bandwidth(b);
        path.run_until(secs(60));
        path.set_bandwidth(a);
        path.run_until(secs(90));
        let r = a as f64;
        let first = |f: &mut Flow, from: Duration, p: &dyn Fn(u64) -> bool| f.rates.iter().find(|(t, x)| *t > from && p(*x)).map_or(99999, |x| (x.0 - from).as_millis());
        let down = first(path.flow(flow), secs(30), &|x| x < b);
        let up = first(path.flow(flow), secs(60), &|x| x as f64 > 0.8 * r);
        eprint!("{a}->{b} down {down} up80 {up} waits after: ");
        for s in 30..35 { eprint!("{:?} ", path.waits(flow, secs(s), secs(s+1))); }
        eprintln!("util low {:.2} high {:.2}", path.rate(flow, secs(35), secs(60))/b as f64, path.rate(flow, secs(70), secs(90))/r);
        }
    }
    for rate in [300_000, 1_000_000, 3_000_000] {
        for seed in 1..4 {
            let mut path = Path::with(rate, ms(300), link::Loss::None, seed);
            let flow = path.add_flow(Flow::new(Media::suiting(rate), Duration::ZERO, seed+100));
            let tcp = path.add(Sender::Tcp(Tcp::new(secs(20), secs(80))));
            path.run_until(secs(120));
            let r = rate as f64;
            eprintln!("tcp {rate}: before {:.2} with {:.2} tcp {:.2} waits {:?} after {:.2} {:?}", path.rate(flow, secs(10), secs(20))/r, path.rate(flow, secs(30), secs(80))/r, path.rate(tcp, secs(30), secs(80))/r, path.waits(flow, secs(30), secs(80)), path.rate(flow, secs(90), secs(120))/r, path.waits(flow, secs(90), secs(120)));
            let mut path = Path::new(rate, seed);
            let one = path.add_flow(Flow::new(Media::suiting(rate), Duration::ZERO, seed+100));
            let two = path.add_flow(Flow::new(Media::suiting(rate), secs(20), seed+200));
            path.run_until(secs(120));
            eprintln!("two {rate}: {:.2} {:.2} waits {:?}", path.rate(one, secs(40), secs(120))/r, path.rate(two, secs(40), secs(120))/r, path.waits(one, secs(25), secs(120)));
        }
    }
}

#[test]
fn trace() {
            let rate = 1_000_000;
            let mut path = Path::with(rate, ms(300), link::Loss::None, 1);
            let flow = path.add_flow(Flow::new(Media::suiting(rate), Duration::ZERO, 101));
            let tcp = path.add(Sender::Tcp(Tcp::new(secs(20), secs(80))));
            for i in 1..240 {
            path.run_until(ms(500)*i);
            let now = path.now;
            let w = path.waits(flow, now - ms(500), now);
            let x = path.rate(flow, now-ms(500), now);
            let e = &path.flow(flow).estimator;
            let est = e.estimate();
            eprintln!("TR {:?} {} {} {:?} q{:?} loss{} {:?} {:?}", now, est.bits_per_second, x, est.state, est.queueing_delay, est.loss, w, e.control);
            }
}
