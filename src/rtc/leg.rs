//! One leg of a transport: a WebRTC connection of the crate's.
//!
//! A transport has one, or one for each kind of media where the other side does not bundle them. All
//! legs of a transport share its link, the task that sends, its events and its certificate, since there
//! are peers that take no answer with two; each has a lane, ICE credentials and an interceptor chain of
//! its own.

mod callbacks;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rtc::crypto::SignatureScheme;
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::certificate::{CertificateParams, RTCCertificate};
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::peer_connection::transport::{RTCDtlsRole, RTCIceCandidateInit};
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpRtxParameters,
    RtpCodecKind,
};
use tokio::sync::{mpsc, watch};
use tracing::{Instrument, debug, warn};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{PeerConnection, PeerConnectionBuilder};
use webrtc::rtp_transceiver::RtpSender;

use callbacks::Callbacks;

use super::description::{OfferError, OfferedLeg, Place, Plain, Setup};
use super::downlink::{Carries, OutgoingTrack};
use super::engine::{engine, opus, vp8};
use super::mux::{Ports, Stream, Wanted};
use super::negotiation::{Negotiation, refused};
use super::state::LegStates;
use super::transport::{Candidate, TransportEvent};
use crate::link::Link;

/// Silence on the path for this long makes a leg disconnected: media stops, the participant counts
/// as absent.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);

/// Silence for this much longer ends it (RFC 7675 wants media stopped within 30 s).
const FAILED_AFTER: Duration = Duration::from_secs(10);

/// How often an idle path is checked.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);

/// Both of our tracks belong to one stream, so that a browser plays them in sync. It is also the
/// canonical name of both, as the crate has it in session descriptions.
const STREAM_ID: &str = "mosaic";

/// Dropping it closes the connection.
pub(super) struct Leg {
    number: usize,
    negotiation: Arc<Negotiation>,
    gathered: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
}

/// A certificate for one transport: it says nothing of who we are, the session description does.
///
/// # Errors
///
/// [`OfferError::Internal`].
pub(super) fn certificate() -> Result<RTCCertificate, OfferError> {
    let provider = rtc::crypto::default_provider().map_err(internal)?;
    let name = vec![format!("{:032x}", rand::random::<u128>())];
    let parameters = CertificateParams::new(name).map_err(internal)?;
    let scheme = SignatureScheme::EcdsaP256Sha256;
    RTCCertificate::generate(provider.crypto(), scheme, parameters).map_err(internal)
}

/// What all legs of a transport have in common.
#[derive(Clone)]
pub(super) struct SharedByLegs {
    pub(super) link: Arc<Link>,
    pub(super) events: mpsc::Sender<TransportEvent>,
    pub(super) states: Arc<watch::Sender<LegStates>>,
    pub(super) certificate: RTCCertificate,
}

/// A track of ours before the payload type is known.
pub(super) struct Offered {
    track: Arc<TrackLocalStaticRTP>,
    sender: Arc<dyn RtpSender>,
    ssrc: u32,
    leg: usize,
}

impl Leg {
    /// Opens the leg that is `offered`, which is not answered yet. Our candidates will be of `place`.
    ///
    /// # Errors
    ///
    /// [`OfferError::Internal`]; nothing is left open then.
    pub(super) async fn open(
        ports: &Ports,
        offered: &OfferedLeg,
        place: Place,
        carries: Carries,
        shared: SharedByLegs,
    ) -> Result<Self, OfferError> {
        let (wanted, found) = wanted(&offered.plain);
        let door = ports
            .open(wanted)
            .map_err(|error| OfferError::Internal(format!("no media port: {error}")))?;
        if offered.plain.is_lite() {
            door.admit_answers();
        }
        let (tell_gathered, gathered) = watch::channel(false);
        let link = Arc::clone(&shared.link);
        let certificate = shared.certificate.clone();
        let callbacks = Arc::new(Callbacks {
            leg: offered.number,
            place,
            address: door.address(),
            shared,
            gathered: tell_gathered,
        });
        let (engine, registry) = engine(&link, carries, STREAM_ID).map_err(internal)?;
        let settings = settings(offered.plain.setup());
        let configuration = RTCConfigurationBuilder::new().with_certificates(vec![certificate]);
        let connection = PeerConnectionBuilder::new()
            .with_configuration(configuration.build())
            .with_media_engine(engine)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .with_handler(callbacks)
            .with_runtime(door.runtime())
            .with_udp_addrs(vec![door.placeholder()])
            .build()
            .await
            .map_err(internal)?;
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let (alive, ended) = mpsc::channel(1);
        tokio::spawn(close_at_end(Arc::clone(&connection), ended).in_current_span());
        let negotiation = Arc::new(Negotiation::new(connection, door));
        if let Some(found) = found {
            let negotiation = Arc::clone(&negotiation);
            tokio::spawn(announce_all(negotiation, found).in_current_span());
        }
        Ok(Self {
            number: offered.number,
            negotiation,
            gathered,
            _alive: alive,
        })
    }

