//! A venue for tests, and sessions in it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, advance};

use super::message::{
    ByeReason, ErrorCode, Event, Joined, LeaveReason, RequestId, Resumed, ServerMessage,
};
use super::{Attachment, Carrier, Next, SILENCE, Sessions, Venue};
use crate::access::Access;
use crate::limits::{Caller, Limiter, Limits};
use crate::room::{HouseRules, RoomConfig, Rooms, one_thread};
use crate::rtc::{MediaAddress, MediaPorts, Rtc};

const HOLD: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(1);

pub(super) fn rooms() -> Arc<Rooms> {
    let config = RoomConfig::small(HouseRules::default());
    Arc::new(Rooms::new(config, 1, one_thread()))
}

pub(super) fn transports(ports: MediaPorts) -> Rtc {
    let ip = Ipv4Addr::LOCALHOST.into();
    let announce = None;
    let address = MediaAddress {
        ip,
        ports,
        announce,
    };
    Rtc::bind(&address).unwrap()
}

pub(super) fn venue(rooms: &Arc<Rooms>, rtc: &Rtc) -> Venue {
    Venue {
        rooms: Arc::clone(rooms),
        rtc: rtc.clone(),
        access: Arc::new(Access::default()),
        limiter: Arc::default(),
    }
}

/// A server's sessions, and what makes it stop.
fn sessions(max: u32) -> (Sessions, watch::Sender<bool>) {
    let (drain, draining) = watch::channel(false);
    let limits = Limits {
        sessions: max,
        ..Limits::default()
    };
    let venue = Venue {
        limiter: Arc::new(Limiter::new(limits, Arc::default())),
        ..venue(&rooms(), &transports(MediaPorts::Shared(0)))
    };
    (Sessions::new(venue, draining), drain)
}

