//! A participant without eyes and ears: signaling over the WebSocket, media over the `webrtc`
//! crate. It sends what it is given; what it gets it counts and throws away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use mosaicd::signaling::message::{
    Candidate, ClientMessage, Join, Quality, ServerMessage, VERSION,
};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use webrtc::peer_connection::{PeerConnection, RTCPeerConnectionState};

use super::peer::{self, Orientation, Outgoing};
use super::received::Received;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Half of the interval that the protocol asks for.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How a camera is usually held.
const UPRIGHT: u8 = 0;

/// Messages that may wait to be said.
const SAYINGS: usize = 8;

/// A connected participant. Dropping it hangs up without a word.
pub(crate) struct Client {
    connection: Arc<dyn PeerConnection>,
    received: Arc<Received>,
    session: JoinHandle<anyhow::Result<()>>,
    to_say: mpsc::Sender<ClientMessage>,
    quality: watch::Receiver<Option<Quality>>,
}

/// What a participant sends on.
pub(crate) struct Media {
    pub(crate) audio: Outgoing,
    pub(crate) video: Outgoing,
}

impl Client {
    /// Joins `room` at `address` (`127.0.0.1:port`) and waits until media can flow.
    pub(crate) async fn join(
        address: &str,
        room: &str,
        name: &str,
    ) -> anyhow::Result<(Self, Media)> {
        Self::join_turned(address, room, name, UPRIGHT).await
    }

    /// Joins with a camera that says how it is held, as the byte of 3GPP TS 26.114 §7.4.5.
    pub(crate) async fn join_turned(
        address: &str,
        room: &str,
        name: &str,
        held: u8,
    ) -> anyhow::Result<(Self, Media)> {
        let joining = Self::connect(address, room, name, held, None);
        tokio::time::timeout(PATIENCE, joining)
            .await
            .with_context(|| format!("{name} does not get into the room"))?
    }

    /// Joins and sends media to `media`, whatever the server announces.
    pub(crate) async fn join_past(
        address: &str,
        room: &str,
        name: &str,
        media: SocketAddr,
    ) -> anyhow::Result<(Self, Media)> {
        let joining = Self::connect(address, room, name, UPRIGHT, Some(media));
        tokio::time::timeout(PATIENCE, joining)
            .await
            .with_context(|| format!("{name} does not get into the room"))?
    }

    async fn connect(
        address: &str,
        room: &str,
        name: &str,
        held: u8,
        past: Option<SocketAddr>,
    ) -> anyhow::Result<(Self, Media)> {
        let url = format!("ws://{address}/ws");
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
        let join = Join {
            id: None,
            version: VERSION,
            room: room.to_owned(),
            name: name.to_owned(),
            auth: None,
            token: None,
        };
        say(&mut socket, &ClientMessage::Join(join)).await?;

        let received = Arc::new(Received::default());
        let (tell, mut state) = watch::channel(RTCPeerConnectionState::New);
        let connection = peer::connect(Arc::clone(&received), tell).await?;
        let mut media = Media {
            audio: Outgoing::audio(connection.as_ref()).await?,
            video: Outgoing::video(connection.as_ref()).await?,
        };
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer.clone()).await?;
        media.video.hold(Orientation::offered(&offer.sdp, held));
        let offer = ClientMessage::Offer {
            id: None,
            sdp: offer.sdp,
        };
        say(&mut socket, &offer).await?;
        let (told, quality) = watch::channel(None);
        negotiate(&mut socket, connection.as_ref(), &mut state, past, &told).await?;

        let (to_say, sayings) = mpsc::channel(SAYINGS);
        let session = tokio::spawn(stay(socket, sayings, told));
        let client = Self {
            connection,
            received,
            session,
            to_say,
            quality,
        };
        Ok((client, media))
    }

    /// What came so far.
    pub(crate) fn received(&self) -> &Received {
        &self.received
    }

    /// What it was told last of what it gets.
    pub(crate) fn quality(&self) -> Option<Quality> {
        self.quality.borrow().clone()
    }

    /// Says something that is not answered.
    pub(crate) async fn say(&self, message: ClientMessage) -> anyhow::Result<()> {
        Ok(self.to_say.send(message).await?)
    }

    /// Leaves as one should, and closes everything.
    pub(crate) async fn leave(self) -> anyhow::Result<()> {
        let _ = self.to_say.send(ClientMessage::Leave { id: None }).await;
        tokio::time::timeout(PATIENCE, self.session)
            .await
            .context("the server does not let go")???;
        self.connection.close().await?;
        Ok(())
    }
}

