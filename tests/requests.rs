//! What is particular to the carriers: subprotocols, statuses, headers, and what proxies and
//! browsers need to know.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/http.rs"]
mod http;

use anyhow::Context;
use daemon::Daemon;
use futures_util::{SinkExt, StreamExt};
use http::{Answer, ask};
use mosaicd::signaling::message::{ErrorCode, Event, ServerMessage};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error, Message};

const JOIN: &str = r#"{"type":"join","id":1,"version":1,"room":"demo","name":"Ann"}"#;

async fn post(address: &str, path: &str, body: &str) -> anyhow::Result<Answer> {
    ask(address, ("POST", path), &[], body.into()).await
}

async fn get(address: &str, path: &str) -> anyhow::Result<Answer> {
    ask(address, ("GET", path), &[], Vec::new()).await
}

/// Joins, and gives the session's path.
async fn begin(address: &str) -> anyhow::Result<String> {
    let answer = post(address, "/sessions", JOIN).await?;
    assert_eq!(answer.status(), 201);
    Ok(format!("/{}", answer.header("location")))
}

async fn events(answer: Answer) -> anyhow::Result<Vec<Event>> {
    Ok(serde_json::from_str(&answer.text().await?)?)
}

async fn code(answer: Answer) -> anyhow::Result<ErrorCode> {
    match serde_json::from_str(&answer.text().await?)? {
        ServerMessage::Error(error) => Ok(error.code),
        other => anyhow::bail!("{other:?}"),
    }
}

async fn upgrade(
    address: &str,
    subprotocols: Option<&str>,
) -> anyhow::Result<Result<Response, u16>> {
    let mut request = format!("ws://{address}/ws").into_client_request()?;
    if let Some(subprotocols) = subprotocols {
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", subprotocols.parse()?);
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, response)) => Ok(Ok(response)),
        Err(Error::Http(response)) => Ok(Err(response.status().as_u16())),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn the_subprotocol_is_taken_up_where_it_is_offered_and_not_needed() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;

    let offered = upgrade(&daemon.address, Some("other.v7, mosaicd.v1")).await?;
    let unknown = upgrade(&daemon.address, Some("mosaicd.v2")).await?;

    let chosen = offered.ok().context("refused")?;
    assert_eq!(chosen.headers()["sec-websocket-protocol"], "mosaicd.v1");
    assert_eq!(unknown.err(), Some(400));
    let (mut plain, response) =
        tokio_tungstenite::connect_async(format!("ws://{}/ws", daemon.address)).await?;
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(!response.headers().contains_key("sec-websocket-protocol"));
    plain.send(Message::text(JOIN)).await?;
    let reply = plain.next().await.context("closed")??;
    assert!(reply.to_text()?.contains("joined"), "{reply}");
    Ok(())
}

