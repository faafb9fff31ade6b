//! The beginning of a connection: from its being accepted to the end of the head of its first
//! request, a handshake of TLS included.
//!
//! It costs more than anything later and is done for strangers, so an address begins so many at a
//! time and so many a second (`connections-per-second`, `openings-per-address`), and has so long for
//! each (`opening-seconds`). Whoever is slower is cut and counted.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::limits::{Permit, Refusal};

use super::Guard;

/// A connection over which nothing has been asked yet. Dropping it says that this is over.
#[derive(Debug)]
#[expect(dead_code, reason = "held, and never looked at")]
struct Opening {
    permit: Permit,
    asked: oneshot::Sender<()>,
}

/// Has the opening until something is asked.
#[derive(Debug)]
pub(super) struct Threshold(Mutex<Option<Opening>>);

/// Until when something must have been asked.
#[derive(Debug)]
pub(super) struct Deadline {
    at: Instant,
    asked: oneshot::Receiver<()>,
}

/// The beginning of a connection, now.
pub(super) fn begin(guard: &Guard, permit: Permit) -> (Threshold, Deadline) {
    let (asked, is_asked) = oneshot::channel();
    let at = Instant::now() + guard.limiter.limits().open_within();
    let threshold = Threshold(Mutex::new(Some(Opening { permit, asked })));
    let deadline = Deadline {
        at,
        asked: is_asked,
    };
    (threshold, deadline)
}

impl Threshold {
    /// The head of a request has come.
    pub(super) fn pass(&self) {
        let mut opening = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(opening.take());
    }
}

impl Deadline {
    pub(super) const fn at(&self) -> Instant {
        self.at
    }

    /// Resolves, and counts, when nothing was asked in time; and never if something was.
    pub(super) async fn over(self, guard: &Guard) {
        // That nobody says so any more is what says it.
        if timeout_at(self.at, self.asked).await.is_ok() {
            return std::future::pending().await;
        }
        guard.limiter.counters().count(Refusal::Opening);
    }
}
