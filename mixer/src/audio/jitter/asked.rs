//! Which missing packets are worth asking for again, and which have been.
//!
//! A packet is asked for when it is overdue (later than nearly all others are), when a round trip
//! still fits before the tick that needs it, and again after a round trip if nothing has come. At
//! most [`MOST_TIMES`] each, and at most [`CAPACITY`] packets at a time.

use codecs::rtp::ExtSeqNo;

/// How often one packet is asked for.
const MOST_TIMES: u8 = 2;

/// The most packets of one track that are being asked for.
pub(crate) const CAPACITY: usize = 32;

/// What the sender may take to answer, and the way to it to be told: 5 ms.
const ANSWER_SAMPLES: i64 = 240;

/// Answers that come after more packets than this have played are no longer recognized.
const ANSWERED_WITHIN: i64 = 64;

/// One packet asked for.
#[derive(Clone, Copy, Debug)]
struct Request {
    seq: ExtSeqNo,
    /// The first time and the last.
    first: i64,
    last: i64,
    times: u8,
}

/// The packets of one track that have been asked for and have not come.
#[derive(Debug)]
pub(super) struct Asked {
    requests: Vec<Request>,
}

/// When a missing packet should have come, and when it must.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missing {
    pub(super) seq: ExtSeqNo,
    /// Nearly all packets come sooner after their time than this.
    pub(super) overdue_at: i64,
    /// The tick that needs it.
    pub(super) needed_at: i64,
}

impl Asked {
    pub(super) fn new() -> Self {
        Self {
            requests: Vec::with_capacity(CAPACITY),
        }
    }

    /// Whether to ask for `missing` at `now`; if so, that is remembered.
    pub(super) fn ask(&mut self, missing: Missing, now: i64, round_trip: i64) -> bool {
        let answered_after = round_trip + ANSWER_SAMPLES;
        if now < missing.overdue_at || now + answered_after > missing.needed_at {
            return false;
        }
        let before = self
            .requests
            .iter()
            .position(|request| request.seq == missing.seq);
        match before {
            Some(at) => {
                let request = &mut self.requests[at];
                let again = request.times < MOST_TIMES && now - request.last >= answered_after;
                if again {
                    request.times += 1;
                    request.last = now;
                }
                again
            }
            None if self.requests.len() < CAPACITY => {
                self.requests.push(Request {
                    seq: missing.seq,
                    first: now,
                    last: now,
                    times: 1,
                });
                true
            }
            None => false,
        }
    }

    /// Whether the packet that has come at `arrival` is an answer. One that comes sooner than most
    /// of a round trip was under way already.
    pub(super) fn has_answered(&mut self, seq: ExtSeqNo, arrival: i64, round_trip: i64) -> bool {
        let Some(at) = self.requests.iter().position(|request| request.seq == seq) else {
            return false;
        };
        let request = self.requests.swap_remove(at);
        arrival - request.first >= round_trip / 4 * 3
    }

    /// Forgets what playout has passed so long ago that an answer will not come any more.
    pub(super) fn passed(&mut self, seq: ExtSeqNo) {
        self.requests
            .retain(|request| request.seq.0 + ANSWERED_WITHIN > seq.0);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn missing(needed_at: i64) -> Missing {
        Missing {
            seq: ExtSeqNo(7),
            overdue_at: 100,
            needed_at,
        }
    }

    #[test]
    fn a_packet_is_asked_for_once_overdue_and_once_more_a_round_trip_later() {
        let mut asked = Asked::new();

        let times: Vec<i64> = (0..10_000)
            .filter(|&now| asked.ask(missing(5_000), now, 1_000))
            .collect();

        assert_eq!(times, [100, 1_340]);
    }

    #[test]
    fn a_packet_whose_answer_would_come_too_late_is_not_asked_for() {
        let mut asked = Asked::new();

        assert!(!asked.ask(missing(1_339), 100, 1_000));
        assert!(asked.ask(missing(1_340), 100, 1_000));
    }

    #[test]
    fn a_packet_that_was_under_way_already_is_no_answer() {
        for (arrival, answered) in [(200, false), (900, true)] {
            let mut asked = Asked::new();
            asked.ask(missing(5_000), 100, 1_000);

            assert_eq!(asked.has_answered(ExtSeqNo(7), arrival, 1_000), answered);
            assert!(!asked.has_answered(ExtSeqNo(7), 2_000, 1_000));
        }
    }

    #[test]
    fn requests_beyond_the_capacity_are_not_made_until_playout_passes_others() {
        let mut asked = Asked::new();
        let ask = |asked: &mut Asked, seq| {
            let missing = Missing {
                seq: ExtSeqNo(seq),
                ..missing(5_000)
            };
            asked.ask(missing, 100, 1_000)
        };

        let made = (0..40).filter(|&seq| ask(&mut asked, seq)).count();
        asked.passed(ExtSeqNo(ANSWERED_WITHIN));

        assert_eq!(made, CAPACITY);
        assert!(ask(&mut asked, 40));
        assert!(!ask(&mut asked, 41));
    }
}
