//! What the server says of pictures and links: where everybody is, what comes, what is worth sending.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// Where everybody is on the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layout {
    /// The canvas the tiles are on.
    pub canvas: LayoutCanvas,
    /// In the order of joining, but for one shown large, who is first.
    pub tiles: Vec<Tile>,
    /// The largest that anybody sees this participant, which may be on another canvas: what is
    /// worth sending. Null while nobody does.
    pub seen_as: Option<LayoutCanvas>,
}

/// What a participant gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// What video there is.
    pub video: VideoState,
    /// Which; null while it is paused.
    pub rung: Option<VideoRung>,
    /// Bitrate of the audio.
    pub audio_kbps: u32,
    /// Sound per packet, in milliseconds.
    pub packet_ms: u32,
    /// Why the video is no better.
    pub reason: QualityReason,
    /// What would change it; null where the link is not the reason.
    pub next: Option<NextRung>,
}

/// One of the room's encodings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VideoRung {
    /// As the room calls it.
    pub name: String,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pictures per second, to a tenth.
    pub fps: Number,
}

/// The next rung up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NextRung {
    /// What the link would have to carry for it, about, everything counted.
    pub kbps: u32,
}

/// What video there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VideoState {
    /// Moving pictures.
    Moving,
    /// A picture every so often.
    Stills,
    /// None.
    Paused,
}

/// Why video is no better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QualityReason {
    /// There is no better.
    Best,
    /// The link carries no more.
    Bandwidth,
    /// The participant asked for no more.
    Asked,
    /// What the link carries is not known yet.
    Starting,
}

/// What is worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Uplink {
    /// The picture; null while nobody sees it: then it is best paused.
    pub video: Option<UplinkVideo>,
    /// The sound.
    pub audio: UplinkAudio,
}

/// A picture worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UplinkVideo {
    /// The largest that anybody sees it: width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// The fastest that anybody sees it, in whole frames per second.
    pub fps: u32,
    /// What that takes.
    pub kbps: u32,
}

/// Sound worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UplinkAudio {
    /// The best that anybody hears.
    pub kbps: u32,
    /// Sound per packet, in milliseconds: longer where links are thin.
    pub packet_ms: u32,
}

/// The size of a canvas in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LayoutCanvas {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
}

/// One participant's region, in pixels of the canvas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tile {
    /// Whose.
    pub participant: String,
    /// Distance from the left edge.
    pub left: usize,
    /// Distance from the upper edge.
    pub top: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}
