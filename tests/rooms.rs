//! What hosts expect of a room, as everybody in it sees that, over the signaling of a running daemon.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the test of the signaling")]
mod socket;

use daemon::Daemon;
use mosaicd::signaling::message::{
    Asked, ByeReason, ErrorCode, Joined, LeaveReason, Participant, PreferredLayout, RequestId,
    Role, RoomState, ServerMessage, Waiting,
};
use socket::{Conversation, Socket};

/// Joins, and says what the room is like.
async fn enter(daemon: &Daemon, name: &str) -> anyhow::Result<(Socket, Joined)> {
    let mut socket = Socket::open(&daemon.address).await?;
    socket.say(&join(name, "")).await?;
    let joined = socket.hear_until(joined).await?;
    Ok((socket, joined))
}

/// A `join` with some more fields.
fn join(name: &str, more: &str) -> String {
    format!(r#"{{"type":"join","id":1,"version":1,"room":"demo","name":"{name}"{more}}}"#)
}

fn joined(message: ServerMessage) -> Option<Joined> {
    match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    }
}

fn bye(message: ServerMessage) -> Option<ByeReason> {
    match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    }
}

fn waiting(message: ServerMessage) -> Option<Waiting> {
    match message {
        ServerMessage::Waiting(waiting) => Some(waiting),
        _ => None,
    }
}

fn state(message: ServerMessage) -> Option<RoomState> {
    match message {
        ServerMessage::Room(state) => Some(state),
        _ => None,
    }
}

/// Somebody who came or changed, of that id.
fn participant(id: &str) -> impl Fn(ServerMessage) -> Option<Participant> {
    move |message| match message {
        ServerMessage::Participant { participant } => (participant.id == id).then_some(participant),
        _ => None,
    }
}

