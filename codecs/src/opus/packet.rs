//! The framing of an Opus packet (RFC 6716 §3): how long it plays, without decoding it.

use crate::audio::{Channels, MAX_PACKET_SAMPLES};

/// The longest frame (RFC 6716 §3.2.1), in bytes.
pub const MAX_FRAME_BYTES: usize = 1_275;

/// The most frames in a packet: 120 ms of 2.5 ms each (RFC 6716 §3.2.5).
pub const MAX_PACKET_FRAMES: usize = 48;

/// The head of one well-formed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    toc: Toc,
    frames: usize,
    first_frame: &'a [u8],
}

/// Why these bytes are not an Opus packet (the requirements R1 to R7 of RFC 6716 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Not even a table-of-contents byte (R1).
    #[error("packet is empty")]
    Empty,
    /// The packet ends inside its lengths, its padding or its frames (R4, R6, R7).
    #[error("packet ends inside its {0}")]
    Truncated(&'static str),
    /// A frame longer than [`MAX_FRAME_BYTES`] (R2).
    #[error("frame is {0} bytes, expected at most {MAX_FRAME_BYTES}")]
    FrameTooLong(usize),
    /// Frames of equal length whose bytes do not divide equally (R3, R6).
    #[error("{bytes} bytes do not divide into {frames} equal frames")]
    Unequal {
        /// Bytes of all frames.
        bytes: usize,
        /// How many frames they should make.
        frames: usize,
    },
    /// No frame at all, or more than 120 ms of them (R5).
    #[error("packet plays {0} samples, expected 120 to {MAX_PACKET_SAMPLES}")]
    Duration(usize),
}

impl<'a> Packet<'a> {
    /// Parses the framing of `packet`. What is inside the frames is the decoder's business.
    ///
    /// # Errors
    ///
    /// Any [`PacketError`].
    pub fn parse(packet: &'a [u8]) -> Result<Self, PacketError> {
        let (&toc, rest) = packet.split_first().ok_or(PacketError::Empty)?;
        let code = toc & 0b11;
        let toc = Toc(toc);
        let (frames, first_frame) = match code {
            0 => (1, rest),
            1 => (2, equal_frames(rest, 2)?),
            2 => (2, frames_with_lengths(rest, 2)?),
            _ => many_frames(toc, rest)?,
        };
        if first_frame.len() > MAX_FRAME_BYTES {
            return Err(PacketError::FrameTooLong(first_frame.len()));
        }
        Ok(Self {
            toc,
            frames,
            first_frame,
        })
    }

    /// Samples per channel that the packet plays at 48 kHz, 120 to [`MAX_PACKET_SAMPLES`].
    #[must_use]
    pub const fn samples(&self) -> usize {
        self.frames * self.toc.frame_samples()
    }

    /// Channels in the packet. A decoder gives the channels it was made for all the same.
    #[must_use]
    pub const fn channels(&self) -> Channels {
        self.toc.channels()
    }

    /// Whether the packet carries a second, coarser copy of the packet before it: in-band FEC,
    /// the LBRR flag of its first frame (RFC 6716 §4.2.4).
    #[must_use]
    pub fn has_fec(&self) -> bool {
        let Some(&head) = self.first_frame.first() else {
            return false;
        };
        if self.toc.is_celt_only() {
            return false;
        }
        // Per channel: one voice activity bit for each 20 ms, then the flag. Each is coded with
        // probability 1/2, so it is a plain bit, from the top.
        let blocks = (self.toc.frame_samples() / 960).max(1);
        let flag = |channel: usize| head >> (7 - blocks - channel * (blocks + 1)) & 1 == 1;
        flag(0) || (self.channels() == Channels::Stereo && flag(1))
    }
}

/// The table-of-contents byte (RFC 6716 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Toc(u8);

impl Toc {
    const fn config(self) -> u8 {
        self.0 >> 3
    }

    const fn is_celt_only(self) -> bool {
        self.config() >= 16
    }

    const fn channels(self) -> Channels {
        if self.0 & 0b100 == 0 {
            Channels::Mono
        } else {
            Channels::Stereo
        }
    }

