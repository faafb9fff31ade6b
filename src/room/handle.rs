//! The way to talk to a room: requests go to its actor, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use mixer::ParticipantId;
use mixer::ladder::Wish;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::seats::{JoinError, Part, SeatId, StatusChange};
use crate::access::Grant;
use crate::link::Link;
use crate::rtc::{Transport, TransportEvent, TransportId};
use crate::signaling::message::RequestId;
use crate::signaling::{DisplayName, Line};

/// Who wants a seat.
#[derive(Clone, Debug)]
pub(crate) struct JoinRequest {
    /// Echoed in the reply.
    pub(crate) id: Option<RequestId>,
    pub(crate) name: DisplayName,
    /// What they were let in as.
    #[expect(dead_code, reason = "rooms have no roles yet")]
    pub(crate) grant: Grant,
    /// How they take part.
    pub(crate) part: Part,
    /// For a seat to take back.
    pub(crate) token: Option<String>,
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
        reply: oneshot::Sender<Result<Seated, JoinError>>,
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
    },
    Wish {
        seat: SeatId,
        wish: Wish,
    },
    Leave {
        seat: SeatId,
        done: oneshot::Sender<()>,
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
    pub(super) fn seats_taken(&self) -> usize {
        self.seats_taken.load(Ordering::Relaxed)
    }

    /// Whether the room has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    /// Takes a seat. The room says `joined` on the request's line, then all that happens.
    ///
    /// # Errors
    ///
    /// [`RoomEnded`], or what the room has against it.
    pub(crate) async fn join(
        &self,
        request: JoinRequest,
    ) -> Result<Result<Seated, JoinError>, RoomEnded> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Join { request, reply };
        self.commands.send(command).await.map_err(|_| RoomEnded)?;
        answer.await.map_err(|_| RoomEnded)
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

    /// Says that the participant muted or unmuted, or turned the camera on or off.
    pub(crate) async fn status(&self, seat: SeatId, change: StatusChange) {
        self.tell(Command::Status { seat, change }).await;
    }

    /// Says what the participant would rather get.
    pub(crate) async fn wish(&self, seat: SeatId, wish: Wish) {
        self.tell(Command::Wish { seat, wish }).await;
    }

    /// Gives the seat up; resolves when that is done and nothing more will be said to it.
    pub(crate) async fn leave(&self, seat: SeatId) {
        let (done, when_done) = oneshot::channel();
        self.tell(Command::Leave { seat, done }).await;
        // An error means that the room has ended: then the seat is gone as well.
        let _ = when_done.await;
    }

    /// Says that the session ended without a word. The seat is held for a while. Does not wait, so
    /// that it can be said even by a session that is being dropped.
    pub(crate) fn hang_up(&self, seat: SeatId) {
        let Err(TrySendError::Full(command)) = self.commands.try_send(Command::HangUp { seat })
        else {
            return;
        };
        let room = self.clone();
        // Without a runtime the process is about to end, and the room with it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { room.tell(command).await });
        }
    }

    async fn tell(&self, command: Command) {
        // A room that has ended has no seats to tell about.
        let _ = self.commands.send(command).await;
    }
}
