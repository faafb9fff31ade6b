//! Rooms and people as an operator makes, sees, changes and ends them.

use anyhow::Context;
use mosaicd::signaling::message::{Asked, ByeReason, ServerMessage};
use serde_json::{Value, json};

use crate::served::{Served, code};
use crate::socket::{Conversation, Socket};

#[tokio::test]
async fn a_room_is_made_changed_and_ended() -> anyhow::Result<()> {
    let served = Served::start(&["--rooms", "listed", "--max-participants", "9"])?;
    let new = json!({"room": "demo", "max_participants": 3, "layout": "speaker"});

    let answer = served.ask("POST", "/rooms", Some(new.clone())).await?;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.header("location"), "/api/v1/rooms/demo");
    let again = served.ask("POST", "/rooms", Some(new)).await?;
    assert_eq!(again.status(), 409);
    assert_eq!(code(again).await?, "room_exists");

    let mut ann = Socket::join(served.address(), "demo", "Ann").await?;
    let rooms = served.get("/rooms").await?;
    assert_eq!(rooms, json!([{"room": "demo", "participants": 1}]));

    let change = json!({"locked": true, "layout": null, "pinned": "p1", "max_participants": 40});
    let room = served
        .done(("PATCH", "/rooms/demo"), Some(change), 200)
        .await?;
    assert_eq!(room["max_participants"], 9, "the server's setting");
    let state = json!({"locked": true, "lobby": false, "layout": null, "pinned": "p1"});
    assert_eq!(room["state"], state);
    assert_eq!(served.get("/rooms/demo").await?["state"], state);
    let told = ann.hear_until(|message| match message {
        ServerMessage::Room(state) if state.locked && state.layout.is_none() => Some(state),
        _ => None,
    });
    assert_eq!(told.await?.pinned.as_deref(), Some("p1"));

    served.done(("DELETE", "/rooms/demo"), None, 204).await?;
    let told = ann.hear_until(|message| match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    });
    assert_eq!(told.await?, ByeReason::Ended);
    let answer = served.ask("GET", "/rooms/demo", None).await?;
    assert_eq!(answer.status(), 404);
    assert_eq!(code(answer).await?, "no_such_room");
    Ok(())
}

#[tokio::test]
async fn a_room_that_was_made_smaller_takes_nobody_else() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let _ann = Socket::join(served.address(), "demo", "Ann").await?;

    let change = json!({"max_participants": 1});
    let room = served
        .done(("PATCH", "/rooms/demo"), Some(change), 200)
        .await?;

    assert_eq!(room["participants"].as_array().map(Vec::len), Some(1));
    let refused = Socket::join(served.address(), "demo", "Bob").await;
    let refused = refused.err().context("Bob got in")?.to_string();
    assert!(refused.contains("RoomFull"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn participants_are_seen_moderated_and_removed() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let mut ann = Socket::join(served.address(), "demo", "Ann").await?;
    let mut bob = Socket::join(served.address(), "demo", "Bob").await?;

    let people = served.get("/rooms/demo/participants").await?;
    let names: Vec<&Value> = people
        .as_array()
        .context("no list")?
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["Ann", "Bob"]);
    for field in [
        "joined_ms",
        "level_minus_dbov",
        "rung",
        "loss_percent",
        "round_trip_ms",
    ] {
        assert!(people[1].get(field).is_some(), "{field}: {people}");
    }

    let bobs = "/rooms/demo/participants/p2";
    let change = json!({"muted": true, "how": "hold", "role": "moderator"});
    let changed = served.done(("PATCH", bobs), Some(change), 200).await?;
    assert_eq!(
        (
            &changed["muted_by"],
            &changed["may_unmute"],
            &changed["role"]
        ),
        (&json!("operator"), &json!(false), &json!("moderator")),
    );
    assert_eq!(served.get(bobs).await?, changed);
    let change = json!({"muted": false});
    served.done(("PATCH", bobs), Some(change), 200).await?;
    let asked = bob.hear_until(|message| match message {
        ServerMessage::Asked { to, by } => Some((to, by)),
        _ => None,
    });
    assert_eq!(asked.await?, (Asked::Unmute, "operator".to_owned()));

    let act = json!({"act": "mute"});
    served
        .done(("POST", "/rooms/demo/acts"), Some(act), 204)
        .await?;
    let text = json!({"text": "The room closes at noon."});
    served
        .done(("POST", "/rooms/demo/messages"), Some(text), 204)
        .await?;
    let told = ann.hear_until(|message| match message {
        ServerMessage::Chat(message) => Some((message.from, message.text)),
        _ => None,
    });
    let expected = ("operator".to_owned(), "The room closes at noon.".to_owned());
    assert_eq!(told.await?, expected);

    served.done(("DELETE", bobs), None, 204).await?;
    let told = bob.hear_until(|message| match message {
        ServerMessage::Bye { reason } => Some(reason),
        _ => None,
    });
    assert_eq!(told.await?, ByeReason::Removed);
    let answer = served.ask("GET", bobs, None).await?;
    assert_eq!(code(answer).await?, "no_such_participant");
    Ok(())
}

#[tokio::test]
async fn the_operator_answers_those_who_wait() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let new = json!({"room": "demo", "lobby": true});
    served.done(("POST", "/rooms"), Some(new), 201).await?;
    let join = r#"{"type":"join","version":1,"room":"demo","name":"Ann"}"#;
    let (mut ann, mut bob) = (
        Socket::open(served.address()).await?,
        Socket::open(served.address()).await?,
    );
    for socket in [&mut ann, &mut bob] {
        socket.say(join).await?;
        let waits = |message| matches!(message, ServerMessage::Waiting(_)).then_some(());
        socket.hear_until(waits).await?;
    }

    let waiting = served.get("/rooms/demo").await?["waiting"].clone();
    assert_eq!(waiting.as_array().map(Vec::len), Some(2));
    let place = |n: usize| {
        format!(
            "/rooms/demo/waiting/{}",
            waiting[n]["id"].as_str().unwrap_or("?")
        )
    };
    let (admit, deny) = (place(0) + "/admit", place(1) + "/deny");
    served.done(("POST", &admit), None, 204).await?;
    served.done(("POST", &deny), None, 204).await?;

    let joined = |message| matches!(message, ServerMessage::Joined(_)).then_some(());
    ann.hear_until(joined).await?;
    let refused = |message| matches!(message, ServerMessage::Error(_)).then_some(());
    bob.hear_until(refused).await?;
    let answer = served.ask("POST", &admit, None).await?;
    assert_eq!(code(answer).await?, "no_such_participant");
    Ok(())
}
