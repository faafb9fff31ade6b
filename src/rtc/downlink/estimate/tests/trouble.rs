//! Loss, jitter, silence, and senders with little to send.

use std::time::Duration;

use link::{Jitter, Loss};

use super::super::{Estimator, FIRST, Fate, Numbered, PacketReport};
use super::flow::Media;
use super::path::{Path, QUEUE, ms};
use super::{alone, secs, used, with_sender};

#[test]
fn loss_that_is_not_ours_does_not_bring_the_rate_down() {
    for (share, least_used) in [(0.0, 0.8), (0.05, 0.75), (0.1, 0.7), (0.2, 0.55)] {
        for bits_per_second in [64_000, 300_000, 1_000_000] {
            let path = Path::with(bits_per_second, QUEUE, Loss::Random { share }, 1);
            let mut path = with_sender(path, Media::suiting(bits_per_second), 1);

            path.run_until(secs(60));

            // Of what is not lost.
            let used = used(&path, bits_per_second, 20, 60);
            println!(
                "{:>4} kb/s with {:.0} % of random loss: {:.0} % used",
                bits_per_second / 1_000,
                share * 100.0,
                used * 100.0
            );
            assert!(used > least_used, "{share} {bits_per_second}: {used}");
        }
    }
}

#[test]
fn a_queue_too_short_to_be_seen_is_told_by_its_loss() {
    let mut path = with_sender(
        Path::with(1_000_000, ms(20), Loss::None, 1),
        Media::default(),
        1,
    );

    path.run_until(secs(60));

    let lost = path.link.counters().overflowed as f64 / path.link.counters().sent as f64;
    println!(
        "a queue of 20 ms: {:.0} % used, {:.0} % lost",
        used(&path, 1_000_000, 20, 60) * 100.0,
        lost * 100.0
    );
    assert!(used(&path, 1_000_000, 20, 60) > 0.8);
    assert!(lost < 0.1, "{lost}");
}

#[test]
fn jitter_costs_some_of_the_rate_but_not_all() {
    for (jitter, least_used) in [(10, 0.75), (20, 0.7), (50, 0.15)] {
        for bits_per_second in [64_000, 300_000, 1_000_000] {
            let mut path = Path::new(bits_per_second, 1);
            path.set_jitter(Jitter::Uniform(ms(jitter)));
            let mut path = with_sender(path, Media::suiting(bits_per_second), 1);

            path.run_until(secs(60));

            let used = used(&path, bits_per_second, 20, 60);
            println!(
                "{:>4} kb/s with ±{jitter} ms of jitter: {:.0} % used",
                bits_per_second / 1_000,
                used * 100.0
            );
            assert!(used > least_used, "{jitter} {bits_per_second}: {used}");
        }
    }
}

#[test]
fn jitter_takes_little_from_a_sender_that_leaves_room_to_spare() {
    for (jitter, least) in [(20, 1_000_000), (50, 250_000), (100, 150_000)] {
        let mut path = Path::new(2_000_000, 1);
        path.set_jitter(Jitter::Uniform(ms(jitter)));
        let media = Media {
            video: (300_000.0, 300_000.0),
            ..Media::default()
        };
        let mut path = with_sender(path, media, 1);

        path.run_until(secs(60));

        let lowest = path.flow(0).lowest(secs(20));
        println!(
            "360 kb/s sent of 2000, ±{jitter} ms of jitter: at least {} kb/s estimated",
            lowest / 1_000
        );
        assert!(lowest > least, "{jitter}: {lowest}");
    }
}

/// The queue seems to go at once again and again, as it does beside a TCP that halves.
#[test]
fn delays_that_differ_much_are_not_taken_for_somebody_else() {
    for seed in 1..4 {
        let mut path = Path::new(1_000_000, seed);
        path.set_jitter(Jitter::Exponential(ms(30)));
        let mut path = with_sender(path, Media::default(), seed);

        path.run_until(secs(120));

        let waits = path.waits(0, secs(20), secs(120));
        println!("1000 kb/s with 30 ms of exponential jitter: waits {waits:?}");
        assert!(waits.1 <= 220, "{waits:?}");
    }
}

#[test]
fn a_radio_that_stalls_now_and_then_costs_some_of_the_rate_and_leaves_no_queue() {
    for bits_per_second in [100_000, 300_000, 1_000_000] {
        for stall in [100, 250] {
            for seed in 1..4 {
                let mut path = alone(bits_per_second, Media::suiting(bits_per_second), seed);
                path.stalls = Some((ms(3_000), ms(stall)));

                path.run_until(secs(120));

                let used = used(&path, bits_per_second, 20, 120);
                let waits = path.waits(0, secs(20), secs(120));
                println!(
                    "{:>4} kb/s that stalls for {stall} ms every 3 s: {:.0} % used, waits {waits:?}",
                    bits_per_second / 1_000,
                    used * 100.0
                );
                assert!(
                    used > 0.4 && waits.0 < 60,
                    "{bits_per_second}: {used} {waits:?}"
                );
            }
        }
    }
}

