//! What a log must do, as a list of operations beside a plain list of all that was said.

use super::super::message::{ByeReason, RequestId, ServerMessage};
use super::{Full, Gap, Log, MAX_BYTES, MAX_EVENTS};

/// Everything that was said, and how far the client is.
#[derive(Debug, Default)]
struct Model {
    /// The text of every event, the first one under 1.
    said: Vec<String>,
    /// The last event that was taken.
    taken: u64,
    /// The last event that the client is known to have.
    known: u64,
    has_ended: bool,
}

/// A log under any operations: no event is lost, repeated or out of order, none is forgotten while
/// there is room for it, and the bounds hold.
///
/// The input is a list of operations of three bytes each: what it is, and a number.
///
/// # Panics
///
/// If one of these does not hold.
pub fn log(input: &[u8]) {
    let mut log = Log::default();
    let mut model = Model::default();
    for operation in input.as_chunks::<3>().0 {
        let [kind, high, low] = *operation;
        let number = u16::from_be_bytes([high, low]);
        model.apply(&mut log, kind, number);
        model.check(&log);
    }
    // A client that takes everything has everything.
    while model.take(&mut log) {}
    assert_eq!(model.taken, log.last());
}

impl Model {
    fn apply(&mut self, log: &mut Log, kind: u8, number: u16) {
        let last = log.last();
        match kind % 16 {
            0..=2 => self.say(log, usize::from(number % 8)),
            // Long ones: few of them fill a log.
            3 => self.say(log, usize::from(number)),
            4 => (0..number % 300).for_each(|_| self.say(log, 0)),
            5..=8 => (0..number % 300).for_each(|_| {
                self.take(log);
            }),
            // Near the end and anywhere, also where nothing is.
            9 | 10 => self.acknowledge(log, last.saturating_sub(u64::from(number % 16))),
            11 => self.acknowledge(log, u64::from(number)),
            12 | 13 => self.rewind(log, last.saturating_sub(u64::from(number % 16))),
            14 => self.rewind(log, u64::from(number)),
            _ if number == 0 => self.break_off(log),
            _ if number == 1 => {
                log.end();
                self.has_ended = true;
            }
            _ => self.acknowledge(log, u64::MAX),
        }
    }

    fn say(&mut self, log: &mut Log, length: usize) {
        let id = "x".repeat(length);
        let text = format!(
            r#"{{"type":"pong","id":"{id}","seq":{}}}"#,
            self.said.len() + 1
        );
        let id = Some(RequestId::Text(id));
        match log.say(ServerMessage::Pong { id }) {
            Ok(()) if self.has_ended => {}
            Ok(()) => self.said.push(text),
            Err(Full) => {
                assert!(!self.has_ended && !log.events.is_empty());
                assert_eq!(
                    log.forgotten, self.taken,
                    "something could have been forgotten"
                );
                assert!(
                    log.events.len() == MAX_EVENTS || log.bytes + text.len() > MAX_BYTES,
                    "there was room"
                );
                // It made room, and that was not enough.
                self.known = self.taken;
            }
        }
    }

    fn take(&mut self, log: &mut Log) -> bool {
        let Some(event) = log.take() else {
            assert_eq!(self.taken, log.last(), "there was something to take");
            return false;
        };
        self.taken += 1;
        assert_eq!(event.seq, self.taken);
        let place = usize::try_from(event.seq - 1).expect("it was said, so it is counted");
        assert_eq!(*event.text, self.said[place]);
        true
    }

    fn acknowledge(&mut self, log: &mut Log, seen: u64) {
        log.acknowledge(seen);
        self.known = self.known.max(seen.min(self.taken));
    }

    fn rewind(&mut self, log: &mut Log, after: u64) {
        let held = log.forgotten..=log.last();
        match log.rewind(after) {
            Ok(()) => {
                assert!(
                    held.contains(&after),
                    "what came after {after} is not there"
                );
                self.taken = after;
                self.known = self.known.max(after);
            }
            Err(gap) => {
                let (first, last) = held.into_inner();
                assert_eq!(gap, Gap { after, first, last });
                assert!(after < first || after > last);
            }
        }
    }

    fn break_off(&mut self, log: &mut Log) {
        let reason = ByeReason::Slow;
        let last = log.last();
        log.break_off(ServerMessage::Bye { reason });
        self.taken = last;
        self.known = last;
        if !self.has_ended {
            let seq = last + 1;
            self.said
                .push(format!(r#"{{"type":"bye","reason":"slow","seq":{seq}}}"#));
        }
        self.has_ended = true;
    }

    fn check(&self, log: &Log) {
        assert_eq!(log.last(), self.said.len() as u64);
        assert_eq!(log.taken(), self.taken);
        let held: usize = log.events.iter().map(|text| text.len()).sum();
        assert_eq!(log.bytes, held);
        assert!(log.events.len() <= MAX_EVENTS);
        assert!(log.bytes <= MAX_BYTES || log.events.len() == 1);
        let is_told = self.has_ended && self.taken == log.last();
        assert_eq!(log.is_told(), is_told);
        // Nothing goes that the client may still want, but for want of room.
        assert!(log.forgotten >= self.known && log.forgotten <= self.taken);
        let known = usize::try_from(self.known).expect("it was said, so it is counted");
        let wanted = &self.said[known..];
        let bytes: usize = wanted.iter().map(String::len).sum();
        if wanted.len() <= MAX_EVENTS && bytes <= MAX_BYTES {
            assert_eq!(log.forgotten, self.known);
        }
    }
}
