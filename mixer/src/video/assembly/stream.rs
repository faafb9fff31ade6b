//! Places packets in one sequence, and notices when a sender begins another.

use codecs::rtp::{ExtSeqNo, RtpTimestamp, SeqUnwrapper};

use super::Fragment;

/// Packets this far ahead still belong to the sequence (RFC 3550 appendix A.1): ten seconds of
/// outage of a good camera.
const MAX_DROPOUT: i64 = 3_000;

/// Packets this far behind still belong to the sequence, only too late.
const MAX_MISORDER: i64 = 3_000;

/// Late packets older than this, in ticks of 90 kHz, are of another sequence: ten seconds.
const MAX_AGE: u32 = 900_000;

/// What becomes of a packet.
#[derive(Debug)]
pub(super) enum Entry {
    /// It has its place.
    At(ExtSeqNo, Fragment),
    /// Its place has been given up.
    Late,
    /// It is from elsewhere. Kept until the next one tells whether the sender jumped; the one that
    /// was kept before may have to go for it.
    Stray {
        /// Whether one had to go.
        displaced: bool,
    },
    /// Two in a row from elsewhere: the sender began anew. Both have their place in a new
    /// sequence, and the old one is over.
    Restart([(ExtSeqNo, Fragment); 2]),
}

/// The sequence of one track.
#[derive(Debug, Default)]
pub(super) struct Stream {
    seq: SeqUnwrapper,
    newest: Option<(ExtSeqNo, RtpTimestamp)>,
    stray: Option<Fragment>,
}

impl Stream {
    /// Finds the place of `fragment`, given that all below `floor` has been given up.
    pub(super) fn enter(&mut self, fragment: Fragment, floor: Option<ExtSeqNo>) -> Entry {
        // On trial: a packet from elsewhere must not move the sequence.
        let mut unwrapper = self.seq.clone();
        let seq = unwrapper.unwrap(fragment.seq);
        let late = floor.is_some_and(|floor| seq < floor);
        if self.is_elsewhere(seq, fragment.timestamp, late) {
            return self.enter_elsewhere(fragment);
        }
        if late {
            return Entry::Late;
        }
        self.seq = unwrapper;
        if self.newest.is_none_or(|(newest, _)| seq > newest) {
            self.newest = Some((seq, fragment.timestamp));
        }
        Entry::At(seq, fragment)
    }

    /// Whether any packet has come.
    pub(super) const fn has_begun(&self) -> bool {
        self.newest.is_some()
    }

    /// A sender that begins anew picks its counters at random: either the sequence number is far
    /// off, or, where it happens to fall behind, the media time does not fit a late packet.
    fn is_elsewhere(&self, seq: ExtSeqNo, timestamp: RtpTimestamp, late: bool) -> bool {
        let Some((newest, newest_timestamp)) = self.newest else {
            return false;
        };
        let ahead = seq.0 - newest.0;
        let age = newest_timestamp.0.wrapping_sub(timestamp.0);
        !(-MAX_MISORDER..=MAX_DROPOUT).contains(&ahead) || (late && age > MAX_AGE)
    }

    fn enter_elsewhere(&mut self, second: Fragment) -> Entry {
        match self.stray.take() {
            Some(first) if first.seq.0.wrapping_add(1) == second.seq.0 => {
                *self = Self::default();
                let begin = self.seq.unwrap(first.seq);
                let end = self.seq.unwrap(second.seq);
                self.newest = Some((end, second.timestamp));
                Entry::Restart([(begin, first), (end, second)])
            }
            displaced => {
                self.stray = Some(second);
                Entry::Stray {
                    displaced: displaced.is_some(),
                }
            }
        }
    }
}
