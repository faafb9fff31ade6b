//! Events as they happen, and those that were missed.

use anyhow::Context;
use mosaicd::signaling::message::ServerMessage;
use serde_json::{Value, json};

use crate::http::{Answer, ask};
use crate::served::{BEARER, Served};
use crate::socket::{Conversation, Socket};

#[tokio::test]
async fn events_are_told_as_they_happen_those_of_one_room_if_asked_for() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let mut events = served.ask("GET", "/events?room=demo", None).await?;
    assert_eq!(events.status(), 200);
    assert_eq!(events.header("content-type"), "text/event-stream");
    let first = events.next().await?.context("nothing")?;
    assert!(first.starts_with(b":"), "{first:?}");

    let _other = Socket::join(served.address(), "other", "Bob").await?;
    let _ann = Socket::join(served.address(), "demo", "Ann").await?;
    served.done(("DELETE", "/rooms/demo"), None, 204).await?;

    let told = told_until(&mut events, "closed").await?;
    let names = kinds(&told);
    assert_eq!(names.first(), Some(&"opened"));
    assert!(names.contains(&"joined"), "{names:?}");
    let of_room = told.iter().all(|(_, event)| event["room"] == "demo");
    assert!(of_room, "{told:?}");
    Ok(())
}

#[tokio::test]
async fn who_lost_the_line_is_told_what_came_after_the_last_event_they_saw() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let mut events = served.ask("GET", "/events", None).await?;
    let first = events.next().await?.context("nothing")?;
    let first = String::from_utf8(first.to_vec())?;
    let before = first.lines().find_map(|line| line.strip_prefix("id: "));
    let before = before.context("no id to come back with")?.to_owned();
    served
        .done(("POST", "/rooms"), Some(json!({"room": "a"})), 201)
        .await?;
    let seen = told_until(&mut events, "opened").await?;
    drop(events);
    served
        .done(("POST", "/rooms"), Some(json!({"room": "b"})), 201)
        .await?;
    served.done(("DELETE", "/rooms/b"), None, 204).await?;

    let (id, event) = &seen[0];
    assert_eq!(event["id"], *id);
    let back = [BEARER, ("last-event-id", id.as_str())];
    let path = "/api/v1/events";
    let mut events = ask(served.address(), ("GET", path), &back, Vec::new()).await?;
    let missed = told_until(&mut events, "closed").await?;
    assert_eq!(kinds(&missed), ["opened", "closed"]);
    assert!(missed.iter().all(|(_, event)| event["room"] == "b"));
    let path = format!("/events?after={before}&room=a");
    let mut events = served.ask("GET", &path, None).await?;
    let again = told_until(&mut events, "opened").await?;
    assert_eq!(again, seen, "from before the first, of one room");
    Ok(())
}

#[tokio::test]
async fn who_was_away_for_too_long_is_told_so_first() -> anyhow::Result<()> {
    let served = Served::start(&["--events-kept", "2"])?;
    let mut events = served.ask("GET", "/events", None).await?;
    served
        .done(("POST", "/rooms"), Some(json!({"room": "a"})), 201)
        .await?;
    let (id, _) = told_until(&mut events, "opened").await?.remove(0);
    drop(events);
    for room in ["b", "c", "d"] {
        let new = json!({"room": room});
        served.done(("POST", "/rooms"), Some(new), 201).await?;
    }
    served.done(("DELETE", "/rooms/d"), None, 204).await?;

    for (id, lost) in [(id.as_str(), json!(2)), ("0123456789ab-1", json!(null))] {
        let path = format!("/events?after={id}");
        let mut events = served.ask("GET", &path, None).await?;
        let told = told_until(&mut events, "closed").await?;

        assert_eq!(kinds(&told), ["lost", "opened", "closed"]);
        assert_eq!(told[0].1, json!({"event": "lost", "count": lost}));
        let back = format!("/events?after={}", told[0].0);
        let mut events = served.ask("GET", &back, None).await?;
        let rest = told_until(&mut events, "closed").await?;
        assert_eq!(rest, told[1..], "what is lost is told once");
    }
    Ok(())
}

#[tokio::test]
async fn those_who_are_sent_away_from_the_lobby_are_told_of_and_counted() -> anyhow::Result<()> {
    let served = Served::start(&["--lobby-seconds", "1"])?;
    let mut events = served.ask("GET", "/events?room=demo", None).await?;
    let new = json!({"room": "demo", "lobby": true});
    served.done(("POST", "/rooms"), Some(new), 201).await?;
    let join = r#"{"type":"join","version":1,"room":"demo","name":"Ann"}"#;
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let mut socket = Socket::open(served.address()).await?;
        socket.say(join).await?;
        told_until(&mut events, "knocked").await?;
        sockets.push(socket);
    }

    let deny = ("POST", "/rooms/demo/waiting/w1/deny");
    served.done(deny, None, 204).await?;

    let denied = told_until(&mut events, "waited")
        .await?
        .pop()
        .context("?")?
        .1;
    assert_eq!(
        (&denied["waiting"], &denied["reason"]),
        (&json!("w1"), &json!("denied"))
    );
    let late = told_until(&mut events, "waited")
        .await?
        .pop()
        .context("?")?
        .1;
    assert_eq!(
        (&late["waiting"], &late["reason"]),
        (&json!("w2"), &json!("too_long"))
    );
    // They are counted just before they are told, which is after the event.
    for socket in &mut sockets {
        let told = |message| matches!(message, ServerMessage::Error(_)).then_some(());
        socket.hear_until(told).await?;
    }
    let errors = served.get("/status").await?["errors"].clone();
    assert_eq!(errors, json!({"denied": 1, "waited_too_long": 1}));
    let health = served.daemon.health()?.refused;
    assert_eq!(json!(health), errors, "one place counts");
    Ok(())
}

/// The events of a stream until one is of this kind, each with its id.
async fn told_until(events: &mut Answer, kind: &str) -> anyhow::Result<Vec<(String, Value)>> {
    let mut told: Vec<(String, Value)> = Vec::new();
    let mut text = String::new();
    while told.last().is_none_or(|(_, event)| event["event"] != kind) {
        let bytes = events.next().await?.context("the events ended")?;
        text.push_str(str::from_utf8(&bytes)?);
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                let mut fields = event.lines().filter_map(|line| line.split_once(": "));
                fields
                    .find(|(field, _)| *field == name)
                    .map(|(_, value)| value)
            };
            if let Some(data) = field("data") {
                let id = field("id").context("no id")?.to_owned();
                told.push((id, serde_json::from_str(data)?));
            }
            text = rest.to_owned();
        }
    }
    Ok(told)
}

fn kinds(told: &[(String, Value)]) -> Vec<&str> {
    let kinds = told.iter().map(|(_, event)| event["event"].as_str());
    kinds.map(Option::unwrap_or_default).collect()
}
