//! One room: an actor that knows who sits where, and starts and stops what mixes for them.
//!
//! Sessions talk to it through a [`RoomHandle`]. The actor holds the seats ([`seats`]), tells
//! everybody what changes, and hands links to the media threads ([`media`]). It never touches
//! media itself. A room ends when its last seat is gone.

mod audio_thread;
mod media;
mod rooms;
mod schedule;
mod seats;
mod video_thread;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mixer::ParticipantId;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, info_span};

pub(crate) use media::MediaConfig;
pub(crate) use rooms::{EnterError, Rooms};
pub(crate) use seats::{JoinError, SeatId, StatusChange};

use crate::link::Link;
use crate::rtc::{Transport, TransportEvent, TransportId};
use crate::signaling::message::{
    ByeReason, Canvas, Joined, Layout, LayoutCanvas, LeaveReason, RequestId, ServerMessage, Tile,
    VERSION,
};
use crate::signaling::{DisplayName, Line, PING_INTERVAL};
use media::{Media, News};
use seats::{Entered, Seats};

/// Requests that may wait for the actor.
const COMMANDS: usize = 256;

/// How often the actor looks for seats to give up.
const SEAT_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// What a room is like. Checked before the first one is made.
#[derive(Clone, Debug)]
pub(crate) struct RoomConfig {
    /// How long the seat of somebody absent is held.
    pub(crate) seat_hold: Duration,
    /// The most seats, 1 to 49.
    pub(crate) max_participants: usize,
    /// What is mixed.
    pub(crate) media: MediaConfig,
}

/// Who wants a seat.
#[derive(Clone, Debug)]
pub(crate) struct JoinRequest {
    /// Echoed in the reply.
    pub(crate) id: Option<RequestId>,
    pub(crate) name: DisplayName,
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

#[derive(Debug)]
enum Command {
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
}

/// The room ended before it could answer.
#[derive(Debug)]
pub(crate) struct RoomEnded;

impl RoomHandle {
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

    /// Gives the seat up; resolves when that is done and nothing more will be said to it.
    pub(crate) async fn leave(&self, seat: SeatId) {
        let (done, when_done) = oneshot::channel();
        self.tell(Command::Leave { seat, done }).await;
        // An error means that the room has ended: then the seat is gone as well.
        let _ = when_done.await;
    }

    /// Says that the session ended without a word. The seat is held for a while.
    pub(crate) async fn hang_up(&self, seat: SeatId) {
        self.tell(Command::HangUp { seat }).await;
    }

