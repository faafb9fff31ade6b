//! What a simulated path promises.

use std::time::Duration;

use link::{
    Arrived, Bandwidth, Counters, Delivery, During, Jitter, Link, LinkConfig, Loss, Outage,
};
use proptest::prelude::*;

const PERIOD: Duration = Duration::from_millis(20);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Sends `count` numbered packets of 100 bytes, one per 20 ms, and takes out all of them.
fn run(config: LinkConfig, seed: u64, count: u32) -> (Vec<Arrived<u32>>, Counters) {
    let mut link = Link::new(config, seed);
    let mut arrived = Vec::new();
    for number in 0..count {
        let now = PERIOD * number;
        arrived.extend(link.deliver(now));
        link.send(now, 100, number);
    }
    arrived.extend(link.deliver(Duration::MAX));
    (arrived, link.counters())
}

#[test]
fn a_path_with_nothing_wrong_delivers_at_once() {
    let (arrived, counters) = run(LinkConfig::default(), 1, 3);

    let expected = [0, 1, 2].map(|packet| Arrived {
        at: PERIOD * packet,
        packet,
    });
    assert_eq!(arrived, expected);
    assert_eq!((counters.sent, counters.delivered), (3, 3));
}

#[test]
fn nothing_arrives_before_its_time() {
    let mut link = Link::new(
        LinkConfig {
            delay: ms(50),
            ..LinkConfig::default()
        },
        1,
    );

    link.send(ms(10), 100, ());

    assert_eq!(link.next_arrival(), Some(ms(60)));
    assert_eq!(link.deliver(ms(59)).count(), 0);
    assert_eq!(link.deliver(ms(60)).count(), 1);
    assert_eq!(link.under_way(), 0);
}

#[test]
fn packets_sent_in_an_outage_are_lost_or_held_until_its_end() {
    for (during, expected) in [
        (During::Lost, vec![(0, 0), (40, 2)]),
        (During::Held, vec![(0, 0), (35, 1), (40, 2)]),
    ] {
        let outage = Outage {
            from: ms(20),
            until: ms(35),
            during,
        };

        let (arrived, counters) = run(
            LinkConfig {
                outages: vec![outage],
                ..LinkConfig::default()
            },
            1,
            3,
        );

        let arrived: Vec<_> = arrived
            .iter()
            .map(|arrived| (arrived.at.as_millis(), arrived.packet))
            .collect();
        assert_eq!(arrived, expected);
        assert_eq!(counters.in_outage, u64::from(during == During::Lost));
    }
}

#[test]
fn a_narrow_place_spaces_packets_and_drops_those_that_find_its_queue_full() {
    let bandwidth = Bandwidth {
        bits_per_second: 80_000,
        queue_bytes: 250,
    };
    let mut link = Link::new(
        LinkConfig {
            bandwidth: Some(bandwidth),
            ..LinkConfig::default()
        },
        1,
    );

    // 100 bytes take 10 ms; two fit into the queue.
    for number in 0..4 {
        link.send(ms(5), 100, number);
    }

    let arrived: Vec<_> = link.deliver(ms(100)).collect();
    assert_eq!(
        arrived,
        [(15, 0), (25, 1)].map(|(at, packet)| Arrived { at: ms(at), packet })
    );
    assert_eq!(link.counters().overflowed, 2);
}

#[test]
fn a_place_that_becomes_narrower_still_passes_what_it_has_taken_as_before() {
    let bandwidth = |bits_per_second| {
        Some(Bandwidth {
            bits_per_second,
            queue_bytes: 1_000,
        })
    };
    let config = LinkConfig {
        bandwidth: bandwidth(80_000),
        ..LinkConfig::default()
    };
    let mut link = Link::new(config, 1);

    // 10 ms each, then 20.
    link.send(ms(0), 100, 1);
    link.send(ms(0), 100, 2);
    link.set_bandwidth(bandwidth(40_000));
    link.send(ms(0), 100, 3);

    let arrivals: Vec<Duration> = link.deliver(ms(100)).map(|arrived| arrived.at).collect();
    assert_eq!(arrivals, [ms(10), ms(20), ms(40)]);
}

#[test]
fn half_a_bit_that_still_waits_keeps_a_full_queue_full() {
    let bandwidth = Bandwidth {
        bits_per_second: 3,
        queue_bytes: 2,
    };
    let mut link = Link::new(
        LinkConfig {
            bandwidth: Some(bandwidth),
            ..LinkConfig::default()
        },
        1,
    );
    link.send(ms(0), 1, 0);
    link.send(ms(0), 1, 1);

    // 8.5 bits wait, and 8 more are half a bit too many.
    link.send(ms(2_500), 1, 2);

    assert_eq!(link.counters().overflowed, 1);
}

#[test]
fn a_change_meets_packets_sent_from_then_on_behind_what_waits_already() {
    let narrow = LinkConfig {
        delay: ms(100),
        bandwidth: Some(Bandwidth {
            bits_per_second: 8_000,
            queue_bytes: 1_000,
        }),
        ..LinkConfig::default()
    };
    let mut link = Link::new(narrow.clone(), 1);
    link.send(ms(0), 100, 0);
    link.send(ms(0), 100, 1);

    link.change(LinkConfig {
        delay: ms(0),
        bandwidth: Some(Bandwidth {
            bits_per_second: 80_000,
            queue_bytes: 10_000,
        }),
        ..narrow
    });
    link.send(ms(0), 100, 2);

    let arrived: Vec<_> = link
        .deliver(Duration::MAX)
        .map(|arrived| (arrived.at, arrived.packet))
        .collect();
    // The third passes after the two before it, and waits for them at the far end as well.
    assert_eq!(arrived, [(ms(200), 0), (ms(300), 1), (ms(300), 2)]);
    assert_eq!((link.counters().sent, link.counters().delivered), (3, 3));
}

