//! One room: an actor that knows who sits where, and starts and stops what mixes for them.
//!
//! Sessions talk to it through a [`RoomHandle`]. The actor holds the seats ([`seats`]), tells
//! everybody what changes, and hands links to the media threads ([`media`]). It never touches
//! media itself. A room ends when its last seat is gone, or when its media fails again and again.

mod audio_path;
mod audio_thread;
mod encodings;
mod handle;
mod lateness;
mod lip_sync;
mod media;
mod restarts;
mod rooms;
mod schedule;
mod seats;
mod sight;
mod thinning;
mod uplink;
mod video_thread;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use codecs::video::VIDEO_CLOCK_HZ;
use mixer::ParticipantId;
use tokio::sync::mpsc;
use tracing::{error, info, info_span, warn};

pub(crate) use handle::{Attachment, JoinRequest, RoomHandle};
pub(crate) use media::MediaConfig;
pub(crate) use rooms::{Census, EnterError, Rooms};
pub(crate) use seats::{JoinError, Part, SeatId, StatusChange};

use crate::rtc::{TransportEvent, TransportId};
use crate::signaling::PING_INTERVAL;
use crate::signaling::message::{
    ByeReason, Canvas, Joined, LeaveReason, Notice, RequestId, ServerMessage, VERSION,
};
use handle::{Command, Seated};
use media::{Media, News, Started};
use restarts::Restarts;
use seats::{Connection, Entered, Seats, Wiring};
use sight::Sights;

/// Requests that may wait for the actor.
const COMMANDS: usize = 256;

/// How often the actor looks for seats to give up, and for whom nothing is heard of any more.
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

/// The actor's state.
struct Room {
    name: String,
    config: RoomConfig,
    start: Instant,
    seats: Seats,
    /// What the handles know of `seats`.
    seats_taken: Arc<AtomicUsize>,
    media: Media,
    restarts: Restarts,
    /// What participants were told of their pictures.
    told: Sights,
}

/// Whether the room can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mended {
    Yes,
    GivenUp,
}

/// Starts a room. It ends by itself when it is empty after its first request.
fn open(name: String, config: RoomConfig, pool: Arc<rayon::ThreadPool>) -> RoomHandle {
    let (sender, commands) = mpsc::channel(COMMANDS);
    let start = Instant::now();
    let seats_taken = Arc::new(AtomicUsize::new(0));
    let room = Room {
        seats: Seats::new(config.max_participants, config.seat_hold),
        seats_taken: Arc::clone(&seats_taken),
        media: Media::new(config.media.clone(), start, pool),
        restarts: Restarts::default(),
        told: Sights::new(),
        name,
        config,
        start,
    };
    let span = info_span!("room", name = %room.name);
    tokio::spawn(tracing::Instrument::instrument(room.run(commands), span));
    RoomHandle::new(sender, seats_taken)
}

