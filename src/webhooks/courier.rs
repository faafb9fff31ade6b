//! Tells one endpoint what happens, one event after the other.
//!
//! Holds the event at hand; those that wait are in the log that all share. When the server ends, what
//! is left is tried once each, until one fails.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use super::SecretsFile;
use super::ledger::Ledger;
use super::persistence::{Outcome, Persistence, Reason, Rest, Verdict};
use super::post::{Answer, Letter, Post};
use crate::room::{Kept, Next, Reader};

/// What all couriers are told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Orders {
    /// How often they were told to try at once.
    pub(super) woken: u64,
    /// Whether they are to come to an end.
    pub(super) finish: bool,
}

/// One endpoint's.
#[derive(Debug)]
pub(super) struct Courier<P> {
    pub(super) post: P,
    pub(super) events: Reader,
    pub(super) secrets: Arc<SecretsFile>,
    pub(super) answer_within: Duration,
    pub(super) persistence: Persistence,
    pub(super) ledger: Arc<Ledger>,
    pub(super) orders: watch::Receiver<Orders>,
    /// Of the orders that were followed.
    pub(super) woken: u64,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carried {
    /// There is no more to do about it.
    Done,
    /// The server ends before it was told.
    Left,
}

impl<P: Post> Courier<P> {
    /// Goes on until it is told to finish and has nothing more to tell, or nobody who listens.
    pub(super) async fn run(mut self) {
        while let Some(kept) = self.next().await {
            if self.carry(&kept).await == Carried::Left {
                break;
            }
        }
        let left = self.ledger.status().waiting();
        if left > 0 {
            warn!(left, "the webhook was not told everything");
        }
    }

    async fn next(&mut self) -> Option<Arc<Kept>> {
        loop {
            let next = tokio::select! {
                // First: what is left is told before the end.
                biased;
                next = self.events.next() => next,
                _ = self.orders.wait_for(|orders| orders.finish) => return None,
            };
            match next {
                Next::Event(kept) => return Some(kept),
                Next::Lost(count) => self.ledger.lose(count.unwrap_or_default()),
            }
        }
    }

    async fn carry(&mut self, kept: &Kept) -> Carried {
        let id = &kept.event.id;
        let body = serde_json::to_string(&kept.event);
        let body = body.expect("events are plain data with text keys");
        loop {
            if self.rest().await == Carried::Left {
                return Carried::Left;
            }
            if self.persistence.is_too_old(kept.said.elapsed()) {
                self.persistence.turn_over();
                self.ledger.give_up(id, Reason::TooOld);
                return Carried::Done;
            }
            match self.attempt(id, &body).await {
                Verdict::Delivered => {
                    self.ledger.deliver();
                    return Carried::Done;
                }
                Verdict::GiveUp(reason) => {
                    self.ledger.give_up(id, reason);
                    return Carried::Done;
                }
                Verdict::Gone => self.ledger.close(),
                Verdict::Again => {}
            }
            if self.orders.borrow().finish {
                return Carried::Left;
            }
        }
    }

    /// Waits until the next try may be. In the end nothing is waited for.
    async fn rest(&mut self) -> Carried {
        loop {
            let orders = *self.orders.borrow_and_update();
            if orders.woken != self.woken {
                self.woken = orders.woken;
                self.persistence.wake();
            }
            let changed = self.orders.changed();
            let changed = match self.persistence.rest() {
                Rest::None => return Carried::Done,
                Rest::ForGood if orders.finish => return Carried::Left,
                Rest::Until(_) if orders.finish => return Carried::Done,
                Rest::ForGood => changed.await,
                Rest::Until(time) => tokio::select! {
                    () = sleep_until(time) => return Carried::Done,
                    changed = changed => changed,
                },
            };
            if changed.is_err() {
                return Carried::Left;
            }
        }
    }

    async fn attempt(&mut self, id: &str, body: &str) -> Verdict {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let timestamp = since_1970.unwrap_or_default().as_secs();
        let letter = Letter {
            id: id.to_owned(),
            timestamp,
            signature: self.secrets.get().sign(id, timestamp, body),
            body: body.to_owned(),
        };
        let posted = timeout(self.answer_within, self.post.post(letter)).await;
        let (outcome, why) = match posted {
            Ok(Ok(Answer {
                status,
                retry_after,
            })) => {
                let outcome = Outcome::Answered {
                    status,
                    retry_after,
                };
                (outcome, format!("it answered {status}"))
            }
            Ok(Err(error)) => (Outcome::NoAnswer, error),
            Err(_) => (Outcome::NoAnswer, "it did not answer in time".to_owned()),
        };
        let chance = rand::random_range(0..=1_000);
        let verdict = self.persistence.judge(outcome, Instant::now(), chance);
        if verdict != Verdict::Delivered {
            self.ledger.fail(why);
        }
        verdict
    }
}

#[cfg(test)]
mod tests;
