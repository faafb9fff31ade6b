//! One room: an actor that knows who sits where, and starts and stops what mixes for them.
//!
//! Sessions talk to it through a [`RoomHandle`]. The actor holds the seats ([`seats`]), decides who
//! gets one ([`entrance`]), does what moderators ask for ([`moderation`]), tells everybody what
//! changes ([`telling`]), and hands links to the media threads ([`mixing`]). It never touches media
//! itself. A room ends when nobody has sat there for a while, when it is told to, or when its media
//! fails again and again.

mod audio_path;
mod audio_thread;
mod bans;
mod chat;
mod description;
mod encodings;
mod entrance;
mod events;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod handle;
mod house;
mod lateness;
mod lip_sync;
mod lobby;
mod media;
mod mixing;
mod moderation;
mod moment;
mod restarts;
mod rooms;
mod schedule;
mod seats;
mod sight;
#[cfg(any(test, feature = "fuzzing"))]
mod small;
mod telling;
mod thinning;
mod uplink;
mod video_thread;
mod viewer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mixer::ParticipantId;
use tokio::sync::mpsc;
use tracing::{info, info_span};

pub(crate) use description::{RoomDescription, Sitter};
pub(crate) use entrance::JoinError;
pub(crate) use events::{Events, Happening, Kept, Next, Reader, ServerEvent};
pub(crate) use handle::{Attachment, Entry, JoinRequest, RoomHandle, Seated};
pub use house::{HouseRules, Opening, SameIdentity};
pub(crate) use house::{RoomConfig, RoomSettings, Stay};
pub(crate) use lobby::Ticket;
pub(crate) use media::MediaConfig;
pub(crate) use moderation::{ActError, Acted, Actor};
pub(crate) use rooms::{Census, CreateError, EnterError, Rooms};
pub(crate) use seats::{Client, Part, SeatId, StatusChange};
#[cfg(test)]
pub(crate) use small::one_thread;

use crate::signaling::message::{
    ByeReason, ErrorCode, LeaveReason, PreferredLayout, ServerMessage,
};
use bans::Bans;
use chat::Chat;
use events::WaitEnd;
use handle::Command;
use lobby::Lobby;
use media::Media;
use mixing::Mended;
use moment::Moment;
use restarts::Restarts;
use seats::Seats;
use sight::Sights;

/// Requests that may wait for the actor.
const COMMANDS: usize = 256;

/// How often the actor looks for seats to give up, and for whom nothing is heard of any more.
const SEAT_CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// The actor's state.
struct Room {
    name: String,
    config: RoomConfig,
    settings: RoomSettings,
    start: Instant,
    seats: Seats,
    /// What the handles know of `seats`.
    seats_taken: Arc<AtomicUsize>,
    rules: Rules,
    lobby: Lobby,
    lobby_news: lobby::News,
    bans: Bans,
    chat: Chat,
    media: Media,
    restarts: Restarts,
    /// What participants were told of their pictures.
    told: Sights,
    /// Since when nobody sits here any more.
    empty_since: Option<Instant>,
    /// Why it is about to end, if it is.
    ending: Option<ByeReason>,
}

/// What moderators have decided for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rules {
    locked: bool,
    lobby: bool,
    layout: Option<PreferredLayout>,
    pinned: Option<ParticipantId>,
}

impl Rules {
    /// Those that a room begins with.
    const fn first(settings: &RoomSettings) -> Self {
        Self {
            locked: false,
            lobby: settings.lobby,
            layout: settings.layout,
            pinned: None,
        }
    }
}

/// Starts a room. Unless it is to stay, it ends by itself if nobody sits there after its first
/// request.
fn open(
    name: String,
    config: RoomConfig,
    settings: RoomSettings,
    pool: Arc<rayon::ThreadPool>,
) -> RoomHandle {
    let (sender, commands) = mpsc::channel(COMMANDS);
    let room = Room::new(name, config, settings, pool);
    let seats_taken = Arc::clone(&room.seats_taken);
    let span = info_span!("room", name = %room.name);
    tokio::spawn(tracing::Instrument::instrument(room.run(commands), span));
    RoomHandle::new(sender, seats_taken)
}

