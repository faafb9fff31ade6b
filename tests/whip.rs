//! WHIP and WHEP as HTTP, over a running daemon: what is answered to what, and what the room sees of
//! it. Media is for `tests/whip/test_aiortc.py`.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "whip/http.rs"]
mod http;
#[path = "access/keys.rs"]
mod keys;
#[path = "support/publishing.rs"]
mod publishing;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the tests of signaling")]
mod socket;

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::Context;
use daemon::Daemon;
use http::{Answer, ask};
use keys::Keys;
use mosaicd::access::Capability;
use mosaicd::access::token::KeyKind;
use mosaicd::signaling::message::{LeaveReason, Participant, Role, ServerMessage};
use publishing::PUBLISHING;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc::stun::xoraddr::XorMappedAddress;
use socket::{Conversation, Socket};

/// Any text will do as a secret.
const SECRET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE");

const SDP: (&str, &str) = ("content-type", "application/sdp");
const FRAGMENT: (&str, &str) = ("content-type", "application/trickle-ice-sdpfrag");

const CANDIDATE: &str = "a=mid:0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n";

const RESTART: &str = "a=ice-ufrag:efgh\r\na=ice-pwd:yzabcdefghijklmnopqrstuv\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n";

fn receiving() -> String {
    PUBLISHING.replace("sendonly", "recvonly")
}

fn post(daemon: &Daemon, path: &str, sdp: &str) -> anyhow::Result<Answer> {
    ask(&daemon.address, ("POST", path), &[SDP], sdp)
}

fn refused(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    (answer.status, answer.code().unwrap_or_default())
}

fn somebody(message: ServerMessage) -> Option<Participant> {
    match message {
        ServerMessage::Participant { participant } => Some(participant),
        _ => None,
    }
}

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
async fn candidates_are_trickled_and_ice_is_restarted_on_condition() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let opened = post(&daemon, "/whip/demo", PUBLISHING)?;
    let (path, tag) = (opened.header("location"), opened.header("etag"));
    let change = |condition: &str, text: &str| {
        let headers = [FRAGMENT, ("if-match", condition)];
        ask(&daemon.address, ("PATCH", path), &headers, text)
    };

    assert_eq!(change(tag, CANDIDATE)?.status, 204);
    assert_eq!(change("*", CANDIDATE)?.status, 204);
    let unconditional = ask(&daemon.address, ("PATCH", path), &[FRAGMENT], CANDIDATE)?;
    assert_eq!(refused(&unconditional), (428, "no_condition".to_owned()));
    let other = change("\"other\"", CANDIDATE)?;
    assert_eq!(refused(&other), (412, "other_ice_session".to_owned()));
    let nonsense = change(tag, "a=candidate:nonsense\r\n")?;
    assert_eq!(refused(&nonsense), (400, "bad_fragment".to_owned()));
    let not_a_restart = change(tag, RESTART)?;
    assert_eq!(refused(&not_a_restart), (400, "bad_fragment".to_owned()));

    let restarted = change("*", RESTART)?;

    assert_eq!(restarted.status, 200, "{restarted:?}");
    assert_eq!(restarted.header("content-type"), FRAGMENT.1);
    let new_tag = restarted.header("etag");
    assert_ne!(new_tag, tag);
    for expected in ["a=ice-ufrag:", "a=ice-pwd:", "a=mid:0", "a=candidate:"] {
        assert!(restarted.body.contains(expected), "{}", restarted.body);
    }
    assert_eq!(change(tag, CANDIDATE)?.status, 412);
    assert_eq!(change(new_tag, CANDIDATE)?.status, 204);
    Ok(())
}

/// For each section that has one, what the lines that begin so say behind that.
fn values<'a>(sdp: &'a str, prefix: &str) -> Vec<&'a str> {
    let lines = sdp.lines();
    lines.filter_map(|line| line.strip_prefix(prefix)).collect()
}