#[tokio::test]
async fn the_first_message_is_answered_in_the_body_and_again_as_the_first_event()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;

    let answer = post(&daemon.address, "/sessions", JOIN).await?;

    assert_eq!(answer.status(), 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let session = format!("/{}", answer.header("location"));
    let reply: Event = serde_json::from_str(&answer.text().await?)?;
    let polled = events(get(&daemon.address, &format!("{session}/poll")).await?).await?;
    assert_eq!(polled.first(), Some(&reply));
    let ServerMessage::Joined(joined) = reply.message else {
        anyhow::bail!("{reply:?}");
    };
    let id = joined.session.context("no session")?;
    assert_eq!(session, format!("/sessions/{id}"));
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_in_the_status_and_in_the_body() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--limit", "sessions=1", "--seat-seconds", "3600"])?;
    let long = format!(r#"{{"type":"join","x":"{}"}}"#, "x".repeat(70_000));
    let huge = "x".repeat(300_000);
    let rows = [
        ("hello", 400, ErrorCode::BadJson),
        (r#"{"type":"dance"}"#, 400, ErrorCode::UnknownType),
        (
            r#"{"type":"join","version":2,"room":"demo"}"#,
            400,
            ErrorCode::BadVersion,
        ),
        (
            r#"{"type":"join","version":1,"room":"demo","token":"guess"}"#,
            403,
            ErrorCode::BadToken,
        ),
        (r#"{"type":"leave"}"#, 409, ErrorCode::NotJoined),
        (
            r#"{"type":"resume","version":1,"session":"guess","after":0}"#,
            404,
            ErrorCode::NoSession,
        ),
        (&long, 413, ErrorCode::TooLarge),
        (&huge, 413, ErrorCode::TooLarge),
    ];
    for (body, status, expected) in rows {
        let answer = post(&daemon.address, "/sessions", body).await?;
        assert_eq!(answer.status(), status, "{}", &body[..body.len().min(60)]);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(code(answer).await?, expected);
    }

    begin(&daemon.address).await?;
    let answer = post(&daemon.address, "/sessions", JOIN).await?;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(code(answer).await?, ErrorCode::TooManySessions);
    Ok(())
}

#[tokio::test]
async fn a_session_that_does_not_exist_is_not_found_whatever_is_asked() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;

    for (method, path) in [
        ("GET", "/sessions/none/events"),
        ("GET", "/sessions/none/poll?after=1"),
        ("POST", "/sessions/none"),
        ("DELETE", "/sessions/none"),
    ] {
        let answer = ask(&daemon.address, (method, path), &[], Vec::new()).await?;
        assert_eq!(answer.status(), 404, "{method} {path}");
        assert_eq!(code(answer).await?, ErrorCode::NoSession);
    }
    Ok(())
}

#[tokio::test]
async fn a_stream_of_events_begins_at_once_and_says_that_nobody_may_hold_it_back()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let session = begin(&daemon.address).await?;

    let mut stream = get(&daemon.address, &format!("{session}/events?after=1")).await?;

    assert_eq!(stream.status(), 200);
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!(stream.header("cache-control"), "no-store, no-transform");
    assert_eq!(stream.header("x-accel-buffering"), "no");
    let first = stream.next().await?.context("nothing")?;
    assert!(first.starts_with(b":"), "{first:?}");
    Ok(())
}

#[tokio::test]
async fn a_stream_goes_on_behind_the_last_event_id() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let session = begin(&daemon.address).await?;
    let pings = r#"[{"type":"ping","id":7},{"type":"ping","id":8}]"#;
    let answer = post(&daemon.address, &session, pings).await?;
    assert_eq!(answer.status(), 202);
    // Said is what has been polled.
    let polled = format!("{session}/poll?after=1");
    while events(get(&daemon.address, &polled).await?).await?.len() < 2 {}

    let path = format!("{session}/events");
    let headers = [("last-event-id", "2")];
    let mut stream = ask(&daemon.address, ("GET", &path), &headers, Vec::new()).await?;

    let mut told = String::new();
    while !told.contains("data") {
        let bytes = stream.next().await?.context("nothing")?;
        told.push_str(str::from_utf8(&bytes)?);
    }
    let expected = "id: 3\ndata: {\"type\":\"pong\",\"id\":8,\"seq\":3}\n\n";
    assert!(told.ends_with(expected), "{told}");
    Ok(())
}

#[tokio::test]
async fn where_to_begin_has_to_make_sense() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let session = begin(&daemon.address).await?;

    for (path, status, expected) in [
        ("events?after=x", 400, ErrorCode::BadMessage),
        ("poll?after=-1", 400, ErrorCode::BadMessage),
        ("events?after=9", 409, ErrorCode::BadResume),
        ("poll?after=9", 409, ErrorCode::BadResume),
    ] {
        let answer = get(&daemon.address, &format!("{session}/{path}")).await?;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(code(answer).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn an_earlier_request_for_events_ends_when_a_later_one_comes() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let session = begin(&daemon.address).await?;
    let path = format!("{session}/events?after=1");
    let first = get(&daemon.address, &path).await?;

    let _second = get(&daemon.address, &path).await?;

    assert!(!first.text().await?.contains("data"), "nothing was said");
    Ok(())
}

#[tokio::test]
async fn too_many_messages_at_once_are_refused() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let session = begin(&daemon.address).await?;
    let pings = |count| format!("[{}]", vec![r#"{"type":"ping"}"#; count].join(","));

    let most = post(&daemon.address, &session, &pings(64)).await?;
    let more = post(&daemon.address, &session, &pings(65)).await?;

    assert_eq!((most.status().as_u16(), more.status().as_u16()), (202, 413));
    assert_eq!(code(more).await?, ErrorCode::TooLarge);
    Ok(())
}

#[tokio::test]
async fn deleting_a_session_leaves_the_room() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let session = begin(&daemon.address).await?;

    let answer = ask(&daemon.address, ("DELETE", &session), &[], Vec::new()).await?;

    assert_eq!(answer.status(), 204);
    let mut after = 1;
    loop {
        let told = get(&daemon.address, &format!("{session}/poll?after={after}")).await?;
        if told.status() == 404 {
            break;
        }
        for event in events(told).await? {
            after = event.seq;
        }
    }
    assert_eq!(daemon.health()?.participants, 0);
    Ok(())
}
