//! What can be set about a room's audio.

use std::time::Duration;

use codecs::audio::Channels;

/// Settings of one room's audio mixer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    /// Channels of the mix. Every decoder must produce and every encoder accept exactly these.
    /// Default: mono. Stereo doubles the mixing cost and less than doubles the codec cost.
    pub channels: Channels,

    /// How long a live packet waits before it plays, so that later ones can overtake trouble on
    /// the way. Default 40 ms, at most [`AudioConfig::LONGEST_DELAY`]. Less hides less network
    /// jitter; more is heard as delay by everybody.
    pub jitter_target: Duration,

    /// How far the delay of a live track may grow before packets are dropped to bring it back to
    /// the target. Default 160 ms, at least 20 ms above the target and at most
    /// [`AudioConfig::LONGEST_DELAY`] above it. Less turns network bursts into gaps; more lets a
    /// burst turn into delay.
    pub jitter_maximum: Duration,
}

impl AudioConfig {
    /// The longest delay, and the longest growth above it, that a configuration can ask for.
    /// Values outside their range are taken as the nearest end of it.
    pub const LONGEST_DELAY: Duration = Duration::from_secs(1);
}

impl Default for AudioConfig {
    fn default() -> Self {
        Self {
            channels: Channels::Mono,
            jitter_target: Duration::from_millis(40),
            jitter_maximum: Duration::from_millis(160),
        }
    }
}
