//! What one participant's packets go through is seen in nobody else's tile.
//!
//! Every case is run twice, with the same good participants: once with a last one who behaves, once
//! with one who does not. Regions, pictures and requests of the good ones are the same at every
//! tick, to the last bit.

use std::time::Duration;

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use link::{Bandwidth, Delivery, During, Jitter, Link, LinkConfig, Loss, Outage, Random};
use proptest::prelude::*;

use super::fakes::{Frame, Tag, hash};
use super::room::{Room, id};
use crate::ParticipantId;
use crate::video::{Mirroring, Orientation, Region, Rotation, VideoConfig, VideoPacket};

const GOOD: u32 = 5;
const BAD: u32 = 9;

/// Ticks of 33 ms.
const TICKS: u64 = 60;

/// What may be wrong with one tick's worth of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mischief {
    /// A frame like everybody's.
    None,
    /// Nothing is sent.
    Silence,
    /// Bytes that mean nothing, or nearly something.
    Garbage,
    /// More bytes than may wait.
    Huge,
    /// Nothing but large keyframes, many of them.
    Keyframes,
    /// Tiny frames, hundreds of them.
    Flood,
    /// Another place in the sequence.
    SeqJump,
    /// Another media time.
    TimeJump,
    /// Pictures of all sizes.
    Sizes,
    /// Frames that the decoder refuses.
    Refused,
    /// Pictures that are turned all the time.
    Spin,
    /// Every packet comes three times.
    Copies,
}

const KINDS: [Mischief; 12] = [
    Mischief::None,
    Mischief::Silence,
    Mischief::Garbage,
    Mischief::Huge,
    Mischief::Keyframes,
    Mischief::Flood,
    Mischief::SeqJump,
    Mischief::TimeJump,
    Mischief::Sizes,
    Mischief::Refused,
    Mischief::Spin,
    Mischief::Copies,
];

/// What can be seen of one good participant at one tick.
type Seen = (Region, u64);

/// Everything that must not depend on somebody else: tiles, and who is asked or thinned.
#[derive(Debug, PartialEq)]
struct Run {
    tiles: Vec<Vec<Seen>>,
    asked: Vec<ParticipantId>,
    thinned: Vec<ParticipantId>,
}

/// The bad one's own tile at each tick, which may well depend on what it does.
type Own = Vec<u64>;

/// Mixes the good ones and the bad one, whose packets go over `link` after `mischief` at each tick.
fn run(link: LinkConfig, mischief: impl Fn(u64) -> Mischief) -> (Run, Own) {
    let mut own = Own::new();
    let mut room = Room::new(VideoConfig::default());
    for participant in (0..GOOD).chain([BAD]) {
        room.join(participant);
        room.add_track(participant);
    }
    let mut path = Link::new(link, 7);
    // The good ones have paths of their own, none of them perfect.
    let mut paths: Vec<Link<VideoPacket>> = (0..GOOD)
        .map(|n| {
            let loss = Loss::Random {
                share: 0.01 * f64::from(n),
            };
            let jitter = Jitter::Uniform(Duration::from_millis(20));
            let delay = Duration::from_millis(30);
            let config = LinkConfig {
                loss,
                jitter,
                delay,
                ..LinkConfig::default()
            };
            Link::new(config, u64::from(n))
        })
        .collect();
    let mut random = Random::new(3);
    let mut seen = Run {
        tiles: Vec::new(),
        asked: Vec::new(),
        thinned: Vec::new(),
    };
    for tick in 0..TICKS {
        let ms = tick * 33;
        let now = Duration::from_millis(ms);
        for (participant, path) in (0..GOOD).zip(&mut paths) {
            let number = u8::try_from(tick * 3).unwrap();
            let color = [40 + 20 * u8::try_from(participant).unwrap(), 90, 170];
            // A keyframe now and then, so that losses heal.
            let frame = if tick.is_multiple_of(10) {
                Frame::key(color, number)
            } else {
                Frame::delta(color, number)
            };
            let packet = room.packet(participant, ms, frame);
            path.send(now, packet.payload.len(), packet);
            for arrived in path.deliver(now) {
                room.deliver(participant, arrived.packet);
            }
        }
        for packet in misbehave(&mut room, mischief(tick), tick, &mut random) {
            path.send(now, packet.payload.len(), packet);
        }
        for arrived in path.deliver(now) {
            room.deliver(BAD, arrived.packet);
        }

        let tick = room.tick(ms);

        let is_good = |participant: &ParticipantId| *participant != id(BAD);
        seen.asked.extend(tick.asked.into_iter().filter(is_good));
        seen.thinned
            .extend(tick.thinned.into_iter().filter(is_good));
        let tiles = (0..GOOD).map(|n| (room.region(n), hash(&room.tile(n))));
        seen.tiles.push(tiles.collect());
        own.push(hash(&room.tile(BAD)));
    }
    (seen, own)
}

