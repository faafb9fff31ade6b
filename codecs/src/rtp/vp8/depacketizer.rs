//! Joins payloads to frames (RFC 7741 §4.4).

use bytes::{Bytes, BytesMut};

use super::descriptor::{Descriptor, DescriptorError};

/// The longest frame that is joined: 2 MiB, several times a keyframe of any camera.
pub const MAX_FRAME_BYTES: usize = 2 << 20;

/// Why a payload does not belong to the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DepacketizerError {
    /// The payload has no usable descriptor.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// The first payload does not begin a frame: what was before it is missing.
    #[error("first payload does not begin a frame")]
    NoStart,
    /// A later payload begins a frame, or states another picture id: the end is missing.
    #[error("payload belongs to another frame")]
    OtherFrame,
    /// The frame would be longer than [`MAX_FRAME_BYTES`].
    #[error("frame is longer than {MAX_FRAME_BYTES} bytes")]
    TooLong,
}

/// Joins the payloads of one frame after the other.
///
/// The caller gives the payloads of one frame in order, without gaps, and says when the frame
/// ends: sequence numbers, timestamps and the marker are in the RTP header, not in the payload.
/// What comes out is complete and in order if the caller's packets were.
///
/// Holds at most [`MAX_FRAME_BYTES`]. Memory is reused once the frames given out are gone.
#[derive(Debug, Default)]
pub struct Depacketizer {
    frame: BytesMut,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Empty,
    /// The first payload's descriptor.
    Open(Descriptor),
    /// A payload was refused: nothing comes of this frame any more.
    Broken,
}

impl Depacketizer {
    /// Appends the next payload of the frame and gives its descriptor.
    ///
    /// # Errors
    ///
    /// Any [`DepacketizerError`]. The frame is then given up: [`Self::finish`] gives `None` for
    /// it.
    pub fn push(&mut self, payload: &[u8]) -> Result<Descriptor, DepacketizerError> {
        let pushed = self.try_push(payload);
        if pushed.is_err() {
            self.frame.clear();
            self.state = State::Broken;
        }
        pushed
    }

    fn try_push(&mut self, payload: &[u8]) -> Result<Descriptor, DepacketizerError> {
        let (descriptor, piece) = Descriptor::parse(payload)?;
        match self.state {
            State::Empty if descriptor.starts_frame() => self.state = State::Open(descriptor),
            State::Empty | State::Broken => return Err(DepacketizerError::NoStart),
            State::Open(first)
                if descriptor.starts_frame() || descriptor.picture_id != first.picture_id =>
            {
                return Err(DepacketizerError::OtherFrame);
            }
            State::Open(_) => {}
        }
        if self.frame.len() + piece.len() > MAX_FRAME_BYTES {
            return Err(DepacketizerError::TooLong);
        }
        self.frame.extend_from_slice(piece);
        Ok(descriptor)
    }

    /// Ends the frame and gives it, unless nothing was pushed or a payload was refused. The next
    /// payload begins a new one.
    pub fn finish(&mut self) -> Option<Bytes> {
        match std::mem::take(&mut self.state) {
            State::Open(_) => Some(self.frame.split().freeze()),
            State::Empty | State::Broken => None,
        }
    }

    /// Whether a frame is begun: something was pushed since the last [`Self::finish`].
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state != State::Empty
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: [u8; 3] = [0x90, 0x80, 0x05];
    const MORE: [u8; 3] = [0x80, 0x80, 0x05];

    fn payload(descriptor: [u8; 3], piece: &[u8]) -> Vec<u8> {
        [&descriptor[..], piece].concat()
    }

    #[test]
    fn payloads_join_in_the_order_of_pushing() {
        let mut depacketizer = Depacketizer::default();

        depacketizer.push(&payload(START, b"one ")).unwrap();
        depacketizer.push(&payload(MORE, b"two")).unwrap();

        assert!(depacketizer.is_open());
        assert_eq!(depacketizer.finish().unwrap(), "one two");
        assert_eq!(depacketizer.finish(), None);
    }

    #[test]
    fn a_later_partition_belongs_to_the_same_frame() {
        let mut depacketizer = Depacketizer::default();

        depacketizer.push(&payload(START, b"first")).unwrap();
        depacketizer
            .push(&payload([0x92, 0x80, 0x05], b" second"))
            .unwrap();

        assert_eq!(depacketizer.finish().unwrap(), "first second");
    }

    #[test]
    fn each_kind_of_stray_payload_gives_the_frame_up() {
        let rows: [(&[&[u8]], DepacketizerError); 4] = [
            (&[&payload(MORE, b"x")], DepacketizerError::NoStart),
            (
                &[&payload(START, b"x"), &payload(START, b"y")],
                DepacketizerError::OtherFrame,
            ),
            (
                &[&payload(START, b"x"), &payload([0x80, 0x80, 0x06], b"y")],
                DepacketizerError::OtherFrame,
            ),
            (
                &[&payload(START, b"x"), &MORE],
                DescriptorError::Truncated(3).into(),
            ),
        ];
        for (payloads, expected) in rows {
            let mut depacketizer = Depacketizer::default();

            let last = payloads
                .iter()
                .map(|payload| depacketizer.push(payload))
                .last();

            assert_eq!(last, Some(Err(expected)));
            assert_eq!(
                depacketizer.push(&payload(MORE, b"z")),
                Err(DepacketizerError::NoStart)
            );
            assert_eq!(depacketizer.finish(), None);

            depacketizer.push(&payload(START, b"next")).unwrap();
            assert_eq!(depacketizer.finish().unwrap(), "next");
        }
    }

    #[test]
    fn a_frame_without_end_is_given_up_at_the_bound() {
        let mut depacketizer = Depacketizer::default();
        depacketizer.push(&payload(START, &[0; 1_000])).unwrap();
        let more = payload(MORE, &[0; 60_000]);

        let refused = (0..100).find_map(|_| depacketizer.push(&more).err());

        assert_eq!(refused, Some(DepacketizerError::TooLong));
        assert_eq!(depacketizer.finish(), None);
    }

    proptest! {
        #[test]
        fn any_payloads_stay_within_the_bound(
            payloads in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..20), any::<bool>()), 0..30),
        ) {
            let mut depacketizer = Depacketizer::default();
            for (payload, ends) in &payloads {
                let pushed = depacketizer.push(payload);
                if *ends {
                    let frame = depacketizer.finish();
                    prop_assert!(frame.is_none() || pushed.is_ok());
                    prop_assert!(!depacketizer.is_open());
                }
            }
        }
    }
}