    /// Samples per channel of each frame.
    const fn frame_samples(self) -> usize {
        match (self.config(), self.config() & 0b11) {
            (0..=11, 0) => 480,
            (0..=11, 1) => 960,
            (0..=11, 2) => 1_920,
            (0..=11, _) => 2_880,
            (12..=15, 0 | 2) => 480,
            (12..=15, _) => 960,
            (_, step) => 120 << step,
        }
    }
}

/// A packet of code 3 (RFC 6716 §3.2.5): a count, perhaps padding, equal or differing frames.
fn many_frames(toc: Toc, rest: &[u8]) -> Result<(usize, &[u8]), PacketError> {
    let (&head, mut rest) = rest
        .split_first()
        .ok_or(PacketError::Truncated("frame count"))?;
    let frames = usize::from(head & 0b0011_1111);
    let samples = frames * toc.frame_samples();
    if frames == 0 || samples > MAX_PACKET_SAMPLES {
        return Err(PacketError::Duration(samples));
    }
    if head & 0b0100_0000 != 0 {
        rest = without_padding(rest)?;
    }
    let first = if head & 0b1000_0000 == 0 {
        equal_frames(rest, frames)?
    } else {
        frames_with_lengths(rest, frames)?
    };
    Ok((frames, first))
}

/// Every length byte of 255 stands for 254 and for another length byte to come.
fn without_padding(mut rest: &[u8]) -> Result<&[u8], PacketError> {
    const TRUNCATED: PacketError = PacketError::Truncated("padding");
    let mut padding = 0;
    loop {
        let (&length, tail) = rest.split_first().ok_or(TRUNCATED)?;
        rest = tail;
        padding += usize::from(length.min(254));
        if length < 255 {
            break;
        }
    }
    let kept = rest.len().checked_sub(padding).ok_or(TRUNCATED)?;
    Ok(&rest[..kept])
}

fn equal_frames(rest: &[u8], frames: usize) -> Result<&[u8], PacketError> {
    if !rest.len().is_multiple_of(frames) {
        return Err(PacketError::Unequal {
            bytes: rest.len(),
            frames,
        });
    }
    Ok(&rest[..rest.len() / frames])
}

/// All lengths but the last stand before the frames (RFC 6716 §3.2.1). Gives the first frame.
fn frames_with_lengths(mut rest: &[u8], frames: usize) -> Result<&[u8], PacketError> {
    let mut first = None;
    let mut stated = 0;
    for _ in 1..frames {
        let (length, tail) = frame_length(rest)?;
        rest = tail;
        stated += length;
        first.get_or_insert(length);
    }
    let last = rest
        .len()
        .checked_sub(stated)
        .ok_or(PacketError::Truncated("frames"))?;
    if last > MAX_FRAME_BYTES {
        return Err(PacketError::FrameTooLong(last));
    }
    Ok(&rest[..first.unwrap_or(last)])
}

