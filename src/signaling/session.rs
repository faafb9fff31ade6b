//! The state of one conversation: not yet in a room, waiting to be let in, or seated.
//!
//! What becomes of a `join` is in [`entry`], offers and candidates are in [`media`].

mod entry;
mod media;

use std::sync::Arc;
use std::time::Instant;

use tracing::{Instrument, Span, debug, field, info_span};

use super::Venue;
use super::line::Line;
use super::message::{ClientMessage, ErrorCode, RequestId, ServerMessage};
use super::moderation::wish;
use super::reading::parse;
use super::refusal::{Refusal, not_joined, refusal};
use crate::limits::{Allowance, Caller, Excess, Limits, Refusal as Refused};
use crate::room::{Actor, Client, StatusChange};
use entry::WaitingSession;

pub(super) use media::SeatedSession;

/// One conversation. Everything it has to say goes to its line. When it is dropped, for whatever
/// reason, a seat that was not given up is held for a while.
#[derive(Debug)]
pub(crate) struct Session {
    venue: Venue,
    caller: Caller,
    allowance: Allowance,
    line: Line,
    seated: Option<SeatedSession>,
    waiting: Option<WaitingSession>,
    /// After a leave the carrier closes; whatever was said behind it comes too late.
    left: bool,
    span: Span,
}

impl Session {
    pub(crate) fn new(venue: Venue, caller: Caller, line: Line) -> Self {
        let allowance = Allowance::new(Arc::clone(&venue.limiter), Instant::now());
        let span = info_span!("session", room = field::Empty, participant = field::Empty);
        Self {
            venue,
            caller,
            allowance,
            line,
            seated: None,
            waiting: None,
            left: false,
            span,
        }
    }

    /// Takes one message of the client; gives the last event that the client says it has seen, if
    /// it says so.
    pub(crate) async fn hear(&mut self, text: &str) -> Option<u64> {
        let mut seen = None;
        let (id, heard) = match self.read(text) {
            Ok(message) => {
                let id = message.id().cloned();
                if let ClientMessage::Ping { after, .. } = message {
                    seen = after;
                }
                let span = self.span.clone();
                (id, self.obey(message).instrument(span).await)
            }
            Err((id, refusal)) => (id, Err(refusal)),
        };
        if let Err(refusal) = heard {
            debug!(parent: &self.span, ?refusal, "refused");
            self.venue.limiter.counters().count_code(refusal.code);
            self.line.say(ServerMessage::Error(refusal.answer(id)));
        }
        seen
    }

    /// What its client may ask for.
    pub(super) fn limits(&self) -> &Limits {
        self.venue.limiter.limits()
    }

    /// Counts something that was refused, but not in words.
    pub(super) fn count(&self, refused: Refused) {
        self.venue.limiter.counters().count(refused);
    }

    /// Whether there is a seat, or a place among those who wait for one, after a look at what has
    /// become of the latter.
    pub(super) fn finds_its_place(&mut self) -> bool {
        self.come_in_if_admitted();
        self.has_a_place()
    }

    /// Whether there is a seat to come back to, or a place among those who wait for one.
    pub(super) const fn has_a_place(&self) -> bool {
        self.seated.is_some() || self.waiting.is_some()
    }

    /// The client is away, or here again.
    pub(super) async fn follow_client(&mut self, client: Client) {
        self.come_in_if_admitted();
        if let Some(seated) = &self.seated {
            seated.room.follow_client(seated.seat, client).await;
        }
    }

    /// Reads one message, unless it comes too soon or is too long.
    fn read(&mut self, text: &str) -> Result<ClientMessage, (Option<RequestId>, Refusal)> {
        match self.allowance.message(text.len(), Instant::now()) {
            Ok(()) => parse(text),
            Err(excess @ Excess::Message { .. }) => Err((None, excess.into())),
            Err(excess) => {
                let id = match parse(text) {
                    Ok(message) => message.id().cloned(),
                    Err((id, _)) => id,
                };
                Err((id, excess.into()))
            }
        }
    }

