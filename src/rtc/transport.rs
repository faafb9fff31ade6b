//! One participant's WebRTC connection, from its offer to its end.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::peer_connection::transport::{RTCDtlsRole, RTCIceCandidateInit};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters,
    RtpCodecKind,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tracing::{Instrument, debug, warn};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};
use webrtc::rtp_transceiver::RtpSender;

use super::engine::{engine, opus, vp8};
use super::mux::{Door, MediaAddress, Ports, Stream, Wanted};
use super::negotiation::{Negotiation, refused};
use super::offer::{Direction, Offer, OfferError, Setup};
use super::receiver;
use super::sender::{OutgoingTrack, Sender};
use super::{announce, offer};
use crate::link::Link;

/// Silence on the path for this long makes a transport disconnected: media stops, the participant
/// counts as absent.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);

/// Silence for this much longer ends it (RFC 7675 wants media stopped within 30 s).
const FAILED_AFTER: Duration = Duration::from_secs(10);

/// How often an idle path is checked.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);

/// Our one candidate is known as soon as its socket is there: this is a bound, not a wait.
const GATHER_WITHIN: Duration = Duration::from_secs(2);

/// Both of our tracks belong to one stream, so that a browser plays them in sync. It is also the
/// canonical name of both, as the crate has it in session descriptions.
const STREAM_ID: &str = "mosaic";

/// An ICE candidate as the browser's `RTCIceCandidateInit` has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The `candidate:` line (RFC 8839 §5.1), empty at the end of candidates.
    pub candidate: String,
    /// Media identification tag of the section it belongs to.
    #[serde(default)]
    pub sdp_mid: Option<String>,
    /// Index of that section.
    #[serde(default, rename = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<u16>,
}

/// Whether media can flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransportState {
    /// Not yet.
    Connecting,
    /// Both ways.
    Connected,
    /// The other side has not been heard of for a while; it may come back.
    Disconnected,
    /// It did not. Only an ICE restart or a new transport helps.
    Failed,
}

/// What a transport tells its session and room.
#[derive(Debug)]
pub(crate) enum TransportEvent {
    /// A candidate of ours, to be trickled.
    Candidate(Candidate),
    /// Media can flow, or no longer.
    State(TransportState),
}

/// Makes transports.
#[derive(Clone, Debug)]
pub(crate) struct Rtc {
    ports: Ports,
}

/// Tells the transports of a process apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TransportId(pub(crate) u64);

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A live connection. Dropping the last handle closes it.
pub(crate) struct Transport {
    id: TransportId,
    origin: u64,
    negotiation: Arc<Negotiation>,
    hears: Direction,
    sees: Direction,
    gathered: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
}

impl Rtc {
    /// Transports that take media at `address`. Must be called inside the tokio runtime.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound.
    pub(crate) fn bind(address: &MediaAddress) -> io::Result<Self> {
        let ports = Ports::bind(address)?;
        Ok(Self { ports })
    }

    /// Answers an offer: a new transport and our session description, candidates to follow as
    /// events.
    ///
    /// # Errors
    ///
    /// [`OfferError::Refused`], or [`OfferError::Internal`] if the offer is not to blame; nothing is
    /// left open then.
    pub(crate) async fn answer(
        &self,
        offer: Offer,
        link: Arc<Link>,
        events: mpsc::Sender<TransportEvent>,
    ) -> Result<(Transport, String), OfferError> {
        let (state, states) = watch::channel(TransportState::Connecting);
        let (wanted, found) = wanted(&offer);
        let door = self
            .ports
            .open(wanted)
            .map_err(|error| OfferError::Internal(format!("no media port: {error}")))?;
        if offer.plain.is_lite() {
            door.admit_answers();
        }
        let (tell_gathered, gathered) = watch::channel(false);
        let handler = Arc::new(Handler {
            address: door.address(),
            link: Arc::clone(&link),
            events,
            state,
            gathered: tell_gathered,
        });
        let connection = connect(&door, handler, &link, offer.plain.setup())
            .await
            .map_err(|error| OfferError::Internal(error.to_string()))?;

        let (alive, ended) = mpsc::channel(1);
        tokio::spawn(close_at_end(Arc::clone(&connection), ended).in_current_span());
        link.set_max_packet_ms(offer.max_packet_ms);
        let (hears, sees) = (offer.audio, offer.video);
        let transport = Transport {
            id: TransportId(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            origin: offer.origin,
            negotiation: Arc::new(Negotiation::new(connection, door)),
            hears,
            sees,
            gathered,
            _alive: alive,
        };

        let audio = transport
            .offer_track(RtpCodecKind::Audio, opus(), hears)
            .await?;
        let video = transport
            .offer_track(RtpCodecKind::Video, vp8(), sees)
            .await?;
        let answer = transport.negotiation.answer(&offer).await?;
        if let Some(found) = found {
            let negotiation = Arc::clone(&transport.negotiation);
            tokio::spawn(announce_all(negotiation, found).in_current_span());
        }
        let sender = Sender {
            audio: negotiated(audio).await,
            video: negotiated(video).await,
            link,
            states,
        };
        tokio::spawn(sender.run().in_current_span());
        Ok((transport, answer))
    }
}

impl Transport {
    /// Which transport this is.
    pub(crate) fn id(&self) -> TransportId {
        self.id
    }

