//! What one participant's packets go through is heard in nobody else's contribution.
//!
//! Every case is run twice, with the same good participants: once with a last one who behaves, once
//! with one who does not. The good ones' levels and contributions are the same at every tick, to the
//! last bit. Everything is quiet enough for the limiter to stay out of it, which is about the sum.

use std::time::Duration;

use bytes::Bytes;
use codecs::audio::Channels;
use codecs::rtp::{RtpTimestamp, SeqNo};
use link::{Delivery, During, Jitter, Link, LinkConfig, Loss, Outage, Random};
use mixer::audio::{AudioInput, AudioPacket, Level};
use mixer::{ParticipantId, RoomTime};
use proptest::prelude::*;

use crate::fake::packet;
use crate::room::{Room, TICK};

const GOOD: u32 = 4;
const BAD: u32 = GOOD;
const TICKS: usize = 100;

/// What may be wrong with one tick's worth of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mischief {
    /// A packet like everybody's.
    None,
    /// Nothing is sent.
    Silence,
    /// Bytes that are no samples.
    Garbage,
    /// 120 ms in one packet.
    Huge,
    /// Two hundred packets in a row.
    Flood,
    /// Another place in the sequence.
    SeqJump,
    /// Another media time.
    TimeJump,
    /// Every packet comes three times.
    Copies,
    /// A packet of nothing.
    Empty,
}

const KINDS: [Mischief; 9] = [
    Mischief::None,
    Mischief::Silence,
    Mischief::Garbage,
    Mischief::Huge,
    Mischief::Flood,
    Mischief::SeqJump,
    Mischief::TimeJump,
    Mischief::Copies,
    Mischief::Empty,
];

/// Everything that must not depend on somebody else.
#[derive(Debug, PartialEq)]
struct Run {
    /// What the bad one hears: the sum of the good ones.
    good: Vec<Vec<i16>>,
    /// What the first hears less what each other good one hears: their contribution less its own.
    apart: Vec<Vec<i32>>,
    levels: Vec<Vec<(ParticipantId, Level)>>,
}

struct Sender {
    link: Link<AudioPacket>,
    seq: u16,
    timestamp: u32,
}

impl Sender {
    fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            link: Link::new(config, seed),
            seq: 65_500,
            timestamp: u32::MAX - 40_000,
        }
    }

    /// The next packet; `arrival` is set when it has come.
    fn next(&mut self, payload: Bytes) -> AudioPacket {
        self.seq = self.seq.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(960);
        AudioPacket {
            seq: SeqNo(self.seq),
            timestamp: RtpTimestamp(self.timestamp),
            arrival: RoomTime::from_ms(0),
            payload,
        }
    }

    fn deliver(&mut self, room: &mut Room, id: u32, now: Duration) {
        for arrived in self.link.deliver(now) {
            let packet = AudioPacket {
                arrival: RoomTime::new(arrived.at),
                ..arrived.packet
            };
            room.mixer.handle(AudioInput::Packet {
                participant: ParticipantId(id),
                packet,
            });
        }
    }
}

/// One packet of noise that is loud enough to count and quiet enough not to be limited.
fn noise(random: &mut Random, samples: usize) -> Bytes {
    let pcm: Vec<i16> = (0..samples)
        .map(|_| ((random.unit() - 0.5) * 4_000.0) as i16)
        .collect();
    packet(&pcm)
}

