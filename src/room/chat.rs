//! What people write to each other: bounded, paced, and kept a while for those who come later. Pure;
//! time is an argument.
//!
//! Keeps at most [`HouseRules::chat_kept`] messages of at most [`MAX_TEXT_BYTES`], for
//! [`HouseRules::chat_kept_for`].

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::HouseRules;
use super::moment::Moment;
use crate::signaling::message::ChatMessage;

/// The longest text, in bytes of UTF-8.
pub(super) const MAX_TEXT_BYTES: usize = 2_000;

/// So many messages may come at once ...
const BURST: u32 = 5;

/// ... and one more after each of these.
const INTERVAL: Duration = Duration::from_secs(1);

/// The messages of one room.
#[derive(Debug)]
pub(super) struct Chat {
    kept: VecDeque<(Instant, ChatMessage)>,
    keep: usize,
    keep_for: Duration,
    last_number: u64,
}

impl Chat {
    pub(super) const fn new(house: &HouseRules) -> Self {
        Self {
            kept: VecDeque::new(),
            keep: house.chat_kept,
            keep_for: house.chat_kept_for,
            last_number: 0,
        }
    }

    /// Numbers a text that [`text_is_fine`], and keeps it.
    pub(super) fn post(
        &mut self,
        from: String,
        name: String,
        text: String,
        moment: Moment,
    ) -> ChatMessage {
        self.last_number += 1;
        let message = ChatMessage {
            number: self.last_number,
            from,
            name,
            text,
            at_ms: moment.wall_ms,
        };
        self.kept.push_back((moment.now, message.clone()));
        self.forget_old(moment.now);
        message
    }

    /// What is kept at `now`, the oldest first.
    pub(super) fn kept(&mut self, now: Instant) -> Vec<ChatMessage> {
        self.forget_old(now);
        self.kept
            .iter()
            .map(|(_, message)| message.clone())
            .collect()
    }

    /// Forgets all that was written; numbers go on.
    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }

    fn forget_old(&mut self, now: Instant) {
        let (keep, keep_for) = (self.keep, self.keep_for);
        let over = |at: Instant| now.saturating_duration_since(at) >= keep_for;
        while self.kept.len() > keep || self.kept.front().is_some_and(|(at, _)| over(*at)) {
            self.kept.pop_front();
        }
    }
}

/// Whether a text may be posted: 1 to [`MAX_TEXT_BYTES`], no control characters but line breaks and
/// tabs, and not only white space.
pub(super) fn text_is_fine(text: &str) -> bool {
    let allowed = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.len() <= MAX_TEXT_BYTES && !text.trim().is_empty() && text.chars().all(allowed)
}

/// How fast one participant may write.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChatPace {
    /// When as much as at first may be written again.
    full_at: Option<Instant>,
}

impl ChatPace {
    /// Takes one message's share at `now`.
    ///
    /// # Errors
    ///
    /// After how long the next may be written, if that is not now.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let wait = (full_at - now + INTERVAL).saturating_sub(INTERVAL * BURST);
        if wait > Duration::ZERO {
            return Err(wait);
        }
        self.full_at = Some(full_at + INTERVAL);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(keep: usize) -> Chat {
        Chat::new(&HouseRules {
            chat_kept: keep,
            ..HouseRules::default()
        })
    }

    fn post(chat: &mut Chat, now: Instant) -> u64 {
        let moment = Moment { now, wall_ms: 7 };
        let from = "p1".to_owned();
        chat.post(from, "Ann".to_owned(), "hello".to_owned(), moment)
            .number
    }

    fn numbers(chat: &mut Chat, now: Instant) -> Vec<u64> {
        chat.kept(now)
            .iter()
            .map(|message| message.number)
            .collect()
    }

    #[test]
    fn the_last_messages_are_kept_for_ten_minutes_and_numbers_go_on() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut chat = chat(2);

        for (seconds, number) in [(0, 1), (10, 2), (20, 3)] {
            assert_eq!(post(&mut chat, at(seconds)), number);
        }
        assert_eq!(numbers(&mut chat, at(30)), [2, 3]);
        assert_eq!(numbers(&mut chat, at(610)), [3]);
        assert!(numbers(&mut chat, at(620)).is_empty());
        assert_eq!(post(&mut chat, at(700)), 4);

        chat.clear();
        assert!(numbers(&mut chat, at(700)).is_empty());
    }

    #[test]
    fn where_nothing_is_to_be_kept_nothing_is() {
        let mut chat = chat(0);

        post(&mut chat, Instant::now());

        assert!(numbers(&mut chat, Instant::now()).is_empty());
    }

    #[test]
    fn five_may_be_written_at_once_and_then_one_a_second() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = ChatPace::default();

        for _ in 0..BURST {
            assert_eq!(pace.take(at(0)), Ok(()));
        }

        assert_eq!(pace.take(at(0)), Err(Duration::from_secs(1)));
        assert_eq!(pace.take(at(400)), Err(Duration::from_millis(600)));
        assert_eq!(pace.take(at(1_000)), Ok(()));
        assert_eq!(pace.take(at(1_000)), Err(Duration::from_secs(1)));
        assert_eq!(pace.take(at(100_000)), Ok(()));
    }

    #[test]
    fn texts_are_short_and_printable() {
        let long = "x".repeat(MAX_TEXT_BYTES);
        for good in ["a", "two\nlines\tand a tab", "Ünal 🙂", &long] {
            assert!(text_is_fine(good), "{good}");
        }
        let too_long = "x".repeat(MAX_TEXT_BYTES + 1);
        let wide = "ü".repeat(MAX_TEXT_BYTES / 2 + 1);
        for bad in [
            "",
            " ",
            "\n\t",
            "a\u{0}",
            "a\u{1b}[31m",
            "a\r\n",
            &too_long,
            &wide,
        ] {
            assert!(!text_is_fine(bad), "{bad:?}");
        }
    }
}
