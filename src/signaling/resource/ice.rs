//! The ICE session of a resource: its candidates and its restarts, each session known by a tag
//! (RFC 9725 §4.3.1).

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use super::fragment::Fragment;
use crate::limits::{Allowance, Excess};
use crate::rtc::{Offer, Transport};

/// Names an ICE session; the next one after a restart has another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceTag(String);

/// Which ICE session a change is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Whichever there is: this may restart it.
    Any,
    /// One with one of these names.
    One(Vec<String>),
}

/// Why an ICE session was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IceError {
    #[error("this is not the ICE session there is")]
    OtherTag,
    #[error(
        "these are not the credentials of the ICE session there is; a restart is for If-Match: *"
    )]
    OtherCredentials,
    #[error("{0}")]
    BadCandidate(String),
    #[error("ICE could not be restarted: {0}")]
    NoRestart(String),
    #[error(transparent)]
    TooMuch(#[from] Excess),
}

#[derive(Debug)]
pub(super) struct Ice {
    transport: Arc<Transport>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    tag: IceTag,
    /// The offer that the session came from.
    offer: Offer,
    allowance: Allowance,
}

impl Ice {
    /// The session that came from answering `offer`, of whoever may ask for so much more.
    pub(super) fn new(transport: Arc<Transport>, offer: Offer, allowance: Allowance) -> Self {
        let tag = IceTag::new();
        Self {
            transport,
            current: Mutex::new(Current {
                tag,
                offer,
                allowance,
            }),
        }
    }

    pub(super) async fn tag(&self) -> IceTag {
        self.current.lock().await.tag.clone()
    }

    /// Takes `fragment` in. `Some` if that made a new session: its tag, and our side of it.
    pub(super) async fn change(
        &self,
        condition: &Condition,
        fragment: Fragment,
    ) -> Result<Option<(IceTag, String)>, IceError> {
        let mut current = self.current.lock().await;
        if let Condition::One(tags) = condition
            && !tags.contains(&current.tag.0)
        {
            return Err(IceError::OtherTag);
        }
        let restart = current.offer.restarted(&fragment.credentials);
        let now = Instant::now();
        current.allowance.message(0, now)?;
        let restarted = match restart {
            None => None,
            Some(_) if *condition != Condition::Any => return Err(IceError::OtherCredentials),
            Some(offer) => {
                current.allowance.restart(now)?;
                let answer = self.transport.answer_again(offer.clone()).await;
                let answer = answer.map_err(|error| IceError::NoRestart(error.to_string()))?;
                (current.tag, current.offer) = (IceTag::new(), offer);
                Some((current.tag.clone(), Fragment::of_answer(&answer)))
            }
        };
        for candidate in fragment.candidates {
            current.allowance.candidate()?;
            self.transport
                .add_candidate(candidate)
                .await
                .map_err(IceError::BadCandidate)?;
        }
        Ok(restarted)
    }
}

impl IceTag {
    fn new() -> Self {
        Self(format!("{:016x}", rand::random::<u64>()))
    }
}

impl fmt::Display for IceTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
