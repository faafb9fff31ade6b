//! Every path and method: those that are there, and what makes no sense.

use anyhow::Context;
use serde_json::json;

use crate::served::{Served, code};
use crate::socket::Socket;

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
        (
            "POST",
            "/rooms",
            json!({"room": "b", "ladder": []}),
            400,
            "bad_ladder",
        ),
        (
            "PATCH",
            "/rooms/demo",
            json!({"ladder": []}),
            400,
            "bad_request",
        ),
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