    /// Adds a track of ours. To be done before the offer is answered.
    pub(super) async fn add_track(&self, kind: RtpCodecKind) -> Result<Offered, OfferError> {
        let ssrc = rand::random();
        let (codec, rtx): (RTCRtpCodec, _) = match kind {
            RtpCodecKind::Video => (
                vp8(),
                Some(RTCRtpRtxParameters {
                    ssrc: rand::random(),
                }),
            ),
            _ => (opus(), None),
        };
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
        Ok(Offered {
            track,
            sender,
            ssrc,
            leg: self.number,
        })
    }

    /// Answers an offer, the first or a further one, in the crate's words.
    pub(super) async fn answer(&self, offer: &Plain) -> Result<String, OfferError> {
        self.negotiation.answer(offer).await
    }

    /// Our answer to the last offer, in the crate's words, once all of our candidates are in it.
    pub(super) async fn whole_answer(&self) -> Result<String, OfferError> {
        let mut gathered = self.gathered.clone();
        // An error means that the connection has ended: then there will be none.
        let ended = gathered.wait_for(|gathered| *gathered).await.is_err();
        if ended {
            return Err(OfferError::Internal("no candidate".to_owned()));
        }
        self.negotiation.description().await
    }

    /// Adds one of the other side's candidates.
    ///
    /// # Errors
    ///
    /// Says what the crate has against it.
    pub(super) async fn add_candidate(&self, candidate: Candidate) -> Result<(), String> {
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
}

impl Offered {
    /// The track, as it was negotiated; `None` if it was not.
    pub(super) async fn negotiated(self) -> Option<OutgoingTrack> {
        let parameters = match self.sender.get_parameters().await {
            Ok(parameters) => parameters,
            Err(error) => {
                warn!(%error, "a track was not negotiated");
                return None;
            }
        };
        let payload_type = parameters.rtp_parameters.codecs.first()?.payload_type;
        let track = OutgoingTrack::new(self.track, self.leg, self.ssrc, payload_type);
        Some(track)
    }
}

impl fmt::Debug for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leg")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// The streams of the other side's that the offer does not announce, if they must be known.
fn wanted(offer: &Plain) -> (Option<Wanted>, Option<mpsc::Receiver<Stream>>) {
    let payload_types = offer.unannounced();
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

/// How ICE and DTLS go with one who wants to be `theirs`.
fn settings(theirs: Setup) -> SettingEngine {
    // The crate would follow what they want to be, but not say so in the answer.
    let ours = match theirs {
        Setup::Active => RTCDtlsRole::Server,
        Setup::Passive => RTCDtlsRole::Client,
        Setup::Either => RTCDtlsRole::Auto,
    };
    SettingEngineBuilder::new()
        .with_answering_dtls_role(ours)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        // The placeholder is one.
        .with_include_loopback_candidate(true)
        .with_ice_timeouts(
            Some(DISCONNECTED_AFTER),
            Some(FAILED_AFTER),
            Some(KEEPALIVE_INTERVAL),
        )
        .build()
}

fn internal(error: impl fmt::Display) -> OfferError {
    OfferError::Internal(error.to_string())
}

async fn close_at_end(connection: Arc<dyn PeerConnection>, mut ended: mpsc::Receiver<()>) {
    let _ = ended.recv().await;
    if let Err(error) = connection.close().await {
        debug!(%error, "the connection did not close cleanly");
    }
}