async fn join(sessions: &Sessions, name: &str) -> (Attachment, Joined) {
    let join = format!(r#"{{"type":"join","version":1,"room":"demo","name":"{name}"}}"#);
    let opened = sessions
        .open(join, Caller::default(), Carrier::Socket)
        .await;
    let mut carrier = opened.unwrap().attachment;
    match hear(&mut carrier).await.message {
        ServerMessage::Joined(joined) => (carrier, joined),
        other => panic!("{other:?}"),
    }
}

fn resume(joined: &Joined, after: u64) -> String {
    let session = &joined.session;
    let resume = serde_json::json!(
        {"type": "resume", "id": 7, "version": 1, "session": session, "after": after}
    );
    resume.to_string()
}

/// The next event over a carrier.
async fn hear(carrier: &mut Attachment) -> Event {
    match carrier.next().await {
        Next::Say(event) => {
            let told: Event = serde_json::from_str(&event.text).unwrap();
            assert_eq!(told.seq, event.seq);
            told
        }
        other => panic!("{other:?}"),
    }
}

/// The next of the messages that `wanted` takes.
async fn hear_until<T>(
    carrier: &mut Attachment,
    wanted: impl Fn(&ServerMessage) -> Option<T>,
) -> T {
    loop {
        if let Some(found) = wanted(&hear(carrier).await.message) {
            return found;
        }
    }
}

/// Whether the next that is said of somebody is that they are absent.
fn absent(message: &ServerMessage) -> Option<bool> {
    match message {
        ServerMessage::Participant { participant } => Some(participant.absent),
        _ => None,
    }
}

fn bye(message: &ServerMessage) -> Option<ByeReason> {
    match message {
        ServerMessage::Bye { reason } => Some(*reason),
        _ => None,
    }
}

async fn say(carrier: &Attachment, text: &str) {
    carrier.request(text.to_owned()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_carrier_goes_on_where_the_first_was_and_misses_nothing() {
    let (sessions, _drain) = sessions(9);
    let (mut first, seat) = join(&sessions, "Ann").await;
    say(&first, r#"{"type":"ping","id":1}"#).await;
    assert_eq!(hear(&mut first).await.seq, 2);
    drop(first);
    let (_bob, _) = join(&sessions, "Bob").await;

    let opened = sessions
        .open(resume(&seat, 1), Caller::default(), Carrier::Stream)
        .await;

    let opened = opened.unwrap();
    let Some(ServerMessage::Resumed(Resumed { after: 1, .. })) = opened.resumed else {
        panic!("{:?}", opened.resumed);
    };
    let mut second = opened.attachment;
    let again = hear(&mut second).await;
    assert!(matches!(again.message, ServerMessage::Pong { .. }));
    assert_eq!(again.seq, 2);
    let told = [hear(&mut second).await, hear(&mut second).await];
    let told = told.map(|event| (event.seq, absent(&event.message)));
    assert_eq!(told, [(3, Some(true)), (4, Some(false))], "away, and Bob");
    assert!(!hear_until(&mut second, absent).await, "back");
}

#[tokio::test(start_paused = true)]
async fn a_second_carrier_detaches_the_first_and_the_room_is_told_nothing() {
    let (sessions, _drain) = sessions(9);
    let (mut first, seat) = join(&sessions, "Ann").await;
    let (mut bob, _) = join(&sessions, "Bob").await;

    let opened = sessions
        .open(resume(&seat, 1), Caller::default(), Carrier::Socket)
        .await;

    let mut second = opened.unwrap().attachment;
    assert_eq!(first.next().await, Next::Detached);
    assert!(first.request("{}".to_owned()).await.is_err());
    drop(first);
    say(&second, r#"{"type":"status","muted":true}"#).await;
    let told = |message: &ServerMessage| match message {
        ServerMessage::Participant { participant } => Some((participant.muted, participant.absent)),
        _ => None,
    };
    assert_eq!(hear_until(&mut bob, told).await, (true, false));
    assert!(!hear_until(&mut second, absent).await, "Bob");
}

#[tokio::test(start_paused = true)]
async fn a_session_waits_for_its_client_as_long_as_a_seat_and_no_longer() {
    let (sessions, _drain) = sessions(9);
    let (ann, seat) = join(&sessions, "Ann").await;
    let (mut bob, _) = join(&sessions, "Bob").await;

    drop(ann);
    assert!(hear_until(&mut bob, absent).await);
    advance(HOLD - MOMENT).await;
    bob.hear();
    let back = sessions
        .open(resume(&seat, 1), Caller::default(), Carrier::Socket)
        .await;
    assert!(!hear_until(&mut bob, absent).await);

    drop(back);
    assert!(hear_until(&mut bob, absent).await);
    while sessions.count() > 1 {
        bob.hear();
        advance(SILENCE / 2).await;
        tokio::task::yield_now().await;
    }
    let refused = sessions
        .open(resume(&seat, 1), Caller::default(), Carrier::Socket)
        .await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::NoSession);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_over_which_nothing_is_heard_is_given_up() {
    let (sessions, _drain) = sessions(9);
    let (mut ann, seat) = join(&sessions, "Ann").await;

    assert_eq!(ann.next().await, Next::Detached);

    let back = sessions
        .open(resume(&seat, 1), Caller::default(), Carrier::Request)
        .await;
    let mut back = back.unwrap().attachment;
    assert!(hear_until(&mut back, absent).await, "the room was told");
}

#[tokio::test(start_paused = true)]
async fn a_session_without_a_seat_ends_with_its_carrier() {
    let (sessions, _drain) = sessions(9);
    let ping = r#"{"type":"ping"}"#.to_owned();
    let opened = sessions
        .open(ping, Caller::default(), Carrier::Socket)
        .await
        .unwrap();
    assert_eq!(sessions.count(), 1);

    drop(opened);

    while sessions.count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_in_which_nobody_joins_ends_in_time_whatever_is_said_in_it() {
    let (sessions, _drain) = sessions(9);
    let start = Instant::now();
    let ping = r#"{"type":"ping"}"#;
    let opened = sessions.open(ping.to_owned(), Caller::default(), Carrier::Socket);
    let mut carrier = opened.await.unwrap().attachment;

    let reason = loop {
        if let Some(reason) = bye(&hear(&mut carrier).await.message) {
            break reason;
        }
        advance(Duration::from_secs(1)).await;
        let _ = carrier.request(ping.to_owned()).await;
    };

    assert_eq!(reason, ByeReason::NotJoined);
    assert_eq!(carrier.next().await, Next::Close);
    let within = Limits::default().join_within();
    assert!((within..within + Duration::from_secs(1)).contains(&start.elapsed()));
    assert_eq!(sessions.refused()["unjoined"], 1);
}

#[tokio::test(start_paused = true)]
async fn who_waits_to_be_let_in_may_wait_and_who_is_sent_away_may_join_again() {
    let (sessions, _drain) = sessions(9);
    let (mut ann, _) = join(&sessions, "Ann").await;
    say(&ann, r#"{"type":"moderate","act":"lobby","on":true}"#).await;
    let done =
        |message: &ServerMessage| matches!(message, ServerMessage::Done { .. }).then_some(());
    hear_until(&mut ann, done).await;
    let knock = r#"{"type":"join","version":1,"room":"demo","name":"Bob"}"#.to_owned();
    let opened = sessions.open(knock, Caller::default(), Carrier::Socket);
    let mut bob = opened.await.unwrap().attachment;
    let within = Limits::default().join_within();

    for _ in 0..5 {
        advance(within).await;
        ann.hear();
        bob.hear();
        tokio::task::yield_now().await;
    }
    say(&ann, r#"{"type":"moderate","act":"deny"}"#).await;
    let denied = |message: &ServerMessage| match message {
        ServerMessage::Error(error) => Some(error.code),
        ServerMessage::Bye { .. } => Some(ErrorCode::Internal),
        _ => None,
    };
    assert_eq!(hear_until(&mut bob, denied).await, ErrorCode::Denied);
    let sent_away = Instant::now();

    assert_eq!(hear_until(&mut bob, bye).await, ByeReason::NotJoined);
    assert!(sent_away.elapsed() >= within, "{:?}", sent_away.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_a_session_does_not_have_cannot_be_resumed() {
    let (sessions, _drain) = sessions(9);
    let (ann, seat) = join(&sessions, "Ann").await;
    say(&ann, r#"{"type":"ping","after":1}"#).await;
    let (mut bob, _) = join(&sessions, "Bob").await;
    say(&bob, r#"{"type":"ping"}"#).await;
    hear(&mut bob).await;

    let of = |after| sessions.open(resume(&seat, after), Caller::default(), Carrier::Socket);
    let (before, behind) = (of(0).await, of(99).await);

    assert_eq!(before.unwrap_err().code, ErrorCode::BadResume);
    assert_eq!(behind.unwrap_err().code, ErrorCode::BadResume);
    assert!(of(1).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn too_many_sessions_are_refused_and_told_when_to_come_again() {
    let (sessions, _drain) = sessions(1);
    let (_ann, _) = join(&sessions, "Ann").await;

    let join = r#"{"type":"join","id":3,"version":1,"room":"demo"}"#.to_owned();
    let refused = sessions
        .open(join, Caller::default(), Carrier::Socket)
        .await
        .unwrap_err();

    assert_eq!(refused.code, ErrorCode::TooManySessions);
    assert!(refused.id.is_some() && refused.retry_after_ms.is_some());
}

#[tokio::test(start_paused = true)]
async fn the_last_word_waits_for_a_client_that_is_away() {
    let (sessions, drain) = sessions(9);
    let (ann, seat) = join(&sessions, "Ann").await;
    drop(ann);

    drain.send_replace(true);
    tokio::task::yield_now().await;

    let opened = sessions
        .open(resume(&seat, 1), Caller::default(), Carrier::Request)
        .await;
    let mut carrier = opened.unwrap().attachment;
    assert_eq!(hear_until(&mut carrier, bye).await, ByeReason::Draining);
    assert_eq!(carrier.next().await, Next::Close);
    carrier.acknowledge(u64::MAX);
    while sessions.count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_is_broken_off() {
    let (sessions, _drain) = sessions(9);
    let (mut ann, _) = join(&sessions, "Ann").await;

    let ping = || ann.request(r#"{"type":"ping"}"#.to_owned());
    while ping().await.is_ok() {
        ann.hear();
    }

    assert_eq!(bye(&hear(&mut ann).await.message), Some(ByeReason::Slow));
    assert_eq!(ann.next().await, Next::Close);
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_a_seat_is_told_apart_from_whoever_had_it() {
    let (sessions, _drain) = sessions(9);
    let (mut first, seat) = join(&sessions, "Ann").await;
    let token = &seat.token;
    let join = format!(r#"{{"type":"join","version":1,"room":"demo","token":"{token}"}}"#);

    let opened = sessions
        .open(join, Caller::default(), Carrier::Socket)
        .await
        .unwrap();

    let mut second = opened.attachment;
    let told = hear(&mut second).await.message;
    let ServerMessage::Joined(again) = told else {
        panic!("{told:?}");
    };
    assert_eq!(again.participant, seat.participant);
    assert_ne!(again.session, seat.session);
    assert_eq!(hear_until(&mut first, bye).await, ByeReason::Taken);
}

#[tokio::test(start_paused = true)]
async fn leaving_is_the_last_word_and_ends_the_session() {
    let (sessions, _drain) = sessions(9);
    let (mut ann, _) = join(&sessions, "Ann").await;
    let (mut bob, _) = join(&sessions, "Bob").await;

    say(&ann, r#"{"type":"leave"}"#).await;

    let left =
        |message: &ServerMessage| matches!(message, ServerMessage::Left { .. }).then_some(());
    hear_until(&mut ann, left).await;
    assert_eq!(ann.next().await, Next::Close);
    ann.acknowledge(u64::MAX);
    let gone = |message: &ServerMessage| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(hear_until(&mut bob, gone).await, LeaveReason::Left);
}

#[tokio::test(start_paused = true)]
async fn who_waits_goes_on_over_another_carrier_and_is_let_in_there() {
    let (sessions, _drain) = sessions(9);
    let (ann, _) = join(&sessions, "Ann").await;
    say(&ann, r#"{"type":"moderate","act":"lobby","on":true}"#).await;
    let knock = r#"{"type":"join","id":3,"version":1,"room":"demo","name":"Bob"}"#.to_owned();
    let opened = sessions
        .open(knock, Caller::default(), Carrier::Socket)
        .await;
    let mut first = opened.unwrap().attachment;
    let told = hear(&mut first).await;
    let ServerMessage::Waiting(waiting) = told.message else {
        panic!("{told:?}");
    };
    assert!(waiting.seat_ms > 0 && waiting.silence_ms > 0);
    drop(first);

    let resume = serde_json::json!(
        {"type": "resume", "version": 1, "session": waiting.session, "after": told.seq}
    );
    let opened = sessions
        .open(resume.to_string(), Caller::default(), Carrier::Stream)
        .await;
    let mut second = opened.unwrap().attachment;
    say(&ann, r#"{"type":"moderate","act":"admit"}"#).await;

    let joined = |message: &ServerMessage| match message {
        ServerMessage::Joined(joined) => Some(joined.id.clone()),
        _ => None,
    };
    let id = hear_until(&mut second, joined).await;
    assert_eq!(id, Some(RequestId::Number(3)), "the reply to the join");
}