    async fn tell(&self, command: Command) {
        // A room that has ended has no seats to tell about.
        let _ = self.commands.send(command).await;
    }
}

/// The actor's state.
struct Room {
    name: String,
    config: RoomConfig,
    start: Instant,
    seats: Seats,
    media: Media,
}

/// Starts a room. It ends by itself when it is empty after its first request.
fn open(name: String, config: RoomConfig, pool: Arc<rayon::ThreadPool>) -> RoomHandle {
    let (sender, commands) = mpsc::channel(COMMANDS);
    let start = Instant::now();
    let room = Room {
        seats: Seats::new(config.max_participants, config.seat_hold),
        media: Media::new(config.media.clone(), start, pool),
        name,
        config,
        start,
    };
    let span = info_span!("room", name = %room.name);
    tokio::spawn(tracing::Instrument::instrument(room.run(commands), span));
    RoomHandle { commands: sender }
}

impl Room {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        info!("room opened");
        let mut checks = tokio::time::interval(SEAT_CHECK_INTERVAL);
        if let Some(command) = commands.recv().await {
            self.obey(command);
        }
        while !self.seats.is_empty() {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                _ = checks.tick() => self.give_up_seats(),
                news = self.media.news() => self.tell_all(&self.message(&news)),
            }
        }
        // Whoever joins from here on is told that this room ended, and opens the next.
        commands.close();
        info!("room closed");
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Join { request, reply } => {
                let _ = reply.send(self.join(request));
            }
            Command::Attach { seat, attachment } => self.attach(seat, attachment),
            Command::Transport {
                participant,
                transport,
                event,
            } => {
                self.follow_transport(participant, transport, event);
            }
            Command::Status { seat, change } => {
                let changed = self.seats.status(seat, change);
                self.tell_if(seat.participant, changed);
            }
            Command::Leave { seat, done } => {
                if self.seats.leave(seat) {
                    self.forget(seat.participant, LeaveReason::Left);
                }
                let _ = done.send(());
            }
            Command::HangUp { seat } => {
                let changed = self.seats.hang_up(seat, Instant::now());
                self.tell_if(seat.participant, changed);
            }
        }
    }

    fn join(&mut self, request: JoinRequest) -> Result<Seated, JoinError> {
        let JoinRequest {
            id,
            name,
            token,
            line,
        } = request;
        let Entered {
            seat,
            token,
            displaced,
            transport,
        } = self
            .seats
            .join(name, token.as_deref(), line.clone(), Instant::now())?;
        if let Some(displaced) = displaced {
            displaced.close(ByeReason::Taken);
        }
        info!(participant = %seat.participant, "joined");
        self.media.join(seat.participant);

        line.say(ServerMessage::Joined(self.greeting(id, seat, token)));
        for news in self.media.latest() {
            line.say(self.message(&news));
        }
        let arrival = self.seats.participant(seat.participant);
        if let Some(participant) = arrival {
            let message = ServerMessage::Participant { participant };
            self.tell_others(seat.participant, &message);
        }
        Ok(Seated {
            seat,
            room_start: self.start,
            transport,
        })
    }

    fn greeting(&self, id: Option<RequestId>, seat: SeatId, token: String) -> Joined {
        let MediaConfig { size, fps, .. } = self.config.media;
        Joined {
            id,
            version: VERSION,
            participant: seat.participant.to_string(),
            token,
            room: self.name.clone(),
            ice_servers: Vec::new(),
            ping_interval_ms: to_ms(PING_INTERVAL),
            seat_ms: to_ms(self.config.seat_hold),
            max_participants: self.config.max_participants,
            canvas: Canvas {
                width: size.width(),
                height: size.height(),
                fps,
            },
            participants: self.seats.participants(),
        }
    }

    fn attach(&mut self, seat: SeatId, attachment: Attachment) {
        let link = Arc::clone(&attachment.link);
        let (hears, sees) = (attachment.transport.hears(), attachment.transport.sees());
        if !self.seats.attach(seat, attachment.transport) {
            return;
        }
        let everybody: Vec<ParticipantId> = self.seats.ids().collect();
        self.media.start(&everybody);
        self.media.detach(seat.participant);
        self.media.attach(seat.participant, link, hears, sees);
        self.media_follows(seat.participant);
    }

    fn follow_transport(
        &mut self,
        participant: ParticipantId,
        transport: TransportId,
        event: TransportEvent,
    ) {
        match event {
            TransportEvent::Candidate(candidate) => {
                if let Some(line) = self.seats.line_of(participant, transport) {
                    line.say(ServerMessage::Candidate { candidate });
                }
            }
            TransportEvent::State(state) => {
                let changed = self
                    .seats
                    .transport(participant, transport, state, Instant::now());
                self.tell_if(participant, changed);
            }
        }
    }

    fn give_up_seats(&mut self) {
        for (participant, line) in self.seats.expire(Instant::now()) {
            if let Some(line) = line {
                line.close(ByeReason::Gone);
            }
            self.forget(participant, LeaveReason::Gone);
        }
    }

    fn forget(&mut self, participant: ParticipantId, reason: LeaveReason) {
        info!(%participant, ?reason, "left");
        self.media.leave(participant);
        let message = ServerMessage::ParticipantLeft {
            participant: participant.to_string(),
            reason,
        };
        self.tell_all(&message);
    }

    fn tell_if(&mut self, participant: ParticipantId, changed: bool) {
        if changed {
            self.media_follows(participant);
            self.tell_participant(participant);
        }
    }

    fn media_follows(&self, participant: ParticipantId) {
        if let Some(status) = self.seats.participant(participant) {
            self.media.status(participant, &status);
        }
    }

    fn tell_participant(&self, participant: ParticipantId) {
        if let Some(participant) = self.seats.participant(participant) {
            self.tell_all(&ServerMessage::Participant { participant });
        }
    }

    fn tell_all(&self, message: &ServerMessage) {
        for line in self.seats.lines() {
            line.say(message.clone());
        }
    }

    fn tell_others(&self, except: ParticipantId, message: &ServerMessage) {
        for id in self.seats.ids().filter(|id| *id != except) {
            if let Some(line) = self.seats.line(id) {
                line.say(message.clone());
            }
        }
    }

    fn message(&self, news: &News) -> ServerMessage {
        match news {
            News::Speaker(speaker) => ServerMessage::Speaker {
                participant: speaker.map(|speaker| speaker.to_string()),
            },
            News::Layout(layout) => {
                let size = self.config.media.size;
                let tiles = layout.tiles().iter().map(|(participant, region)| Tile {
                    participant: participant.to_string(),
                    left: region.left(),
                    top: region.top(),
                    width: region.size().width(),
                    height: region.size().height(),
                });
                ServerMessage::Layout(Layout {
                    canvas: LayoutCanvas {
                        width: size.width(),
                        height: size.height(),
                    },
                    tiles: tiles.collect(),
                })
            }
        }
    }
}

fn to_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
