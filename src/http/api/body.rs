//! What operators send. A field that is not known is refused: a setting that is misspelt does not
//! pass for one that was made.

use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::http::StatusCode;
use mixer::ladder::MAX_RUNGS;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::problem::{Code, Problem};
use crate::ladder_text::RungText;
use crate::signaling::message::{How, PreferredLayout, Role};

/// A room to be made, which stays until it is ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// Its name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub(super) room: String,
    /// The most seats, 1 or more; absent, or more than that: the server's setting.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub(super) max_participants: Option<u16>,
    /// Whether it begins locked.
    #[serde(default)]
    pub(super) locked: bool,
    /// Whether people wait until they are admitted.
    #[serde(default)]
    pub(super) lobby: bool,
    /// The arrangement for those who ask for none; absent: as each rung has it.
    #[serde(default)]
    pub(super) layout: Option<PreferredLayout>,
    /// The pictures that it offers as long as it is there, the lowest first; absent: the server's.
    #[serde(default)]
    #[schemars(length(min = 1, max = MAX_RUNGS))]
    pub(super) ladder: Option<Vec<RungText>>,
}

/// What is to be different in a room. What is absent stays.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RoomChange {
    /// Whether nobody else gets in.
    pub(super) locked: Option<bool>,
    /// Whether those who come wait until they are admitted. If not, all who wait are admitted.
    pub(super) lobby: Option<bool>,
    /// The arrangement for those who ask for none; null: as each rung has it.
    #[serde(deserialize_with = "there")]
    pub(super) layout: Option<Option<PreferredLayout>>,
    /// The id of who is shown large to everybody; null: nobody.
    #[serde(deserialize_with = "there")]
    pub(super) pinned: Option<Option<String>>,
    /// The most seats, 1 or more, at most the server's setting. Whoever sits stays.
    #[schemars(range(min = 1))]
    pub(super) max_participants: Option<u16>,
}

/// What is to be different with a participant. What is absent stays.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ParticipantChange {
    /// True closes the microphone; false allows it again, and asks them to open it.
    pub(super) muted: Option<bool>,
    /// False switches the camera off; true allows it again, and asks them to switch it on.
    pub(super) camera: Option<bool>,
    /// How firmly the two are switched off.
    pub(super) how: How,
    /// What they may do.
    pub(super) role: Option<Role>,
    /// False takes note of a raised hand. Only they can raise it.
    pub(super) hand_raised: Option<bool>,
}

/// A text for everybody in the room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// 1 to 2,000 bytes, no control characters but line breaks and tabs.
    pub(super) text: String,
}

/// A body that is JSON, whatever its content type is said to be.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let read = Bytes::from_request(request, state).await;
        let body = read.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(Code::TooLarge, "the body is longer than is read")
            }
            _ => Problem::new(Code::BadRequest, "the body could not be read"),
        })?;
        // As far as serde goes, an array would be a struct as well.
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::new(Code::BadRequest, "expected a JSON object"));
        }
        serde_json::from_slice(&body)
            .map(Self)
            .map_err(|error| Problem::new(Code::BadRequest, error.to_string()))
    }
}

/// Tells null from absent.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
