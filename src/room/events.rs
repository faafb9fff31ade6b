//! What happens in rooms, for whoever runs the server.
//!
//! The latest events are kept in one [`log`], numbered; whoever listens is a place in it. So an event
//! is there once however many listen, a listener that was away goes on where it was, and one that
//! falls behind by more than is kept loses the oldest and is told how many. Rooms never wait for one.

mod log;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

use super::moment::Moment;
use crate::signaling::message::{ChatMessage, LeaveReason, Role, RoomState};
use log::Log;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct ServerEvent {
    /// Never the same twice: a word for this run of the server, a hyphen, and 1, 2, 3 and so on.
    pub(crate) id: String,
    /// Where; absent where it concerns the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) room: Option<String>,
    /// In milliseconds since 1970 (UTC).
    pub(crate) at_ms: u64,
    #[serde(flatten)]
    pub(crate) what: Happening,
}

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Happening {
    /// The server began, without any rooms: those of before are gone.
    Started {
        version: String,
    },
    /// The server is about to end.
    Stopping,
    Opened,
    Closed,
    Joined {
        participant: String,
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
        role: Role,
    },
    Left {
        participant: String,
        reason: LeaveReason,
    },
    /// Somebody waits to be let in.
    Knocked {
        waiting: String,
        name: String,
    },
    /// They wait no more.
    Waited {
        waiting: String,
        #[serde(flatten)]
        until: WaitEnd,
    },
    /// Somebody may do something else than before.
    Role {
        participant: String,
        role: Role,
    },
    /// It was locked or unlocked, for instance.
    State(RoomState),
    Chat(ChatMessage),
}

/// How waiting ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub(crate) enum WaitEnd {
    /// They were let in, and are this participant now.
    Admitted { participant: String },
    /// They were sent away, or the room had become full.
    Denied,
    /// Nobody answered for as long as one may wait.
    TooLong,
    /// They left, or did not come back.
    Gone,
    /// The room ended.
    Ended,
}

/// Where events are said and read.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// What tells this run of the server from others.
    run: String,
    log: Mutex<Log>,
    news: watch::Sender<()>,
}

/// An event as it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) event: ServerEvent,
    /// When it was said.
    pub(crate) said: Instant,
    number: u64,
}

/// What comes next in the log.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    Event(Arc<Kept>),
    /// Events that are not there any more; how many, where that is known.
    Lost(Option<u64>),
}

/// A place in the log.
#[derive(Debug)]
pub(crate) struct Reader {
    events: Events,
    /// The last event that was read or lost.
    seen: u64,
    /// Whether it comes from another run, of which nothing is known.
    strayed: bool,
    news: watch::Receiver<()>,
}

impl Events {
    /// Keeps the latest `kept`, at least one.
    pub(crate) fn new(kept: usize) -> Self {
        let shared = Shared {
            run: format!("{:012x}", rand::random::<u64>() >> 16),
            log: Mutex::new(Log::new(kept)),
            news: watch::Sender::new(()),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Notes it down, for whoever listens. Without a room it concerns the server.
    pub(crate) fn say(&self, room: Option<&str>, what: Happening) {
        self.log().push(|number| {
            let event = ServerEvent {
                id: self.id(number),
                room: room.map(str::to_owned),
                at_ms: Moment::now().wall_ms,
                what,
            };
            Arc::new(Kept {
                event,
                said: Instant::now(),
                number,
            })
        });
        self.shared.news.send_replace(());
    }

    /// Reads what happens from now on.
    pub(crate) fn reader(&self) -> Reader {
        let news = self.shared.news.subscribe();
        Reader {
            events: self.clone(),
            seen: self.log().last(),
            strayed: false,
            news,
        }
    }

    /// Reads what happened after the event with this `id`. If it is not one of this run's, all that is
    /// kept, after [`Next::Lost`].
    pub(crate) fn reader_after(&self, id: &str) -> Reader {
        let mut reader = self.reader();
        let number = id.split_once('-').and_then(|(run, number)| {
            let number = number.parse().ok().filter(|it| *it <= reader.seen);
            number.filter(|_| run == self.shared.run)
        });
        (reader.seen, reader.strayed) = match number {
            Some(number) => (number, false),
            None => (self.log().oldest() - 1, true),
        };
        reader
    }

    /// How many there were so far.
    pub(crate) fn last(&self) -> u64 {
        self.log().last()
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.shared.run)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        let log = self.shared.log.lock();
        log.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// What comes next, once there is something. Losing the race against something else loses nothing.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            self.news.mark_unchanged();
            if let Some(next) = self.try_next() {
                return next;
            }
            // Never an error: what sends the news is held by `events`.
            let _ = self.news.changed().await;
        }
    }