fn frame_length(rest: &[u8]) -> Result<(usize, &[u8]), PacketError> {
    match *rest {
        [first @ 0..=251, ref tail @ ..] => Ok((usize::from(first), tail)),
        [first, second, ref tail @ ..] => Ok((usize::from(second) * 4 + usize::from(first), tail)),
        _ => Err(PacketError::Truncated("frame lengths")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_has_its_duration() {
        let rows: [(std::ops::Range<u8>, [usize; 4]); 3] = [
            (0..12, [480, 960, 1_920, 2_880]),
            (12..16, [480, 960, 480, 960]),
            (16..32, [120, 240, 480, 960]),
        ];
        for (configs, samples) in rows {
            for config in configs {
                let packet = [config << 3];
                let expected = samples[usize::from(config % 4)];
                assert_eq!(
                    Packet::parse(&packet).unwrap().samples(),
                    expected,
                    "{config}"
                );
            }
        }
    }

    #[test]
    fn framing_is_judged_by_the_requirements_of_the_rfc() {
        const CELT_20_MS: u8 = 31 << 3;
        const CELT_2_5_MS: u8 = 28 << 3;
        let long = [&[CELT_20_MS][..], &[0; MAX_FRAME_BYTES + 1]].concat();
        let rows: [(&[u8], Result<usize, PacketError>); 15] = [
            (&[], Err(PacketError::Empty)),
            (&[CELT_20_MS], Ok(960)),
            (&long, Err(PacketError::FrameTooLong(1_276))),
            (&[CELT_20_MS | 1, 1, 2], Ok(1_920)),
            (
                &[CELT_20_MS | 1, 1],
                Err(PacketError::Unequal {
                    bytes: 1,
                    frames: 2,
                }),
            ),
            (&[CELT_20_MS | 2, 1, 9, 9, 9], Ok(1_920)),
            (
                &[CELT_20_MS | 2],
                Err(PacketError::Truncated("frame lengths")),
            ),
            (
                &[CELT_20_MS | 2, 252],
                Err(PacketError::Truncated("frame lengths")),
            ),
            (
                &[CELT_20_MS | 2, 2, 9],
                Err(PacketError::Truncated("frames")),
            ),
            (
                &[CELT_20_MS | 3],
                Err(PacketError::Truncated("frame count")),
            ),
            (&[CELT_20_MS | 3, 0], Err(PacketError::Duration(0))),
            (&[CELT_20_MS | 3, 7], Err(PacketError::Duration(6_720))),
            (&[CELT_2_5_MS | 3, 48], Ok(5_760)),
            (&[CELT_20_MS | 3, 0x41, 2, 9, 0, 0], Ok(960)),
            (
                &[CELT_20_MS | 3, 0x41, 2, 0],
                Err(PacketError::Truncated("padding")),
            ),
        ];
        for (bytes, expected) in rows {
            assert_eq!(
                Packet::parse(bytes).map(|packet| packet.samples()),
                expected,
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn channels_come_from_the_stereo_bit() {
        assert_eq!(Packet::parse(&[0b000]).unwrap().channels(), Channels::Mono);
        assert_eq!(
            Packet::parse(&[0b100]).unwrap().channels(),
            Channels::Stereo
        );
    }

    #[test]
    fn fec_flag_stands_behind_the_voice_activity_bits_of_each_channel() {
        const SILK_20_MS: u8 = 1 << 3;
        const SILK_60_MS: u8 = 3 << 3;
        const STEREO: u8 = 0b100;
        let rows: [([u8; 2], bool); 8] = [
            ([SILK_20_MS, 0b0100_0000], true),
            ([SILK_20_MS, 0b1011_1111], false),
            ([SILK_60_MS, 0b0001_0000], true),
            ([SILK_60_MS, 0b1110_1111], false),
            ([SILK_20_MS | STEREO, 0b0001_0000], true),
            ([SILK_20_MS | STEREO, 0b1010_1111], false),
            ([SILK_60_MS | STEREO, 0b0000_0001], true),
            ([31 << 3, 0b1111_1111], false),
        ];
        for (packet, expected) in rows {
            assert_eq!(
                Packet::parse(&packet).unwrap().has_fec(),
                expected,
                "{packet:02x?}"
            );
        }
    }

    #[cfg(feature = "native")]
    mod beside_libopus {
        use ::opus::packet;
        use proptest::prelude::*;

        use super::super::*;

        /// Mostly short packets with a code 3 head now and then, where the rules are.
        fn packets() -> impl Strategy<Value = Vec<u8>> {
            prop_oneof![
                prop::collection::vec(any::<u8>(), 1..40),
                (any::<u8>(), prop::collection::vec(any::<u8>(), 0..2_700))
                    .prop_map(|(toc, rest)| [&[toc][..], &rest].concat()),
                (any::<u8>(), 0..8u8, prop::collection::vec(0..8u8, 0..60)).prop_map(
                    |(toc, head, rest)| [&[toc | 3, head | (toc & 0xc0)][..], &rest].concat()
                ),
            ]
        }

        proptest! {
            #![proptest_config(ProptestConfig::with_cases(2_000))]
            #[test]
            fn framing_agrees(bytes in packets()) {
                match (Packet::parse(&bytes), packet::parse(&bytes)) {
                    (Ok(ours), Ok(theirs)) => {
                        prop_assert_eq!(ours.first_frame, theirs.frames[0]);
                        prop_assert_eq!(
                            ours.samples(),
                            packet::get_nb_samples(&bytes, 48_000).unwrap()
                        );
                    }
                    (Err(_), Err(_)) => {}
                    (ours, theirs) => prop_assert!(false, "{:?} but libopus {:?}", ours, theirs),
                }
            }
        }
    }
}
