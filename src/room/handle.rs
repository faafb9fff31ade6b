//! The way to talk to a room: requests go to its actor, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use codecs::video::I420;
use mixer::ParticipantId;
use mixer::ladder::Wish;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::description::RoomDescription;
use super::entrance::JoinError;
use super::lobby::Ticket;
use super::moderation::{ActError, Acted, Actor};
use super::seats::{Client, Part, SeatId, StatusChange};
use crate::access::{Capabilities, Grant};
use crate::limits::Permit;
use crate::link::Link;
use crate::rtc::{Transport, TransportEvent, TransportId};
use crate::signaling::message::{Act, RequestId};
use crate::signaling::{DisplayName, Line};

/// Who wants a seat.
#[derive(Clone, Debug)]
pub(crate) struct JoinRequest {
    /// Echoed in the reply.
    pub(crate) id: Option<RequestId>,
    pub(crate) name: DisplayName,
    /// What they were let in as.
    pub(crate) grant: Grant,
    /// How they take part.
    pub(crate) part: Part,
    /// For a seat to take back.
    pub(crate) token: Option<String>,
    /// Held by the seat for as long as it is there; `None`: a seat taken back keeps what it has.
    pub(crate) permit: Option<Arc<Permit>>,
    /// Where the room says what happens, from the reply on.
    pub(crate) line: Line,
}

/// What one gets for joining.
#[derive(Debug)]
pub(crate) struct Seated {
    pub(crate) seat: SeatId,
    /// When the room's time began.
    pub(crate) room_start: Instant,
    /// What an earlier session of the seat left running.
    pub(crate) transport: Option<Arc<Transport>>,
    /// What they may do.
    pub(crate) can: Capabilities,
}

/// What became of a join.
#[derive(Debug)]
pub(crate) enum Entry {
    Seated(Seated),
    /// Somebody has to let them in first. Their seat comes before the `joined` that tells of it.
    Waiting {
        ticket: Ticket,
        admitted: oneshot::Receiver<Seated>,
    },
}

/// A transport with what it needs to be mixed.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) link: Arc<Link>,
    pub(crate) transport: Arc<Transport>,
}

