//! Wrapping wire counters and their unwrapped forms (RFC 3550 §5.1, appendix A.1).

/// A sequence number as it is on the wire: 16 bits, wrapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeqNo(pub u16);

/// A sequence number that no longer wraps. Consecutive packets differ by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtSeqNo(pub i64);

/// A media time as it is on the wire: 32 bits, wrapping; 48 kHz for audio, 90 kHz for video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RtpTimestamp(pub u32);

/// A media time that no longer wraps, in the same ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtTimestamp(pub i64);

/// Unwraps sequence numbers, each to the value nearest to the one before.
///
/// The first value maps to itself. A jump of exactly half the range counts as backwards.
#[derive(Clone, Debug, Default)]
pub struct SeqUnwrapper {
    last: Option<i64>,
}

impl SeqUnwrapper {
    /// The unwrapped form of `seq`.
    pub fn unwrap(&mut self, seq: SeqNo) -> ExtSeqNo {
        ExtSeqNo(nearest(&mut self.last, i64::from(seq.0), 1 << 16))
    }
}

/// Unwraps timestamps, each to the value nearest to the one before.
///
/// The first value maps to itself. A jump of exactly half the range counts as backwards.
#[derive(Clone, Debug, Default)]
pub struct TimestampUnwrapper {
    last: Option<i64>,
}

impl TimestampUnwrapper {
    /// The unwrapped form of `timestamp`.
    pub fn unwrap(&mut self, timestamp: RtpTimestamp) -> ExtTimestamp {
        ExtTimestamp(nearest(&mut self.last, i64::from(timestamp.0), 1 << 32))
    }
}

fn nearest(last: &mut Option<i64>, wire: i64, range: i64) -> i64 {
    let unwrapped = match *last {
        None => wire,
        Some(last) => {
            let ahead = (wire - last).rem_euclid(range);
            last + if ahead < range / 2 {
                ahead
            } else {
                ahead - range
            }
        }
    };
    *last = Some(unwrapped);
    unwrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_unwrap_to_the_nearest_value_from_every_start() {
        for start in [0u16, 1, 32_767, 32_768, 65_534, 65_535] {
            let mut unwrapper = SeqUnwrapper::default();
            let first = unwrapper.unwrap(SeqNo(start));

            let steps = [1i64, 3, 2, 100, 30_000, 60_000, 59_999];

            for step in steps {
                let wire = u16::try_from((i64::from(start) + step).rem_euclid(1 << 16)).unwrap();
                assert_eq!(unwrapper.unwrap(SeqNo(wire)), ExtSeqNo(first.0 + step));
            }
        }
    }

    #[test]
    fn timestamps_unwrap_across_zero_in_both_directions() {
        let mut unwrapper = TimestampUnwrapper::default();
        assert_eq!(
            unwrapper.unwrap(RtpTimestamp(u32::MAX)),
            ExtTimestamp(0xffff_ffff)
        );
        assert_eq!(
            unwrapper.unwrap(RtpTimestamp(959)),
            ExtTimestamp(0x1_0000_03bf)
        );
        assert_eq!(
            unwrapper.unwrap(RtpTimestamp(u32::MAX)),
            ExtTimestamp(0xffff_ffff)
        );
    }
}
