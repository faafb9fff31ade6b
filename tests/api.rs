//! The operators' interface of a running daemon, as a program of an operator's meets it.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/http.rs"]
mod http;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the signaling tests")]
mod socket;

use anyhow::Context;
use daemon::{Daemon, binary};
use http::{Answer, ask};
use mosaicd::signaling::message::{Asked, ByeReason, ServerMessage};
use serde_json::{Value, json};
use socket::{Conversation, Socket};
use tempfile::TempDir;

const KEY: &str = "a key of an operator";
const BEARER: (&str, &str) = ("authorization", "Bearer a-key-of-an-operator");

/// A daemon that takes the key.
struct Served {
    daemon: Daemon,
    _folder: TempDir,
}

impl Served {
    fn start(flags: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("key");
        std::fs::write(&file, KEY.replace(' ', "-") + "\n")?;
        let file = file.display().to_string();
        let daemon = Daemon::start(&[&["--api-key-file", &file], flags].concat())?;
        Ok(Self {
            daemon,
            _folder: folder,
        })
    }

    fn address(&self) -> &str {
        &self.daemon.address
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Answer> {
        let path = format!("/api/v1{path}");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        ask(self.address(), (method, &path), &[BEARER], body.into()).await
    }

    /// The answer, which has to have this status; null if it is empty.
    async fn done(
        &self,
        (method, path): (&str, &str),
        body: Option<Value>,
        status: u16,
    ) -> anyhow::Result<Value> {
        let answer = self.ask(method, path, body).await?;
        let found = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(found == status, "{method} {path}: {found} {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text)?)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.done(("GET", path), None, 200).await
    }
}

async fn code(answer: Answer) -> anyhow::Result<String> {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let status = answer.status();
    let problem: Value = serde_json::from_str(&answer.text().await?)?;
    assert_eq!(problem["status"], status.as_u16());
    Ok(problem["code"].as_str().context("no code")?.to_owned())
}

#[tokio::test]
async fn without_a_key_there_is_no_interface() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;

    for path in ["/api/v1/rooms", "/api/v1/openapi.json", "/api/v1"] {
        let answer = ask(&daemon.address, ("GET", path), &[BEARER], Vec::new()).await?;
        assert_eq!(answer.status(), 404, "{path}");
    }
    Ok(())
}

#[test]
fn a_key_that_can_be_guessed_is_refused_before_anything_is_served() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("key");
    std::fs::write(&file, "secret\n")?;
    let file = file.display().to_string();

    let flags = ["serve", "--listen", "127.0.0.1:0", "--api-key-file", &file];
    let served = std::process::Command::new(binary()?).args(flags).output()?;

    assert_eq!(served.status.code(), Some(2));
    let said = String::from_utf8(served.stderr)?;
    assert!(said.contains("the key has 6 bytes"), "{said}");
    Ok(())
}

#[tokio::test]
async fn whoever_has_no_key_learns_nothing() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let wrong = [("authorization", "Bearer a-key-of-a-stranger")];
    let scheme = [("authorization", "Basic a-key-of-an-operator")];
    let address = served.address();

    for path in ["/api/v1/rooms", "/api/v1/nothing", "/api/v1/openapi.json"] {
        let answer = ask(address, ("GET", path), &[], Vec::new()).await?;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(code(answer).await?, "key_required", "{path}");
        let answer = ask(address, ("GET", path), &wrong, Vec::new()).await?;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(code(answer).await?, "wrong_key", "{path}");
    }
    let answer = ask(address, ("GET", "/api/v1/rooms"), &scheme, Vec::new()).await?;
    assert_eq!(code(answer).await?, "key_required");
    let refused = served.get("/status").await?["refused"]["api_keys"].clone();
    assert_eq!(refused, 7);
    Ok(())
}

