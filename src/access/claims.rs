//! What a token says (RFC 7519 §4). Pure, time is an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize};

use super::{Denied, Grant, Visit};
use crate::signaling::message::Role;
use crate::signaling::{DisplayName, RoomName};

/// In place of a room's name: any room.
pub(super) const ANY_ROOM: &str = "*";

/// The longest identity, in characters.
pub(super) const MAX_IDENTITY_CHARS: usize = 128;

/// One thing that somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Be heard.
    PublishAudio,
    /// Be seen.
    PublishVideo,
    /// Hear and see.
    Subscribe,
    /// Say something in writing.
    Chat,
}

/// All that somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Be heard.
    pub publish_audio: bool,
    /// Be seen.
    pub publish_video: bool,
    /// Hear and see.
    pub subscribe: bool,
    /// Say something in writing.
    pub chat: bool,
}

/// A token's content. What is not listed is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The room's name, or [`ANY_ROOM`].
    pub(super) room: String,
    /// Who they are, to whoever made the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sub: Option<String>,
    /// What the others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    /// The names of capabilities; absent: all. A name that is not known grants nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) can: Option<Vec<String>>,
    /// From when on it is no longer good.
    pub(super) exp: NumericDate,
    /// From when on it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nbf: Option<NumericDate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) aud: Option<Audience>,
}

/// Seconds since 1970 in UTC, whole ones: of a fraction (RFC 7519 §2) nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct NumericDate(pub(super) u64);

/// One or several (RFC 7519 §4.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Capability {
    /// All there are.
    pub const ALL: [Self; 4] = [
        Self::PublishAudio,
        Self::PublishVideo,
        Self::Subscribe,
        Self::Chat,
    ];

    /// As it is written in a token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PublishAudio => "publish_audio",
            Self::PublishVideo => "publish_video",
            Self::Subscribe => "subscribe",
            Self::Chat => "chat",
        }
    }
}

impl Capabilities {
    /// Everything.
    pub const ALL: Self = Self {
        publish_audio: true,
        publish_video: true,
        subscribe: true,
        chat: true,
    };

    /// Those with these names.
    fn named(names: &[String]) -> Self {
        let has = |capability: Capability| names.iter().any(|name| name == capability.name());
        Self {
            publish_audio: has(Capability::PublishAudio),
            publish_video: has(Capability::PublishVideo),
            subscribe: has(Capability::Subscribe),
            chat: has(Capability::Chat),
        }
    }
}

impl Claims {
    /// Whether `audience` is among those it is meant for.
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            None => false,
            Some(Audience::One(one)) => one == audience,
            Some(Audience::Several(several)) => several.iter().any(|one| one == audience),
        }
    }

    /// Whether it is good at `now`, by a clock that may be off by `leeway`.
    pub(super) fn in_time(
        &self,
        now: SystemTime,
        leeway: Duration,
        visit: Visit,
    ) -> Result<(), Denied> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let begins = Duration::from_secs(self.nbf.map_or(0, |nbf| nbf.0));
        let ends = Duration::from_secs(self.exp.0);
        if begins > now + leeway {
            return Err(Denied::TooEarly { wait: begins - now });
        }
        if visit == Visit::First && now >= ends + leeway {
            return Err(Denied::Expired { ago: now - ends });
        }
        Ok(())
    }

    /// What it is good for in `room`.
    pub(super) fn grant(self, room: &RoomName) -> Result<Grant, Denied> {
        if self.room != ANY_ROOM && self.room != room.as_str() {
            return Err(Denied::OtherRoom);
        }
        let name = match self.name {
            None => None,
            Some(name) => Some(DisplayName::parse(&name).ok_or(Denied::Bad(
                "its name is over 64 characters, or a control character is among them",
            ))?),
        };
        let is_too_long = |it: &String| it.chars().count() > MAX_IDENTITY_CHARS;
        if self.sub.as_ref().is_some_and(is_too_long) {
            return Err(Denied::Bad("its identity (sub) is over 128 characters"));
        }
        Ok(Grant {
            identity: self.sub,
            name,
            role: self.role,
            can: self
                .can
                .map_or(Capabilities::ALL, |names| Capabilities::named(&names)),
            until: UNIX_EPOCH.checked_add(Duration::from_secs(self.exp.0)),
        })
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The largest whole number that every JSON library writes as it is.
        const MAX: f64 = 9_007_199_254_740_991.0;
        let seconds = f64::deserialize(deserializer)?;
        if !(0.0..=MAX).contains(&seconds) {
            let message = format!("a time is {seconds}, expected seconds since 1970");
            return Err(serde::de::Error::custom(message));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within 0 and 2^53, and fractions are to go"
        )]
        Ok(Self(seconds as u64))
    }
}