/// Asks for something and waits until it is done. Of a ban: whether it keeps anybody out.
async fn moderate(socket: &mut Socket, act: &str) -> anyhow::Result<Option<bool>> {
    socket
        .say(&format!(r#"{{"type":"moderate","id":"m","act":{act}}}"#))
        .await?;
    let id = RequestId::Text("m".to_owned());
    socket
        .hear_until(|message| match message {
            ServerMessage::Done { id: done, kept_out } => {
                (done.as_ref() == Some(&id)).then_some(kept_out)
            }
            ServerMessage::Error(error) => panic!("{error:?}"),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn the_first_moderates_the_others_may_not_and_the_role_is_handed_on() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, seen_by_ann) = enter(&daemon, "Ann").await?;
    let (mut bob, seen_by_bob) = enter(&daemon, "Bob").await?;
    assert_eq!(seen_by_ann.participants[0].role, Role::Moderator);
    assert_eq!(seen_by_bob.participants[1].role, Role::Participant);

    let refused = bob
        .refusal(r#"{"type":"moderate","id":3,"act":"lock"}"#)
        .await?;
    assert_eq!(refused.code, ErrorCode::NotAllowed);
    assert_eq!(refused.id, Some(RequestId::Number(3)));

    ann.say(r#"{"type":"leave"}"#).await?;
    let role = bob.hear_until(participant("p2")).await?.role;
    assert_eq!(role, Role::Moderator);
    moderate(&mut bob, r#""lock""#).await?;
    Ok(())
}

#[tokio::test]
async fn who_is_given_the_role_has_it_and_who_hands_it_over_has_not() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;

    moderate(&mut ann, r#""role","participant":"p2","role":"moderator""#).await?;
    let role = bob.hear_until(participant("p2")).await?.role;
    assert_eq!(role, Role::Moderator);
    moderate(
        &mut bob,
        r#""role","participant":"p1","role":"participant""#,
    )
    .await?;

    let lock = r#"{"type":"moderate","act":"lock"}"#;
    assert_eq!(ann.refusal_code(lock).await?, ErrorCode::NotAllowed);
    let last = r#"{"type":"moderate","act":"role","participant":"p2","role":"participant"}"#;
    assert_eq!(bob.refusal_code(last).await?, ErrorCode::NotAllowed);
    Ok(())
}

#[tokio::test]
async fn a_locked_room_is_full_but_for_those_who_come_back() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, seat) = enter(&daemon, "Ann").await?;
    moderate(&mut ann, r#""lock""#).await?;
    let mut bob = Socket::open(&daemon.address).await?;

    assert_eq!(
        bob.refusal_code(&join("Bob", "")).await?,
        ErrorCode::RoomLocked
    );

    drop(ann);
    let mut ann = Socket::open(&daemon.address).await?;
    let token = format!(r#","token":"{}""#, seat.token);
    ann.say(&join("Ann", &token)).await?;
    assert!(ann.hear_until(joined).await?.state.locked);
    moderate(&mut ann, r#""unlock""#).await?;
    bob.say(&join("Bob", "")).await?;
    assert!(!bob.hear_until(joined).await?.state.locked);
    Ok(())
}

#[tokio::test]
async fn who_comes_to_a_lobby_waits_until_a_moderator_says_yes_or_no() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    moderate(&mut ann, r#""lobby","on":true"#).await?;
    let knocks = |message| match message {
        ServerMessage::Knocking { waiting } => {
            Some(waiting.into_iter().map(|it| it.id).collect::<Vec<_>>())
        }
        _ => None,
    };

    let mut bob = Socket::open(&daemon.address).await?;
    bob.say(&join("Bob", "")).await?;
    assert_eq!(bob.hear_until(waiting).await?.place, 1);
    assert_eq!(ann.hear_until(knocks).await?, ["w1"]);
    let mut cid = Socket::open(&daemon.address).await?;
    cid.say(&join("Cid", "")).await?;
    assert_eq!(cid.hear_until(waiting).await?.place, 2);
    assert_eq!(ann.hear_until(knocks).await?, ["w1", "w2"]);
    assert_eq!(
        cid.refusal_code(&join("Cid", "")).await?,
        ErrorCode::AlreadyJoined
    );
    let chat = r#"{"type":"chat","text":"let me in"}"#;
    assert_eq!(cid.refusal_code(chat).await?, ErrorCode::NotJoined);
    cid.ping().await?;

    moderate(&mut ann, r#""deny","waiting":"w1""#).await?;
    let denied = |message| match message {
        ServerMessage::Error(error) => Some((error.id, error.code)),
        _ => None,
    };
    let expected = (Some(RequestId::Number(1)), ErrorCode::Denied);
    assert_eq!(bob.hear_until(denied).await?, expected);
    assert_eq!(cid.hear_until(waiting).await?.place, 1);

    moderate(&mut ann, r#""admit""#).await?;
    let seat = cid.hear_until(joined).await?;
    assert_eq!(
        (seat.id, &*seat.participant),
        (Some(RequestId::Number(1)), "p2")
    );
    cid.say(r#"{"type":"status","hand":true}"#).await?;
    let hand = ann.hear_until(|message| participant("p2")(message)?.hand_raised_ms);
    assert!(hand.await? > 0);
    Ok(())
}

#[tokio::test]
async fn a_place_in_the_lobby_is_kept_for_a_lost_session_and_given_up_by_leaving()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    moderate(&mut ann, r#""lobby","on":true"#).await?;
    let mut bob = Socket::open(&daemon.address).await?;
    bob.say(&join("Bob", "")).await?;
    let token = format!(r#","token":"{}""#, bob.hear_until(waiting).await?.token);
    drop(bob);
    let mut cid = Socket::open(&daemon.address).await?;
    cid.say(&join("Cid", "")).await?;
    assert_eq!(cid.hear_until(waiting).await?.place, 2);

    let mut bob = Socket::open(&daemon.address).await?;
    bob.say(&join("Bob", &token)).await?;
    assert_eq!(bob.hear_until(waiting).await?.place, 1);

    bob.say(r#"{"type":"leave","id":3}"#).await?;
    let left = |message| matches!(message, ServerMessage::Left { .. }).then_some(());
    bob.hear_until(left).await?;
    assert_eq!(cid.hear_until(waiting).await?.place, 1);
    Ok(())
}

#[tokio::test]
async fn nobody_waits_for_ever() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--lobby-seconds", "1", "--max-waiting", "1"])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    moderate(&mut ann, r#""lobby","on":true"#).await?;
    let mut bob = Socket::open(&daemon.address).await?;
    let mut cid = Socket::open(&daemon.address).await?;
    bob.say(&join("Bob", "")).await?;
    bob.hear_until(waiting).await?;

    assert_eq!(
        cid.refusal_code(&join("Cid", "")).await?,
        ErrorCode::LobbyFull
    );
    let refused = |message| match message {
        ServerMessage::Error(error) => Some(error.code),
        _ => None,
    };
    assert_eq!(bob.hear_until(refused).await?, ErrorCode::WaitedTooLong);
    Ok(())
}

#[tokio::test]
async fn muting_is_asked_for_forced_or_held() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;
    let asked = |message| match message {
        ServerMessage::Asked { to, by } => Some((to, by)),
        _ => None,
    };

    moderate(&mut ann, r#""mute","participant":"p2","how":"ask""#).await?;
    let by_ann = "p1".to_owned();
    assert_eq!(bob.hear_until(asked).await?, (Asked::Mute, by_ann.clone()));

    moderate(&mut ann, r#""mute","participant":"p2""#).await?;
    let seen = bob.hear_until(participant("p2")).await?;
    assert_eq!((seen.muted, seen.muted_by), (true, Some(by_ann.clone())));
    bob.say(r#"{"type":"status","muted":false}"#).await?;
    assert!(!bob.hear_until(participant("p2")).await?.muted);

    moderate(&mut ann, r#""mute","participant":"p2","how":"hold""#).await?;
    assert!(!bob.hear_until(participant("p2")).await?.may_unmute);
    let open = r#"{"type":"status","id":4,"muted":false}"#;
    assert_eq!(bob.refusal_code(open).await?, ErrorCode::NotAllowed);
    moderate(&mut ann, r#""unmute","participant":"p2""#).await?;
    let seen = bob.hear_until(participant("p2")).await?;
    assert!(
        seen.muted && seen.may_unmute,
        "it is for Bob to speak again"
    );
    assert_eq!(bob.hear_until(asked).await?, (Asked::Unmute, by_ann));
    bob.say(open).await?;
    assert!(!bob.hear_until(participant("p2")).await?.muted);

    moderate(&mut ann, r#""camera_off","participant":"p2""#).await?;
    let seen = bob.hear_until(participant("p2")).await?;
    assert_eq!(
        (seen.camera, seen.camera_off_by.as_deref()),
        (false, Some("p1"))
    );
    Ok(())
}

#[tokio::test]
async fn who_is_removed_is_out_and_without_an_identity_only_a_lock_keeps_them_out()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut eve, seat) = enter(&daemon, "Eve").await?;

    let kept_out = moderate(&mut ann, r#""remove","participant":"p2""#).await?;

    assert_eq!(kept_out, Some(false), "nobody would know her");
    assert_eq!(eve.hear_until(bye).await?, ByeReason::Removed);
    eve.closed().await?;
    let mut eve = Socket::open(&daemon.address).await?;
    let token = format!(r#","token":"{}""#, seat.token);
    assert_eq!(
        eve.refusal_code(&join("Eve", &token)).await?,
        ErrorCode::Banned
    );
    let nobody = r#"{"type":"moderate","act":"remove","participant":"p2"}"#;
    assert_eq!(
        ann.refusal_code(nobody).await?,
        ErrorCode::NoSuchParticipant
    );
    let (_again, seat) = enter(&daemon, "Eve").await?;
    assert_eq!(seat.participant, "p3", "as somebody new");
    moderate(&mut ann, r#""lock""#).await?;
    moderate(&mut ann, r#""remove","participant":"p3""#).await?;
    assert_eq!(
        eve.refusal_code(&join("Eve", "")).await?,
        ErrorCode::RoomLocked
    );
    Ok(())
}

#[tokio::test]
async fn the_others_are_told_that_somebody_was_removed() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;
    let _cid = enter(&daemon, "Cid").await?;

    moderate(&mut ann, r#""remove","participant":"p3","ban":false"#).await?;

    let left = |message| match message {
        ServerMessage::ParticipantLeft {
            participant,
            reason,
        } => Some((participant, reason)),
        _ => None,
    };
    let expected = ("p3".to_owned(), LeaveReason::Removed);
    assert_eq!(bob.hear_until(left).await?, expected);
    Ok(())
}

#[tokio::test]
async fn the_room_has_a_pin_and_a_layout_that_everybody_is_told_of() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;

    moderate(&mut ann, r#""pin","participant":"p2""#).await?;
    assert_eq!(bob.hear_until(state).await?.pinned.as_deref(), Some("p2"));
    moderate(&mut ann, r#""layout","layout":"speaker""#).await?;
    let layout = Some(PreferredLayout::Speaker);
    assert_eq!(bob.hear_until(state).await?.layout, layout);
    moderate(&mut ann, r#""pin""#).await?;

    let (_, seen_by_cid) = enter(&daemon, "Cid").await?;
    let expected = RoomState {
        layout,
        ..RoomState::default()
    };
    assert_eq!(seen_by_cid.state, expected);
    let prefer = |pin| format!(r#"{{"type":"prefer","id":5,"pin":"{pin}"}}"#);
    let nobody = bob.refusal(&prefer("p9")).await?;
    assert_eq!(nobody.code, ErrorCode::NoSuchParticipant);
    bob.say(&prefer("p1")).await?;
    bob.ping().await
}

#[tokio::test]
async fn hands_are_seen_with_their_time_and_lowered_by_moderators() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;

    bob.say(r#"{"type":"status","hand":true}"#).await?;
    let hand = ann.hear_until(|message| participant("p2")(message)?.hand_raised_ms);
    assert!(hand.await? > 1_700_000_000_000, "milliseconds since 1970");

    moderate(&mut ann, r#""lower_hand""#).await?;
    let lowered = |message| {
        let seen = participant("p2")(message)?;
        seen.hand_raised_ms.is_none().then_some(())
    };
    // The first is of the hand going up.
    bob.hear_until(|message| participant("p2")(message)?.hand_raised_ms)
        .await?;
    bob.hear_until(lowered).await
}

#[tokio::test]
async fn what_is_written_reaches_all_and_those_who_come_later_and_not_too_fast()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&["--chat-messages", "2"])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;
    let text = |message| match message {
        ServerMessage::Chat(chat) => Some((chat.number, chat.from, chat.name, chat.text)),
        _ => None,
    };

    for n in 1..=5 {
        let chat = format!(r#"{{"type":"chat","id":{n},"text":"hello {n}"}}"#);
        ann.say(&chat).await?;
    }
    for n in 1..=5 {
        let expected = (n, "p1".to_owned(), "Ann".to_owned(), format!("hello {n}"));
        assert_eq!(bob.hear_until(text).await?, expected);
    }
    let done = |message| match message {
        ServerMessage::Done { id, .. } => id,
        _ => None,
    };
    assert_eq!(ann.hear_until(done).await?, RequestId::Number(1));

    let refused = ann
        .refusal(r#"{"type":"chat","id":6,"text":"again"}"#)
        .await?;
    assert_eq!(refused.code, ErrorCode::RateLimited);
    let wait_ms = refused.retry_after_ms.unwrap_or_default();
    assert!((1..=1_000).contains(&wait_ms), "{wait_ms}");
    let empty = bob.refusal_code(r#"{"type":"chat","text":" "}"#).await?;
    assert_eq!(empty, ErrorCode::BadText);

    let (_, seen_by_cid) = enter(&daemon, "Cid").await?;
    let kept = seen_by_cid.chat.into_iter().map(|chat| chat.number);
    assert_eq!(kept.collect::<Vec<_>>(), [4, 5]);
    Ok(())
}

#[tokio::test]
async fn the_end_of_a_room_is_the_end_for_everybody() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let (mut bob, _) = enter(&daemon, "Bob").await?;

    moderate(&mut ann, r#""end""#).await?;

    for socket in [&mut ann, &mut bob] {
        assert_eq!(socket.hear_until(bye).await?, ByeReason::Ended);
        socket.closed().await?;
    }
    let (_, next) = enter(&daemon, "Cid").await?;
    assert_eq!(next.participant, "p1", "another room");
    Ok(())
}

#[tokio::test]
async fn only_listed_rooms_can_be_joined_where_that_is_wanted() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--rooms", "listed", "--room", "demo"])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;
    let mut bob = Socket::open(&daemon.address).await?;

    let other = r#"{"type":"join","version":1,"room":"other"}"#;
    assert_eq!(bob.refusal_code(other).await?, ErrorCode::NoSuchRoom);

    ann.say(r#"{"type":"leave"}"#).await?;
    ann.closed().await?;
    let (_, again) = enter(&daemon, "Ann").await?;
    assert_eq!(again.participant, "p2", "the room has stayed");
    Ok(())
}

#[tokio::test]
async fn what_makes_no_sense_to_a_moderator_s_room_is_refused() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut ann, _) = enter(&daemon, "Ann").await?;

    for (text, code) in [
        (r#"{"type":"moderate"}"#, ErrorCode::BadMessage),
        (
            r#"{"type":"moderate","act":"dance"}"#,
            ErrorCode::BadMessage,
        ),
        (
            r#"{"type":"moderate","act":"lobby"}"#,
            ErrorCode::BadMessage,
        ),
        (
            r#"{"type":"moderate","act":"mute","how":"gently"}"#,
            ErrorCode::BadMessage,
        ),
        (
            r#"{"type":"moderate","act":"pin","participant":"x"}"#,
            ErrorCode::NoSuchParticipant,
        ),
        (
            r#"{"type":"moderate","act":"admit","waiting":"w1"}"#,
            ErrorCode::NoSuchParticipant,
        ),
        (
            r#"{"type":"moderate","act":"remove","participant":"p1"}"#,
            ErrorCode::NotAllowed,
        ),
        (r#"{"type":"chat"}"#, ErrorCode::BadMessage),
    ] {
        assert_eq!(ann.refusal_code(text).await?, code, "{text}");
    }
    let refused = daemon.health()?.refused;
    let counted = ["bad_message", "no_such_participant", "not_allowed"].map(|code| refused[code]);
    assert_eq!(counted, [5, 2, 1]);
    ann.ping().await
}