#[tokio::test]
async fn who_has_shown_too_many_wrong_keys_has_to_wait_even_with_the_right_one()
-> anyhow::Result<()> {
    let served = Served::start(&["--limit", "wrong-keys-per-minute=2"])?;
    let wrong = [("authorization", "Bearer a-key-of-a-stranger")];
    let status = ("GET", "/api/v1/status");

    for expected in [401, 401, 429] {
        let answer = ask(served.address(), status, &wrong, Vec::new()).await?;
        assert_eq!(answer.status(), expected);
    }

    let answer = served.ask("GET", "/status", None).await?;
    assert_eq!(answer.status(), 429);
    let wait: u64 = answer.header("retry-after").parse()?;
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(code(answer).await?, "rate_limited");
    Ok(())
}

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

    let removal = format!("{bobs}?ban=true");
    served.done(("DELETE", &removal), None, 204).await?;
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

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_a_code_and_changes_nothing() -> anyhow::Result<()> {
    let served = Served::start(&["--max-rooms", "1"])?;
    let _ann = Socket::join(served.address(), "demo", "Ann").await?;
    let before = served.get("/rooms/demo").await?["state"].clone();
    let long = json!({"text": "x".repeat(70_000)});
    let rows = [
        ("GET", "/nothing", json!(null), 404, "not_found"),
        ("PUT", "/rooms", json!(null), 405, "method_not_allowed"),
        ("GET", "/rooms/a%20b", json!(null), 400, "bad_room"),
        ("POST", "/rooms", json!({"room": "a b"}), 400, "bad_room"),
        (
            "POST",
            "/rooms",
            json!({"room": "b"}),
            503,
            "too_many_rooms",
        ),
        ("POST", "/rooms", json!({"rooom": "b"}), 400, "bad_request"),
        ("POST", "/rooms", json!(["b"]), 400, "bad_request"),
        (
            "PATCH",
            "/rooms/demo",
            json!({"locks": true}),
            400,
            "bad_request",
        ),
        (
            "PATCH",
            "/rooms/demo",
            json!({"locked": true, "max_participants": 0}),
            400,
            "bad_request",
        ),
        (
            "PATCH",
            "/rooms/demo",
            json!({"locked": true, "pinned": "p9"}),
            404,
            "no_such_participant",
        ),
        (
            "POST",
            "/rooms/demo/acts",
            json!({"act": "dance"}),
            400,
            "bad_request",
        ),
        (
            "POST",
            "/rooms/demo/messages",
            json!({"text": " "}),
            400,
            "bad_text",
        ),
        ("POST", "/rooms/demo/messages", long, 413, "too_large"),
        (
            "PATCH",
            "/rooms/demo/participants/p1",
            json!({"hand_raised": true}),
            400,
            "bad_request",
        ),
        (
            "PATCH",
            "/rooms/demo/participants/p9",
            json!({"muted": true}),
            404,
            "no_such_participant",
        ),
        (
            "DELETE",
            "/rooms/demo/participants/p1?ban=perhaps",
            json!(null),
            400,
            "bad_request",
        ),
        ("DELETE", "/rooms/other", json!(null), 404, "no_such_room"),
        ("GET", "/events?rooms=demo", json!(null), 400, "bad_request"),
    ];

    for (method, path, body, status, expected) in rows {
        let answer = served.ask(method, path, Some(body)).await?;
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(code(answer).await?, expected, "{method} {path}");
    }
    assert_eq!(served.get("/rooms/demo").await?["state"], before);
    Ok(())
}

#[tokio::test]
async fn requests_beyond_the_rate_are_problems_too() -> anyhow::Result<()> {
    let served = Served::start(&[
        "--limit",
        "request-burst=1",
        "--limit",
        "requests-per-second=1",
    ])?;

    served.get("/status").await?;
    let answer = served.ask("GET", "/status", None).await?;

    assert_eq!(answer.status(), 429);
    assert_eq!(code(answer).await?, "rate_limited");
    Ok(())
}

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
    let errors = served.get("/status").await?["errors"].clone();
    assert_eq!(errors, json!({"denied": 1, "waited_too_long": 1}));
    let health = served.daemon.health()?.refused;
    assert_eq!(json!(health), errors, "one place counts");
    Ok(())
}

#[tokio::test]
async fn the_interface_describes_itself_and_every_path_in_it_is_there() -> anyhow::Result<()> {
    let served = Served::start(&[])?;

    let document = served.get("/openapi.json").await?;

    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().context("no paths")?;
    for (path, operations) in paths {
        let path = path.replace(['{', '}'], "");
        for method in operations.as_object().context("no operations")?.keys() {
            let method = method.to_uppercase();
            if path == "/events" {
                continue;
            }
            let answer = served.ask(&method, &path, None).await?;
            let status = answer.status().as_u16();
            let text = answer.text().await?;
            let unknown = status == 405 || text.contains(r#""code":"not_found""#);
            assert!(!unknown, "{method} {path}: {text}");
        }
    }
    Ok(())
}
