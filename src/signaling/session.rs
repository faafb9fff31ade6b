//! The state of one conversation: not yet in a room, or seated in one.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tracing::{Instrument, Span, debug, field, info_span};

use super::Venue;
use super::line::Line;
use super::message::{ClientMessage, ErrorCode, Join, RequestId, ServerMessage, VERSION};
use super::moderation::wish;
use super::names::{DisplayName, RoomName};
use super::refusal::{Refusal, not_joined, refusal};
use crate::access::Capabilities;
use crate::limits::{Allowance, Caller, Excess, Limits, Refusal as Refused};
use crate::link::Link;
use crate::room::{
    Actor, Attachment, Client, Entry, JoinRequest, Part, RoomHandle, SeatId, Seated, StatusChange,
    Ticket,
};
use crate::rtc::{Candidate, Offer, OfferError, Rtc, Transport, TransportEvent, TransportId};

/// The longest text a request id may be, in bytes.
const MAX_ID_BYTES: usize = 64;

/// Candidates and states of one transport that may wait.
const TRANSPORT_EVENTS: usize = 64;

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

#[derive(Debug)]
pub(super) struct SeatedSession {
    pub(super) room: RoomHandle,
    pub(super) seat: SeatId,
    pub(super) room_start: Instant,
    pub(super) transport: Option<Arc<Transport>>,
    pub(super) can: Capabilities,
}

/// Somebody has to let the client in.
#[derive(Debug)]
struct WaitingSession {
    room: RoomHandle,
    ticket: Ticket,
    admitted: oneshot::Receiver<Seated>,
}

/// What happens to one transport.
#[derive(Debug)]
pub(super) struct TransportEvents {
    transport: TransportId,
    told: mpsc::Receiver<TransportEvent>,
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
            self.venue.rooms.count_refusal(refusal.code);
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
                self.line.say(ServerMessage::Done { id });
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
                    waiting.room.withdraw(waiting.ticket).await;
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

    async fn join(&mut self, join: Join) -> Result<(), Refusal> {
        if self.left {
            return Err(refusal(ErrorCode::NotJoined, "this session has left"));
        }
        if self.seated.is_some() || self.waiting.is_some() {
            return Err(refusal(
                ErrorCode::AlreadyJoined,
                "this session has a seat already",
            ));
        }
        if join.version != VERSION {
            let message = format!("version is {}, expected {VERSION}", join.version);
            return Err(refusal(ErrorCode::BadVersion, message));
        }
        let room = RoomName::parse(&join.room).ok_or_else(|| {
            refusal(
                ErrorCode::BadRoom,
                "a room's name is 1 to 64 of A-Z a-z 0-9 . _ -",
            )
        })?;
        let name = DisplayName::parse(&join.name).ok_or_else(|| {
            refusal(
                ErrorCode::BadName,
                "a name is at most 64 characters, none of them control",
            )
        })?;
        let credential = join.auth.as_deref().or(self.caller.credential.as_deref());
        let access = &self.venue.access;
        let (grant, permit) = match &join.token {
            // A seat that is taken back has what it had.
            Some(_) => (access.readmit(credential, &room)?, None),
            None => (
                access.admit(credential, &room)?,
                self.venue.seat_permit(self.caller.address)?,
            ),
        };
        let request = JoinRequest {
            id: join.id,
            name,
            grant,
            part: Part::InSession,
            token: join.token,
            permit,
            line: self.line.clone(),
        };
        let (handle, entry) = self.venue.rooms.join(&room, request).await?;
        self.span.record("room", field::display(&room));
        match entry {
            Entry::Seated(seated) => self.sit(handle, seated),
            Entry::Waiting { ticket, admitted } => {
                self.waiting = Some(WaitingSession {
                    room: handle,
                    ticket,
                    admitted,
                });
            }
        }
        Ok(())
    }

    fn sit(&mut self, room: RoomHandle, seated: Seated) {
        let participant = seated.seat.participant;
        self.span.record("participant", field::display(participant));
        self.seated = Some(SeatedSession {
            room,
            seat: seated.seat,
            room_start: seated.room_start,
            transport: seated.transport,
            can: seated.can,
        });
    }

    /// Takes the seat that somebody may have given meanwhile. The room gives it before it says so,
    /// so that whatever a client asks for after its `joined` finds it here.
    fn come_in_if_admitted(&mut self) {
        let Some(mut waiting) = self.waiting.take() else {
            return;
        };
        match waiting.admitted.try_recv() {
            Ok(seated) => self.sit(waiting.room, seated),
            Err(oneshot::error::TryRecvError::Empty) => self.waiting = Some(waiting),
            // Refused: this session may ask again, or elsewhere.
            Err(oneshot::error::TryRecvError::Closed) => {}
        }
    }

