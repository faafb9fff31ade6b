//! A room whose media fails, and one whose moderators act.

mod chat;
mod identity;
mod lobby;
mod moderation;
mod people;

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use codecs::video::{FrameKind, I420, PictureSize, VideoEncoder};
use codecs::vp8::{Vp8Encoder, Vp8EncoderConfig};
use mixer::RoomTime;
use mixer::video::{Marker, VideoPacket};

use super::media::News;
use super::seats::{Connection, Wiring};
use super::*;
use crate::access::Grant;
use crate::link::Link;
use crate::rtc::{Direction, TransportId};
use crate::signaling::message::{Notice, ServerMessage};
use crate::signaling::{DisplayName, Line, LineEnd, line};

fn room() -> Room {
    room_with(HouseRules::default(), RoomSettings::default())
}

fn room_with(house: HouseRules, settings: RoomSettings) -> Room {
    let config = RoomConfig::small(house);
    Room::new("demo".to_owned(), config, settings, one_thread())
}

fn request(name: &str, said: Line) -> JoinRequest {
    JoinRequest {
        grant: Grant::anybody(),
        id: None,
        name: DisplayName::parse(name).unwrap(),
        part: Part::InSession,
        token: None,
        permit: None,
        line: said,
    }
}

/// Joins a room that lets people in.
fn join(room: &mut Room, request: JoinRequest) -> SeatId {
    match room.join(request, Moment::now()) {
        Ok(Entry::Seated(seated)) => seated.seat,
        other => panic!("{other:?}"),
    }
}

/// Somebody who hears and sees, without a transport.
struct Guest {
    seat: SeatId,
    link: Arc<Link>,
    line: LineEnd,
}

fn welcome(room: &mut Room) -> Guest {
    let (said, line) = line();
    let seat = join(room, request("Ann", said));
    let link = Arc::new(Link::new(room.start));
    let wiring = Wiring {
        link: Arc::clone(&link),
        hears: Direction::Wanted,
        sees: Direction::Wanted,
    };
    let transport = TransportId(u64::from(seat.participant.0));
    let connection = Connection::new(transport, None, wiring);
    assert!(room.seats.attach(seat, connection, room.start));
    room.mix(seat.participant);
    Guest { seat, link, line }
}

/// Waits until a frame and an audio packet have come that were made after this was called.
async fn gets_media(guest: &Guest) {
    while guest.link.next_audio_out().is_some() {}
    while guest.link.next_video_out().is_some() {}
    let (mut audio, mut video) = (0, 0);
    while audio == 0 || video == 0 {
        guest.link.outgoing().await;
        audio += usize::from(guest.link.next_audio_out().is_some());
        video += usize::from(guest.link.next_video_out().is_some());
    }
}

/// A frame in one packet: its descriptor (RFC 7741 §4.2) says that it begins here.
fn packet(seq: u16, frame: &[u8]) -> VideoPacket {
    VideoPacket {
        seq: SeqNo(seq),
        timestamp: RtpTimestamp(u32::from(seq) * 150),
        marker: Marker::Last,
        arrival: RoomTime::from_ms(0),
        orientation: None,
        payload: Bytes::from([&[0x10], frame].concat()),
    }
}

fn keyframe() -> Vec<u8> {
    let size = PictureSize::new(64, 64).unwrap();
    let mut encoder = Vp8Encoder::new(Vp8EncoderConfig::new(size, 200)).unwrap();
    let mut frame = Vec::new();
    let picture = I420::black(size);
    encoder
        .encode(&picture, 0, FrameKind::Key, &mut frame)
        .unwrap();
    frame
}

/// Has the video thread panic, and waits until the room knows.
async fn kill_media(room: &mut Room, guest: &Guest) {
    let participant = guest.seat.participant;
    room.media
        .sabotage(participant, room.seats.wiring(participant).unwrap());
    guest.link.video_in.push(packet(1, &[0]));
    while !matches!(room.media.news().await, News::Ended) {}
}

