//! What a bad network may cost a talker, in delay and in samples that are made up.
//!
//! Virtual time, a simulated path, a minute of active speech each. Latency is what the mixer adds:
//! from the moment a packet would have arrived on the path at its fastest to the tick that mixes
//! it. Each budget is asserted over several seeds and phases between the packets and the ticks.

use std::time::Duration;

use link::{Delivery, During, Jitter, LinkConfig, Loss, Outage};

use crate::network::{Heard, Talker, listen, speech};
use crate::room::TICK;

/// The jitter buffer's stated maximum.
const MAXIMUM_MS: f64 = 500.0;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn speak(talker: &Talker) -> Heard {
    let heard = listen(talker, |number| speech(number, talker.packet_samples));
    assert!(heard.longest_wait_ms() <= MAXIMUM_MS);
    assert!(heard.asked_most <= 2);
    heard
}

#[test]
fn without_jitter_a_packet_is_mixed_within_thirty_ms_untouched() {
    let mut latencies = Vec::new();
    for phase in 0..20 {
        let heard = speak(&Talker {
            phase: ms(phase),
            seconds: 10,
            ..Talker::through(LinkConfig {
                delay: ms(40),
                ..LinkConfig::default()
            })
        });

        latencies.push(heard.p95_ms(0));
        let counters = heard.counters;
        assert_eq!(counters.concealed + counters.lost + counters.late, 0);
        assert_eq!(counters.accelerated + counters.expanded, 0);
    }
    latencies.sort_by(f64::total_cmp);
    assert!(latencies[18] <= 30.0, "{latencies:?}");
}

#[test]
fn jitter_of_twenty_ms_costs_at_most_eighty_and_under_one_percent() {
    for (seed, delivery) in [
        (1, Delivery::InOrder),
        (2, Delivery::InOrder),
        (3, Delivery::Reordered),
        (4, Delivery::Reordered),
    ] {
        let heard = speak(&Talker {
            seed,
            phase: ms(seed * 5),
            ..Talker::through(LinkConfig {
                delay: ms(20),
                jitter: Jitter::Uniform(ms(20)),
                delivery,
                ..LinkConfig::default()
            })
        });

        // The path at its fastest is 20 ms faster than its delay.
        let p95_ms = heard.p95_ms(0) + 20.0;
        assert!(p95_ms <= 80.0, "{p95_ms}");
        assert!(heard.concealed() < 0.01, "{}", heard.concealed());
    }
}

#[test]
fn ten_percent_random_loss_is_mended_by_copies_and_by_asking() {
    for (round_trip, most) in [(None, 0.03), (Some(ms(50)), 0.01)] {
        for seed in 1..5 {
            let heard = speak(&Talker {
                seed,
                phase: ms(seed * 5),
                copies: true,
                round_trip,
                ..Talker::through(LinkConfig {
                    loss: Loss::Random { share: 0.1 },
                    delay: ms(25),
                    ..LinkConfig::default()
                })
            });

            let concealed = heard.concealed();
            assert!(concealed < most, "{round_trip:?} {concealed}");
            assert!(heard.counters.lost > 0 || heard.asked > 0);
        }
    }
}

#[test]
fn bursts_of_loss_are_mended_by_asking() {
    let heard = speak(&Talker {
        round_trip: Some(ms(40)),
        ..Talker::through(LinkConfig {
            loss: Loss::Bursts {
                to_bad: 0.03,
                to_good: 0.5,
                good: 0.0,
                bad: 1.0,
            },
            delay: ms(20),
            ..LinkConfig::default()
        })
    });

    assert!(heard.concealed() < 0.02, "{}", heard.concealed());
}

#[test]
fn an_outage_is_forgotten_within_five_seconds() {
    for during in [During::Lost, During::Held] {
        for seed in 1..5 {
            let heard = speak(&Talker {
                seed,
                phase: ms(seed * 5),
                seconds: 30,
                copies: true,
                round_trip: Some(ms(50)),
                ..Talker::through(LinkConfig {
                    delay: ms(25),
                    outages: vec![Outage {
                        from: ms(10_000),
                        until: ms(10_500),
                        during,
                    }],
                    ..LinkConfig::default()
                })
            });

            let at = |ms: usize| heard.delays_ms[ms / 20].expect("it plays");
            let before = at(9_900);
            let back = (10_600..).step_by(20).find(|&ms| at(ms) <= before + 20);
            assert!(back <= Some(15_500), "{back:?}");
            let after = heard
                .latencies_ms
                .iter()
                .filter(|(arrival_ms, _)| *arrival_ms >= 15_500)
                .map(|(_, ms)| *ms)
                .fold(0.0, f64::max);
            assert!(after <= before as f64 + 20.0, "{before} {after}");
            assert_eq!(heard.counters.dropped, u64::from(during == During::Held));
        }
    }
}

