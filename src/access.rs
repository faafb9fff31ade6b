//! Who may come in, and as what.
//!
//! Free of carriers: it is given a credential as text, and gives a [`Grant`]. The credential is a
//! JSON Web Token (RFC 7519), signed with a key of the [keys file](keys); [`claims`] says what is
//! in it. Without a keys file everybody may come in, as nobody in particular.
//!
//! The algorithm is the key's, never the token's: a token is checked against keys of the algorithm
//! it names, and what that is was settled by the keys file. A credential has at most
//! [`MAX_CREDENTIAL_BYTES`].

pub mod api_key;
mod claims;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod keys;
mod seal;
pub mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::from_file::{FromFile, ReadAgain};
use crate::limits::{Counters, Refusal};
use crate::signaling::message::ErrorCode;
pub use crate::signaling::message::Role;
use crate::signaling::{DisplayName, RoomName};
use claims::Claims;
pub use claims::{Capabilities, Capability};
use keys::{KeyRing, KeysError};

/// The longest credential that is looked at.
const MAX_CREDENTIAL_BYTES: usize = 8 * 1024;

/// How far the clocks of whoever signs and of this machine may differ.
const LEEWAY: Duration = Duration::from_secs(30);

/// What is asked of whoever wants to come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessConfig {
    /// The keys that sign; `None`: nothing is asked.
    pub keys: Option<PathBuf>,
    /// Who must have signed (`iss`); `None`: whoever has a key.
    pub issuer: Option<String>,
    /// Whom it must be meant for (`aud`); `None`: whoever has the keys.
    pub audience: Option<String>,
}

/// What a credential is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Who they are, to whoever made the credential; `None` where nobody was asked.
    pub(crate) identity: Option<String>,
    /// What the others see, where that is not for them to choose.
    pub(crate) name: Option<DisplayName>,
    /// `None`: for the room to say.
    pub(crate) role: Option<Role>,
    /// What they may do beyond being there.
    pub(crate) can: Capabilities,
    /// When it will no longer let anybody in. Who is in by then stays.
    pub(crate) until: Option<SystemTime>,
}

impl Grant {
    /// What somebody has who did not have to show anything.
    pub(crate) const fn anybody() -> Self {
        Self {
            identity: None,
            name: None,
            role: None,
            can: Capabilities::ALL,
            until: None,
        }
    }
}

/// Why nobody was let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("this server asks for a token, and there was none")]
    Missing,
    #[error("the token is no good: {0}")]
    Bad(&'static str),
    #[error("the token is not valid yet, its nbf is in {} s", .wait.as_secs())]
    TooEarly { wait: Duration },
    #[error("the token has expired, {} s ago", .ago.as_secs())]
    Expired { ago: Duration },
    #[error("the token is for another room")]
    OtherRoom,
}

impl Denied {
    /// As the protocol has it.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Missing => ErrorCode::AuthRequired,
            Self::Bad(_) | Self::TooEarly { .. } => ErrorCode::BadAuth,
            Self::Expired { .. } => ErrorCode::AuthExpired,
            Self::OtherRoom => ErrorCode::NotThisRoom,
        }
    }

    /// After how long it is worth asking again, where that is any use.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooEarly { wait } => Some(*wait),
            Self::Missing | Self::Bad(_) | Self::Expired { .. } | Self::OtherRoom => None,
        }
    }
}

/// Whether somebody has been in before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visit {
    First,
    Again,
}

/// Asks whoever wants to come in.
#[derive(Debug, Default)]
pub(crate) struct Access {
    keys: Option<Keys>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Keys {
    config: AccessConfig,
    ring: Arc<FromFile<KeyRing, KeysError>>,
}

impl Access {
    /// Reads the keys, if there are to be any.
    ///
    /// # Errors
    ///
    /// [`KeysError`] if they cannot be read or are not keys.
    pub(crate) fn new(config: &AccessConfig, counters: Arc<Counters>) -> Result<Self, KeysError> {
        let keys = match &config.keys {
            None => None,
            Some(file) => Some(Keys {
                config: config.clone(),
                ring: Arc::new(FromFile::new("keys", file, KeyRing::read)?),
            }),
        };
        Ok(Self { keys, counters })
    }

    /// The keys, to be read again; `None`: there are none.
    pub(crate) fn file(&self) -> Option<Arc<dyn ReadAgain>> {
        let keys = self.keys.as_ref()?;
        Some(Arc::clone(&keys.ring) as Arc<dyn ReadAgain>)
    }

    /// What `credential` is good for in `room`, for somebody who takes a new seat.
    ///
    /// # Errors
    ///
    /// [`Denied`] if for nothing.
    pub(crate) fn admit(&self, credential: Option<&str>, room: &RoomName) -> Result<Grant, Denied> {
        self.judge(credential, room, Visit::First)
    }

    /// As [`Self::admit`] for somebody who comes back to a seat, which shows that they were let in
    /// before: a credential that has expired since is as good as on the first day.
    ///
    /// # Errors
    ///
    /// [`Denied`] if for nothing.
    pub(crate) fn readmit(
        &self,
        credential: Option<&str>,
        room: &RoomName,
    ) -> Result<Grant, Denied> {
        self.judge(credential, room, Visit::Again)
    }

    fn judge(
        &self,
        credential: Option<&str>,
        room: &RoomName,
        visit: Visit,
    ) -> Result<Grant, Denied> {
        let Some(keys) = &self.keys else {
            return Ok(Grant::anybody());
        };
        let now = SystemTime::now();
        let judged = keys.judge(credential, room, visit, now);
        if let Err(denied) = &judged {
            self.counters.count(match denied {
                Denied::Missing => Refusal::AuthRequired,
                Denied::Bad(_) | Denied::TooEarly { .. } => Refusal::BadAuth,
                Denied::Expired { .. } => Refusal::AuthExpired,
                Denied::OtherRoom => Refusal::NotThisRoom,
            });
        }
        judged
    }
}

impl Keys {
    fn judge(
        &self,
        credential: Option<&str>,
        room: &RoomName,
        visit: Visit,
        now: SystemTime,
    ) -> Result<Grant, Denied> {
        let credential = credential.ok_or(Denied::Missing)?;
        if credential.len() > MAX_CREDENTIAL_BYTES {
            return Err(Denied::Bad("it is too long"));
        }
        let claims: Claims = self.ring.get().open(credential)?;
        self.meant_for_us(&claims)?;
        claims.in_time(now, LEEWAY, visit)?;
        claims.grant(room)
    }

    fn meant_for_us(&self, claims: &Claims) -> Result<(), Denied> {
        if self.config.issuer.is_some() && claims.iss != self.config.issuer {
            return Err(Denied::Bad("its issuer (iss) is another"));
        }
        match &self.config.audience {
            Some(audience) if !claims.is_for(audience) => {
                Err(Denied::Bad("its audience (aud) is another"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