async fn negotiate(
    socket: &mut Socket,
    connection: &dyn PeerConnection,
    state: &mut watch::Receiver<RTCPeerConnectionState>,
    past: Option<SocketAddr>,
    told: &watch::Sender<Option<Quality>>,
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            message = socket.next() => {
                match parse(message.context("the server hung up")??)? {
                    Some(ServerMessage::Answer { mut sdp, .. }) => {
                        if let Some(media) = past {
                            sdp = all_aimed_at(&sdp, media);
                        }
                        let answer = RTCSessionDescription::answer(sdp)?;
                        connection.set_remote_description(answer).await?;
                    }
                    // The server sends them after its answer, where the answer has none yet.
                    Some(ServerMessage::Candidate { mut candidate }) => {
                        if let Some(media) = past {
                            candidate.candidate = aimed_at(&candidate.candidate, media);
                        }
                        connection.add_ice_candidate(init(candidate)).await?;
                    }
                    Some(ServerMessage::Quality(quality)) => {
                        told.send_replace(Some(quality));
                    }
                    Some(ServerMessage::Error(error)) => bail!("refused: {error:?}"),
                    _ => {}
                }
            }
            connected = state.wait_for(|it| *it == RTCPeerConnectionState::Connected) => {
                connected?;
                return Ok(());
            }
        }
    }
}

/// Listens, pings and says what it is given until that is a leave, and then until the server has
/// let go.
async fn stay(
    mut socket: Socket,
    mut sayings: mpsc::Receiver<ClientMessage>,
    told: watch::Sender<Option<Quality>>,
) -> anyhow::Result<()> {
    let mut pings = tokio::time::interval(PING_INTERVAL);
    loop {
        tokio::select! {
            saying = sayings.recv() => match saying {
                // Dropped: gone without a word.
                None => return Ok(()),
                Some(ClientMessage::Leave { .. }) => break,
                Some(message) => say(&mut socket, &message).await?,
            },
            _ = pings.tick() => say(&mut socket, &ClientMessage::Ping { id: None, after: None }).await?,
            message = socket.next() => {
                let message = parse(message.context("the server hung up")??)?;
                if let Some(ServerMessage::Quality(quality)) = message {
                    told.send_replace(Some(quality));
                }
            }
        }
    }
    say(&mut socket, &ClientMessage::Leave { id: None }).await?;
    while let Some(message) = socket.next().await {
        if matches!(parse(message?)?, Some(ServerMessage::Left { .. })) {
            socket.close(None).await?;
            return Ok(());
        }
    }
    bail!("the server hung up without an answer to leave")
}

/// A session description whose candidates have another address and port.
fn all_aimed_at(sdp: &str, media: SocketAddr) -> String {
    let lines = sdp
        .lines()
        .map(|line| match line.starts_with("a=candidate:") {
            true => aimed_at(line, media),
            false => line.to_owned(),
        });
    lines.map(|line| line + "\r\n").collect()
}

/// A candidate with another address and port, its fifth and sixth field (RFC 8839 §5.1).
fn aimed_at(candidate: &str, media: SocketAddr) -> String {
    let (ip, port) = (media.ip().to_string(), media.port().to_string());
    let mut fields: Vec<&str> = candidate.split_whitespace().collect();
    if let [_, _, _, _, to_ip, to_port, ..] = fields.as_mut_slice() {
        (*to_ip, *to_port) = (&ip, &port);
    }
    fields.join(" ")
}

fn init(candidate: Candidate) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: candidate.candidate,
        sdp_mid: candidate.sdp_mid,
        sdp_mline_index: candidate.sdp_m_line_index,
        ..RTCIceCandidateInit::default()
    }
}

async fn say(socket: &mut Socket, message: &ClientMessage) -> anyhow::Result<()> {
    let text = serde_json::to_string(message)?;
    Ok(socket.send(Message::text(text)).await?)
}

fn parse(message: Message) -> anyhow::Result<Option<ServerMessage>> {
    match message {
        Message::Text(text) => Ok(Some(serde_json::from_str(&text)?)),
        _ => Ok(None),
    }
}
