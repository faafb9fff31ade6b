//! A participant whose audio and video go over a connection each: one offer, made of two, and one
//! answer, taken apart again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use mosaicd::signaling::message::{ClientMessage, ServerMessage};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use tokio::sync::watch;
use tokio::time::timeout;
use webrtc::peer_connection::{PeerConnection, RTCPeerConnectionState};

use crate::carrier::{Carrier, Conversation, Kind};
use crate::client::Media;
use crate::line::Line;
use crate::peer::{self, Outgoing};
use crate::received::Received;

/// What a session description says of a transport for all sections at once.
const OF_TRANSPORT: [&str; 4] = ["a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:", "a=setup:"];

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Both connections, and the session that they belong to.
pub(crate) struct Apart {
    pub(crate) id: String,
    pub(crate) session: Carrier,
    pub(crate) audio: Leg,
    pub(crate) video: Leg,
}

/// One connection, over a line of its own.
pub(crate) struct Leg {
    pub(crate) received: Arc<Received>,
    pub(crate) line: Line,
    connection: Arc<dyn PeerConnection>,
}

impl Leg {
    /// Says goodbye, as DTLS has it.
    pub(crate) async fn close(&self) -> anyhow::Result<()> {
        Ok(self.connection.close().await?)
    }
}

/// A connection that has offered.
struct Offered {
    connection: Arc<dyn PeerConnection>,
    received: Arc<Received>,
    state: watch::Receiver<RTCPeerConnectionState>,
}

impl Apart {
    /// Joins, and waits until media can flow over both.
    pub(crate) async fn join(
        address: &str,
        room: &str,
        name: &str,
    ) -> anyhow::Result<(Self, Media)> {
        let (mut session, joined) = Carrier::join(Kind::Socket, address, (room, name)).await?;
        let (audio, video) = (Offered::new().await?, Offered::new().await?);
        let media = Media {
            audio: Outgoing::audio(audio.connection.as_ref()).await?,
            video: Outgoing::video(video.connection.as_ref()).await?,
        };
        let offer = ClientMessage::Offer {
            id: None,
            sdp: together(&audio.offer().await?, &video.offer().await?),
        };
        session.say(&serde_json::to_string(&offer)?).await?;
        let answer = session
            .hear_until(|message| match message {
                ServerMessage::Answer { sdp, .. } => Some(sdp),
                _ => None,
            })
            .await?;
        let candidate = session
            .hear_until(|message| match message {
                ServerMessage::Candidate { candidate } => Some(candidate.candidate),
                _ => None,
            })
            .await?;
        let server = address_in(&candidate)?;
        let apart = Self {
            id: joined.participant,
            session,
            audio: audio.connected(&part(&answer, 0), server).await?,
            video: video.connected(&part(&answer, 1), server).await?,
        };
        Ok((apart, media))
    }
}

impl Offered {
    async fn new() -> anyhow::Result<Self> {
        let received = Arc::new(Received::default());
        let (tell, state) = watch::channel(RTCPeerConnectionState::New);
        let connection = peer::connect(Arc::clone(&received), tell).await?;
        Ok(Self {
            connection,
            received,
            state,
        })
    }

    async fn offer(&self) -> anyhow::Result<String> {
        let offer = self.connection.create_offer(None).await?;
        let sdp = offer.sdp.clone();
        self.connection.set_local_description(offer).await?;
        Ok(sdp)
    }

    async fn connected(mut self, answer: &str, server: SocketAddr) -> anyhow::Result<Leg> {
        let line = Line::to(server).await?;
        let answer = RTCSessionDescription::answer(answer.to_owned())?;
        self.connection.set_remote_description(answer).await?;
        let (ip, port) = (line.near.ip(), line.near.port());
        let candidate = RTCIceCandidateInit {
            candidate: format!("candidate:1 1 udp 2130706431 {ip} {port} typ host"),
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(0),
            ..RTCIceCandidateInit::default()
        };
        self.connection.add_ice_candidate(candidate).await?;
        let connected =
            |state: &RTCPeerConnectionState| *state == RTCPeerConnectionState::Connected;
        timeout(PATIENCE, self.state.wait_for(connected)).await??;
        Ok(Leg {
            received: self.received,
            line,
            connection: self.connection,
        })
    }
}

/// One offer of two with a section each, which are in no group.
fn together(audio: &str, video: &str) -> String {
    let head = sections(audio)[0].replace("a=group:BUNDLE 0\r\n", "");
    let whole = |sdp: &str| {
        let parts = sections(sdp);
        let of_transport = parts[0]
            .split_inclusive("\r\n")
            .filter(|line| OF_TRANSPORT.iter().any(|it| line.starts_with(it)));
        parts[1].clone() + &of_transport.collect::<String>()
    };
    let video = whole(video).replace("a=mid:0\r\n", "a=mid:1\r\n");
    head + &whole(audio) + &video
}

/// The answer to one of two, in its own words and without candidates.
fn part(answer: &str, number: usize) -> String {
    let sections = sections(answer);
    let section = sections[number + 1].replace(&format!("a=mid:{number}\r\n"), "a=mid:0\r\n");
    let lines = section.split_inclusive("\r\n");
    let told = |line: &&str| line.starts_with("a=candidate:") || *line == "a=end-of-candidates\r\n";
    let section: String = lines.filter(|line| !told(line)).collect();
    format!("{}a=group:BUNDLE 0\r\n{section}", sections[0])
}

/// What is of the session, and then each section.
fn sections(sdp: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    for line in sdp.split_inclusive("\r\n") {
        if line.starts_with("m=") {
            sections.push(String::new());
        }
        if let Some(last) = sections.last_mut() {
            last.push_str(line);
        }
    }
    sections
}

/// Where a candidate leads to (RFC 8839 §5.1).
fn address_in(candidate: &str) -> anyhow::Result<SocketAddr> {
    let mut fields = candidate.split_whitespace().skip(4);
    let mut field = || fields.next().context("a candidate without an address");
    let (ip, port) = (field()?, field()?);
    Ok(SocketAddr::new(ip.parse()?, port.parse()?))
}
