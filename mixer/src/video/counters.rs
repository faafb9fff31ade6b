//! What happened to what a participant sent, and to what a rung sent.

/// Since the participant joined. Tracks come and go, the counters stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoCounters {
    /// Packets of live tracks.
    pub packets: PacketCounters,
    /// Frames of live and recorded tracks.
    pub frames: FrameCounters,
    /// Keyframes that this participant was asked for.
    pub keyframes_requested: u64,
    /// Ticks at which a bound kept frames waiting or dropped them: the source sends more than it may.
    pub thinned_ticks: u64,
    /// Ticks at which nothing live was decoded, since nobody had seen it for a while.
    pub resting_ticks: u64,
}

/// Packets. Each one received is in at most one of the other classes; lost ones are not received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketCounters {
    /// Handed in.
    pub received: u64,
    /// Never came, or not before their frame's deadline.
    pub lost: u64,
    /// Came after their frame had been decided; retransmissions of what was not lost, mostly.
    pub late: u64,
    /// Came again while the first copy was waiting.
    pub duplicate: u64,
    /// Not a payload of this codec.
    pub malformed: u64,
    /// Of no use without what was lost, above a bound, or of a source that nobody sees.
    pub dropped: u64,
}

/// Frames that were complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounters {
    /// Decoded.
    pub decoded: u64,
    /// Decoded, and to be turned to stand upright.
    pub turned: u64,
    /// The decoder refused them.
    pub corrupt: u64,
    /// Claimed a size above the decoder's cap.
    pub too_large: u64,
    /// Of no use without a frame before them, or above a bound.
    pub dropped: u64,
}

/// What a rung sent since it was added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RungCounters {
    /// Frames encoded.
    pub frames: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// Bytes of all frames.
    pub bytes: u64,
    /// Frames that the encoder refused: nothing was sent.
    pub encoder_errors: u64,
}