#[test]
fn without_order_jitter_lets_packets_overtake() {
    let config = LinkConfig {
        delay: ms(50),
        jitter: Jitter::Uniform(ms(20)),
        delivery: Delivery::Reordered,
        ..LinkConfig::default()
    };

    let (arrived, _) = run(config, 1, 10_000);

    let overtaken = arrived
        .windows(2)
        .filter(|pair| pair[0].packet > pair[1].packet)
        .count();
    // Of neighbors 20 ms apart, one in eight by the geometry of two uniform delays 40 ms wide.
    assert!((1_000..1_500).contains(&overtaken), "{overtaken}");
}

#[test]
fn more_loss_does_not_move_the_jitter_of_the_packets_that_remain() {
    let with = |share| LinkConfig {
        loss: Loss::Random { share },
        jitter: Jitter::Exponential(ms(10)),
        delivery: Delivery::Reordered,
        ..LinkConfig::default()
    };

    let (all, _) = run(with(0.0), 9, 1_000);
    let (some, _) = run(with(0.3), 9, 1_000);

    assert!(some.len() < 800);
    assert!(some.iter().all(|arrived| all.contains(arrived)));
}

fn loss() -> impl Strategy<Value = Loss> {
    prop_oneof![
        (0.0..0.5).prop_map(|share| Loss::Random { share }),
        (0.02..0.2, 0.2..0.8, 0.0..0.05, 0.5..1.0).prop_map(|(to_bad, to_good, good, bad)| {
            Loss::Bursts {
                to_bad,
                to_good,
                good,
                bad,
            }
        }),
    ]
}

fn jitter() -> impl Strategy<Value = Jitter> {
    prop_oneof![
        Just(Jitter::None),
        (0..100u64).prop_map(|half| Jitter::Uniform(ms(half))),
        (0..50u64).prop_map(|mean| Jitter::Exponential(ms(mean))),
    ]
}

fn bandwidth() -> impl Strategy<Value = Option<Bandwidth>> {
    prop::option::of((10_000..100_000u64, 0..2_000usize).prop_map(
        |(bits_per_second, queue_bytes)| Bandwidth {
            bits_per_second,
            queue_bytes,
        },
    ))
}

fn config() -> impl Strategy<Value = LinkConfig> {
    (loss(), jitter(), bandwidth(), 0..100u64, 0.0..0.3).prop_map(
        |(loss, jitter, bandwidth, delay, duplication)| LinkConfig {
            loss,
            delay: ms(delay),
            jitter,
            delivery: Delivery::Reordered,
            duplication,
            bandwidth,
            outages: vec![Outage {
                from: ms(500),
                until: ms(900),
                during: During::Held,
            }],
        },
    )
}

proptest! {
    #[test]
    fn same_seed_same_outcome(config in config(), seed: u64) {
        prop_assert_eq!(run(config.clone(), seed, 200), run(config, seed, 200));
    }

    #[test]
    fn every_packet_is_accounted_for(config in config(), seed: u64) {
        let (arrived, counters) = run(config, seed, 200);

        prop_assert_eq!(counters.sent, 200);
        prop_assert_eq!(counters.delivered, arrived.len() as u64);
        prop_assert_eq!(
            counters.sent + counters.duplicated,
            counters.delivered + counters.lost + counters.in_outage + counters.overflowed
        );
    }

    #[test]
    fn in_order_means_in_order_of_sending(mut config in config(), seed: u64) {
        config.delivery = Delivery::InOrder;

        let (arrived, _) = run(config, seed, 200);

        prop_assert!(arrived.is_sorted_by_key(|arrived| arrived.at));
        prop_assert!(arrived.is_sorted_by_key(|arrived| arrived.packet));
    }

    #[test]
    fn nothing_waits_longer_before_a_narrow_place_than_its_queue_takes(
        bits_per_second in 1_000..1_000_000u64,
        queue_bytes in 0..5_000usize,
        sizes in prop::collection::vec((0..50u64, 1..1_500usize), 1..100),
    ) {
        let bandwidth = Bandwidth { bits_per_second, queue_bytes };
        let config = LinkConfig { bandwidth: Some(bandwidth), ..LinkConfig::default() };
        let mut link = Link::new(config, 0);
        let longest = Duration::from_nanos(
            (queue_bytes as u64 * 8 * 1_000_000_000).div_ceil(bits_per_second)
        );
        let mut now = Duration::ZERO;

        for (pause_ms, bytes) in sizes {
            now += ms(pause_ms);
            link.send(now, bytes, now);
        }

        for arrived in link.deliver(Duration::MAX) {
            prop_assert!(arrived.at - arrived.packet <= longest);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn in_the_long_run_the_loss_is_what_was_asked_for(loss in loss(), seed: u64) {
        let config = LinkConfig { loss, ..LinkConfig::default() };

        let (_, counters) = run(config, seed, 100_000);

        let lost = counters.lost as f64 / 100_000.0;
        prop_assert!((lost - loss.long_run()).abs() < 0.015, "{} {}", lost, loss.long_run());
    }
}