fn run(link: LinkConfig, mischief: impl Fn(usize) -> Mischief) -> Run {
    let mut room = Room::of(GOOD + 1, Channels::Mono);
    let mut voices = Random::new(11);
    // The good ones have paths of their own, none of them perfect.
    let mut senders: Vec<Sender> = (0..GOOD)
        .map(|n| {
            let config = LinkConfig {
                loss: Loss::Random {
                    share: 0.02 * f64::from(n),
                },
                delay: Duration::from_millis(30),
                jitter: Jitter::Uniform(Duration::from_millis(15)),
                ..LinkConfig::default()
            };
            Sender::new(config, u64::from(n))
        })
        .collect();
    let mut bad = Sender::new(link, 99);
    let mut whims = Random::new(5);
    let mut seen = Run {
        good: Vec::new(),
        apart: Vec::new(),
        levels: Vec::new(),
    };
    for tick in 0..TICKS {
        let now = Duration::from_millis(tick as u64 * 20);
        for (id, sender) in (0..GOOD).zip(&mut senders) {
            let packet = sender.next(noise(&mut voices, TICK));
            sender.link.send(now, packet.payload.len(), packet);
            sender.deliver(&mut room, id, now);
        }
        for packet in misbehave(&mut bad, mischief(tick), &mut whims) {
            bad.link.send(now, packet.payload.len(), packet);
        }
        bad.deliver(&mut room, BAD, now);

        let heard = room.tick();

        seen.good.push(heard.by(BAD).to_vec());
        for other in 1..GOOD {
            let both = heard.by(0).iter().zip(heard.by(other));
            let apart = both.map(|(first, other)| i32::from(*first) - i32::from(*other));
            seen.apart.push(apart.collect());
        }
        let mut levels = heard.levels;
        levels.retain(|(participant, _)| *participant != ParticipantId(BAD));
        seen.levels.push(levels);
    }
    seen
}

fn misbehave(bad: &mut Sender, mischief: Mischief, random: &mut Random) -> Vec<AudioPacket> {
    let usual = noise(random, TICK);
    match mischief {
        Mischief::None => vec![bad.next(usual)],
        Mischief::Silence => Vec::new(),
        Mischief::Garbage => (0..10)
            .map(|n| bad.next(Bytes::from(vec![0x5a; 2 * n + 1])))
            .collect(),
        Mischief::Huge => vec![bad.next(noise(random, 6 * TICK))],
        Mischief::Flood => (0..200).map(|_| bad.next(usual.clone())).collect(),
        Mischief::SeqJump => {
            bad.seq = bad.seq.wrapping_add((random.bits() >> 48) as u16);
            vec![bad.next(usual)]
        }
        Mischief::TimeJump => {
            let jump = (random.bits() >> 32) as u32;
            bad.timestamp = bad.timestamp.wrapping_add(jump);
            vec![bad.next(usual)]
        }
        Mischief::Copies => {
            let packet = bad.next(usual);
            vec![packet.clone(), packet.clone(), packet]
        }
        Mischief::Empty => vec![bad.next(Bytes::new())],
    }
}

fn undisturbed() -> Run {
    run(LinkConfig::default(), |_| Mischief::None)
}

#[test]
fn whatever_one_sends_the_others_contributions_are_the_same() {
    let expected = undisturbed();
    assert!(
        expected
            .good
            .last()
            .unwrap()
            .iter()
            .any(|sample| *sample != 0)
    );

    for kind in KINDS {
        assert!(run(LinkConfig::default(), |_| kind) == expected, "{kind:?}");
    }
}

#[test]
fn whatever_ones_path_does_the_others_contributions_are_the_same() {
    let expected = undisturbed();
    let ms = Duration::from_millis;
    let rows = [
        (
            "loss",
            LinkConfig {
                loss: Loss::Random { share: 0.3 },
                ..LinkConfig::default()
            },
        ),
        (
            "jitter",
            LinkConfig {
                delay: ms(150),
                jitter: Jitter::Uniform(ms(150)),
                delivery: Delivery::Reordered,
                duplication: 0.2,
                ..LinkConfig::default()
            },
        ),
        (
            "an outage",
            LinkConfig {
                outages: vec![Outage {
                    from: ms(500),
                    until: ms(1_200),
                    during: During::Held,
                }],
                ..LinkConfig::default()
            },
        ),
    ];

    for (name, link) in rows {
        assert!(run(link, |_| Mischief::None) == expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_one_does_in_whatever_order_the_others_contributions_are_the_same(
        kinds in prop::collection::vec(prop::sample::select(KINDS.to_vec()), TICKS),
        loss in 0.0..0.5_f64,
    ) {
        let link = LinkConfig {
            loss: Loss::Random { share: loss },
            ..LinkConfig::default()
        };

        let disturbed = run(link, |tick| kinds[tick]);

        prop_assert!(disturbed == undisturbed());
    }
}
