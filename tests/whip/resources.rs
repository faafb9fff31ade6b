//! What HTTP says: which methods of which addresses are there, for whom, and what is refused.

use crate::client::{FRAGMENT, SDP, post, receiving, refused};
use crate::daemon::Daemon;
use crate::http::ask;
use crate::publishing::PUBLISHING;

#[tokio::test]
async fn an_offer_is_answered_with_a_resource_and_all_candidates() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;

    let answer = post(&daemon, "/whip/demo?name=Ann", PUBLISHING)?;

    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/sdp");
    assert_eq!(
        answer.header("accept-patch"),
        "application/trickle-ice-sdpfrag"
    );
    let location = answer.header("location");
    let id = location.strip_prefix("/whip/demo/").unwrap_or_default();
    assert_eq!(id.len(), 32, "{location}");
    let tag = answer.header("etag");
    assert!(
        tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag}"
    );
    let body = &answer.body;
    assert_eq!(body.matches("a=recvonly\r\n").count(), 2, "{body}");
    assert_eq!(body.matches("a=candidate:").count(), 1, "{body}");
    assert!(body.contains("a=end-of-candidates\r\n"), "{body}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_by_status_and_code() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--max-participants", "1"])?;
    let h264 = PUBLISHING.replace("VP8/90000", "H264/90000");
    let pcmu = PUBLISHING.replace("opus/48000/2", "PCMU/8000");
    let long = "x".repeat(48 * 1024 + 1);
    let rows = [
        ("/whip/demo", "hello", (400, "bad_sdp")),
        ("/whip/demo", &receiving(), (400, "bad_sdp")),
        ("/whep/demo", PUBLISHING, (400, "bad_sdp")),
        ("/whip/demo", &h264, (400, "no_vp8")),
        ("/whip/demo", &pcmu, (400, "no_opus")),
        ("/whip/no%20room", PUBLISHING, (400, "bad_room")),
        ("/whip/demo?name=%07", PUBLISHING, (400, "bad_name")),
        ("/whip/demo", &long, (413, "too_large")),
    ];
    for (path, sdp, (status, code)) in rows {
        let answer = post(&daemon, path, sdp)?;
        assert_eq!(
            refused(&answer),
            (status, code.to_owned()),
            "{path} {sdp:.40}"
        );
    }
    let headers = [("content-type", "text/plain")];
    let other = ask(
        &daemon.address,
        ("POST", "/whip/demo"),
        &headers,
        PUBLISHING,
    )?;
    assert_eq!(refused(&other), (415, "bad_content_type".to_owned()));
    assert_eq!(daemon.health()?.participants, 0, "nobody was let in");

    assert_eq!(post(&daemon, "/whip/demo", PUBLISHING)?.status, 201);
    let full = post(&daemon, "/whep/demo", &receiving())?;

    assert_eq!(refused(&full), (503, "room_full".to_owned()));
    assert_eq!(full.header("retry-after"), "10");
    Ok(())
}

#[tokio::test]
async fn other_methods_are_not_allowed_and_listed_pages_from_elsewhere_may_ask()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&["--origin", "https://app.example"])?;
    let from = ("origin", "https://app.example");
    let opened = ask(
        &daemon.address,
        ("POST", "/whip/demo"),
        &[SDP, from],
        PUBLISHING,
    )?;
    let resource = opened.header("location");

    for method in ["GET", "PUT"] {
        for path in ["/whip/demo", "/whep/demo", resource] {
            let answer = ask(&daemon.address, (method, path), &[], "")?;
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
    let preflight = ask(&daemon.address, ("OPTIONS", "/whip/demo"), &[from], "")?;
    assert_eq!(preflight.status, 200);
    assert_eq!(preflight.header("allow"), "POST, OPTIONS");
    let allowed = preflight.header("access-control-allow-methods");
    assert!(allowed.contains("POST"), "{allowed}");
    let allowed = preflight.header("access-control-allow-headers");
    assert!(
        allowed.contains("Authorization") && allowed.contains("If-Match"),
        "{allowed}"
    );
    assert_eq!(preflight.header("accept-post"), "application/sdp");
    let of_resource = ask(&daemon.address, ("OPTIONS", resource), &[from], "")?;
    assert_eq!(of_resource.header("accept-patch"), FRAGMENT.1);
    for answer in [&opened, &preflight, &of_resource] {
        let readable_by = answer.header("access-control-allow-origin");
        assert_eq!(readable_by, "https://app.example");
        let exposed = answer.header("access-control-expose-headers");
        for name in ["Location", "ETag", "Link"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
    let stranger = ("origin", "https://evil.example");
    let refused = ask(
        &daemon.address,
        ("POST", "/whip/demo"),
        &[SDP, stranger],
        PUBLISHING,
    )?;
    assert_eq!(refused.status, 403);
    Ok(())
}

#[tokio::test]
async fn a_resource_is_only_found_under_its_own_address() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let opened = post(&daemon, "/whip/demo", PUBLISHING)?;
    let path = opened.header("location");
    let elsewhere = [
        path.replace("whip", "whep"),
        path.replace("demo", "other"),
        format!("/whip/demo/{}", "0".repeat(32)),
    ];

    for path in elsewhere {
        let answer = ask(&daemon.address, ("DELETE", &path), &[], "")?;
        assert_eq!(refused(&answer), (404, "no_such_resource".to_owned()));
    }
    assert_eq!(daemon.health()?.participants, 1);
    Ok(())
}