/// What the actor is asked.
#[derive(Debug)]
pub(super) enum Command {
    Join {
        request: JoinRequest,
        reply: oneshot::Sender<Result<Entry, JoinError>>,
    },
    Attach {
        seat: SeatId,
        attachment: Attachment,
    },
    Transport {
        participant: ParticipantId,
        transport: TransportId,
        event: TransportEvent,
    },
    Status {
        seat: SeatId,
        change: StatusChange,
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    Wish {
        seat: SeatId,
        wish: Wish,
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    Moderate {
        actor: Actor,
        act: Act,
        id: Option<RequestId>,
        reply: oneshot::Sender<Result<Acted, ActError>>,
    },
    Chat {
        seat: SeatId,
        text: String,
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    Announce {
        text: String,
        reply: oneshot::Sender<Result<(), ActError>>,
    },
    Resize {
        max_participants: usize,
        reply: oneshot::Sender<()>,
    },
    Describe {
        reply: oneshot::Sender<RoomDescription>,
    },
    Snapshot {
        reply: oneshot::Sender<I420>,
    },
    Withdraw {
        ticket: Ticket,
        done: oneshot::Sender<()>,
    },
    HangUpWaiting {
        ticket: Ticket,
    },
    Leave {
        seat: SeatId,
        done: oneshot::Sender<()>,
    },
    Client {
        seat: SeatId,
        client: Client,
    },
    HangUp {
        seat: SeatId,
    },
}

/// A way to talk to a room. It may have ended: then requests go nowhere, and joining says so.
#[derive(Clone, Debug)]
pub(crate) struct RoomHandle {
    commands: mpsc::Sender<Command>,
    seats_taken: Arc<AtomicUsize>,
}

/// The room ended before it could answer.
#[derive(Debug)]
pub(crate) struct RoomEnded;

impl RoomHandle {
    /// A way to whoever listens at the other end of `commands`, and keeps `seats_taken` true.
    pub(super) fn new(commands: mpsc::Sender<Command>, seats_taken: Arc<AtomicUsize>) -> Self {
        Self {
            commands,
            seats_taken,
        }
    }

    /// Seats taken, those held for the absent included.
    pub(crate) fn seats_taken(&self) -> usize {
        self.seats_taken.load(Ordering::Relaxed)
    }

    /// Whether the room has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    /// Takes a seat, or a place among those who wait for one. The room says `joined` or `waiting` on
    /// the request's line, then all that happens.
    ///
    /// # Errors
    ///
    /// [`RoomEnded`], or what the room has against it.
    pub(crate) async fn join(
        &self,
        request: JoinRequest,
    ) -> Result<Result<Entry, JoinError>, RoomEnded> {
        self.ask(|reply| Command::Join { request, reply }).await
    }

    /// Does what a moderator, or whoever runs the server, asks for, and says what came of it. A
    /// moderator is told so as well, by `done` with `id`, before a `bye` that follows from it.
    ///
    /// # Errors
    ///
    /// [`ActError`]: nothing was done.
    pub(crate) async fn moderate(
        &self,
        actor: Actor,
        act: Act,
        id: Option<RequestId>,
    ) -> Result<Acted, ActError> {
        let make = |reply| Command::Moderate {
            actor,
            act,
            id,
            reply,
        };
        self.ask(make).await.unwrap_or(Err(ActError::NoRoom))
    }

    /// Writes to everybody.
    ///
    /// # Errors
    ///
    /// [`ActError::BadText`], [`ActError::TooFast`], or that there is no such seat.
    pub(crate) async fn chat(&self, seat: SeatId, text: String) -> Result<(), ActError> {
        let make = |reply| Command::Chat { seat, text, reply };
        self.ask(make).await.unwrap_or(Err(ActError::NoRoom))
    }

    /// Writes to everybody as whoever runs the server.
    ///
    /// # Errors
    ///
    /// [`ActError::BadText`], [`ActError::NoRoom`].
    pub(crate) async fn announce(&self, text: String) -> Result<(), ActError> {
        let make = |reply| Command::Announce { text, reply };
        self.ask(make).await.unwrap_or(Err(ActError::NoRoom))
    }

    /// Sets the most seats there can be, at most the server's setting. Whoever sits stays.
    ///
    /// # Errors
    ///
    /// [`RoomEnded`].
    pub(crate) async fn resize(&self, max_participants: usize) -> Result<(), RoomEnded> {
        let make = |reply| Command::Resize {
            max_participants,
            reply,
        };
        self.ask(make).await
    }

    /// What the room is like now.
    ///
    /// # Errors
    ///
    /// [`RoomEnded`].
    pub(crate) async fn describe(&self) -> Result<RoomDescription, RoomEnded> {
        self.ask(|reply| Command::Describe { reply }).await
    }

    /// The largest picture that somebody in the room gets, as it is now. `None`: there is none.
    pub(crate) async fn snapshot(&self) -> Option<I420> {
        self.ask(|reply| Command::Snapshot { reply }).await.ok()
    }

    /// Puts media into the room and takes the mix out.
    pub(crate) async fn attach(&self, seat: SeatId, attachment: Attachment) {
        self.tell(Command::Attach { seat, attachment }).await;
    }

    /// Says what happened to a participant's transport.
    pub(crate) async fn transport(
        &self,
        participant: ParticipantId,
        transport: TransportId,
        event: TransportEvent,
    ) {
        self.tell(Command::Transport {
            participant,
            transport,
            event,
        })
        .await;
    }

    /// Says that the participant muted or unmuted, turned the camera on or off, or raised a hand.
    ///
    /// # Errors
    ///
    /// [`ActError::Held`] or [`ActError::NotGranted`] if it is not for them to do. The rest of the change is followed.
    pub(crate) async fn status(&self, seat: SeatId, change: StatusChange) -> Result<(), ActError> {
        let make = |reply| Command::Status {
            seat,
            change,
            reply,
        };
        self.ask(make).await.unwrap_or(Err(ActError::NoRoom))
    }

    /// Says what the participant would rather get.
    ///
    /// # Errors
    ///
    /// [`ActError::NoSuchParticipant`] or [`ActError::TooManyPins`] for whom they would see large.
    pub(crate) async fn wish(&self, seat: SeatId, wish: Wish) -> Result<(), ActError> {
        let make = |reply| Command::Wish { seat, wish, reply };
        self.ask(make).await.unwrap_or(Err(ActError::NoRoom))
    }

    /// Gives the seat up; resolves when that is done and nothing more will be said to it.
    pub(crate) async fn leave(&self, seat: SeatId) {
        let (done, when_done) = oneshot::channel();
        self.tell(Command::Leave { seat, done }).await;
        // An error means that the room has ended: then the seat is gone as well.
        let _ = when_done.await;
    }

    /// Says that the session lost its client, or has it back.
    pub(crate) async fn follow_client(&self, seat: SeatId, client: Client) {
        self.tell(Command::Client { seat, client }).await;
    }

    /// Gives a place among those who wait up; resolves when nothing more will be said to it.
    pub(crate) async fn withdraw(&self, ticket: Ticket) {
        let (done, when_done) = oneshot::channel();
        self.tell(Command::Withdraw { ticket, done }).await;
        let _ = when_done.await;
    }

    /// Says that the session ended without a word. The seat is held for a while. Does not wait, so
    /// that it can be said even by a session that is being dropped.
    pub(crate) fn hang_up(&self, seat: SeatId) {
        self.tell_soon(Command::HangUp { seat });
    }

    /// The same for a session that waits for a seat.
    pub(crate) fn hang_up_waiting(&self, ticket: Ticket) {
        self.tell_soon(Command::HangUpWaiting { ticket });
    }

    fn tell_soon(&self, command: Command) {
        let Err(TrySendError::Full(command)) = self.commands.try_send(command) else {
            return;
        };
        let room = self.clone();
        // Without a runtime the process is about to end, and the room with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { room.tell(command).await });
        }
    }

    async fn ask<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, RoomEnded> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(make(reply))
            .await
            .map_err(|_| RoomEnded)?;
        answer.await.map_err(|_| RoomEnded)
    }

    async fn tell(&self, command: Command) {
        // A room that has ended has no seats to tell about.
        let _ = self.commands.send(command).await;
    }
}
