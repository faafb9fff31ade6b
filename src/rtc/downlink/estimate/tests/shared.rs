//! Others on the same path.

use std::time::Duration;

use link::Loss;

use super::flow::{Flow, Media};
use super::path::{Path, QUEUE, Sender, ms};
use super::tcp::Tcp;
use super::{secs, used, with_sender, with_sender_at};

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

/// A TCP that never ends was there before us: it halves at each loss, and so the queue never empties.
/// What we begin with is little; two minutes later it is within a factor of three of half, or near.
#[test]
fn a_stream_that_begins_beside_a_tcp_does_not_stay_starved() {
    for bits_per_second in LINKS {
        for seed in 1..5 {
            let path = Path::with(bits_per_second, QUEUE, Loss::None, seed);
            let mut path = with_sender_at(path, Media::default(), seed, secs(5 + seed));
            let tcp = path.add(Sender::Tcp(Tcp::new(Duration::ZERO, secs(1_000))));

            path.run_until(secs(300));

            let early = used(&path, bits_per_second, 30, 120);
            let ours = used(&path, bits_per_second, 120, 300);
            let theirs = path.rate(tcp, secs(120), secs(300)) / bits_per_second as f64;
            println!(
                "{:>4} kb/s, behind a TCP: {:.0} % before 2 minutes, then {:.0} % beside its {:.0} %",
                bits_per_second / 1_000,
                early * 100.0,
                ours * 100.0,
                theirs * 100.0
            );
            assert!(early > 0.06, "{bits_per_second}: {early}");
            assert!(ours > 0.14, "{bits_per_second}: {ours}");
            assert!(theirs > 0.25, "{bits_per_second}: {theirs}");
        }
    }
}

/// Where a TCP's waves are too short for us to see, or come once a minute, little is left to us: this is
/// what is known not to work.
#[test]
fn waves_that_are_not_seen_leave_little_more_than_narrow_audio() {
    for (bits_per_second, queue) in [(300_000, 150), (1_000_000, 150), (3_000_000, 600)] {
        let path = Path::with(bits_per_second, ms(queue), Loss::None, 3);
        let mut path = with_sender_at(path, Media::default(), 3, secs(8));
        path.add(Sender::Tcp(Tcp::new(Duration::ZERO, secs(1_000))));

        path.run_until(secs(300));

        let ours = path.rate(0, secs(120), secs(300));
        println!(
            "{:>4} kb/s, behind a TCP and {queue} ms of queue: {:.0} kb/s",
            bits_per_second / 1_000,
            ours / 1e3
        );
        assert!(ours > 50_000.0, "{bits_per_second}: {ours}");
    }
}