#[tokio::test]
async fn media_that_failed_begins_anew_for_everybody() {
    let mut room = room();
    let ann = welcome(&mut room);
    let bob = welcome(&mut room);
    gets_media(&ann).await;
    kill_media(&mut room, &ann).await;

    let mended = room.mend_media(room.start);

    assert_eq!(mended, Mended::Yes);
    gets_media(&ann).await;
    gets_media(&bob).await;
}

#[tokio::test]
async fn media_that_fails_again_and_again_ends_the_room_with_a_reason() {
    let mut room = room();
    let mut ann = welcome(&mut room);
    for _ in 0..3 {
        kill_media(&mut room, &ann).await;
        assert_eq!(room.mend_media(Instant::now()), Mended::Yes);
    }
    kill_media(&mut room, &ann).await;
    let (commands, received) = mpsc::channel(COMMANDS);
    // The actor begins with the first command, whatever it is.
    let (seat, change) = (ann.seat, StatusChange::default());
    let (reply, _answer) = tokio::sync::oneshot::channel();
    let first = Command::Status {
        seat,
        change,
        reply,
    };
    commands.send(first).await.unwrap();

    room.run(received).await;

    assert!(commands.is_closed());
    loop {
        if let ServerMessage::Bye { reason } = ann.line.next().await {
            assert_eq!(reason, ByeReason::Failed);
            break;
        }
    }
}

#[tokio::test]
async fn threads_that_could_not_be_started_at_first_serve_everybody_later() {
    let mut room = room();
    let ann = welcome(&mut room);
    room.media.stop();

    let bob = welcome(&mut room);

    gets_media(&ann).await;
    gets_media(&bob).await;

    room.media.stop();
    room.look_around(room.start);
    gets_media(&ann).await;
}

#[tokio::test]
async fn a_seat_that_nobody_waits_for_any_more_has_no_session() {
    let mut room = room();
    let (said, _line) = line();
    let request = request("Ann", said);
    let (reply, answer) = tokio::sync::oneshot::channel();
    drop(answer);

    room.obey(Command::Join { request, reply });

    let participants = room.seats.participants();
    assert!(participants[0].absent, "{participants:?}");
}

#[tokio::test]
async fn whoever_sends_more_than_is_taken_is_told_and_nobody_else() {
    let mut room = room();
    let mut ann = welcome(&mut room);
    let mut bob = welcome(&mut room);
    let frame = keyframe();
    let mut seqs = 0..;

    // Thirty keyframes for every one that goes out.
    let told = loop {
        tokio::select! {
            biased;
            news = room.media.news() => if matches!(news, News::Thinned(_)) { break news },
            () = ann.link.outgoing() => for seq in seqs.by_ref().take(30) {
                ann.link.video_in.push(packet(seq, &frame));
            },
        }
    };
    room.follow_media(told);
    room.close_lines(ByeReason::Draining);

    assert_eq!(notices(&mut ann).await, [Notice::source_thinned()]);
    assert_eq!(notices(&mut bob).await, []);
}

#[tokio::test]
async fn whoever_is_seen_is_told_what_is_worth_sending_and_so_is_the_transport() {
    let mut room = room();
    let mut ann = welcome(&mut room);

    let told = loop {
        tokio::select! {
            news = room.media.news() => {
                room.follow_media(news);
            }
            message = ann.line.next() => if let ServerMessage::Uplink(uplink) = message {
                break uplink;
            },
        }
    };

    let video = told.video.unwrap();
    assert_eq!((video.width, video.height), (64, 36), "a tile is 16 to 9");
    let media_kbps = u64::from(video.kbps + told.audio.kbps);
    let worth_bps = ann.link.path.uplink_worth_bps().unwrap();
    assert!(worth_bps > 1_000 * media_kbps, "{worth_bps}, {told:?}");
}

/// What somebody was told until the end.
async fn notices(guest: &mut Guest) -> Vec<Notice> {
    let mut notices = Vec::new();
    loop {
        match guest.line.next().await {
            ServerMessage::Notice(notice) => notices.push(notice),
            ServerMessage::Bye { .. } => return notices,
            _ => {}
        }
    }
}
