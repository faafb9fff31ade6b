//! Rooms of one server that offer different pictures, as operators give them and participants get them.

use anyhow::Context;
use mosaicd::signaling::message::{Joined, ServerMessage};
use serde_json::{Value, json};

use crate::client::Client;
use crate::daemon::binary;
use crate::served::{Served, code};
use crate::socket::{Conversation, Socket};

/// A ladder of one rung, so that whoever gets a picture gets that.
fn one_rung(name: &str, size: &str) -> Value {
    json!([{
        "name": name, "size": size, "fps": 7.5, "min_kbps": 10, "max_kbps": 300,
        "arrangement": "grid", "payload_bytes": 1180,
    }])
}

/// Joins, and says what the room is like.
async fn enter(served: &Served, room: &str) -> anyhow::Result<(Socket, Joined)> {
    let mut socket = Socket::open(served.address()).await?;
    let join = format!(r#"{{"type":"join","version":1,"room":"{room}"}}"#);
    socket.say(&join).await?;
    let joined = socket.hear_until(|message| match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    });
    let joined = joined.await?;
    Ok((socket, joined))
}

/// The picture that operators see of a room.
async fn snapshot(served: &Served, room: &str) -> anyhow::Result<(u32, u32)> {
    let path = format!("/rooms/{room}/snapshot");
    let mut answer = served.ask("GET", &path, None).await?;
    anyhow::ensure!(answer.status() == 200, "{room}: {}", answer.status());
    let mut bytes = Vec::new();
    while let Some(more) = answer.next().await? {
        bytes.extend_from_slice(&more);
    }
    let picture = image::load_from_memory(&bytes)?;
    Ok((picture.width(), picture.height()))
}

