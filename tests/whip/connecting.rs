//! How one gets connected: candidates, ICE restarts, a transport or two, checks that are answered.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::Context;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc::stun::xoraddr::XorMappedAddress;

use crate::client::{CANDIDATE, FRAGMENT, post, refused};
use crate::daemon::Daemon;
use crate::http::ask;
use crate::publishing::PUBLISHING;

const RESTART: &str = "a=ice-ufrag:efgh\r\na=ice-pwd:yzabcdefghijklmnopqrstuv\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n";

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

/// For each section that has one, what the lines that begin so say behind that.
fn values<'a>(sdp: &'a str, prefix: &str) -> Vec<&'a str> {
    let lines = sdp.lines();
    lines.filter_map(|line| line.strip_prefix(prefix)).collect()
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
fn answer_to(request: &[u8], from: SocketAddr) -> anyhow::Result<Vec<u8>> {
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
