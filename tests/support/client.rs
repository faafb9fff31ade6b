//! One participant of a load: signaling over the WebSocket, media over the `webrtc` crate.
//!
//! It sends what it is given and throws away what it gets, after counting it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use mosaicd::signaling::message::{
    Candidate, ClientMessage, Join, ServerMessage, VERSION,
};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RtpCodecKind,
};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler,
    RTCPeerConnectionState, Registry,
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const OPUS_PAYLOAD_TYPE: u8 = 111;
const VP8_PAYLOAD_TYPE: u8 = 96;

/// A connected participant.
pub(crate) struct Client {
    socket: Socket,
    connection: Arc<dyn PeerConnection>,
    pub(crate) audio: Outgoing,
    pub(crate) video: Outgoing,
    received: Arc<Received>,
    _state: watch::Receiver<RTCPeerConnectionState>,
}

/// Packets that came from the daemon.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) audio: AtomicU64,
    pub(crate) video: AtomicU64,
}

/// One track to send on.
pub(crate) struct Outgoing {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    seq: u16,
}

impl Outgoing {
    fn new(kind: RtpCodecKind, codec: RTCRtpCodec, payload_type: u8) -> Self {
        let ssrc = rand::random();
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let track = MediaStreamTrack::new(
            "load".to_owned(),
            format!("load-{kind}"),
            "load".to_owned(),
            kind,
            vec![coding],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        Self { track, ssrc, payload_type, seq: rand::random() }
    }

    /// Sends one packet.
    pub(crate) async fn send(
        &mut self,
        timestamp: u32,
        marker: bool,
        payload: bytes::Bytes,
    ) -> anyhow::Result<()> {
        let header = rtc::rtp::header::Header {
            version: 2,
            marker,
            payload_type: self.payload_type,
            sequence_number: self.seq,
            timestamp,
            ssrc: self.ssrc,
            ..Default::default()
        };
        self.seq = self.seq.wrapping_add(1);
        self.track.write_rtp(rtc::rtp::Packet { header, payload }).await?;
        Ok(())
    }
}

impl Client {
    /// Joins `room` at `address` (`127.0.0.1:port`) and waits until media can flow.
    pub(crate) async fn join(address: &str, room: &str, name: &str) -> anyhow::Result<Self> {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{address}/ws")).await?;
        let join = Join {
            id: None,
            version: VERSION,
            room: room.to_owned(),
            name: name.to_owned(),
            token: None,
        };
        say(&mut socket, &ClientMessage::Join(join)).await?;

        let received = Arc::new(Received::default());
        let (tell, mut state) = watch::channel(RTCPeerConnectionState::New);
        let handler = Arc::new(Handler { received: Arc::clone(&received), state: tell });
        let connection = connect(handler).await?;
        let (opus, vp8) = (codec(MIME_TYPE_OPUS, 48_000, 2), codec(MIME_TYPE_VP8, 90_000, 0));
        let audio = Outgoing::new(RtpCodecKind::Audio, opus, OPUS_PAYLOAD_TYPE);
        let video = Outgoing::new(RtpCodecKind::Video, vp8, VP8_PAYLOAD_TYPE);
        for outgoing in [&audio, &video] {
            connection.add_track(Arc::clone(&outgoing.track) as Arc<dyn TrackLocal>).await?;
        }
        let offer = connection.create_offer(None).await?;
        connection.set_local_description(offer.clone()).await?;
        say(&mut socket, &ClientMessage::Offer { id: None, sdp: offer.sdp }).await?;

        let mut client = Self { socket, connection, audio, video, received, _state: state.clone() };
        client.negotiate(&mut state).await?;
        Ok(client)
    }

    async fn negotiate(
        &mut self,
        state: &mut watch::Receiver<RTCPeerConnectionState>,
    ) -> anyhow::Result<()> {
        let mut answered = false;
        let mut early = Vec::new();
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    match parse(message.context("the server hung up")??)? {
                        Some(ServerMessage::Answer { sdp, .. }) => {
                            let answer = RTCSessionDescription::answer(sdp)?;
                            self.connection.set_remote_description(answer).await?;
                            answered = true;
                            for candidate in early.drain(..) {
                                self.add(candidate).await?;
                            }
                        }
                        Some(ServerMessage::Candidate { candidate }) if answered => {
                            self.add(candidate).await?;
                        }
                        Some(ServerMessage::Candidate { candidate }) => early.push(candidate),
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

    async fn add(&self, candidate: Candidate) -> anyhow::Result<()> {
        let candidate = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_m_line_index,
            ..RTCIceCandidateInit::default()
        };
        Ok(self.connection.add_ice_candidate(candidate).await?)
    }

    /// Packets that came so far.
    pub(crate) fn received(&self) -> &Arc<Received> {
        &self.received
    }

    /// Keeps the session alive.
    pub(crate) async fn ping(&mut self) -> anyhow::Result<()> {
        say(&mut self.socket, &ClientMessage::Ping { id: None }).await
    }

    /// Leaves and closes everything.
    pub(crate) async fn leave(mut self) -> anyhow::Result<()> {
        say(&mut self.socket, &ClientMessage::Leave { id: None }).await?;
        while let Some(Ok(message)) = self.socket.next().await {
            if matches!(parse(message)?, Some(ServerMessage::Left { .. })) {
                break;
            }
        }
        self.connection.close().await?;
        self.socket.close(None).await?;
        Ok(())
    }
}

async fn connect(handler: Arc<Handler>) -> anyhow::Result<Arc<dyn PeerConnection>> {
    let mut engine = MediaEngine::default();
    let opus = codec(MIME_TYPE_OPUS, 48_000, 2);
    let vp8 = codec(MIME_TYPE_VP8, 90_000, 0);
    engine.register_codec(parameters(opus, OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)?;
    engine.register_codec(parameters(vp8, VP8_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    let registry = register_default_interceptors(Registry::new(), &mut engine)?;
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .build();
    let connection = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(engine)
        .with_interceptor_registry(registry)
        .with_setting_engine(settings)
        .with_handler(handler)
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await?;
    Ok(Arc::new(connection))
}

fn codec(mime_type: &str, clock_rate: u32, channels: u16) -> RTCRtpCodec {
    RTCRtpCodec { mime_type: mime_type.to_owned(), clock_rate, channels, ..RTCRtpCodec::default() }
}

fn parameters(codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters { rtp_codec: codec, payload_type }
}

async fn say(socket: &mut Socket, message: &ClientMessage) -> anyhow::Result<()> {
    socket.send(Message::text(serde_json::to_string(message)?)).await?;
    Ok(())
}

fn parse(message: Message) -> anyhow::Result<Option<ServerMessage>> {
    match message {
        Message::Text(text) => Ok(Some(serde_json::from_str(&text)?)),
        _ => Ok(None),
    }
}

struct Handler {
    received: Arc<Received>,
    state: watch::Sender<RTCPeerConnectionState>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.state.send_replace(state);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let received = Arc::clone(&self.received);
        tokio::spawn(async move {
            let kind = track.kind().await;
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(_) = event {
                    let counter = match kind {
                        RtpCodecKind::Audio => &received.audio,
                        _ => &received.video,
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
}