impl Room {
    fn new(
        name: String,
        mut config: RoomConfig,
        settings: RoomSettings,
        pool: Arc<rayon::ThreadPool>,
    ) -> Self {
        if let Some(own) = &settings.ladder {
            config.media.ladder = Arc::clone(own);
        }
        let start = Instant::now();
        let most = config.max_participants;
        let max = settings.max_participants.map_or(most, |max| max.min(most));
        Self {
            seats: Seats::new(max, config.seat_hold),
            seats_taken: Arc::new(AtomicUsize::new(0)),
            rules: Rules::first(&settings),
            lobby: Lobby::new(&config.house, config.seat_hold),
            lobby_news: lobby::News::default(),
            bans: Bans::default(),
            chat: Chat::new(&config.house),
            media: Media::new(config.media.clone(), start, pool),
            restarts: Restarts::default(),
            told: Sights::new(),
            empty_since: None,
            ending: None,
            name,
            config,
            settings,
            start,
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        info!("room opened");
        self.report(Happening::Opened);
        let mut checks = tokio::time::interval(SEAT_CHECK_INTERVAL);
        if self.settings.stay == Stay::WhileUsed
            && let Some(command) = commands.recv().await
        {
            self.obey(command);
        }
        while !self.is_over(Instant::now()) {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => break,
                },
                _ = checks.tick() => self.look_around(Instant::now()),
                news = self.media.news() => if self.follow_media(news) == Mended::GivenUp {
                    self.ending = Some(ByeReason::Failed);
                },
            }
        }
        // Whoever joins from here on is told that this room ended, and opens the next.
        commands.close();
        self.close_lines(self.ending.unwrap_or(ByeReason::Ended));
        while let Some(waiter) = self.lobby.take_first() {
            self.report_waited(waiter.id(), WaitEnd::Ended);
            if let Some(line) = waiter.door.line {
                line.close(ByeReason::Ended);
            }
        }
        self.report(Happening::Closed);
        info!("room closed");
    }

    fn obey(&mut self, command: Command) {
        let moment = Moment::now();
        match command {
            Command::Join { request, reply } => self.answer_door(request, reply, moment),
            Command::Attach { seat, attachment } => self.attach(seat, attachment),
            Command::Transport {
                participant,
                transport,
                event,
            } => {
                self.follow_transport(participant, transport, event);
            }
            Command::Status {
                seat,
                change,
                reply,
            } => {
                let _ = reply.send(self.follow_status(seat, change, moment));
            }
            Command::Wish { seat, wish, reply } => {
                let _ = reply.send(self.prefer(seat, wish));
            }
            Command::Moderate {
                actor,
                act,
                id,
                reply,
            } => {
                let done = self.moderate(actor, act, moment);
                if let (Ok(Acted { kept_out }), Actor::Seat(seat)) = (&done, actor) {
                    let kept_out = *kept_out;
                    self.tell(seat.participant, ServerMessage::Done { id, kept_out });
                }
                let _ = reply.send(done);
            }
            Command::Chat { seat, text, reply } => {
                let _ = reply.send(self.say(seat, text, moment));
            }
            Command::Announce { text, reply } => {
                let _ = reply.send(self.announce(text, moment));
            }
            Command::Resize {
                max_participants,
                reply,
            } => {
                let max = max_participants.min(self.config.max_participants);
                self.settings.max_participants = Some(max);
                self.seats.resize(max);
                let _ = reply.send(());
            }
            Command::Describe { reply } => {
                let _ = reply.send(self.describe(moment.now));
            }
            Command::Snapshot { reply } => self.media.snapshot(reply),
            Command::Leave { seat, done } => {
                if self.seats.leave(seat) {
                    self.forget(seat.participant, LeaveReason::Left);
                }
                let _ = done.send(());
            }
            Command::Client { seat, client } => {
                let changed = self.seats.follow_client(seat, client, moment.now);
                self.tell_if(seat.participant, changed);
            }
            Command::HangUp { seat } => self.hang_up(seat),
            Command::Withdraw { ticket, done } => {
                if self.lobby.withdraw(ticket) {
                    self.report_waited(ticket.id(), WaitEnd::Gone);
                    self.tell_lobby(moment.now);
                }
                let _ = done.send(());
            }
            Command::HangUpWaiting { ticket } => {
                self.lobby.hang_up(ticket, moment.now);
            }
        }
        self.count_seats(moment);
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
        let waited = self.lobby.expire(now);
        let any_waited = !waited.is_empty();
        for waiter in waited {
            let until = match waiter.is_in_session() {
                true => WaitEnd::TooLong,
                false => WaitEnd::Gone,
            };
            self.report_waited(waiter.id(), until);
            self.refuse(waiter.door, ErrorCode::WaitedTooLong, "nobody let you in");
        }
        if any_waited {
            self.tell_lobby(now);
        }
        self.tell_lobby_if_due(now);
        self.retry_media(now);
        self.count_seats(Moment::now());
    }

    fn hang_up(&mut self, seat: SeatId) {
        let changed = self.seats.hang_up(seat, Instant::now());
        self.tell_if(seat.participant, changed);
    }

    /// A seat is gone.
    fn forget(&mut self, participant: ParticipantId, reason: LeaveReason) {
        info!(%participant, ?reason, "left");
        self.media.leave(participant);
        self.told.remove(&participant);
        let id = participant.to_string();
        self.tell_all(&ServerMessage::ParticipantLeft {
            participant: id.clone(),
            reason,
        });
        self.report(Happening::Left {
            participant: id,
            reason,
        });
        for pinning in self.seats.unpin(participant) {
            self.media_follows_wish(pinning);
        }
        if self.rules.pinned == Some(participant) {
            self.rules.pinned = None;
            self.media_follows_rules();
            self.tell_state();
        }
        self.have_a_moderator(None);
    }

    /// Notes whether anybody sits here. Once nobody does any more, nothing of what they decided and
    /// wrote is for those who come next.
    fn count_seats(&mut self, moment: Moment) {
        self.seats_taken.store(self.seats.len(), Ordering::Relaxed);
        if !self.seats.is_empty() || !self.seats.were_ever_taken() {
            self.empty_since = None;
            return;
        }
        if self.empty_since.is_some() {
            return;
        }
        self.empty_since = Some(moment.now);
        self.media.stop();
        self.told.clear();
        self.chat.clear();
        self.rules = Rules::first(&self.settings);
        if !self.rules.lobby && !self.lobby.is_empty() && self.ending.is_none() {
            self.admit_all(moment);
            self.count_seats(moment);
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        if self.ending.is_some() {
            return true;
        }
        if !self.seats.is_empty() || self.settings.stay == Stay::UntilEnded {
            return false;
        }
        let for_long = |since| now.saturating_duration_since(since) >= self.config.house.empty_for;
        self.empty_since.is_none_or(for_long)
    }
}

#[cfg(test)]
mod tests;