#[test]
fn without_feedback_the_rate_holds_then_falls_and_comes_back_with_it() {
    let mut path = alone(1_000_000, Media::default(), 1);
    path.run_until(secs(30));
    let before = path.flow(0).target();

    path.flow(0).feedback_cut = true;
    path.run_until(ms(30_600));
    assert!(
        path.flow(0).target() >= before * 0.9,
        "held for half a second"
    );
    path.run_until(secs(33));
    let silent = path.flow(0).target();
    path.run_until(secs(60));
    assert!(path.flow(0).target() >= 59_000.0, "something to begin with");
    path.flow(0).feedback_cut = false;
    path.run_until(secs(90));

    assert!(silent < before * 0.7, "{before} {silent}");
    let back = path.flow(0).reaches(800_000, secs(60)) - secs(60);
    println!(
        "after 30 s without feedback: back in {} ms",
        back.as_millis()
    );
    assert!(back < secs(8), "{back:?}");
}

#[test]
fn a_path_that_was_gone_for_seconds_goes_on_with_half_of_what_it_carried() {
    for bits_per_second in [100_000, 400_000, 1_200_000] {
        for seed in 1..4 {
            let mut path = alone(bits_per_second, Media::suiting(bits_per_second), seed);
            path.run_until(secs(30));
            let before = path.flow(0).target();

            path.is_gone = true;
            path.run_until(secs(33));
            path.is_gone = false;
            path.run_until(ms(33_500));

            let after = path.flow(0).target();
            path.run_until(secs(60));
            let back = path.flow(0).reaches(bits_per_second * 8 / 10, secs(33)) - secs(33);
            println!(
                "{:>4} kb/s, gone for 3 s: {:.0} % at 0.5 s, 80 % after {} ms",
                bits_per_second / 1_000,
                100.0 * after / before,
                back.as_millis()
            );
            assert!(after >= 0.45 * before, "{before} {after}");
            assert!(back < secs(6), "{bits_per_second}: {back:?}");
            let longest_wait = if bits_per_second < 200_000 { 200 } else { 100 };
            assert!(path.waits(0, secs(33), secs(60)).1 <= longest_wait);
        }
    }
}

#[test]
fn without_padding_the_rate_grows_to_what_the_next_rung_needs() {
    let media = Media {
        audio_bytes: 1_200,
        video: (0.0, 0.0),
        can_pad: false,
        ..Media::default()
    };
    for (next, expected) in [(None, 740_000.0), (Some(1_600_000), 1_680_000.0)] {
        let mut path = alone(2_000_000, media, 1);
        path.flow(0).estimator.set_useful(2_000_000, next);

        path.run_until(secs(20));

        let idle = path.flow(0).target();
        assert!(
            (0.95..1.01).contains(&(idle / expected)),
            "{next:?}: {idle}"
        );
    }
}

#[test]
fn a_sender_with_little_to_send_neither_loses_its_estimate_nor_dreams_one_up() {
    for can_pad in [true, false] {
        let media = Media {
            video: (0.0, 200_000.0),
            can_pad,
            ..Media::default()
        };
        let mut path = alone(1_000_000, media, 1);

        path.run_until(secs(60));
        let idle = path.flow(0).target();
        path.flow(0).media.video.1 = 10e6;
        path.run_until(secs(70));

        println!(
            "260 kb/s sent of 1000: {:.0} kb/s estimated, padding {can_pad}",
            idle / 1e3
        );
        if can_pad {
            assert!((700_000.0..1_100_000.0).contains(&idle), "{idle}");
        } else {
            assert!((250_000.0..600_000.0).contains(&idle), "{idle}");
        }
        assert!(path.waits(0, secs(60), secs(70)).1 <= 100);
    }
}

#[test]
fn feedback_per_packet_comes_before_what_the_participant_says() {
    let mut estimator = Estimator::default();
    let report = PacketReport {
        departure: ms(10),
        fate: Fate::Arrived(ms(50)),
        bytes: 100,
    };

    estimator.feedback(ms(100), &[report]);
    estimator.remb(ms(200), 5_000_000, 0);

    assert_eq!(estimator.estimate().bits_per_second, FIRST as u64);
}

#[test]
fn a_receivers_clock_that_is_set_is_no_queue() {
    let mut path = alone(300_000, Media::default(), 1);
    path.run_until(secs(30));
    let before = path.flow(0).target();

    path.flow(0).clock_offset = secs(3_600);
    path.run_until(secs(35));

    let after = path.flow(0).target();
    assert!(after > before * 0.7, "{before} {after}");
}

#[test]
fn any_reports_are_taken_without_panic_and_give_a_rate_within_bounds() {
    let mut random = link::Random::new(7);
    let mut estimator = Estimator::default();
    let mut now = Duration::ZERO;
    for _ in 0..20_000 {
        now += Duration::from_micros(random.bits() % 50_000);
        let reports: Vec<PacketReport> = (0..random.bits() % 5)
            .map(|_| PacketReport {
                departure: Duration::from_micros(random.bits() >> (random.bits() % 60)),
                fate: match random.bits() % 10 {
                    0 => Fate::Lost,
                    1 => Fate::Unheard,
                    _ => {
                        Fate::Arrived(Duration::from_micros(random.bits() >> (random.bits() % 60)))
                    }
                },
                bytes: usize::try_from(random.bits() % 2_000).unwrap(),
            })
            .collect();
        estimator.sent(now, 100, Numbered::Yes);
        estimator.feedback(now, &reports);
        estimator.remb(now, random.bits(), 0);
        estimator.poll(now);
        let _ = estimator.probe(now);

        let rate = estimator.estimate().bits_per_second;
        assert!((24_000..=8_000_000).contains(&rate), "{rate}");
    }
}
