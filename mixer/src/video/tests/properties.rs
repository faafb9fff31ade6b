//! What holds for every list of inputs.

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use proptest::prelude::*;

use super::fakes::{Frame, Tag, hash, size};
use super::room::{RUNG, Room, Seen, id};
use crate::RoomTime;
use crate::video::{
    Camera, Fit, Layout, Marker, Presence, RungId, VideoConfig, VideoInput, VideoPacket,
};

/// One thing to do to a room.
#[derive(Clone, Debug)]
enum Step {
    Join(u32),
    Leave(u32),
    AddTrack(u32),
    RemoveTrack(u32),
    /// Sends a frame of this tag and these sides, or loses it.
    Send(u32, Tag, [u8; 2], Sent),
    Record(u32, Tag, u64),
    /// A payload of any bytes, anywhere in the sequence.
    Garbage(u32, u16, Vec<u8>),
    Presence(u32, Presence),
    Camera(u32, Camera),
    Speaker(Option<u32>),
    Pin(Option<u32>),
    AddRung(u64, (u32, u32), u32),
    RemoveRung(u64),
    RequestKeyframe(u64),
    Tick(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Arrives,
    IsLost,
    ArrivesTwice,
}

fn any_tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        3 => Just(Tag::Key),
        6 => Just(Tag::Delta),
        1 => Just(Tag::Hidden),
        1 => Just(Tag::Corrupt),
        1 => Just(Tag::TooLarge),
    ]
}

fn any_sent() -> impl Strategy<Value = Sent> {
    prop_oneof![8 => Just(Sent::Arrives), 1 => Just(Sent::IsLost), 1 => Just(Sent::ArrivesTwice)]
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = || 0u32..6;
    let sides = || [1u8..50, 1u8..50].prop_map(|sides: [u8; 2]| sides);
    let presence = prop_oneof![Just(Presence::Present), Just(Presence::Absent)];
    let camera = prop_oneof![Just(Camera::On), Just(Camera::Off)];
    prop_oneof![
        4 => who().prop_map(Step::Join),
        1 => who().prop_map(Step::Leave),
        4 => who().prop_map(Step::AddTrack),
        1 => who().prop_map(Step::RemoveTrack),
        20 => (who(), any_tag(), sides(), any_sent())
            .prop_map(|(who, tag, sides, sent)| Step::Send(who, tag, sides, sent)),
        4 => (who(), any_tag(), 0u64..3_000).prop_map(|(who, tag, ms)| Step::Record(who, tag, ms)),
        2 => (who(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..9))
            .prop_map(|(who, seq, payload)| Step::Garbage(who, seq, payload)),
        1 => (who(), presence).prop_map(|(who, presence)| Step::Presence(who, presence)),
        1 => (who(), camera).prop_map(|(who, camera)| Step::Camera(who, camera)),
        1 => prop::option::of(who()).prop_map(Step::Speaker),
        1 => prop::option::of(who()).prop_map(Step::Pin),
        1 => (0u64..3, (1u32..400, 1u32..300), 0u32..9_000)
            .prop_map(|(rung, size, interval)| Step::AddRung(rung, size, interval)),
        1 => (0u64..3).prop_map(Step::RemoveRung),
        1 => (0u64..3).prop_map(Step::RequestKeyframe),
        10 => (0u64..120).prop_map(Step::Tick),
    ]
}

/// Everything that can be seen from outside.
type Outcome = Vec<(Seen, Vec<(RungId, u64, Layout)>)>;