    /// Whether `offer` is a further one of the same connection of the other side's.
    pub(crate) fn is_continued_by(&self, offer: &Offer) -> bool {
        self.origin == offer.origin
    }

    /// Whether the participant takes audio from us.
    pub(crate) fn hears(&self) -> Direction {
        self.hears
    }

    /// Whether the participant takes video from us.
    pub(crate) fn sees(&self) -> Direction {
        self.sees
    }

    /// Answers a further offer over the same connection: an ICE restart, or changed directions.
    ///
    /// # Errors
    ///
    /// [`OfferError::Refused`] or [`OfferError::NotSdp`]; the connection goes on as it was.
    pub(crate) async fn answer_again(&self, offer: Offer) -> Result<String, OfferError> {
        self.negotiation.answer(&offer).await
    }

    /// Our answer to `offer`, the last one that was answered, with all of our candidates in it.
    ///
    /// # Errors
    ///
    /// [`OfferError::Internal`] if there is no candidate.
    pub(crate) async fn whole_answer(&self, offer: &Offer) -> Result<String, OfferError> {
        let mut gathered = self.gathered.clone();
        let complete = gathered.wait_for(|gathered| *gathered);
        let in_time = tokio::time::timeout(GATHER_WITHIN, complete).await;
        let is_complete = matches!(in_time, Ok(Ok(_)));
        drop(in_time);
        if !is_complete {
            return Err(OfferError::Internal("no candidate".to_owned()));
        }
        self.negotiation.description(offer).await
    }

    /// Adds one of the other side's candidates. Names of multicast DNS are passed over: the
    /// browser's own checks show us the address behind them.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the candidate.
    pub(crate) async fn add_candidate(&self, candidate: Candidate) -> Result<(), String> {
        let line = candidate.candidate.trim();
        let value = line.strip_prefix("candidate:").unwrap_or(line);
        if !value.is_empty() && !offer::is_of_use(value) {
            return offer::is_candidate(value)
                .then_some(())
                .ok_or_else(|| format!("not a candidate: {value}"));
        }
        let init = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.sdp_mid,
            sdp_mline_index: candidate.sdp_m_line_index,
            ..RTCIceCandidateInit::default()
        };
        let connection = &self.negotiation.connection;
        connection
            .add_ice_candidate(init)
            .await
            .map_err(|error| error.to_string())
    }

