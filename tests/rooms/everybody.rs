//! What everybody in a room sees alike: its pin and layout, hands, texts, and its end.

use mosaicd::signaling::message::{
    ByeReason, ErrorCode, PreferredLayout, RequestId, RoomState, ServerMessage,
};

use crate::daemon::Daemon;
use crate::guests::{bye, enter, moderate, participant, state};
use crate::socket::Conversation;

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
