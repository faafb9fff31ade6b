//! Tokens, at the door of a daemon that asks for them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mosaicd::access::Capability;
use mosaicd::access::token::KeyKind;
use mosaicd::signaling::message::{ErrorCode, Joined, ServerMessage};
use ring::hmac;

use crate::daemon::Daemon;
use crate::keys::{Keys, join};
use crate::signal::signal;
use crate::socket::{Conversation, Socket};

const NO_AUTH: &str = r#"{"type":"join","version":1,"room":"demo"}"#;

fn joined(message: ServerMessage) -> Option<Joined> {
    match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    }
}

#[tokio::test]
async fn only_a_good_token_for_the_room_lets_in_and_its_name_counts() -> anyhow::Result<()> {
    let (keys, others) = (Keys::new(KeyKind::Pair)?, Keys::new(KeyKind::Pair)?);
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let mut ann = Socket::open(&daemon.address).await?;
    let good = keys.token(|token| token.name = Some("Dr. Ann".to_owned()))?;
    let elsewhere = keys.token(|token| token.room = "other".to_owned())?;
    let expired = keys.token_of(Duration::from_secs(3600), |_| {})?;
    let forged = others.token(|_| {})?;

    for (text, code) in [
        (NO_AUTH.to_owned(), ErrorCode::AuthRequired),
        (join("junk"), ErrorCode::BadAuth),
        (join(&forged), ErrorCode::BadAuth),
        (join(&expired), ErrorCode::AuthExpired),
        (join(&elsewhere), ErrorCode::NotThisRoom),
    ] {
        assert_eq!(ann.refusal_code(&text).await?, code, "{text}");
    }
    ann.say(&join(&good)).await?;

    let joined = ann.hear_until(joined).await?;
    assert_eq!(joined.participants[0].name, "Dr. Ann");
    Ok(())
}

#[tokio::test]
async fn a_token_in_the_header_is_as_good_and_one_in_the_message_goes_first() -> anyhow::Result<()>
{
    let keys = Keys::new(KeyKind::Secret)?;
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let good = format!("Bearer {}", keys.token(|_| {})?);
    let headers = [("authorization", good.as_str())];
    let open = || Socket::open_with(&daemon.address, &headers);

    let mut ann = open().await?;
    ann.say(NO_AUTH).await?;
    ann.hear_until(joined).await?;

    let mut bob = open().await?;
    assert_eq!(bob.refusal_code(&join("junk")).await?, ErrorCode::BadAuth);
    Ok(())
}

#[tokio::test]
async fn who_was_let_in_may_come_back_with_a_token_that_has_expired_since() -> anyhow::Result<()> {
    let keys = Keys::new(KeyKind::Secret)?;
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let mut first = Socket::open(&daemon.address).await?;
    first.say(&join(&keys.token(|_| {})?)).await?;
    let seat = first.hear_until(joined).await?;
    let expired = keys.token_of(Duration::from_secs(3600), |_| {})?;
    let back = |token: &str| {
        let mut message: serde_json::Value = serde_json::from_str(&join(&expired)).unwrap();
        message["token"] = token.into();
        message.to_string()
    };

    let mut second = Socket::open(&daemon.address).await?;
    let guessed = second.refusal_code(&back("0123456789abcdef")).await?;
    second.say(&back(&seat.token)).await?;

    assert_eq!(guessed, ErrorCode::BadToken);
    let again = second.hear_until(joined).await?;
    assert_eq!(again.participant, seat.participant);
    Ok(())
}

#[tokio::test]
async fn keys_change_without_a_restart() -> anyhow::Result<()> {
    let (keys, next) = (Keys::new(KeyKind::Secret)?, Keys::new(KeyKind::Secret)?);
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let (old, new) = (keys.token(|_| {})?, next.token(|_| {})?);
    let mut ann = Socket::open(&daemon.address).await?;
    assert_eq!(ann.refusal_code(&join(&new)).await?, ErrorCode::BadAuth);

    std::fs::write(keys.file(), "{}")?;
    signal(daemon.process(), "HUP")?;
    daemon.lines_with("the keys stay as they were", 1).await?;
    std::fs::copy(next.file(), keys.file())?;
    signal(daemon.process(), "HUP")?;
    daemon.lines_with("the keys were read again", 1).await?;

    assert_eq!(ann.refusal_code(&join(&old)).await?, ErrorCode::BadAuth);
    ann.say(&join(&new)).await?;
    ann.hear_until(joined).await?;
    Ok(())
}