    /// What comes next, if there is anything.
    pub(crate) fn try_next(&mut self) -> Option<Next> {
        if std::mem::take(&mut self.strayed) {
            return Some(Next::Lost(None));
        }
        let next = self.events.log().after(self.seen)?;
        let lost = next.number - self.seen - 1;
        if lost > 0 {
            self.seen += lost;
            return Some(Next::Lost(Some(lost)));
        }
        self.seen = next.number;
        Some(Next::Event(next))
    }

    /// The id of the last event that was read or lost.
    pub(crate) fn id(&self) -> String {
        self.events.id(self.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(events: &Events, count: usize) {
        for _ in 0..count {
            events.say(Some("demo"), Happening::Opened);
        }
    }

    /// The numbers of all that is there to be read; what was lost, negative.
    fn read(reader: &mut Reader) -> Vec<i64> {
        let next = std::iter::from_fn(|| reader.try_next());
        let numbers = next.map(|next| match next {
            Next::Event(kept) => i64::try_from(kept.number).unwrap(),
            Next::Lost(count) => -count.map_or(1_000, |it| i64::try_from(it).unwrap()),
        });
        numbers.collect()
    }

    #[test]
    fn a_reader_that_falls_behind_is_told_how_much_it_lost() {
        let events = Events::new(3);
        let mut reader = events.reader();
        say(&events, 2);
        assert_eq!(read(&mut reader), [1, 2]);

        say(&events, 5);

        assert_eq!(read(&mut reader), [-2, 5, 6, 7]);
        assert_eq!(events.last(), 7);
    }

    #[test]
    fn who_comes_back_goes_on_behind_the_event_that_was_last() {
        let events = Events::new(3);
        let mut reader = events.reader();
        let before_all = reader.id();
        say(&events, 4);
        read(&mut reader);
        let last = reader.id();
        assert_eq!(read(&mut events.reader_after(&last)), [0; 0]);
        say(&events, 2);

        assert_eq!(read(&mut events.reader_after(&last)), [5, 6]);
        assert_eq!(read(&mut events.reader_after(&before_all)), [-3, 4, 5, 6]);
        assert_eq!(read(&mut events.reader()), [0; 0]);
    }

    #[test]
    fn the_id_of_another_run_begins_with_a_loss_of_unknown_size() {
        let events = Events::new(3);
        let other = Events::new(3);
        say(&events, 5);
        say(&other, 5);
        let run = &events.shared.run;
        let ids = [
            other.reader().id(),
            format!("{run}-6"),
            format!("{run}--1"),
            format!("{run}-99999999999999999999"),
            run.clone(),
            String::new(),
        ];

        for id in ids {
            let mut reader = events.reader_after(&id);
            assert_eq!(read(&mut reader), [-1_000, 3, 4, 5], "{id}");
        }
        let nothing = Events::new(3);
        assert_eq!(read(&mut nothing.reader_after("?")), [-1_000]);
    }

    #[tokio::test]
    async fn a_reader_waits_for_what_is_said_later() {
        let events = Events::new(3);
        let mut reader = events.reader();
        let read = tokio::spawn(async move { reader.next().await });

        say(&events, 1);

        assert!(matches!(read.await.unwrap(), Next::Event(kept) if kept.number == 1));
    }

    #[test]
    fn an_event_is_one_flat_object() {
        let event = |what| ServerEvent {
            id: "6f1d0c7a52b9-3".to_owned(),
            room: Some("demo".to_owned()),
            at_ms: 7,
            what,
        };
        let left = event(Happening::Left {
            participant: "p1".to_owned(),
            reason: LeaveReason::Removed,
        });
        let admitted = event(Happening::Waited {
            waiting: "w1".to_owned(),
            until: WaitEnd::Admitted {
                participant: "p2".to_owned(),
            },
        });

        let expected = serde_json::json!({
            "id": "6f1d0c7a52b9-3", "room": "demo", "at_ms": 7,
            "event": "left", "participant": "p1", "reason": "removed",
        });
        assert_eq!(serde_json::to_value(left).unwrap(), expected);
        let expected = serde_json::json!({
            "id": "6f1d0c7a52b9-3", "room": "demo", "at_ms": 7,
            "event": "waited", "waiting": "w1", "reason": "admitted", "participant": "p2",
        });
        assert_eq!(serde_json::to_value(admitted).unwrap(), expected);
    }
}