impl Room {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        info!("room opened");
        let mut checks = tokio::time::interval(SEAT_CHECK_INTERVAL);
        if let Some(command) = commands.recv().await {
            self.obey(command);
        }
        while !self.seats.is_empty() {
            self.seats_taken.store(self.seats.len(), Ordering::Relaxed);
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                _ = checks.tick() => self.look_around(Instant::now()),
                news = self.media.news() => if self.follow_media(news) == Mended::GivenUp {
                    self.close_lines(ByeReason::Failed);
                    break;
                },
            }
        }
        // Whoever joins from here on is told that this room ended, and opens the next.
        commands.close();
        info!("room closed");
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Join { request, reply } => {
                // Whoever asked may be gone by now: then nobody has the seat's session.
                if let Err(Ok(Seated { seat, .. })) = reply.send(self.join(request)) {
                    self.hang_up(seat);
                }
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
            Command::Wish { seat, wish } => {
                if self.seats.set_wish(seat, wish) {
                    self.media_follows_wish(seat.participant);
                }
            }
            Command::Leave { seat, done } => {
                if self.seats.leave(seat) {
                    self.forget(seat.participant, LeaveReason::Left);
                }
                let _ = done.send(());
            }
            Command::HangUp { seat } => self.hang_up(seat),
        }
    }

    fn hang_up(&mut self, seat: SeatId) {
        let changed = self.seats.hang_up(seat, Instant::now());
        self.tell_if(seat.participant, changed);
    }

    fn join(&mut self, request: JoinRequest) -> Result<Seated, JoinError> {
        let JoinRequest {
            id,
            name,
            part,
            token,
            line,
            ..
        } = request;
        let is_new = token.is_none();
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
        if is_new {
            self.seats.set_part(seat, part);
        }
        self.show(seat.participant);

        line.say(ServerMessage::Joined(self.greeting(id, seat, token)));
        if let Some(speaker) = self.media.speaker() {
            line.say(speaker_message(speaker));
        }
        // Whoever takes a seat back may still have its transport, and so a picture.
        if let Some(sight) = self.told.get(&seat.participant) {
            for message in sight.messages(None, &self.config.media.ladder) {
                line.say(message);
            }
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
        let ladder = &self.config.media.ladder;
        let size = ladder.top().size;
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
                fps: VIDEO_CLOCK_HZ / ladder.top().pace.interval(),
            },
            participants: self.seats.participants(),
        }
    }

    fn attach(&mut self, seat: SeatId, attachment: Attachment) {
        let Attachment { link, transport } = attachment;
        let (hears, sees) = (transport.hears(), transport.sees());
        let wiring = Wiring { link, hears, sees };
        let connection = Connection::new(transport.id(), Some(transport), wiring);
        if self.seats.attach(seat, connection, Instant::now()) {
            self.mix(seat.participant);
        }
    }

    /// Has a participant's new transport mixed, which may be the first there is.
    fn mix(&mut self, participant: ParticipantId) {
        match self.media.start() {
            Started::Now => self.introduce_everybody(),
            Started::Before => {
                self.media.detach(participant);
                self.wire(participant);
                self.media_follows(participant);
            }
            Started::Failed => {}
        }
    }

    /// Gives a participant a tile, unless they only watch.
    fn show(&self, participant: ParticipantId) {
        if self.seats.is_shown(participant) {
            self.media.join(participant);
        }
    }

    /// Threads that were just started know of nobody.
    fn introduce_everybody(&self) {
        for participant in self.seats.ids() {
            self.show(participant);
            self.wire(participant);
            self.media_follows(participant);
        }
    }

    fn wire(&self, participant: ParticipantId) {
        if let Some(wiring) = self.seats.wiring(participant) {
            let wish = self.seats.wish(participant);
            self.media.attach(participant, wiring, wish);
        }
    }

    fn follow_media(&mut self, news: News) -> Mended {
        match news {
            News::Ended => return self.mend_media(Instant::now()),
            News::Thinned(participant) => {
                if let Some(line) = self.seats.line(participant) {
                    line.say(ServerMessage::Notice(Notice::source_thinned()));
                }
            }
            News::Speaker(speaker) => self.tell_all(&speaker_message(speaker)),
            News::Sights(sights) => self.tell_sights(sights),
        }
        Mended::Yes
    }

    /// Starts media anew after one of the threads has ended by itself. What participants send and
    /// receive goes on where it was, after a moment.
    fn mend_media(&mut self, now: Instant) -> Mended {
        self.media.stop();
        if !self.restarts.allow(now) {
            error!("media has failed again, the room is given up");
            return Mended::GivenUp;
        }
        error!("a media thread has failed, media begins anew");
        match self.media.start() {
            Started::Now => self.introduce_everybody(),
            Started::Before => {}
            Started::Failed => warn!("the room has no media until the next attempt"),
        }
        Mended::Yes
    }

    fn close_lines(&self, reason: ByeReason) {
        for line in self.seats.lines() {
            line.close(reason);
        }
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

    fn look_around(&mut self, now: Instant) {
        for participant in self.seats.look_around(now) {
            self.tell_if(participant, true);
        }
        for (participant, line) in self.seats.expire(now) {
            if let Some(line) = line {
                line.close(ByeReason::Gone);
            }
            self.forget(participant, LeaveReason::Gone);
        }
        self.retry_media(now);
    }

    /// Tries again where threads are wanted and could not be started.
    fn retry_media(&mut self, now: Instant) {
        let wanted = self.seats.ids().any(|id| self.seats.wiring(id).is_some());
        let retry = wanted && !self.media.is_running() && self.restarts.allow(now);
        if retry && self.media.start() == Started::Now {
            self.introduce_everybody();
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

    fn media_follows_wish(&self, participant: ParticipantId) {
        self.media.wish(participant, self.seats.wish(participant));
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

    fn tell_sights(&mut self, sights: Sights) {
        for (participant, sight) in &sights {
            let before = self.told.get(participant);
            for message in sight.messages(before, &self.config.media.ladder) {
                if let Some(line) = self.seats.line(*participant) {
                    line.say(message);
                }
            }
        }
        self.told = sights;
    }
}

fn speaker_message(speaker: Option<ParticipantId>) -> ServerMessage {
    ServerMessage::Speaker {
        participant: speaker.map(|speaker| speaker.to_string()),
    }
}

fn to_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