#[tokio::test]
async fn rooms_of_one_server_offer_each_its_own_ladder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("ladder.json");
    std::fs::write(&file, one_rung("of-the-file", "128x96").to_string())?;
    let listed = format!("listed={}", file.display());
    let served = Served::start(&["--size", "320x180", "--room", &listed, "--room", "plain"])?;
    let made = one_rung("of-the-request", "160x90");
    let new = json!({"room": "made", "ladder": made});

    let described = served.done(("POST", "/rooms"), Some(new), 201).await?;

    assert_eq!(described["ladder"], made);
    let rows = [
        ("listed", (128, 96), Some("of-the-file")),
        ("made", (160, 90), Some("of-the-request")),
        ("plain", (320, 180), None),
        ("opened", (320, 180), None),
    ];
    for (room, size, rung) in rows {
        let (_socket, joined) = enter(&served, room).await?;
        let canvas = (joined.canvas.width, joined.canvas.height);
        assert_eq!(canvas, size, "{room}");
        let ladder = served.get(&format!("/rooms/{room}")).await?["ladder"].clone();
        let rungs = ladder.as_array().context("no rungs")?;
        let names: Vec<&str> = rungs.iter().filter_map(|it| it["name"].as_str()).collect();
        assert_eq!(names.len(), rungs.len(), "{ladder}");
        match rung {
            Some(only) => assert_eq!(names, [only], "{room}"),
            None => assert!(names.len() > 1, "{room}: {names:?}"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn participants_get_the_rungs_of_their_room_also_when_it_begins_anew() -> anyhow::Result<()> {
    let served = Served::start(&["--size", "320x180"])?;
    for (room, rung, size) in [("low", "small", "64x64"), ("high", "large", "640x360")] {
        let new = json!({"room": room, "ladder": one_rung(rung, size)});
        served.done(("POST", "/rooms"), Some(new), 201).await?;
    }

    let rows = [
        ("low", "small", (64, 64)),
        ("high", "large", (640, 360)),
        ("low", "small", (64, 64)),
    ];
    for (room, rung, (width, height)) in rows {
        let (ann, _media) = Client::join(served.address(), room, "Ann").await?;
        let told = loop {
            if let Some(told) = ann.quality().and_then(|quality| quality.rung) {
                break told;
            }
            ann.received().more(1, 0).await?;
        };
        ann.received().more(1, 0).await?;

        assert_eq!(told.name, rung);
        assert_eq!((told.width, told.height), (width, height));
        assert_eq!(told.fps.as_f64(), Some(7.5));
        let seen = served.get(&format!("/rooms/{room}/participants")).await?;
        assert_eq!(seen[0]["rung"], rung);
        let picture = snapshot(&served, room).await?;
        assert_eq!(picture, (u32::try_from(width)?, u32::try_from(height)?));
        ann.leave().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_ladder_that_is_none_makes_no_room_and_the_answer_says_why() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let rung = |more: Value| {
        let mut rung = one_rung("a", "64x64")[0].clone();
        if let (Some(rung), Value::Object(more)) = (rung.as_object_mut(), more) {
            rung.extend(more);
        }
        rung
    };
    let rows = [
        (json!([]), "bad_ladder", "ladder has 0 rungs"),
        (
            json!(vec![rung(json!({})); 9]),
            "bad_ladder",
            "ladder has 9 rungs, expected 1 to 8",
        ),
        (
            json!([rung(json!({"size": "63x64"}))]),
            "bad_ladder",
            "expected even sides from 64 to 4096",
        ),
        (
            json!([rung(json!({"size": "large"}))]),
            "bad_ladder",
            "expected WIDTHxHEIGHT",
        ),
        (
            json!([rung(json!({"fps": 61}))]),
            "bad_ladder",
            "rung a is not of 1 to 60 fps",
        ),
        (
            json!([rung(json!({"every_ms": 1000}))]),
            "bad_ladder",
            "rung a has fps and every_ms",
        ),
        (
            json!([rung(json!({"max_kbps": 60_000}))]),
            "bad_ladder",
            "10 to 60000 kb/s",
        ),
        (
            json!([rung(json!({})), rung(json!({}))]),
            "bad_ladder",
            "not the only one",
        ),
        (
            json!([
                rung(json!({})),
                rung(json!({"name": "b", "min_kbps": 301, "max_kbps": 400}))
            ]),
            "bad_ladder",
            "rung a ends at 300 kb/s",
        ),
        (
            json!([rung(json!({"colour": "red"}))]),
            "bad_request",
            "unknown field `colour`",
        ),
        (
            json!([rung(json!({"min_kbps": "few"}))]),
            "bad_request",
            "invalid type",
        ),
        (json!({"name": "a"}), "bad_request", "expected a sequence"),
    ];

    for (ladder, expected, words) in rows {
        let new = json!({"room": "demo", "ladder": ladder});
        let answer = served.ask("POST", "/rooms", Some(new.clone())).await?;
        assert_eq!(answer.status(), 400, "{new}");
        assert_eq!(code(answer).await?, expected, "{new}");
        let again = served.ask("POST", "/rooms", Some(new)).await?;
        let said = again.text().await?;
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(served.get("/rooms").await?, json!([]));
    let whole = json!({"room": "demo", "ladder": null});
    served.done(("POST", "/rooms"), Some(whole), 201).await?;
    Ok(())
}

#[test]
fn a_listed_room_whose_file_has_no_ladder_stops_the_server_before_it_serves() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("ladder.json");
    std::fs::write(&file, "[]")?;
    let rows = [
        (format!("demo={}", file.display()), "ladder has 0 rungs"),
        ("demo=/nowhere/ladder.json".to_owned(), "No such file"),
        ("demo=".to_owned(), "expected a file behind the ="),
        (format!("a b={}", file.display()), "expected 1 to 64 of"),
    ];

    for (room, words) in rows {
        let flags = ["serve", "--listen", "127.0.0.1:0", "--room", &room];
        let served = std::process::Command::new(binary()?).args(flags).output()?;

        assert_eq!(served.status.code(), Some(2), "{room}");
        let said = String::from_utf8(served.stderr)?;
        assert!(said.contains(words), "{said}");
    }
    Ok(())
}