    async fn offer_track(
        &self,
        kind: RtpCodecKind,
        codec: RTCRtpCodec,
        receives: Direction,
    ) -> Result<Option<Offered>, OfferError> {
        if receives == Direction::Unwanted {
            return Ok(None);
        }
        let ssrc = rand::random();
        let rtx = (kind == RtpCodecKind::Video).then(|| RTCRtpRtxParameters {
            ssrc: rand::random(),
        });
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                rtx,
                ..RTCRtpCodingParameters::default()
            },
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let track = MediaStreamTrack::new(
            STREAM_ID.to_owned(),
            format!("{STREAM_ID}-{kind}"),
            format!("mixed {kind}"),
            kind,
            vec![coding],
        );
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let connection = &self.negotiation.connection;
        let sender = connection
            .add_track(Arc::clone(&track) as Arc<dyn TrackLocal>)
            .await
            .map_err(refused)?;
        Ok(Some(Offered {
            track,
            sender,
            ssrc,
        }))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// The streams of the other side's that the offer does not announce, if they must be known.
fn wanted(offer: &Offer) -> (Option<Wanted>, Option<mpsc::Receiver<Stream>>) {
    let payload_types = offer.plain.unannounced();
    if payload_types.is_empty() {
        return (None, None);
    }
    let (tell, found) = mpsc::channel(payload_types.len());
    let wanted = Wanted {
        payload_types,
        tell,
    };
    (Some(wanted), Some(found))
}

/// Ends with the connection's socket, which is what finds them.
async fn announce_all(negotiation: Arc<Negotiation>, mut found: mpsc::Receiver<Stream>) {
    while let Some(stream) = found.recv().await {
        negotiation.announce(stream).await;
    }
}

/// A track of ours before the payload type is known.
struct Offered {
    track: Arc<TrackLocalStaticRTP>,
    sender: Arc<dyn RtpSender>,
    ssrc: u32,
}

async fn negotiated(offered: Option<Offered>) -> Option<OutgoingTrack> {
    let Offered {
        track,
        sender,
        ssrc,
    } = offered?;
    let parameters = match sender.get_parameters().await {
        Ok(parameters) => parameters,
        Err(error) => {
            warn!(%error, "a track was not negotiated");
            return None;
        }
    };
    let payload_type = parameters.rtp_parameters.codecs.first()?.payload_type;
    Some(OutgoingTrack::new(track, ssrc, payload_type))
}

async fn connect(
    door: &Door,
    handler: Arc<Handler>,
    link: &Arc<Link>,
    theirs: Setup,
) -> webrtc::error::Result<Arc<dyn PeerConnection>> {
    let (engine, registry) = engine(link, STREAM_ID)?;
    // The crate would follow what they want to be, but not say so in the answer.
    let ours = match theirs {
        Setup::Active => RTCDtlsRole::Server,
        Setup::Passive => RTCDtlsRole::Client,
        Setup::Either => RTCDtlsRole::Auto,
    };
    let settings = SettingEngineBuilder::new()
        .with_answering_dtls_role(ours)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        // The placeholder is one.
        .with_include_loopback_candidate(true)
        .with_ice_timeouts(
            Some(DISCONNECTED_AFTER),
            Some(FAILED_AFTER),
            Some(KEEPALIVE_INTERVAL),
        )
        .build();
    let connection = PeerConnectionBuilder::new()
        .with_configuration(RTCConfigurationBuilder::new().build())
        .with_media_engine(engine)
        .with_interceptor_registry(registry)
        .with_setting_engine(settings)
        .with_handler(handler)
        .with_runtime(door.runtime())
        .with_udp_addrs(vec![door.placeholder()])
        .build()
        .await?;
    Ok(Arc::new(connection))
}

async fn close_at_end(connection: Arc<dyn PeerConnection>, mut ended: mpsc::Receiver<()>) {
    let _ = ended.recv().await;
    if let Err(error) = connection.close().await {
        debug!(%error, "the connection did not close cleanly");
    }
}

/// Carries the crate's callbacks out. They run on the connection's driver: nothing here waits.
struct Handler {
    address: SocketAddr,
    link: Arc<Link>,
    events: mpsc::Sender<TransportEvent>,
    state: watch::Sender<TransportState>,
    gathered: watch::Sender<bool>,
}

impl Handler {
    fn tell(&self, event: TransportEvent) {
        if let Err(error) = self.events.try_send(event) {
            debug!(%error, "nobody listens to the transport");
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            Ok(candidate) => {
                let Some(line) = announce::candidate(&candidate.candidate, self.address) else {
                    return;
                };
                self.tell(TransportEvent::Candidate(Candidate {
                    candidate: line,
                    sdp_mid: candidate.sdp_mid,
                    sdp_m_line_index: candidate.sdp_mline_index,
                }));
            }
            Err(error) => warn!(%error, "a local candidate has no text form"),
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.gathered
            .send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let state = match state {
            RTCPeerConnectionState::Connected => TransportState::Connected,
            RTCPeerConnectionState::Disconnected => TransportState::Disconnected,
            RTCPeerConnectionState::Failed => TransportState::Failed,
            _ => return,
        };
        debug!(?state, "transport");
        self.state.send_replace(state);
        self.tell(TransportEvent::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        tokio::spawn(receiver::run(track, Arc::clone(&self.link)).in_current_span());
    }
}
