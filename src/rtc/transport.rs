//! One participant's transport, from its offer to its end.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use tracing::Instrument;

use super::description::{self, Direction, Offer, OfferError, answer};
use super::downlink::{Carries, OutgoingTrack, Sender};
use super::leg::{self, Leg, Offered, SharedByLegs};
use super::mux::{MediaAddress, Ports};
use super::state::{LegStates, TransportState};
use crate::link::Link;

/// Our one candidate of a leg is known as soon as its socket is there: this is a bound, not a wait.
const GATHER_WITHIN: Duration = Duration::from_secs(2);

/// So many characters of what is no candidate are said back.
const SAID_BACK: usize = 100;

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

/// What a participant's media comes and goes over: one leg, or one for each kind of media. Dropping
/// the last handle closes it.
pub(crate) struct Transport {
    id: TransportId,
    origin: u64,
    /// By their numbers.
    legs: Vec<Leg>,
    /// The last offer that was answered.
    agreed: Mutex<Offer>,
    hears: Direction,
    sees: Direction,
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
        let (state, states) = watch::channel(LegStates::connecting(offer.legs.len()));
        let shared = SharedByLegs {
            link: Arc::clone(&link),
            events,
            states: Arc::new(state),
            certificate: leg::certificate()?,
        };
        link.set_max_packet_ms(offer.max_packet_ms);
        let mut legs = Vec::with_capacity(offer.legs.len());
        for leg in &offer.legs {
            let place = leg.place(&offer.sections);
            let carries = carries(&offer, leg.number);
            let opened = Leg::open(&self.ports, leg, place, carries, shared.clone());
            legs.push(opened.await?);
        }
        let (hears, sees) = (offer.audio, offer.video);
        let audio = wanted(hears, offer.audio_leg()).and_then(|leg| legs.get(leg));
        let video = wanted(sees, offer.video_leg()).and_then(|leg| legs.get(leg));
        let audio = match audio {
            Some(leg) => Some(leg.add_track(RtpCodecKind::Audio).await?),
            None => None,
        };
        let video = match video {
            Some(leg) => Some(leg.add_track(RtpCodecKind::Video).await?),
            None => None,
        };

        let answer = answered(&legs, &offer).await?;
        let sender = Sender {
            audio: negotiated(audio).await,
            video: negotiated(video).await,
            link,
            states,
        };
        tokio::spawn(sender.run().in_current_span());
        let transport = Transport {
            id: TransportId(NEXT_ID.fetch_add(1, Ordering::Relaxed)),
            origin: offer.origin,
            legs,
            agreed: Mutex::new(offer),
            hears,
            sees,
        };
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
    /// There are no further legs: what an offer adds in a bundle of its own is declined.
    ///
    /// # Errors
    ///
    /// [`OfferError::Refused`] or [`OfferError::NotSdp`]; the connection goes on as it was, except
    /// for legs before the one to blame.
    pub(crate) async fn answer_again(&self, offer: Offer) -> Result<String, OfferError> {
        let offer = offer.after(&self.agreed())?;
        let answer = answered(&self.legs, &offer).await?;
        *self.agreed.lock().unwrap_or_else(PoisonError::into_inner) = offer;
        Ok(answer)
    }

    /// Our answer to the last offer that was answered, with all of our candidates in it.
    ///
    /// # Errors
    ///
    /// [`OfferError::Internal`] if there is no candidate.
    pub(crate) async fn whole_answer(&self) -> Result<String, OfferError> {
        let offer = self.agreed();
        let gathering = async {
            let mut answers = Vec::with_capacity(offer.legs.len());
            for leg in &offer.legs {
                answers.push(self.legs[leg.number].whole_answer().await?);
            }
            Ok(answers)
        };
        let answers = tokio::time::timeout(GATHER_WITHIN, gathering).await;
        let too_late = |_| Err(OfferError::Internal("no candidate".to_owned()));
        let answers = answers.unwrap_or_else(too_late)?;
        Ok(answer::fitted(&offer, &answers))
    }

    /// Adds one of the other side's candidates. Names of multicast DNS are passed over: the
    /// browser's own checks show us the address behind them. So are those of sections that are
    /// declined.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the candidate.
    pub(crate) async fn add_candidate(&self, candidate: Candidate) -> Result<(), String> {
        let line = candidate.candidate.trim();
        let value = line.strip_prefix("candidate:").unwrap_or(line);
        if !value.is_empty() && !description::is_of_use(value) {
            return description::is_candidate(value)
                .then_some(())
                .ok_or_else(|| {
                    let said: String = value.chars().take(SAID_BACK).collect();
                    let most = description::MAX_CANDIDATE_BYTES;
                    format!("not a candidate of at most {most} bytes: {said}")
                });
        }
        let (mid, index) = (candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index);
        match self.agreed().leg_for(mid, index) {
            Some(leg) => self.legs[leg].add_candidate(candidate).await,
            None => Ok(()),
        }
    }

    fn agreed(&self) -> Offer {
        let agreed = self.agreed.lock();
        agreed.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("legs", &self.legs)
            .finish_non_exhaustive()
    }
}

/// What of our media goes over a leg.
fn carries(offer: &Offer, leg: usize) -> Carries {
    let audio = wanted(offer.audio, offer.audio_leg());
    let video = wanted(offer.video, offer.video_leg());
    match (audio, video) {
        (Some(audio), Some(video)) if audio != video && leg == audio => Carries::SoundBesidePicture,
        (Some(audio), Some(video)) if audio != video && leg == video => Carries::PictureBesideSound,
        _ => Carries::All,
    }
}

fn wanted(takes: Direction, leg: Option<usize>) -> Option<usize> {
    leg.filter(|_| takes == Direction::Wanted)
}

async fn answered(legs: &[Leg], offer: &Offer) -> Result<String, OfferError> {
    let mut answers = Vec::with_capacity(offer.legs.len());
    for leg in &offer.legs {
        answers.push(legs[leg.number].answer(&leg.plain).await?);
    }
    Ok(answer::fitted(offer, &answers))
}

async fn negotiated(offered: Option<Offered>) -> Option<OutgoingTrack> {
    offered?.negotiated().await
}