fn misbehave(
    room: &mut Room,
    mischief: Mischief,
    tick: u64,
    random: &mut Random,
) -> Vec<VideoPacket> {
    let ms = tick * 33;
    let number = u8::try_from(tick * 3).unwrap();
    let usual = if tick.is_multiple_of(10) {
        Frame::key([60, 60, 60], number)
    } else {
        Frame::delta([60, 60, 60], number)
    };
    let mut byte = || u8::try_from(random.bits() >> 56).unwrap();
    let mut make = |frame: Frame| room.packet(BAD, ms, frame);
    match mischief {
        Mischief::None => vec![make(usual)],
        Mischief::Silence => Vec::new(),
        Mischief::Garbage => (0..20)
            .map(|n| VideoPacket {
                payload: (0..n * 10).map(|_| byte()).collect(),
                ..make(usual)
            })
            .collect(),
        Mischief::Huge => (0..50)
            .map(|_| {
                let mut packet = make(usual);
                let filler = Bytes::from(vec![0_u8; 60_000]);
                packet.payload = [&packet.payload[..], &filler].concat().into();
                packet
            })
            .collect(),
        Mischief::Keyframes => (0..20)
            .map(|_| {
                let sides = [255, 255];
                make(Frame {
                    sides,
                    ..Frame::key([1, 2, 3], 9)
                })
            })
            .collect(),
        Mischief::Flood => (0..600).map(|_| make(usual)).collect(),
        Mischief::SeqJump => {
            let seq = SeqNo(u16::from_be_bytes([byte(), byte()]));
            vec![VideoPacket { seq, ..make(usual) }]
        }
        Mischief::TimeJump => {
            let timestamp = RtpTimestamp(u32::from_be_bytes([byte(), byte(), byte(), byte()]));
            vec![VideoPacket {
                timestamp,
                ..make(usual)
            }]
        }
        Mischief::Sizes => {
            let sides = [byte().max(1), byte().max(1)];
            vec![make(Frame {
                sides,
                ..Frame::key([9, 8, 7], 6)
            })]
        }
        Mischief::Refused => [Tag::Corrupt, Tag::TooLarge, Tag::Hidden]
            .map(|tag| make(Frame { tag, ..usual }))
            .into(),
        Mischief::Spin => {
            let rotations = [Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters];
            let orientation = Some(Orientation {
                rotation: rotations[usize::from(byte() % 3)],
                mirroring: Mirroring::LeftRight,
            });
            vec![VideoPacket {
                orientation,
                ..make(usual)
            }]
        }
        Mischief::Copies => {
            let packet = make(usual);
            vec![packet.clone(), packet.clone(), packet]
        }
    }
}

fn undisturbed() -> (Run, Own) {
    run(LinkConfig::default(), |_| Mischief::None)
}

#[test]
fn whatever_one_sends_the_others_tiles_are_the_same() {
    let (expected, calm) = undisturbed();

    for kind in KINDS {
        let (seen, own) = run(LinkConfig::default(), |_| kind);

        assert_eq!(seen, expected, "{kind:?}");
        // Where no packet is missing, the sequence numbers alone say all.
        let is_harmless = matches!(kind, Mischief::None | Mischief::Copies | Mischief::TimeJump);
        assert_eq!(own == calm, is_harmless, "{kind:?} does something");
    }
}

#[test]
fn whatever_ones_path_does_the_others_tiles_are_the_same() {
    let (expected, calm) = undisturbed();
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
            "bursts",
            LinkConfig {
                loss: Loss::Bursts {
                    to_bad: 0.1,
                    to_good: 0.2,
                    good: 0.0,
                    bad: 0.9,
                },
                ..LinkConfig::default()
            },
        ),
        (
            "jitter",
            LinkConfig {
                delay: ms(100),
                jitter: Jitter::Uniform(ms(100)),
                delivery: Delivery::Reordered,
                duplication: 0.2,
                ..LinkConfig::default()
            },
        ),
        (
            "a thin link",
            LinkConfig {
                bandwidth: Some(Bandwidth {
                    bits_per_second: 1_000,
                    queue_bytes: 200,
                }),
                ..LinkConfig::default()
            },
        ),
        (
            "an outage",
            LinkConfig {
                outages: vec![Outage {
                    from: ms(500),
                    until: ms(1_500),
                    during: During::Held,
                }],
                ..LinkConfig::default()
            },
        ),
    ];

    for (name, link) in rows {
        let (seen, own) = run(link, |_| Mischief::None);

        assert_eq!(seen, expected, "{name}");
        assert_ne!(own, calm, "{name} does something");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn whatever_one_does_in_whatever_order_the_others_tiles_are_the_same(
        kinds in prop::collection::vec(prop::sample::select(KINDS.to_vec()), 60),
        loss in 0.0..0.5_f64,
    ) {
        let link = LinkConfig {
            loss: Loss::Random { share: loss },
            ..LinkConfig::default()
        };

        let disturbed = run(link, |tick| kinds[usize::try_from(tick).unwrap()]);

        prop_assert_eq!(disturbed.0, undisturbed().0);
    }
}
