//! A session's media: its offers and candidates, and what becomes of the transport that they make.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tracing::Instrument;

use super::super::message::{ErrorCode, RequestId, ServerMessage};
use super::super::refusal::{Refusal, not_joined, refusal};
use super::Session;
use crate::access::Capabilities;
use crate::link::Link;
use crate::room::{Attachment, RoomHandle, SeatId};
use crate::rtc::{Candidate, Offer, OfferError, Rtc, Transport, TransportEvent, TransportId};

/// Candidates and states of one transport that may wait.
const TRANSPORT_EVENTS: usize = 64;

/// A seat, with the transport that it has.
#[derive(Debug)]
pub(in crate::signaling) struct SeatedSession {
    pub(in crate::signaling) room: RoomHandle,
    pub(in crate::signaling) seat: SeatId,
    pub(in crate::signaling) room_start: Instant,
    pub(in crate::signaling) transport: Option<Arc<Transport>>,
    pub(in crate::signaling) can: Capabilities,
}

/// What happens to one transport.
#[derive(Debug)]
pub(in crate::signaling) struct TransportEvents {
    transport: TransportId,
    told: mpsc::Receiver<TransportEvent>,
}

impl Session {
    pub(super) async fn offer(
        &mut self,
        id: Option<RequestId>,
        sdp: String,
    ) -> Result<(), Refusal> {
        let seated = self.seated.as_mut().ok_or_else(not_joined)?;
        self.allowance.offer(&sdp, Instant::now())?;
        let offer = Offer::parse(sdp)?.within(seated.can);
        if let Some(transport) = seated
            .transport
            .as_ref()
            .filter(|it| it.is_continued_by(&offer))
        {
            let sdp = transport.answer_again(offer).await?;
            self.line.say(ServerMessage::Answer { id, sdp });
            return Ok(());
        }
        let (sdp, events) = seated.connect(&self.venue.rtc, offer).await?;
        self.line.say(ServerMessage::Answer { id, sdp });
        // Only now: a client has no use for candidates before the answer.
        seated.follow(events);
        Ok(())
    }

    pub(super) async fn candidate(&mut self, candidate: Candidate) -> Result<(), Refusal> {
        let seated = self.seated.as_ref().ok_or_else(not_joined)?;
        self.allowance.candidate()?;
        let transport = seated.transport.as_ref().ok_or_else(|| {
            refusal(
                ErrorCode::BadCandidate,
                "a candidate needs an offer before it",
            )
        })?;
        transport
            .add_candidate(candidate)
            .await
            .map_err(|message| refusal(ErrorCode::BadCandidate, message))
    }
}

impl SeatedSession {
    /// Makes a new transport, in place of one that the seat may have had: our answer, and what
    /// happens to the transport from now on.
    pub(in crate::signaling) async fn connect(
        &mut self,
        rtc: &Rtc,
        offer: Offer,
    ) -> Result<(String, TransportEvents), OfferError> {
        let link = Arc::new(Link::new(self.room_start));
        let (events, told) = mpsc::channel(TRANSPORT_EVENTS);
        let (transport, answer) = rtc.answer(offer, Arc::clone(&link), events).await?;
        let transport = Arc::new(transport);
        let events = TransportEvents {
            transport: transport.id(),
            told,
        };
        self.transport = Some(Arc::clone(&transport));
        self.room
            .attach(self.seat, Attachment { link, transport })
            .await;
        Ok((answer, events))
    }

    /// Has the room told of a transport's events, for as long as the transport lives: it may
    /// outlive this session.
    pub(in crate::signaling) fn follow(&self, mut events: TransportEvents) {
        let (room, participant) = (self.room.clone(), self.seat.participant);
        let passing_on = async move {
            while let Some(event) = events.told.recv().await {
                room.transport(participant, events.transport, event).await;
            }
        };
        tokio::spawn(passing_on.in_current_span());
    }
}
