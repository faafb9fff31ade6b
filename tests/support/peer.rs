//! The `webrtc` crate as a participant needs it: one track out and one in, of either kind.

use std::sync::Arc;

use bytes::Bytes;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::rtp::header::Header;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
    RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use tokio::sync::watch;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState,
    Registry,
};

use super::received::Received;

const OPUS_PAYLOAD_TYPE: u8 = 111;
const VP8_PAYLOAD_TYPE: u8 = 96;

/// Says how a camera is held (3GPP TS 26.114 §7.4.5).
const ORIENTATION_URI: &str = "urn:3gpp:video-orientation";

/// A connection on loopback that counts into `received` and tells its state.
pub(crate) async fn connect(
    received: Arc<Received>,
    state: watch::Sender<RTCPeerConnectionState>,
) -> anyhow::Result<Arc<dyn PeerConnection>> {
    let mut engine = MediaEngine::default();
    engine.register_codec(parameters(opus(), OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)?;
    engine.register_codec(parameters(vp8(), VP8_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    engine.register_header_extension(
        RTCRtpHeaderExtensionCapability {
            uri: ORIENTATION_URI.to_owned(),
        },
        RtpCodecKind::Video,
        None,
    )?;
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
        .with_handler(Arc::new(Handler { received, state }))
        .with_udp_addrs(vec!["127.0.0.1:0"])
        .build()
        .await?;
    Ok(Arc::new(connection))
}

fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        ..RTCRtpCodec::default()
    }
}

fn vp8() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: 90_000,
        ..RTCRtpCodec::default()
    }
}

fn parameters(codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: codec,
        payload_type,
    }
}

/// One track to send on, with sequence numbers of its own.
pub(crate) struct Outgoing {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    seq: u16,
    orientation: Option<Orientation>,
}

/// What a track says of its camera.
#[derive(Clone, Copy)]
pub(crate) struct Orientation {
    extension: u8,
    value: u8,
}

impl Orientation {
    /// `value`, under the number that the session description `offer` has for it.
    pub(crate) fn offered(offer: &str, value: u8) -> Option<Self> {
        let mut lines = offer.lines();
        let line = lines.find(|line| line.ends_with(ORIENTATION_URI))?;
        let number = line.strip_prefix("a=extmap:")?.split(' ').next()?;
        let extension = number.parse().ok()?;
        Some(Self { extension, value })
    }
}

impl Outgoing {
    /// A track for Opus.
    pub(crate) async fn audio(connection: &dyn PeerConnection) -> anyhow::Result<Self> {
        Self::add(connection, RtpCodecKind::Audio, opus(), OPUS_PAYLOAD_TYPE).await
    }

    /// A track for VP8.
    pub(crate) async fn video(connection: &dyn PeerConnection) -> anyhow::Result<Self> {
        Self::add(connection, RtpCodecKind::Video, vp8(), VP8_PAYLOAD_TYPE).await
    }

    async fn add(
        connection: &dyn PeerConnection,
        kind: RtpCodecKind,
        codec: RTCRtpCodec,
        payload_type: u8,
    ) -> anyhow::Result<Self> {
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
        connection
            .add_track(Arc::clone(&track) as Arc<dyn TrackLocal>)
            .await?;
        Ok(Self {
            track,
            ssrc,
            payload_type,
            seq: rand::random(),
            orientation: None,
        })
    }

    /// Says from now on how the camera is held.
    pub(crate) fn hold(&mut self, orientation: Option<Orientation>) {
        self.orientation = orientation;
    }

    /// Sends one packet.
    pub(crate) async fn send(
        &mut self,
        timestamp: u32,
        last_of_frame: bool,
        payload: Bytes,
    ) -> anyhow::Result<()> {
        let mut header = Header {
            version: 2,
            marker: last_of_frame,
            payload_type: self.payload_type,
            sequence_number: self.seq,
            timestamp,
            ssrc: self.ssrc,
            ..Header::default()
        };
        if let Some(Orientation { extension, value }) = self.orientation.filter(|_| last_of_frame) {
            header.set_extension(extension, Bytes::from(vec![value]))?;
        }
        self.seq = self.seq.wrapping_add(1);
        let packet = rtc::rtp::Packet { header, payload };
        Ok(self.track.write_rtp(packet).await?)
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
            if kind == RtpCodecKind::Video {
                received.opened(&track);
            }
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    match kind {
                        RtpCodecKind::Audio => received.count_audio(&packet),
                        _ => received.count_video(&packet),
                    }
                }
            }
        });
    }
}
