//! Too much of something: refused by its code, and with how long to wait.

use mosaicd::signaling::message::{ErrorCode, ServerMessage};

use crate::daemon::Daemon;
use crate::http::get;
use crate::requests::ask;
use crate::socket::{Conversation, Socket};

const JOIN: &str = r#"{"type":"join","id":3,"version":1,"room":"demo"}"#;

const PING: &str = r#"{"type":"ping","id":7}"#;
const CANDIDATE: &str = r#"{"type":"candidate","candidate":{"candidate":"","sdpMid":"0"}}"#;

fn offer(candidates: usize, padding: usize) -> String {
    let sdp = format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n{}{}",
        "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(candidates),
        "x".repeat(padding),
    );
    serde_json::json!({"type": "offer", "id": 5, "sdp": sdp}).to_string()
}

#[tokio::test]
async fn an_address_has_so_many_sessions_and_gets_them_back() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "sessions-per-address=2"])?;
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    let mut bob = Socket::join(&daemon.address, "demo", "Bob").await?;
    let begin = ("POST", "/sessions");

    let refused = ask(&daemon.address, begin, &[], JOIN.into()).await?;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.header("retry-after"), "5");
    let over_a_socket = Socket::open(&daemon.address).await?.refusal(JOIN).await?;
    assert_eq!(over_a_socket.code, ErrorCode::TooManyFromAddress);
    assert_eq!(over_a_socket.retry_after_ms, Some(5_000));
    assert!(over_a_socket.id.is_some());

    bob.say(r#"{"type":"leave"}"#).await?;
    bob.closed().await?;
    drop(bob);
    until_welcome(&daemon.address).await
}

#[tokio::test]
async fn the_server_has_so_many_sessions() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "sessions=1"])?;
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let refused = ask(&daemon.address, ("POST", "/sessions"), &[], JOIN.into()).await?;

    assert_eq!(refused.status(), 503);
    assert!(refused.text().await?.contains("too_many_sessions"));
    Ok(())
}

/// The server notices within moments that a session has ended.
async fn until_welcome(address: &str) -> anyhow::Result<()> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while let Err(error) = Socket::join(address, "demo", "Cid").await {
        anyhow::ensure!(std::time::Instant::now() < deadline, "{error}");
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

#[tokio::test]
async fn an_address_has_so_many_seats_those_of_the_absent_counted() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "participants-per-address=2"])?;
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    drop(Socket::join(&daemon.address, "other", "Bob").await?);
    let mut cid = Socket::open(&daemon.address).await?;

    let join = r#"{"type":"join","version":1,"room":"demo"}"#;
    assert_eq!(
        cid.refusal_code(join).await?,
        ErrorCode::TooManyFromAddress,
        "Bob's seat is held for a while"
    );
    Ok(())
}

#[tokio::test]
async fn an_address_opens_so_many_rooms_and_enters_as_many_as_there_are() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "rooms-per-address=1", "--room-seconds", "0"])?;
    let mut ann = Socket::join(&daemon.address, "first", "Ann").await?;
    let second = r#"{"type":"join","id":3,"version":1,"room":"second"}"#;

    let refused = Socket::open(&daemon.address).await?.refusal(second).await?;
    assert_eq!(refused.code, ErrorCode::TooManyFromAddress);
    assert_eq!(refused.retry_after_ms, Some(5_000));
    Socket::join(&daemon.address, "first", "Bob").await?;

    ann.say(r#"{"type":"moderate","act":"end"}"#).await?;
    ann.closed().await?;
    // Its place is free as soon as the room has ended.
    Socket::join(&daemon.address, "second", "Ann").await?;
    Ok(())
}

#[tokio::test]
async fn a_guess_at_a_seat_opens_no_room() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut eve = Socket::open(&daemon.address).await?;

    let guess = r#"{"type":"join","version":1,"room":"none","token":"9f2c61d07b3e4a58"}"#;
    assert_eq!(eve.refusal_code(guess).await?, ErrorCode::BadToken);

    assert_eq!(daemon.health()?.rooms, 0);
    Ok(())
}

