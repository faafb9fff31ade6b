//! Who gets in: locks, lobbies, and rooms that an operator lists.

use mosaicd::signaling::message::{ErrorCode, RequestId, ServerMessage};

use crate::daemon::Daemon;
use crate::guests::{enter, join, joined, moderate, participant, waiting};
use crate::socket::{Conversation, Socket};

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
