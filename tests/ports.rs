//! Which UDP ports a running daemon takes media on, and what it tells participants of them: read
//! from its session descriptions and candidates as any client would.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the signaling tests")]
mod socket;

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;

use anyhow::Context;
use daemon::Daemon;
use mosaicd::signaling::message::ServerMessage;
use socket::{Conversation, Socket};

/// An address of nobody (RFC 5737), and so of no interface of this machine.
const OUTSIDE: &str = "203.0.113.7";

/// Bound on loopback all the same.
const INSIDE: [&str; 2] = ["--media-ip", "127.0.0.1"];

/// An offer of audio alone, by the `generation`th ICE restart of one and the same client.
fn offer(generation: u32) -> String {
    let sdp = format!(
        "v=0\r\no=- 1 {generation} IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n\
         a=ice-ufrag:user{generation}\r\na=ice-pwd:abcdefghijklmnopqrstuvw{generation}\r\n\
         a=fingerprint:sha-256 {}AA\r\na=setup:actpass\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtcp-mux\r\n\
         a=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n",
        "AA:".repeat(31)
    );
    serde_json::json!({ "type": "offer", "id": generation, "sdp": sdp }).to_string()
}

/// What a participant is told, over a first offer and a restart: all descriptions, and the
/// addresses of all candidates.
struct Told {
    descriptions: Vec<String>,
    candidates: Vec<SocketAddr>,
}

async fn ask(participant: &mut Socket) -> anyhow::Result<Told> {
    let answer = |message| match message {
        ServerMessage::Answer { sdp, .. } => Some(sdp),
        _ => None,
    };
    let trickled = |message| match message {
        ServerMessage::Candidate { candidate } => Some(candidate.candidate),
        _ => None,
    };
    participant.say(&offer(1)).await?;
    let first = participant.hear_until(answer).await?;
    let candidate = participant.hear_until(trickled).await?;
    participant.say(&offer(2)).await?;
    let second = participant.hear_until(answer).await?;

    let descriptions = vec![first, second];
    let lines = descriptions
        .iter()
        .flat_map(|sdp| sdp.lines())
        .filter_map(|line| line.strip_prefix("a="))
        .filter(|line| line.starts_with("candidate:"))
        .chain([candidate.as_str()]);
    let candidates = lines.map(address).collect::<anyhow::Result<_>>()?;
    Ok(Told {
        descriptions,
        candidates,
    })
}

/// The address and port of a candidate (RFC 8839 §5.1).
fn address(candidate: &str) -> anyhow::Result<SocketAddr> {
    let fields: Vec<&str> = candidate.split(' ').collect();
    let [_, _, "udp", _, ip, port, "typ", "host", ..] = fields[..] else {
        anyhow::bail!("no host candidate over UDP: {candidate}");
    };
    Ok(SocketAddr::new(ip.parse()?, port.parse()?))
}

/// What the daemon says it has bound.
fn bound(daemon: &Daemon) -> anyhow::Result<SocketAddr> {
    let said = daemon.lines().join("\n");
    let (_, rest) = said
        .split_once("media on one UDP port bound=")
        .context("the daemon does not say where it takes media")?;
    let address = rest.split_whitespace().next().unwrap_or_default();
    Ok(address.parse()?)
}

/// Two neighboring ports that are free now.
fn two_free_ports() -> anyhow::Result<(u16, u16)> {
    for _ in 0..100 {
        let first = UdpSocket::bind("127.0.0.1:0")?;
        let port = first.local_addr()?.port();
        if let Some(next) = port.checked_add(1)
            && UdpSocket::bind(("127.0.0.1", next)).is_ok()
        {
            return Ok((port, next));
        }
    }
    anyhow::bail!("no two neighboring ports are free")
}

#[tokio::test]
async fn everybody_is_told_the_one_port() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let bound = bound(&daemon)?;

    for name in ["Ann", "Bob"] {
        let told = ask(&mut Socket::join(&daemon.address, "demo", name).await?).await?;

        assert!(told.candidates.len() >= 2, "trickled, and in the restart");
        for candidate in told.candidates {
            assert_eq!(candidate, bound);
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_announced_address_and_port_are_all_that_is_told() -> anyhow::Result<()> {
    let announced = format!("{OUTSIDE}:4242");
    let daemon = Daemon::start(&[INSIDE[0], INSIDE[1], "--announce", &announced])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let told = ask(&mut ann).await?;

    assert!(told.candidates.len() >= 2);
    for candidate in told.candidates {
        assert_eq!(candidate.to_string(), announced);
    }
    let bound = bound(&daemon)?;
    for sdp in told.descriptions {
        assert!(!sdp.contains(&bound.ip().to_string()), "{sdp}");
        assert!(!sdp.contains(&format!(" {} ", bound.port())), "{sdp}");
    }
    Ok(())
}

#[tokio::test]
async fn an_address_announced_without_a_port_goes_with_the_bound_one() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[INSIDE[0], INSIDE[1], "--announce", OUTSIDE])?;
    let mut ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let told = ask(&mut ann).await?;

    let expected = SocketAddr::new(OUTSIDE.parse()?, bound(&daemon)?.port());
    assert!(told.candidates.iter().all(|it| *it == expected));
    Ok(())
}

#[tokio::test]
async fn a_range_gives_each_participant_one_until_none_is_left() -> anyhow::Result<()> {
    let (first, last) = two_free_ports()?;
    let daemon = Daemon::start(&["--media-ports", &format!("{first}-{last}")])?;
    let mut ports = Vec::new();
    let mut participants = Vec::new();
    for name in ["Ann", "Bob"] {
        let mut participant = Socket::join(&daemon.address, "demo", name).await?;
        let told = ask(&mut participant).await?;
        let port = told.candidates[0].port();
        assert!(told.candidates.iter().all(|it| it.port() == port));
        ports.push(port);
        participants.push(participant);
    }
    ports.sort_unstable();
    assert_eq!(ports, [first, last]);

    let mut cid = Socket::join(&daemon.address, "demo", "Cid").await?;
    let refused = cid.refusal(&offer(1)).await?;
    assert!(refused.message.contains("no media port"), "{refused:?}");
    Ok(())
}

#[test]
fn a_port_that_is_taken_is_said_in_one_line() -> anyhow::Result<()> {
    let taken = UdpSocket::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();

    let ended = Command::new(daemon::binary()?)
        .args(["serve", "--listen", "127.0.0.1:0", "--media-port", &port])
        .env("RUST_LOG", "off")
        .output()?;

    let said = String::from_utf8(ended.stderr)?;
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&format!("UDP port {port}")), "{said}");
    Ok(())
}