    async fn offer(&mut self, id: Option<RequestId>, sdp: String) -> Result<(), Refusal> {
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

    async fn candidate(&mut self, candidate: Candidate) -> Result<(), Refusal> {
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

    fn seated(&self) -> Result<&SeatedSession, Refusal> {
        self.seated.as_ref().ok_or_else(not_joined)
    }
}

impl Drop for Session {
    /// The client is gone for good, or the session's task has panicked.
    fn drop(&mut self) {
        if let Some(mut waiting) = self.waiting.take() {
            waiting.admitted.close();
            match waiting.admitted.try_recv() {
                Ok(seated) => waiting.room.hang_up(seated.seat),
                Err(_) => waiting.room.hang_up_waiting(waiting.ticket),
            }
        }
        if let Some(seated) = self.seated.take() {
            seated.room.hang_up(seated.seat);
        }
    }
}

impl SeatedSession {
    /// Makes a new transport, in place of one that the seat may have had: our answer, and what
    /// happens to the transport from now on.
    pub(super) async fn connect(
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
    pub(super) fn follow(&self, mut events: TransportEvents) {
        let (room, participant) = (self.room.clone(), self.seat.participant);
        let passing_on = async move {
            while let Some(event) = events.told.recv().await {
                room.transport(participant, events.transport, event).await;
            }
        };
        tokio::spawn(passing_on.in_current_span());
    }
}

/// Reads one message, with its id as far as it can be read even when the rest cannot.
pub(super) fn parse(text: &str) -> Result<ClientMessage, (Option<RequestId>, Refusal)> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| (None, refusal(ErrorCode::BadJson, error.to_string())))?;
    let id = value
        .get("id")
        .and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    let id = match id {
        Some(RequestId::Text(text)) if text.len() > MAX_ID_BYTES => {
            let message = format!(
                "id has {} bytes, expected at most {MAX_ID_BYTES}",
                text.len()
            );
            return Err((None, refusal(ErrorCode::BadMessage, message)));
        }
        id => id,
    };
    let Some(kind) = value.get("type").and_then(Value::as_str) else {
        return Err((
            id,
            refusal(ErrorCode::BadMessage, "a message is an object with a type"),
        ));
    };
    if !TYPES.contains(&kind) {
        let message = format!("the type is unknown, expected one of {}", TYPES.join(", "));
        return Err((id, refusal(ErrorCode::UnknownType, message)));
    }
    serde_json::from_value(value)
        .map_err(|error| (id, refusal(ErrorCode::BadMessage, error.to_string())))
}

/// The types a client may send.
const TYPES: [&str; 10] = [
    "join",
    "resume",
    "offer",
    "candidate",
    "status",
    "prefer",
    "moderate",
    "chat",
    "leave",
    "ping",
];

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use super::super::line::{LineEnd, line};
    use super::super::tests::{rooms, transports, venue};
    use super::*;
    use crate::room::Rooms;
    use crate::rtc::MediaPorts;

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

    #[test]
    fn messages_that_make_no_sense_are_refused_by_code() {
        let long_id = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(65));
        let rows = [
            ("", ErrorCode::BadJson),
            ("hello", ErrorCode::BadJson),
            ("[]", ErrorCode::BadMessage),
            ("7", ErrorCode::BadMessage),
            (r#"{"id":1}"#, ErrorCode::BadMessage),
            (r#"{"type":"dance"}"#, ErrorCode::UnknownType),
            (r#"{"type":"join","version":1}"#, ErrorCode::BadMessage),
            (
                r#"{"type":"join","version":"1","room":"a"}"#,
                ErrorCode::BadMessage,
            ),
            (r#"{"type":"offer","sdp":7}"#, ErrorCode::BadMessage),
            (
                r#"{"type":"prefer","layout":"spiral"}"#,
                ErrorCode::BadMessage,
            ),
            (r#"{"type":"prefer","max_kbps":-1}"#, ErrorCode::BadMessage),
            (&long_id, ErrorCode::BadMessage),
            (&"[".repeat(10_000), ErrorCode::BadJson),
        ];

        for (text, code) in rows {
            let (_, refusal) = parse(text).unwrap_err();
            assert_eq!(refusal.code, code, "{}", &text[..text.len().min(60)]);
        }
    }

    #[test]
    fn a_message_that_cannot_be_read_still_gives_its_id_back() {
        let (id, _) = parse(r#"{"type":"join","id":7}"#).err().unwrap();
        assert_eq!(id, Some(RequestId::Number(7)));

        let (id, _) = parse(r#"{"type":"dance","id":"a"}"#).err().unwrap();
        assert_eq!(id, Some(RequestId::Text("a".to_owned())));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let message = parse(r#"{"type":"ping","id":1,"later":{"x":[]}}"#);

        assert!(matches!(
            message,
            Ok(ClientMessage::Ping {
                id: Some(RequestId::Number(1)),
                after: None
            })
        ));
    }
}