#[tokio::test]
async fn sound_and_picture_that_are_not_bundled_go_over_a_transport_each_in_one_seat()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let apart = PUBLISHING.replace("a=group:BUNDLE 0 1\r\n", "");
    let two_groups =
        PUBLISHING.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0\r\na=group:BUNDLE 1");
    for (offer, groups) in [(&apart, &[][..]), (&two_groups, &["0", "1"])] {
        let before = daemon.health()?.participants;

        let opened = post(&daemon, "/whip/demo", offer)?;

        let answer = &opened.body;
        assert_eq!(opened.status, 201, "{opened:?}");
        assert_eq!(values(answer, "a=group:BUNDLE "), groups, "{answer}");
        assert_eq!(values(answer, "a=mid:"), ["0", "1"], "{answer}");
        for own in ["a=ice-ufrag:", "a=ice-pwd:"] {
            let said = values(answer, own);
            assert!(said.len() == 2 && said[0] != said[1], "{own} {answer}");
        }
        assert_eq!(values(answer, "a=candidate:").len(), 2, "{answer}");
        assert_eq!(values(answer, "a=fingerprint:").len(), 1, "{answer}");
        assert_eq!(daemon.health()?.participants, before + 1);
    }
    Ok(())
}

#[tokio::test]
async fn each_transport_of_a_resource_is_restarted_by_the_credentials_of_its_section()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let apart = PUBLISHING.replace("a=group:BUNDLE 0 1\r\n", "");
    let opened = post(&daemon, "/whip/demo", &apart)?;
    let path = opened.header("location");
    let change = |text: &str| {
        let headers = [FRAGMENT, ("if-match", "*")];
        ask(&daemon.address, ("PATCH", path), &headers, text)
    };
    let of_video = RESTART.replace("a=mid:0", "a=mid:1");
    let (credentials, section) = of_video.split_at(of_video.find("m=").unwrap_or_default());
    let of_video = format!("{section}{credentials}");

    assert_eq!(
        change(&CANDIDATE.replace("a=mid:0", "a=mid:1"))?.status,
        204
    );
    let restarted = change(&of_video)?;

    assert_eq!(restarted.status, 200, "{restarted:?}");
    let body = &restarted.body;
    assert_eq!(values(body, "a=mid:"), ["0", "1"], "{body}");
    assert_eq!(values(body, "a=candidate:").len(), 2, "{body}");
    let before = values(&opened.body, "a=ice-ufrag:");
    let after = values(body, "a=ice-ufrag:");
    assert_eq!(before[0], after[0], "{body}");
    assert_ne!(before[1], after[1], "{body}");
    assert_eq!(change(&of_video)?.status, 204, "said before");
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
async fn an_endpoint_that_only_answers_checks_is_connected_to() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let port = socket.local_addr()?.port();
    let candidate = format!("a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host\r\nm=video");
    let offer = PUBLISHING
        .replace("a=setup:actpass\r\n", "a=setup:passive\r\na=ice-lite\r\n")
        .replace("m=video", &candidate);

    let answer = post(&daemon, "/whip/demo", &offer)?;
    assert_eq!(answer.status, 201, "{answer:?}");

    // Once its checks are answered, it begins the handshake of DTLS (RFC 7983 §7).
    let mut buffer = [0; 2_000];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        match buffer[0] {
            0 => socket.send_to(&answer_to(&buffer[..length], from)?, from)?,
            20..=63 => return Ok(()),
            other => anyhow::bail!("a datagram that begins with {other}"),
        };
    }
}

/// A response to a binding request (RFC 8489 §7.3.1) by whoever made [`PUBLISHING`].
fn answer_to(request: &[u8], from: std::net::SocketAddr) -> anyhow::Result<Vec<u8>> {
    let crypto = rtc::crypto::default_provider()?;
    let transaction: [u8; 12] = request.get(8..20).context("no transaction")?.try_into()?;
    let password = "abcdefghijklmnopqrstuvwx".to_owned();
    let integrity =
        MessageIntegrity::new_short_term_integrity_with_provider(password, crypto.crypto());
    let setters: Vec<Box<dyn Setter + '_>> = vec![
        Box::new(TransactionId(transaction)),
        Box::new(BINDING_SUCCESS),
        Box::new(XorMappedAddress {
            ip: from.ip(),
            port: from.port(),
        }),
        Box::new(integrity),
        Box::new(FINGERPRINT),
    ];
    let mut message = Message::new();
    message.build(&setters)?;
    Ok(message.raw)
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
