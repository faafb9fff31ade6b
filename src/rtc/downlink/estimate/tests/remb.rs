//! Without feedback per packet: the participant's own estimate, in a closed loop.

use std::time::Duration;

use codecs::video::PictureSize;
use link::Loss;
use mixer::RoomTime;
use mixer::ladder::{Downlink, Ladder, Receiver};

use super::super::Estimator;
use super::flow::{Flow, Media};
use super::listener::Listener;
use super::path::{Path, QUEUE, ms};
use super::{secs, used};

/// Of each link, bit/s: the least that is used of it and the 95th percentile of the wait in ms, both
/// after a minute; when 80 % of it was first estimated, in s, of which eight percent a second make ten
/// times as much in 30; the most changes of rung in a minute. At 100 kb/s, where a packet takes 40 ms,
/// the receiver takes bad luck for a queue and comes down by a third.
const LINKS: [(u64, f64, u128, u64, usize); 3] = [
    (100_000, 0.75, 100, 4, 6),
    (400_000, 0.85, 100, 20, 1),
    (1_200_000, 0.85, 100, 40, 1),
];

fn alone(bits_per_second: u64, media: Media, seed: u64) -> Path {
    with_listener(Path::new(bits_per_second, seed), media, seed)
}

fn with_listener(mut path: Path, media: Media, seed: u64) -> Path {
    let mut flow = Flow::new(media, Duration::ZERO, seed + 100);
    flow.listener = Some(Listener::default());
    path.add_flow(flow);
    path
}

/// How often the rung would have changed in the second minute, and in the third.
fn changes(path: &mut Path) -> [usize; 2] {
    let ladder = Ladder::usual(PictureSize::new(1280, 720).unwrap(), 30, 1_500).unwrap();
    let mut receiver = Receiver::new(32);
    let mut rungs = Vec::new();
    for tenth in 0..1_800 {
        let at = ms(100 * tenth);
        let said = path.flow(0).rates.iter().rfind(|(when, _)| *when <= at);
        let downlink = Downlink {
            lasting_bps: None,
            bps: said.map(|(_, rate)| *rate),
            loss_percent: 2,
        };
        let now = RoomTime::from_ms(100 * tenth);
        let allocation = receiver.tick(now, &ladder, downlink);
        rungs.push(allocation.video.index());
    }
    [600..1_200, 1_200..1_800].map(|minute| {
        let pairs = rungs[minute].windows(2);
        pairs.filter(|pair| pair[0] != pair[1]).count()
    })
}

#[test]
fn what_the_participant_says_is_used_and_its_queue_kept_short() {
    for (bits_per_second, least_used, longest_wait, soonest, most_changes) in LINKS {
        for seed in 1..4 {
            let mut path = alone(bits_per_second, Media::suiting(bits_per_second), seed);

            path.run_until(secs(180));

            let used = used(&path, bits_per_second, 60, 180);
            let waits = path.waits(0, secs(60), secs(180));
            let found = path.flow(0).reaches(bits_per_second * 8 / 10, secs(0));
            let changes = changes(&mut path);
            println!(
                "{:>5} kb/s by REMB: {:>3.0} % used, waits {waits:?}, 80 % found after {:>5} ms, \
                 {changes:?} changes of rung a minute",
                bits_per_second / 1_000,
                used * 100.0,
                found.as_millis(),
            );
            assert!(
                (least_used..=1.0).contains(&used),
                "{bits_per_second}: {used}"
            );
            assert!(waits.1 <= longest_wait, "{bits_per_second}: {waits:?}");
            assert!(found <= secs(soonest), "{bits_per_second}: {found:?}");
            assert!(
                changes[0].max(changes[1]) <= most_changes,
                "{bits_per_second}: {changes:?}"
            );
        }
    }
}