fn play(steps: &[Step], config: VideoConfig, threads: usize) -> (Outcome, Room) {
    let mut room = Room::with_threads(config, threads);
    let mut outcome = Vec::new();
    let mut now_ms = 0;
    let mut number = 0u8;
    for step in steps.iter().cloned() {
        number = number.wrapping_add(1);
        match step {
            Step::Join(who) => room.join(who),
            Step::Leave(who) => room.leave(who),
            Step::AddTrack(who) => drop(room.add_track(who)),
            Step::RemoveTrack(who) => {
                room.mixer.handle(VideoInput::RemoveTrack {
                    participant: id(who),
                });
            }
            Step::Send(who, tag, sides, sent) => {
                let frame = Frame {
                    tag,
                    sides,
                    ..Frame::key([number, 90, 170], number)
                };
                let packet = room.packet(who, now_ms, frame);
                if sent == Sent::ArrivesTwice {
                    room.deliver(who, packet.clone());
                }
                if sent != Sent::IsLost {
                    room.deliver(who, packet);
                }
            }
            Step::Record(who, tag, ms) => {
                room.record(
                    who,
                    ms,
                    Frame {
                        tag,
                        ..Frame::key([number, 90, 170], number)
                    },
                );
            }
            Step::Garbage(who, seq, payload) => {
                let packet = VideoPacket {
                    seq: SeqNo(seq),
                    timestamp: RtpTimestamp(u32::from(seq)),
                    marker: Marker::Last,
                    arrival: RoomTime::from_ms(now_ms),
                    orientation: None,
                    payload: Bytes::from(payload),
                };
                room.deliver(who, packet);
            }
            Step::Presence(who, presence) => {
                let participant = id(who);
                room.mixer.handle(VideoInput::Presence {
                    participant,
                    presence,
                });
            }
            Step::Camera(who, camera) => {
                let participant = id(who);
                room.mixer.handle(VideoInput::Camera {
                    participant,
                    camera,
                });
            }
            Step::Speaker(who) => room.mixer.handle(VideoInput::ActiveSpeaker(who.map(id))),
            Step::Pin(who) => room.mixer.handle(VideoInput::Pin(who.map(id))),
            Step::AddRung(rung, (width, height), interval) => {
                room.add_rung(RungId(rung), size(width, height), interval);
            }
            Step::RemoveRung(rung) => {
                room.mixer
                    .handle(VideoInput::RemoveRung { rung: RungId(rung) });
            }
            Step::RequestKeyframe(rung) => {
                room.mixer
                    .handle(VideoInput::RequestKeyframe { rung: RungId(rung) });
            }
            Step::Tick(ms) => {
                now_ms += ms;
                let seen = room.tick(now_ms);
                let rungs = (0..3).map(RungId).filter_map(|rung| {
                    let canvas = room.mixer.canvas(rung)?;
                    Some((rung, hash(canvas), room.mixer.layout(rung)?.clone()))
                });
                let rungs = rungs.collect();
                outcome.push((seen, rungs));
            }
        }
    }
    (outcome, room)
}

fn any_config() -> impl Strategy<Value = VideoConfig> {
    prop_oneof![Just(Fit::Fit), Just(Fit::Fill)].prop_map(|fit| VideoConfig {
        fit,
        ..VideoConfig::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_inputs_give_the_same_outputs_on_one_thread_and_on_eight(
        steps in prop::collection::vec(any_step(), 1..120),
        config in any_config(),
    ) {
        let (one, _) = play(&steps, config, 1);
        let (eight, _) = play(&steps, config, 8);
        let (again, _) = play(&steps, config, 8);

        prop_assert_eq!(&one, &eight);
        prop_assert_eq!(&eight, &again);
    }

    #[test]
    fn whatever_happened_the_canvas_is_what_a_newcomer_to_the_room_would_draw(
        steps in prop::collection::vec(any_step(), 1..120),
        config in any_config(),
    ) {
        let (_, mut room) = play(&steps, config, 1);
        let now_ms = steps.iter().map(|step| if let Step::Tick(ms) = step { *ms } else { 0 }).sum::<u64>();
        let copy = RungId(7);
        room.add_rung(RUNG, size(640, 360), 0);
        room.tick(now_ms + 1_500);

        room.add_rung(copy, size(640, 360), 0);
        room.tick(now_ms + 1_500);

        prop_assert_eq!(room.mixer.canvas(RUNG), room.mixer.canvas(copy));
        prop_assert_eq!(room.mixer.layout(RUNG), room.mixer.layout(copy));
    }

    #[test]
    fn timestamps_rise_and_every_packet_is_accounted_for(
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        let (outcome, room) = play(&steps, VideoConfig::default(), 1);

        for rung in (0..3).map(RungId) {
            let frames = outcome.iter().flat_map(|(seen, _)| &seen.frames);
            let times: Vec<u64> = frames.filter(|frame| frame.0 == rung).map(|frame| frame.2).collect();
            prop_assert!(times.is_sorted_by(|a, b| a < b));
        }
        for who in 0..6 {
            if let Some(counters) = room.mixer.counters(id(who)) {
                let packets = counters.packets;
                let judged = packets.late + packets.duplicate + packets.malformed + packets.dropped;
                prop_assert!(judged <= packets.received);
            }
        }
    }
}
