//! What one session says to its client, in order and numbered. Pure.
//!
//! Events are numbered from 1. A carrier takes them one after the other; one that comes later begins
//! behind the last that the client has seen. What a client has acknowledged is forgotten.
//!
//! Holds at most [`MAX_EVENTS`] events and [`MAX_BYTES`] of text, the last one however long it is.
//! Where that is not enough, events go that a carrier has taken already, the oldest first: a client
//! that missed one of those cannot resume. If there are none of these, nobody listens: [`Full`].

#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod model;

use std::collections::VecDeque;
use std::sync::Arc;

use super::message::{Event, ServerMessage};

/// Events held, at most: some twenty for each of 49 participants joining at once, and then some.
pub(super) const MAX_EVENTS: usize = 1024;

/// Bytes of text held, at most.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// An event as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) seq: u64,
    /// One JSON object.
    pub(crate) text: Arc<str>,
}

/// Too much waits for a client that takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// What came after the given event is not there: forgotten already, or not said yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after is {after}, expected {first} to {last}")]
pub(crate) struct Gap {
    pub(crate) after: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// The events of one session.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Numbered without a gap, from `forgotten + 1`.
    events: VecDeque<Arc<str>>,
    /// The last event that is held no longer.
    forgotten: u64,
    /// The last event that the current carrier has taken, or its client had before.
    taken: u64,
    bytes: usize,
    has_ended: bool,
}

impl Log {
    /// Says `message` under the next number. Nothing is said after the last word.
    ///
    /// # Errors
    ///
    /// [`Full`]; then it is not said, and all that was taken is forgotten.
    pub(super) fn say(&mut self, message: ServerMessage) -> Result<(), Full> {
        if self.has_ended {
            return Ok(());
        }
        let text = write(message, self.last() + 1);
        while self.is_full_with(text.len()) {
            if self.forgotten >= self.taken {
                return Err(Full);
            }
            self.forget_first();
        }
        self.bytes += text.len();
        self.events.push_back(text);
        Ok(())
    }

    /// Says the last word, in place of all that still waits.
    pub(super) fn break_off(&mut self, message: ServerMessage) {
        let last = self.last();
        self.events.clear();
        self.bytes = 0;
        self.forgotten = last;
        self.taken = last;
        // Nothing is held, so there is room.
        let _ = self.say(message);
        self.end();
    }

    /// What was said last was the last word.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
    }

    /// The next event, for the current carrier.
    pub(super) fn take(&mut self) -> Option<Numbered> {
        let held = usize::try_from(self.taken - self.forgotten).ok()?;
        let text = Arc::clone(self.events.get(held)?);
        self.taken += 1;
        let seq = self.taken;
        Some(Numbered { seq, text })
    }

    /// Begins behind `after` again, for a new carrier. Acknowledges that one and those before it.
    ///
    /// # Errors
    ///
    /// [`Gap`] if that is not possible; then nothing changes.
    pub(super) fn rewind(&mut self, after: u64) -> Result<(), Gap> {
        let (first, last) = (self.forgotten, self.last());
        if !(first..=last).contains(&after) {
            return Err(Gap { after, first, last });
        }
        self.taken = after;
        self.acknowledge(after);
        Ok(())
    }

    /// Forgets what the client has seen: no more than was taken, whatever it says.
    pub(super) fn acknowledge(&mut self, seen: u64) {
        while self.forgotten < seen.min(self.taken) {
            self.forget_first();
        }
    }

    /// The last event there is.
    pub(super) fn last(&self) -> u64 {
        // Lossless: a usize has no more than 64 bits.
        self.forgotten + self.events.len() as u64
    }

    /// The last event that was taken.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether the last word has been taken.
    pub(super) fn is_told(&self) -> bool {
        self.has_ended && self.taken == self.last()
    }

    /// Whether the last word has been acknowledged.
    pub(super) fn is_known(&self) -> bool {
        self.has_ended && self.events.is_empty()
    }

    fn is_full_with(&self, bytes: usize) -> bool {
        let overflows = self.events.len() >= MAX_EVENTS || self.bytes + bytes > MAX_BYTES;
        overflows && !self.events.is_empty()
    }

    fn forget_first(&mut self) {
        if let Some(text) = self.events.pop_front() {
            self.bytes -= text.len();
            self.forgotten += 1;
        }
    }
}

