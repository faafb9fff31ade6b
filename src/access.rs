//! Who may come in, and as what.
//!
//! Free of carriers: it is given a credential as text, and gives a [`Grant`].

use crate::signaling::{DisplayName, RoomName};

/// What somebody may do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "no credential says so yet"))]
pub(crate) enum Role {
    /// Takes part.
    Participant,
    /// Also says who else does, and how.
    Moderator,
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
}

impl Grant {
    /// What somebody has who did not have to show anything.
    pub(crate) const fn anybody() -> Self {
        Self {
            identity: None,
            name: None,
            role: None,
        }
    }
}

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {}

/// What is asked of whoever wants to come in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {}

impl Access {
    /// What `credential` is good for in `room`.
    ///
    /// # Errors
    ///
    /// [`Denied`] if for nothing.
    pub(crate) fn admit(
        &self,
        _credential: Option<&str>,
        _room: &RoomName,
    ) -> Result<Grant, Denied> {
        Ok(Grant::anybody())
    }
}
