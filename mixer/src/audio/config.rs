//! What can be set about a room's audio.

use std::time::Duration;

use codecs::audio::Channels;

/// Settings of one room's audio mixer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    /// Channels of the mix. Every decoder must produce and every encoder accept exactly these.
    /// Default: mono. Stereo doubles the mixing cost and less than doubles the codec cost.
    pub channels: Channels,

    /// The least delay that a live track is given. Default 10 ms: a packet on an even path plays
    /// with the first tick that is at least this much later. Less leaves the ticks themselves no
    /// room to be late; more is heard as delay by everybody.
    pub jitter_minimum: Duration,

    /// How long a live packet may wait before it plays, whatever the jitter; what would have to
    /// wait longer is dropped, the oldest first. Default 500 ms, from
    /// [`AudioConfig::SHORTEST_MAXIMUM`] to [`AudioConfig::LONGEST_DELAY`]. Less turns network
    /// bursts into gaps; more lets a burst turn into delay for some seconds.
    pub jitter_maximum: Duration,

    /// A track that stays quieter than this for half a second, in −dBov from 0 to 127, contributes
    /// exactly nothing until it is louder. So whoever sends no more than the noise of a quiet room
    /// needs no encode of their own. Default none: every sample counts.
    pub gate_minus_dbov: Option<u8>,
}

impl AudioConfig {
    /// The longest delay that a configuration can ask for. Values outside their range are taken as
    /// the nearest end of it, and a minimum as at most 40 ms below the maximum.
    pub const LONGEST_DELAY: Duration = Duration::from_secs(1);

    /// The shortest maximum: 60 ms, one tick of delay between two of room.
    pub const SHORTEST_MAXIMUM: Duration = Duration::from_millis(60);
}

impl Default for AudioConfig {
    fn default() -> Self {
        Self {
            channels: Channels::Mono,
            jitter_minimum: Duration::from_millis(10),
            jitter_maximum: Duration::from_millis(500),
            gate_minus_dbov: None,
        }
    }
}