fn write(message: ServerMessage, seq: u64) -> Arc<str> {
    let event = Event { message, seq };
    let text = serde_json::to_string(&event).expect("the messages are plain data with text keys");
    text.into()
}

#[cfg(test)]
mod tests {
    use super::super::message::{ByeReason, RequestId};
    use super::*;

    fn pong(n: u64) -> ServerMessage {
        let id = Some(RequestId::Number(n));
        ServerMessage::Pong { id }
    }

    fn bye() -> ServerMessage {
        let reason = ByeReason::Slow;
        ServerMessage::Bye { reason }
    }

    /// A log in which `count` events were said.
    fn log_of(count: u64) -> Log {
        let mut log = Log::default();
        for n in 1..=count {
            log.say(pong(n)).unwrap();
        }
        log
    }

    fn take_all(log: &mut Log) -> Vec<u64> {
        std::iter::from_fn(|| log.take())
            .map(|event| event.seq)
            .collect()
    }

    #[test]
    fn events_are_numbered_from_one_and_taken_in_order() {
        let mut log = log_of(2);

        let first = log.take().unwrap();

        assert_eq!(&*first.text, r#"{"type":"pong","id":1,"seq":1}"#);
        assert_eq!(take_all(&mut log), [2]);
        assert_eq!(log.take(), None);
    }

    #[test]
    fn another_carrier_gets_what_the_client_has_not_seen_and_no_more() {
        let mut log = log_of(5);
        take_all(&mut log);

        log.rewind(3).unwrap();

        assert_eq!(take_all(&mut log), [4, 5]);
    }

    #[test]
    fn a_carrier_cannot_begin_before_what_was_acknowledged_or_behind_what_was_said() {
        let mut log = log_of(5);
        take_all(&mut log);
        log.acknowledge(3);
        let (first, last) = (3, 5);

        for after in [0, 2, 6, u64::MAX] {
            assert_eq!(log.rewind(after), Err(Gap { after, first, last }));
        }

        assert_eq!(log.rewind(3), Ok(()));
        assert_eq!(log.rewind(5), Ok(()));
        assert_eq!(log.take(), None);
    }

    #[test]
    fn nothing_is_acknowledged_that_was_not_taken() {
        let mut log = log_of(3);
        log.take();

        log.acknowledge(u64::MAX);

        assert_eq!(take_all(&mut log), [2, 3]);
    }

    #[test]
    fn where_nobody_listens_the_log_is_full_at_its_bound() {
        let mut log = log_of(MAX_EVENTS as u64);

        assert_eq!(log.say(pong(0)), Err(Full));

        log.take();
        assert_eq!(log.say(pong(0)), Ok(()), "what was taken makes room");
        assert_eq!(log.rewind(0).unwrap_err().first, 1);
    }

    #[test]
    fn text_is_bounded_too() {
        let id = Some(RequestId::Text("x".repeat(MAX_BYTES / 4)));
        let mut log = Log::default();

        let said = (0..10).take_while(|_| log.say(ServerMessage::Pong { id: id.clone() }).is_ok());

        assert_eq!(said.count(), 3);
    }

    #[test]
    fn what_is_longer_than_the_bound_is_said_where_nothing_else_waits() {
        let id = Some(RequestId::Text("x".repeat(2 * MAX_BYTES)));
        let mut log = Log::default();

        assert_eq!(log.say(ServerMessage::Pong { id }), Ok(()));

        assert_eq!(take_all(&mut log), [1]);
    }

    #[test]
    fn a_log_that_is_broken_off_has_only_its_last_word() {
        let mut log = log_of(7);
        log.take();

        log.break_off(bye());

        assert!(log.rewind(1).is_err(), "the client missed something");
        assert_eq!(take_all(&mut log), [8]);
        assert!(log.is_told() && !log.is_known());
        log.acknowledge(8);
        assert!(log.is_known());
    }

    #[test]
    fn nothing_follows_the_last_word() {
        let mut log = log_of(1);
        log.say(bye()).unwrap();
        log.end();

        log.say(pong(3)).unwrap();

        assert_eq!(take_all(&mut log), [1, 2]);
        assert!(log.is_told());
    }
}
