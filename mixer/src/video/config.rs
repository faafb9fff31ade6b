//! How a room's video is mixed.

use std::time::Duration;

use super::fit::Fit;
use super::layout::GridStyle;

/// Whether the active speaker's tile has a bright border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpeakerBorder {
    /// It has, unless it is alone.
    #[default]
    Shown,
    /// It looks like every other.
    Hidden,
}

/// Everything that can be set about mixing video. All of it has defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoConfig {
    /// Aspect of and gaps between the regions.
    pub grid: GridStyle,
    /// What happens to pictures of another aspect than their region. Default: all of it is shown.
    pub fit: Fit,
    /// Default: shown.
    pub speaker_border: SpeakerBorder,
    /// Color of what no tile and no picture covers, `[y, u, v]`. Default: nearly black.
    pub background: [u8; 3],
    /// How long a gap in a live track is waited for, so that retransmissions can fill it.
    /// Default 150 ms. Longer rides out longer round trips, shorter asks for keyframes sooner; it
    /// delays only what is behind a gap.
    pub reorder_window: Duration,
    /// After how long without a new picture a live tile is marked as standing still. Default 1 s:
    /// any camera in use is faster. A recorded picture lasts until the next.
    pub stale_after: Duration,
    /// For how long nobody has to see a live source before it is not decoded any more; it is asked for
    /// a keyframe when it is seen again. Default 5 s: shorter would cost a keyframe, and a moment
    /// without a new picture, whenever somebody speaks again. A recorded source is always decoded.
    pub rest_after: Duration,
    /// The least time between two keyframes forced on one rung. Default 500 ms.
    pub keyframe_interval: Duration,
    /// What one live source may have decoded, in pixels per second; a fifth of that at once.
    /// Default 124 416 000, that is 1920x1080 at 60 fps. What is above waits, and is dropped up to
    /// the next keyframe when too much of it waits.
    pub source_pixels_per_s: u32,
}

impl Default for VideoConfig {
    fn default() -> Self {
        Self {
            grid: GridStyle::default(),
            fit: Fit::default(),
            speaker_border: SpeakerBorder::default(),
            background: super::draw::rgb(0x12, 0x14, 0x18),
            reorder_window: Duration::from_millis(150),
            stale_after: Duration::from_secs(1),
            rest_after: Duration::from_secs(5),
            keyframe_interval: Duration::from_millis(500),
            source_pixels_per_s: 1920 * 1080 * 60,
        }
    }
}