#[tokio::test]
async fn a_seat_that_is_given_up_or_taken_back_is_not_counted_twice() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "participants-per-address=1"])?;
    let mut ann = Socket::open(&daemon.address).await?;
    ann.say(r#"{"type":"join","version":1,"room":"demo"}"#)
        .await?;
    let seat = ann
        .hear_until(|message| match message {
            ServerMessage::Joined(joined) => Some(joined.token),
            _ => None,
        })
        .await?;

    let mut again = Socket::open(&daemon.address).await?;
    let back = format!(r#"{{"type":"join","version":1,"room":"demo","token":"{seat}"}}"#);
    again.say(&back).await?;
    again
        .hear_until(|message| matches!(message, ServerMessage::Joined(_)).then_some(()))
        .await?;
    again.say(r#"{"type":"leave"}"#).await?;
    again.closed().await?;

    Socket::join(&daemon.address, "demo", "Bob").await?;
    Ok(())
}

#[tokio::test]
async fn who_says_too_much_is_told_to_wait_and_then_heard_again() -> anyhow::Result<()> {
    let limits = [
        "--limit",
        "message-burst=3",
        "--limit",
        "messages-per-second=1",
    ];
    let daemon = Daemon::start(&limits)?;
    let mut ann = Socket::open(&daemon.address).await?;

    for _ in 0..4 {
        ann.say(PING).await?;
    }

    for _ in 0..3 {
        assert!(matches!(ann.hear().await?, ServerMessage::Pong { .. }));
    }
    let ServerMessage::Error(error) = ann.hear().await? else {
        anyhow::bail!("the fourth was heard");
    };
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert!(error.id.is_some());
    let wait = error.retry_after_ms.unwrap_or_default();
    assert!((1..=1000).contains(&wait), "{wait} ms");
    loop {
        ann.say(PING).await?;
        if let ServerMessage::Pong { .. } = ann.hear().await? {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn requests_beyond_the_rate_of_an_address_are_refused() -> anyhow::Result<()> {
    let limits = [
        "--limit",
        "request-burst=3",
        "--limit",
        "requests-per-second=1",
    ];
    let daemon = Daemon::start(&limits)?;

    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(get(&daemon.address, "/healthz", &[]).await?);
    }

    let refused = answers.iter().find(|answer| answer.status == 429);
    let refused = refused.expect("ten take less than seven seconds");
    assert_eq!(refused.error()?.code, ErrorCode::RateLimited);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(answers[..3].iter().all(|answer| answer.status == 200));
    Ok(())
}

#[tokio::test]
async fn offers_are_bounded_in_length_number_and_candidates() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[
        "--limit",
        "offers-per-minute=4",
        "--limit",
        "candidates-per-offer=2",
        "--limit",
        "offer-bytes=4000",
    ])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let long = ann.refusal_code(&offer(0, 4000)).await?;
    let many = ann.refusal_code(&offer(3, 0)).await?;
    let fits = ann.refusal_code(&offer(2, 0)).await?;
    assert_eq!(
        (long, many, fits),
        (
            ErrorCode::TooLarge,
            ErrorCode::TooManyCandidates,
            ErrorCode::BadSdp
        )
    );
    assert_eq!(
        ann.refusal_code(CANDIDATE).await?,
        ErrorCode::TooManyCandidates
    );
    assert_eq!(ann.refusal_code(&offer(0, 0)).await?, ErrorCode::BadSdp);
    assert_eq!(ann.refusal_code(CANDIDATE).await?, ErrorCode::BadCandidate);
    let error = ann.refusal(&offer(0, 0)).await?;
    assert_eq!(error.code, ErrorCode::RateLimited);
    assert!(error.retry_after_ms.is_some_and(|wait| wait <= 15_000));
    Ok(())
}

#[tokio::test]
async fn the_longest_message_is_a_setting() -> anyhow::Result<()> {
    let limits = [
        "--limit",
        "message-bytes=9000",
        "--limit",
        "offer-bytes=8000",
    ];
    let daemon = Daemon::start(&limits)?;
    let mut ann = Socket::open(&daemon.address).await?;
    let long = |length: usize| format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(length));

    assert_eq!(ann.refusal_code(&long(9000)).await?, ErrorCode::TooLarge);
    ann.ping().await?;
    // The daemon may have cut the connection before all of it is sent.
    let _ = ann.say(&long(40_000)).await;
    ann.closed().await
}

#[tokio::test]
async fn connections_beyond_what_there_may_be_are_cut() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "connections-per-address=2"])?;
    let _ann = Socket::open(&daemon.address).await?;
    let mut bob = Socket::open(&daemon.address).await?;

    assert!(Socket::open(&daemon.address).await.is_err());
    bob.ping().await
}