    async fn obey(&mut self, message: ClientMessage) -> Result<(), Refusal> {
        self.come_in_if_admitted();
        match message {
            ClientMessage::Join(join) => self.join(join).await?,
            ClientMessage::Offer { id, sdp } => self.offer(id, sdp).await?,
            ClientMessage::Candidate { candidate, .. } => self.candidate(candidate).await?,
            ClientMessage::Status {
                muted,
                camera,
                hand,
                ..
            } => {
                let seated = self.seated()?;
                let change = StatusChange {
                    muted,
                    camera,
                    hand,
                };
                seated.room.status(seated.seat, change).await?;
            }
            ClientMessage::Prefer(prefer) => {
                let seated = self.seated()?;
                seated.room.wish(seated.seat, wish(&prefer)?).await?;
            }
            ClientMessage::Moderate(moderate) => {
                let SeatedSession { room, seat, .. } = self.seated()?;
                let actor = Actor::Seat(*seat);
                room.moderate(actor, moderate.act, moderate.id).await?;
            }
            ClientMessage::Chat { id, text } => {
                let seated = self.seated()?;
                seated.room.chat(seated.seat, text).await?;
                let kept_out = None;
                self.line.say(ServerMessage::Done { id, kept_out });
            }
            ClientMessage::Resume(_) => {
                return Err(refusal(
                    ErrorCode::BadResume,
                    "resume comes before all else over a carrier",
                ));
            }
            ClientMessage::Ping { id, .. } => self.line.say(ServerMessage::Pong { id }),
            ClientMessage::Leave { id } => {
                if let Some(waiting) = self.waiting.take() {
                    waiting.withdraw().await;
                } else {
                    let seated = self.seated.take().ok_or_else(not_joined)?;
                    seated.room.leave(seated.seat).await;
                }
                self.left = true;
                self.line.say(ServerMessage::Left { id });
            }
        }
        Ok(())
    }

    fn seated(&self) -> Result<&SeatedSession, Refusal> {
        self.seated.as_ref().ok_or_else(not_joined)
    }
}

impl Drop for Session {
    /// The client is gone for good, or the session's task has panicked.
    fn drop(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            waiting.hang_up();
        }
        if let Some(seated) = self.seated.take() {
            seated.room.hang_up(seated.seat);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use super::super::line::{LineEnd, line};
    use super::super::tests::{rooms, transports, venue};
    use super::*;
    use crate::room::Rooms;
    use crate::rtc::{MediaPorts, Rtc};

    async fn joined(rooms: &Arc<Rooms>, rtc: &Rtc) -> (Session, LineEnd) {
        let (said, end) = line();
        let mut session = Session::new(venue(rooms, rtc), Caller::default(), said);
        session
            .hear(r#"{"type":"join","version":1,"room":"demo"}"#)
            .await;
        (session, end)
    }

    #[tokio::test]
    async fn a_session_whose_task_panics_hangs_up() {
        let (rooms, rtc) = (rooms(), transports(MediaPorts::Shared(0)));
        let (_ann, mut heard) = joined(&rooms, &rtc).await;
        let (bob, _end) = joined(&rooms, &rtc).await;

        let task = tokio::spawn(async move {
            let _bob = bob;
            panic!("told to");
        });
        assert!(task.await.unwrap_err().is_panic());

        loop {
            if let ServerMessage::Participant { participant } = heard.next().await
                && participant.absent
            {
                assert_eq!(participant.id, "p2");
                break;
            }
        }
    }

    #[tokio::test]
    async fn an_offer_that_fails_for_our_own_reasons_is_not_blamed_on_it() {
        let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let (rooms, rtc) = (rooms(), transports(MediaPorts::Each(port..=port)));
        let (mut session, mut heard) = joined(&rooms, &rtc).await;
        let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
                   m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";
        let offer = serde_json::json!({"type": "offer", "id": 7, "sdp": sdp});

        session.hear(&offer.to_string()).await;

        loop {
            if let ServerMessage::Error(error) = heard.next().await {
                assert_eq!(
                    (error.id, error.code),
                    (Some(RequestId::Number(7)), ErrorCode::Internal)
                );
                break;
            }
        }
    }
}