#[test]
fn a_link_that_narrows_to_a_fifth_is_followed_down_and_up_again_by_what_the_participant_says() {
    for (wide, narrow) in [
        (500_000, 100_000),
        (1_200_000, 240_000),
        (2_000_000, 400_000),
    ] {
        for seed in 1..4 {
            let mut path = alone(wide, Media::suiting(narrow), seed);
            path.run_until(secs(60));

            path.set_bandwidth(narrow);
            path.run_until(secs(90));
            path.set_bandwidth(wide);
            path.run_until(secs(150));

            let down = path.flow(0).falls_to(narrow, secs(60)) - secs(60);
            let up = path.flow(0).reaches(wide * 8 / 10, secs(90)) - secs(90);
            let waits = path.waits(0, secs(65), secs(90));
            let low = used(&path, narrow, 65, 90);
            println!(
                "{:>4} to {:>3} kb/s by REMB: down in {:>4} ms, then waits {waits:?}, {:.0} % used; \
                 back up in {:>5} ms",
                wide / 1_000,
                narrow / 1_000,
                down.as_millis(),
                low * 100.0,
                up.as_millis(),
            );
            // Its second, the word's, and the report's.
            assert!(down < ms(2_500), "{wide}: {down:?}");
            // At 240 kb/s a long packet takes 40 ms, which the receiver takes for a queue or not.
            let longest_wait = if narrow == 240_000 { 125 } else { 100 };
            assert!(waits.1 <= longest_wait, "{wide}: {waits:?}");
            assert!(low > 0.75, "{wide}: {low}");
            assert!(up < secs(35), "{wide}: {up:?}");
        }
    }
}

#[test]
fn loss_brings_the_rate_down_where_a_queue_is_full_and_not_where_it_is_the_paths_own() {
    for (share, least_used) in [(0.05, 0.75), (0.1, 0.65), (0.2, 0.4)] {
        let path = Path::with(1_000_000, QUEUE, Loss::Random { share }, 1);
        let mut path = with_listener(path, Media::default(), 1);

        path.run_until(secs(60));

        let used = used(&path, 1_000_000, 20, 60);
        println!(
            "{:.0} % of random loss by REMB: {:.0} % used",
            share * 100.0,
            used * 100.0
        );
        assert!(used > least_used, "{share}: {used}");
    }
    let short = Path::with(1_000_000, ms(20), Loss::None, 1);
    let mut path = with_listener(short, Media::default(), 1);

    path.run_until(secs(60));

    let lost = path.link.counters().overflowed as f64 / path.link.counters().sent as f64;
    println!("a queue of 20 ms by REMB: {:.0} % lost", lost * 100.0);
    assert!(lost < 0.2, "{lost}");
}

#[test]
fn who_sends_little_learns_of_more_than_that_by_what_the_participant_says() {
    let media = Media {
        video: (60_000.0, 60_000.0),
        ..Media::default()
    };
    let mut path = alone(1_000_000, media, 1);

    path.run_until(secs(30));
    let idle = path.flow(0).target();
    path.flow(0).media.video.1 = 10e6;
    path.run_until(secs(60));

    // 116 kb/s are sent, in some seconds 130; half as much again may be said, and again be tried.
    assert!((230_000.0..330_000.0).contains(&idle), "{idle}");
    let waits = path.waits(0, secs(30), secs(60));
    assert!(waits.1 <= 100, "{waits:?}");
}

#[test]
fn when_the_participant_says_nothing_more_what_is_sent_comes_down_unless_it_is_little() {
    for (most, least_left, most_left) in [(10e6, 0.05, 0.1), (60_000.0, 0.99, 1.01)] {
        let media = Media {
            video: (0.0, most),
            ..Media::default()
        };
        let mut path = alone(1_000_000, media, 1);
        path.run_until(secs(60));
        let before = path.flow(0).target();

        path.flow(0).feedback_cut = true;
        path.run_until(secs(90));

        let left = path.flow(0).target() / before;
        assert!((least_left..most_left).contains(&left), "{most}: {left}");
    }
}

#[test]
fn without_feedback_per_packet_the_participants_own_estimate_is_followed() {
    let mut estimator = Estimator::default();
    let rate = |estimator: &Estimator| estimator.estimate().bits_per_second;

    estimator.remb(secs(1), 400_000, 0);
    assert_eq!(rate(&estimator), 400_000);

    // Nothing is sent: it creeps above what is said while that stays, up to half as much again.
    for second in 2..30 {
        estimator.remb(secs(second), 400_000, 0);
    }
    assert_eq!(rate(&estimator), 600_000);
    estimator.remb(secs(30), 400_000, 50);
    assert_eq!(rate(&estimator), 400_000);
    estimator.remb(secs(31), 90_000, 0);
    assert_eq!(rate(&estimator), 90_000);
}
