//! The messages of protocol version 1, as PROTOCOL.md documents them.
//!
//! Each is one JSON object with a `type`. Unknown fields are ignored, so that either side may be
//! newer than the other.

mod event;
mod failure;
mod moderation;
mod picture;
mod request;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::rtc::Candidate;
pub use event::{
    ByeReason, Canvas, Event, IceServer, Joined, LeaveReason, Notice, NoticeCode, Participant,
    Resumed, ServerMessage,
};
pub use failure::{ErrorCode, ErrorMessage};
pub use moderation::{Act, Asked, ChatMessage, How, Knock, Moderate, Role, RoomState, Waiting};
pub use picture::{
    Layout, LayoutCanvas, NextRung, Quality, QualityReason, Tile, Uplink, UplinkAudio, UplinkVideo,
    VideoRung, VideoState,
};
pub use request::{ClientMessage, Join, Prefer, PreferredLayout, Resume};

/// The only version there is.
pub const VERSION: u32 = 1;

/// A client's own mark on a request; its reply carries the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RequestId {
    /// A number.
    Number(u64),
    /// A text, at most 64 bytes (longer ones are refused as `bad_message`).
    Text(String),
}

/// What an absent flag means.
const fn yes() -> bool {
    true
}

/// Whether a flag may be left out.
const fn is_yes(flag: &bool) -> bool {
    *flag
}
