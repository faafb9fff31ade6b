//! What the jitter buffer says and is told, piece by piece.

use bytes::Bytes;

/// What to play next. Lengths are samples per channel, multiples of [`SHORTEST_SAMPLES`](super::SHORTEST_SAMPLES) where
/// the codec synthesizes them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due<'a> {
    /// Decode this packet, then tell [`JitterBuffer::played`](super::JitterBuffer::played) how long it was.
    Packet(Bytes),
    /// A packet is missing and the one after it is `next`, which stays in the buffer.
    Recover {
        /// May carry a copy of the missing one.
        next: &'a Bytes,
        /// What is missing, in samples.
        samples: usize,
    },
    /// A packet is missing.
    Conceal {
        /// What is missing, in samples.
        samples: usize,
    },
    /// The sender was silent.
    Silence {
        /// For how long, in samples.
        samples: usize,
    },
    /// Nothing will be due in this tick.
    Nothing,
}

/// What came with the packet last taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copies {
    /// It carries a copy of the packet before it.
    Carried,
    /// It carries none.
    None,
}
