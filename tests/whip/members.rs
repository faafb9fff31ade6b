//! Who publishes or watches is a member of the room: shown, named, moderated, and gone at the end.

use mosaicd::access::Capability;
use mosaicd::access::token::KeyKind;
use mosaicd::signaling::message::{LeaveReason, Participant, Role, ServerMessage};

use crate::client::{CANDIDATE, FRAGMENT, SDP, post, receiving, refused};
use crate::daemon::Daemon;
use crate::http::ask;
use crate::keys::{self, Keys};
use crate::publishing::PUBLISHING;
use crate::socket::{Conversation, Socket};

/// Any text will do as a secret.
const SECRET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE");

#[tokio::test]
async fn a_publisher_is_shown_to_the_room_and_a_viewer_watches() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let publishing = post(&daemon, "/whip/demo?name=Cam%20one", PUBLISHING)?;
    let shown = ann.hear_until(somebody).await?;
    let watching = post(&daemon, "/whep/demo", &receiving())?;
    let watcher = ann.hear_until(somebody_who_watches).await?;

    assert_eq!((shown.id.as_str(), shown.name.as_str()), ("p2", "Cam one"));
    assert!(!shown.watching && shown.camera && !shown.muted, "{shown:?}");
    assert_eq!(
        (watcher.id.as_str(), watcher.muted, watcher.camera),
        ("p3", true, false)
    );
    assert_eq!(daemon.health()?.participants, 3);
    for resource in [&publishing, &watching] {
        let path = resource.header("location");
        let ended = ask(&daemon.address, ("DELETE", path), &[], "")?;
        assert_eq!(ended.status, 200, "{ended:?}");
        let gone = ask(&daemon.address, ("DELETE", path), &[], "")?;
        assert_eq!(refused(&gone), (404, "no_such_resource".to_owned()));
    }
    for expected in ["p2", "p3"] {
        let left = |message| match message {
            ServerMessage::ParticipantLeft {
                participant,
                reason,
            } => Some((participant, reason)),
            _ => None,
        };
        let left = ann.hear_until(left).await?;
        assert_eq!(left, (expected.to_owned(), LeaveReason::Left));
    }
    Ok(())
}

fn somebody_who_watches(message: ServerMessage) -> Option<Participant> {
    somebody(message).filter(|it| it.watching)
}

#[tokio::test]
async fn who_sends_no_picture_is_shown_without_a_camera() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let (audio_only, _) = PUBLISHING.split_at(PUBLISHING.find("m=video").unwrap_or_default());

    let answer = post(&daemon, "/whip/demo", audio_only)?;

    assert_eq!(answer.status, 201, "{answer:?}");
    let without_camera = |message| somebody(message).filter(|it| !it.camera);
    let bob = ann.hear_until(without_camera).await?;
    assert_eq!((bob.id.as_str(), bob.muted), ("p2", false));
    Ok(())
}

#[tokio::test]
async fn who_never_connects_loses_the_seat_and_the_resource_with_it() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--seat-seconds", "1"])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let opened = post(&daemon, "/whip/demo", PUBLISHING)?;
    let path = opened.header("location");

    let left = |message| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(reason),
        _ => None,
    };
    let reason = ann.hear_until(left).await?;

    assert_eq!(reason, LeaveReason::Gone);
    let headers = [FRAGMENT, ("if-match", "*")];
    // The resource hears of it as she does, and may be a moment behind.
    let gone = loop {
        let answer = ask(&daemon.address, ("PATCH", path), &headers, CANDIDATE)?;
        if answer.status != 204 {
            break answer;
        }
    };
    assert_eq!(refused(&gone), (404, "no_such_resource".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_bearer_token_says_who_publishes_and_what_they_may() -> anyhow::Result<()> {
    let keys = Keys::new(KeyKind::Secret)?;
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let publish = |token: Option<&str>, path| {
        let bearer = token.map(|it| format!("Bearer {it}"));
        let mut headers = vec![SDP];
        headers.extend(bearer.as_deref().map(|it| ("authorization", it)));
        ask(&daemon.address, ("POST", path), &headers, PUBLISHING)
    };
    let good = keys.token(|token| token.name = Some("Camera 1".to_owned()))?;
    let listener = keys.token(|token| token.can = Some(vec![Capability::Subscribe]))?;

    let nothing = publish(None, "/whip/demo")?;
    assert_eq!(refused(&nothing), (401, "auth_required".to_owned()));
    assert_eq!(nothing.header("www-authenticate"), "Bearer");
    let elsewhere = publish(Some(&good), "/whip/other")?;
    assert_eq!(refused(&elsewhere), (403, "not_this_room".to_owned()));
    let silent = publish(Some(&listener), "/whip/demo")?;
    assert_eq!(refused(&silent), (403, "not_allowed".to_owned()));
    assert_eq!(publish(Some(&good), "/whip/demo?name=x")?.status, 201);

    let mut ann = Socket::open(&daemon.address).await?;
    ann.say(&keys::join(&keys.token(|_| {})?)).await?;
    let joined = |message| match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    };
    let there = ann.hear_until(joined).await?.participants;
    assert_eq!(there[0].name, "Camera 1");
    let roles: Vec<_> = there.iter().map(|it| it.role).collect();
    assert_eq!(roles, [Role::Participant, Role::Moderator]);
    Ok(())
}

#[tokio::test]
async fn who_cannot_wait_in_a_lobby_is_told_to_come_again() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let open = async |ann: &mut Socket, act: &str| {
        ann.say(&format!(r#"{{"type":"moderate","id":1,{act}}}"#))
            .await?;
        let done = |message| matches!(message, ServerMessage::Done { .. }).then_some(());
        ann.hear_until(done).await
    };

    open(&mut ann, r#""act":"lobby","on":true"#).await?;
    let waiting = post(&daemon, "/whip/demo", PUBLISHING)?;
    assert_eq!(refused(&waiting), (503, "must_wait".to_owned()));
    assert_eq!(waiting.header("retry-after"), "10");

    open(&mut ann, r#""act":"lobby","on":false"#).await?;
    open(&mut ann, r#""act":"lock""#).await?;
    let locked = post(&daemon, "/whep/demo", &receiving())?;
    assert_eq!(refused(&locked), (403, "room_locked".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_moderator_removes_who_publishes_and_the_resource_with_them() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[
        "--turn",
        "turn:192.0.2.7:3478",
        "--turn-secret-file",
        SECRET,
    ])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let opened = post(&daemon, "/whip/demo", PUBLISHING)?;
    let link = opened.header("link");
    assert!(
        link.starts_with("<turn:192.0.2.7:3478>; rel=\"ice-server\"; username=")
            && link.contains("credential-type=\"password\""),
        "{link}"
    );

    ann.say(r#"{"type":"moderate","act":"remove","participant":"p2"}"#)
        .await?;
    let left = |message| match message {
        ServerMessage::ParticipantLeft { reason, .. } => Some(reason),
        _ => None,
    };
    assert_eq!(ann.hear_until(left).await?, LeaveReason::Removed);

    let path = opened.header("location");
    // The resource hears of it as she does, and may be a moment behind.
    while ask(
        &daemon.address,
        ("PATCH", path),
        &[FRAGMENT, ("if-match", "*")],
        "",
    )?
    .status
        != 404
    {}
    Ok(())
}

fn somebody(message: ServerMessage) -> Option<Participant> {
    match message {
        ServerMessage::Participant { participant } => Some(participant),
        _ => None,
    }
}
