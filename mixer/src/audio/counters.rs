//! What has happened to one participant's audio so far.

use std::time::Duration;

/// Totals since the participant's first track or output. They survive a replaced track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioCounters {
    /// Packets handed in, whatever became of them.
    pub received: u64,
    /// Packets that never came, judged by the gaps in the sequence numbers. One that comes after
    /// all moves to `late`.
    pub lost: u64,
    /// Packets that came after their playout.
    pub late: u64,
    /// Packets that came again.
    pub duplicate: u64,
    /// Packets thrown away by our own policy: a full buffer, a delay above its maximum, a counter
    /// that contradicts the stream, a track fed in two ways at once.
    pub dropped: u64,
    /// Packets that the decoder refused, or that were empty.
    pub corrupt: u64,
    /// Samples per channel synthesized in place of what was not there.
    pub concealed: u64,
    /// Samples per channel taken from the copy in the packet after a lost one.
    pub recovered: u64,
    /// Lost packets asked for, each time counted.
    pub asked: u64,
    /// Samples per channel left out to shorten the delay.
    pub accelerated: u64,
    /// Samples per channel repeated to lengthen the delay.
    pub expanded: u64,
    /// Times the decoder could not even conceal; silence was played.
    pub decoder_failures: u64,
    /// Packets the encoder refused, in place of which nothing was sent, and settings it refused.
    pub encoder_failures: u64,
}

/// The delay of one live track: how long a packet that came as fast as any waits before it plays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlayoutDelay {
    /// What the track's jitter and losses make advisable. The delay may exceed it by a tick, since
    /// packets are needed a tick at a time.
    pub target: Duration,
    /// What it is. `None` while nothing plays.
    pub current: Option<Duration>,
}
