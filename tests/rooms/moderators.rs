//! Who moderates, and what moderators do to somebody.

use mosaicd::signaling::message::{
    Asked, ByeReason, ErrorCode, LeaveReason, RequestId, Role, ServerMessage,
};

use crate::daemon::Daemon;
use crate::guests::{bye, enter, join, moderate, participant};
use crate::socket::{Conversation, Socket};

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