#[test]
fn a_queue_that_comes_and_goes_is_followed_up_and_down() {
    for seed in 1..4 {
        let heard = speak(&Talker {
            seed,
            phase: ms(seed * 5),
            ..Talker::through(LinkConfig {
                jitter: Jitter::Exponential(ms(12)),
                ..LinkConfig::default()
            })
        });

        assert!(heard.concealed() < 0.02, "{}", heard.concealed());
        assert!(heard.p95_ms(0) <= 120.0, "{}", heard.p95_ms(0));
    }
}

#[test]
fn packets_only_overtaken_are_hardly_asked_for_and_pay_no_lookahead() {
    let heard = speak(&Talker {
        copies: true,
        round_trip: Some(ms(20)),
        ..Talker::through(LinkConfig {
            delay: ms(30),
            jitter: Jitter::Uniform(ms(30)),
            delivery: Delivery::Reordered,
            ..LinkConfig::default()
        })
    });

    assert!(heard.asked < 60, "{}", heard.asked);
    assert!(heard.p95_ms(0) + 30.0 <= 110.0);
}

#[test]
fn a_clock_that_drifts_for_two_hours_is_followed_without_a_click() {
    // 200 Hz and 600 Hz: each packet goes on where the one before ended.
    let wave: Vec<i16> = (0..TICK)
        .map(|at| at as f64 * 200.0 / 48_000.0 * std::f64::consts::TAU)
        .map(|phase| (phase.sin() * 6_000.0 + (3.0 * phase).sin() * 2_000.0) as i16)
        .collect();
    for drift_ppm in [-200, 200] {
        let heard = listen(
            &Talker {
                seconds: 7_200,
                drift_ppm,
                ..Talker::through(LinkConfig::default())
            },
            |_| wave.clone(),
        );

        let counters = heard.counters;
        assert_eq!(counters.concealed + counters.dropped + counters.lost, 0);
        let longest = heard.delays_ms.iter().flatten().max();
        assert!(longest <= Some(&35), "{longest:?}");
        // 200 ppm of two hours are 1.44 s.
        let stretched = i64::try_from(counters.expanded).unwrap()
            - i64::try_from(counters.accelerated).unwrap();
        let expected = -drift_ppm.signum() * 69_120;
        assert!((stretched - expected).abs() < 2_000, "{stretched}");
        // 6 000 at 200 Hz and 2 000 at 600 Hz are steepest together: 314 per sample.
        assert!(heard.steepest() <= 330, "{}", heard.steepest());
    }
}

#[test]
fn sound_whose_picture_is_late_is_kept_back_for_as_long_and_no_longer_than_200_ms() {
    for (asked_ms, least_ms, most_ms) in [(100, 95, 125), (1_000, 195, 225)] {
        let heard = speak(&Talker {
            seconds: 20,
            least_delay: ms(asked_ms),
            ..Talker::through(LinkConfig::default())
        });

        let settled = heard.delays_ms[500..].iter().flatten();
        let (least, most) = (settled.clone().min(), settled.max());
        assert!(
            least >= Some(&least_ms) && most <= Some(&most_ms),
            "{least:?} {most:?}"
        );
        assert_eq!(heard.counters.concealed, 0);
    }
}

#[test]
fn a_pause_is_silence_and_not_loss() {
    let heard = speak(&Talker {
        seconds: 20,
        pause_ms: 10_000..14_000,
        ..Talker::through(LinkConfig::default())
    });

    assert_eq!(heard.counters.lost, 0);
    // Nothing says that the talker pauses: the first 100 ms are made up, and fade.
    assert!(heard.counters.concealed <= 4_800);
    assert_eq!(heard.counters.accelerated + heard.counters.expanded, 0);
}

#[test]
fn packets_of_every_length_keep_the_budget_of_an_even_path() {
    for packet_samples in [120, 240, 480, 960, 1_920, 2_880, 5_760] {
        let heard = speak(&Talker {
            packet_samples,
            seconds: 20,
            ..Talker::through(LinkConfig::default())
        });

        // Shorter packets have to wait until they fill a tick.
        let filling_ms = (TICK.saturating_sub(packet_samples) / 48) as f64;
        assert!(heard.p95_ms(0) <= 30.0 + filling_ms);
        assert_eq!(heard.counters.concealed, 0);
    }
}