#[tokio::test]
async fn the_secret_of_relays_changes_without_a_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("secret");
    std::fs::write(&file, "north")?;
    let path = file.display().to_string();
    let daemon = Daemon::start(&["--turn", "turn:192.0.2.7", "--turn-secret-file", &path])?;
    let is_of = async |secret: &str| {
        let mut socket = Socket::open(&daemon.address).await?;
        socket.say(NO_AUTH).await?;
        let relay = socket.hear_until(joined).await?.ice_servers.remove(0);
        let user = relay.username.unwrap_or_default();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        let expected = STANDARD.encode(hmac::sign(&key, user.as_bytes()));
        anyhow::Ok(relay.credential == Some(expected))
    };
    assert!(is_of("north").await?);

    std::fs::write(&file, "south\n")?;
    signal(daemon.process(), "HUP")?;
    daemon
        .lines_with("the TURN secrets were read again", 1)
        .await?;

    assert!(is_of("south").await?);
    Ok(())
}

#[tokio::test]
async fn who_may_not_publish_is_muted_and_without_camera_whatever_they_say() -> anyhow::Result<()> {
    let keys = Keys::new(KeyKind::Secret)?;
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let mut host = Socket::open(&daemon.address).await?;
    host.say(&join(&keys.token(|_| {})?)).await?;
    host.hear_until(joined).await?;
    let listener = keys.token(|token| token.can = Some(vec![Capability::Subscribe]))?;

    let mut guest = Socket::open(&daemon.address).await?;
    guest.say(&join(&listener)).await?;
    guest.hear_until(joined).await?;
    for text in [
        r#"{"type":"status","muted":false,"camera":true}"#,
        r#"{"type":"chat","text":"hello"}"#,
    ] {
        let code = guest.refusal_code(text).await?;
        assert_eq!(code, ErrorCode::NotAllowed, "{text}");
    }
    guest.say(r#"{"type":"leave"}"#).await?;

    let shown = |message| match message {
        ServerMessage::Participant { participant } => Some(participant),
        _ => None,
    };
    let guest = host.hear_until(shown).await?;
    assert_eq!(guest.id, "p2");
    assert_eq!((guest.muted, guest.camera), (true, false));
    assert_eq!((guest.may_unmute, guest.may_use_camera), (false, false));
    let next = host.hear().await?;
    assert!(
        matches!(next, ServerMessage::ParticipantLeft { .. }),
        "{next:?}"
    );
    Ok(())
}

#[tokio::test]
async fn what_a_token_withholds_is_not_for_a_moderator_to_give() -> anyhow::Result<()> {
    let keys = Keys::new(KeyKind::Secret)?;
    let daemon = Daemon::start(&["--keys", &keys.path()])?;
    let mut host = Socket::open(&daemon.address).await?;
    host.say(&join(&keys.token(|_| {})?)).await?;
    host.hear_until(joined).await?;
    let silent = keys.token(|token| token.can = Some(vec![Capability::PublishVideo]))?;
    let mut guest = Socket::open(&daemon.address).await?;
    guest.say(&join(&silent)).await?;
    guest.hear_until(joined).await?;

    let unmute = r#"{"type":"moderate","act":"unmute","participant":"p2"}"#;
    assert_eq!(host.refusal_code(unmute).await?, ErrorCode::NotAllowed);
    host.say(r#"{"type":"moderate","id":7,"act":"camera_on","participant":"p2"}"#)
        .await?;
    host.hear_until(|message| matches!(message, ServerMessage::Done { .. }).then_some(()))
        .await?;
    Ok(())
}
