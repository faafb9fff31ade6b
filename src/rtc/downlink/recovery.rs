//! Asking and resending against each other over a simulated path, in virtual time: what
//! [`Missing`] asks for and [`SentHistory`] resends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use link::{Bandwidth, Jitter, Link, LinkConfig, Loss};
use rtc::rtp::Packet;
use rtc::rtp::header::Header;

use super::history::{Answer, SentHistory};
use crate::rtc::uplink::{Missing, RESEND_PATIENCE};

/// A packet every 8 ms, of 1,000 bytes: 1 Mb/s.
const INTERVAL_MS: u16 = 8;
const PAYLOAD: Bytes = Bytes::from_static(&[0; 1_000]);
const PACKETS: u16 = 2_500;

/// One way.
const DELAY: Duration = Duration::from_millis(25);

/// What came of a stream.
#[derive(Debug, Default)]
struct Outcome {
    /// When each packet came first, counted from when it was sent.
    waits: BTreeMap<u16, Duration>,
    resent: u32,
    refused: u32,
}

impl Outcome {
    fn came_within(&self, wait: Duration) -> usize {
        self.waits.values().filter(|took| **took <= wait).count()
    }
}

/// Sends a stream over `there`, requests over `back`, a millisecond at a time.
fn run(there: LinkConfig, back: LinkConfig) -> Outcome {
    let (mut there, mut back) = (Link::new(there, 1), Link::new(back, 2));
    let (mut history, mut missing) = (SentHistory::default(), Missing::default());
    let mut outcome = Outcome::default();
    let start = Instant::now();
    let round_trip = Some(2 * DELAY);

    for ms in 0..PACKETS * INTERVAL_MS + 1_000 {
        let now = Duration::from_millis(ms.into());
        let seq = ms / INTERVAL_MS;
        if ms % INTERVAL_MS == 0 && seq < PACKETS {
            history.sent(&packet(seq), start + now);
            there.send(now, PAYLOAD.len(), (seq, now));
        }
        for arrived in there.deliver(now) {
            let (seq, sent) = arrived.packet;
            missing.arrived(seq, start + now);
            outcome.waits.entry(seq).or_insert(now - sent);
        }
        for seq in missing.requests(round_trip, start + now) {
            back.send(now, 20, seq);
        }
        for arrived in back.deliver(now) {
            let seq = arrived.packet;
            match history.ask(seq, round_trip, start + now) {
                Answer::Resend(resent) => {
                    let first_sent = Duration::from_millis(u64::from(seq * INTERVAL_MS));
                    there.send(now, resent.payload.len(), (seq, first_sent));
                    outcome.resent += 1;
                }
                _ => outcome.refused += 1,
            }
        }
    }
    outcome
}

fn packet(seq: u16) -> Packet {
    Packet {
        header: Header {
            sequence_number: seq,
            ..Header::default()
        },
        payload: PAYLOAD,
    }
}

fn path(share: f64) -> LinkConfig {
    LinkConfig {
        loss: Loss::Random { share },
        delay: DELAY,
        ..LinkConfig::default()
    }
}

#[test]
fn without_loss_nothing_is_resent() {
    let outcome = run(path(0.0), path(0.0));

    assert_eq!(outcome.came_within(DELAY), usize::from(PACKETS));
    assert_eq!((outcome.resent, outcome.refused), (0, 0));
}

#[test]
fn what_a_lossy_path_loses_comes_again_in_time_for_little_more_than_was_lost() {
    for (share, late) in [(0.05, 5), (0.10, 12)] {
        let outcome = run(path(share), path(share));

        // Two losses in a row cost a second round trip; three are rare.
        let in_time = outcome.came_within(Duration::from_millis(200));
        assert!(in_time + late >= usize::from(PACKETS), "{share}: {in_time}");
        let lost = share * f64::from(PACKETS);
        let resent = f64::from(outcome.resent);
        assert!(
            (0.8 * lost..1.4 * lost).contains(&resent),
            "{share}: {resent}"
        );
    }
}

#[test]
fn on_an_uneven_path_requests_do_not_come_so_soon_that_they_are_refused() {
    let uneven = |share| LinkConfig {
        jitter: Jitter::Uniform(Duration::from_millis(10)),
        ..path(share)
    };

    let outcome = run(uneven(0.10), uneven(0.10));

    assert!(
        outcome.refused * 20 < outcome.resent,
        "{} of {}",
        outcome.refused,
        outcome.resent
    );
    let in_time = outcome.came_within(RESEND_PATIENCE);
    assert!(in_time + 5 >= usize::from(PACKETS), "{in_time}");
}

#[test]
fn a_path_that_is_too_narrow_is_not_flooded_with_resends() {
    let narrow = LinkConfig {
        bandwidth: Some(Bandwidth {
            bits_per_second: 500_000,
            queue_bytes: 6_000,
        }),
        ..path(0.0)
    };

    let outcome = run(narrow, path(0.0));

    // Half of the stream does not fit: all of that is asked for, several times.
    assert!(outcome.refused > u32::from(PACKETS), "{}", outcome.refused);
    assert!(
        outcome.resent <= u32::from(PACKETS) / 4,
        "{}",
        outcome.resent
    );
}
