//! Others on the same path.

use std::time::Duration;

use link::Loss;

use super::flow::{Flow, Media};
use super::path::{Path, QUEUE, Sender};
use super::tcp::Tcp;
use super::{secs, used, with_sender};

const LINKS: [u64; 3] = [300_000, 1_000_000, 3_000_000];

#[test]
fn beside_a_tcp_that_keeps_the_queue_full_a_share_is_kept_and_taken_back_when_it_has_gone() {
    for bits_per_second in LINKS {
        for seed in 1..4 {
            let path = Path::with(bits_per_second, QUEUE, Loss::None, seed);
            let mut path = with_sender(path, Media::default(), seed);
            let tcp = path.add(Sender::Tcp(Tcp::new(secs(20), secs(80))));

            path.run_until(secs(140));

            let ours = used(&path, bits_per_second, 30, 80);
            let theirs = path.rate(tcp, secs(30), secs(80)) / bits_per_second as f64;
            let after = used(&path, bits_per_second, 110, 140);
            println!(
                "{:>4} kb/s, TCP for a minute: {:.0} % beside its {:.0} %, {:.0} % afterwards",
                bits_per_second / 1_000,
                ours * 100.0,
                theirs * 100.0,
                after * 100.0
            );
            assert!(ours > 0.2, "{bits_per_second}: {ours}");
            assert!(theirs > 0.2, "{bits_per_second}: {theirs}");
            assert!(after > 0.7, "{bits_per_second}: {after}");
        }
    }
}

#[test]
fn a_second_stream_of_ours_gets_its_share() {
    for bits_per_second in LINKS {
        for seed in 1..4 {
            let path = Path::new(bits_per_second, seed);
            let mut path = with_sender(path, Media::default(), seed);
            let late = path.add_flow(Flow::new(Media::default(), secs(20), seed + 200));

            path.run_until(secs(120));

            let share = |flow| path.rate(flow, secs(60), secs(120)) / bits_per_second as f64;
            let (first, second) = (share(0), share(late));
            let waits = path.waits(0, secs(30), secs(120));
            println!(
                "{:>4} kb/s, two of ours: {:.0} % and {:.0} %, waits {waits:?}",
                bits_per_second / 1_000,
                first * 100.0,
                second * 100.0
            );
            assert!(first > 0.2 && second > 0.2, "{first} {second}");
            assert!((0.75..=1.0).contains(&(first + second)), "{first} {second}");
            assert!(waits.1 <= 120, "{waits:?}");
        }
    }
}

#[test]
fn a_queue_that_never_empties_does_not_starve_us_for_good() {
    let path = Path::with(1_000_000, QUEUE, Loss::None, 1);
    let mut path = with_sender(path, Media::default(), 1);
    // There before us, and for ever.
    path.add(Sender::Tcp(Tcp::new(Duration::ZERO, secs(1_000))));

    path.run_until(secs(300));

    let ours = used(&path, 1_000_000, 60, 300);
    println!("behind a TCP for 5 minutes: {:.0} %", ours * 100.0);
    assert!(ours > 0.06, "{ours}");
}
