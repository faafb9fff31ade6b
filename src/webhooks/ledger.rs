//! What became of the events for one endpoint, for whoever runs the server. Counters only grow.

use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;
use tracing::{debug, info, warn};

use super::Endpoint;
use super::persistence::Reason;
use crate::room::Events;

/// How an endpoint stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct WebhookStatus {
    /// Where events are posted to, without what follows a `?`.
    url: String,
    /// Whether that works.
    state: EndpointState,
    /// Events that are to be posted yet.
    waiting: u64,
    /// Events that it has.
    delivered: u64,
    /// Tries of which nothing came.
    failed_tries: u64,
    /// Events that it will never have.
    dropped: Dropped,
    /// What came of the last try that failed, for people; null: there was none.
    last_failure: Option<String>,
}

impl WebhookStatus {
    /// Events that are to be posted yet.
    pub(super) const fn waiting(&self) -> u64 {
        self.waiting
    }
}

/// Whether an endpoint works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum EndpointState {
    /// The last try went well, or there was none.
    Working,
    /// The last try failed.
    Failing,
    /// It has said that it wants no more (410); SIGHUP has it tried again.
    Gone,
}

/// Events that an endpoint will never have, by the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Dropped {
    /// It did not want them.
    refused: u64,
    /// It failed over them.
    failed: u64,
    /// They became too old.
    too_old: u64,
    /// There were more than are kept.
    overflowed: u64,
}

/// The account of one endpoint.
#[derive(Debug)]
pub(super) struct Ledger {
    events: Events,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    status: WebhookStatus,
    /// The number of the last event with which there is no more to do.
    done: u64,
}

impl Ledger {
    /// Of an endpoint that will be told what is said from now on.
    pub(super) fn new(endpoint: &Endpoint, events: Events) -> Self {
        let status = WebhookStatus {
            url: endpoint.to_string(),
            state: EndpointState::Working,
            waiting: 0,
            delivered: 0,
            failed_tries: 0,
            dropped: Dropped::default(),
            last_failure: None,
        };
        let done = events.last();
        Self {
            events,
            state: Mutex::new(State { status, done }),
        }
    }

    pub(super) fn status(&self) -> WebhookStatus {
        let state = self.state();
        WebhookStatus {
            waiting: self.events.last().saturating_sub(state.done),
            ..state.status.clone()
        }
    }

    /// The endpoint has the event.
    pub(super) fn deliver(&self) {
        let mut state = self.state();
        state.done += 1;
        state.status.delivered += 1;
        if state.status.state != EndpointState::Working {
            info!("the webhook is told again");
        }
        state.status.state = EndpointState::Working;
    }

    /// Nothing came of a try.
    pub(super) fn fail(&self, why: String) {
        let mut state = self.state();
        state.status.failed_tries += 1;
        if state.status.state == EndpointState::Working {
            warn!(%why, "the webhook is not told");
        } else {
            debug!(%why, "the webhook is not told");
        }
        state.status.state = EndpointState::Failing;
        state.status.last_failure = Some(why);
    }

    /// The event is given up.
    pub(super) fn give_up(&self, id: &str, reason: Reason) {
        warn!(id, ?reason, "the webhook is never told of an event");
        let mut state = self.state();
        state.done += 1;
        let dropped = &mut state.status.dropped;
        *match reason {
            Reason::Refused => &mut dropped.refused,
            Reason::Failed => &mut dropped.failed,
            Reason::TooOld => &mut dropped.too_old,
        } += 1;
    }

    /// As many events are not kept any more.
    pub(super) fn lose(&self, count: u64) {
        warn!(
            count,
            "there were more events than are kept for the webhook"
        );
        let mut state = self.state();
        state.done += count;
        state.status.dropped.overflowed += count;
    }

    /// The endpoint wants no more.
    pub(super) fn close(&self) {
        warn!("the webhook wants no more (410): SIGHUP has it tried again");
        self.state().status.state = EndpointState::Gone;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
