//! The life of one session: it hears requests, notes down what there is to say, and waits for its
//! client when that is away.
//!
//! A task of its own, so that the session outlives its carriers. It ends with its last word, with a
//! client that stays away or does not join ([`Doorstep`]), or with the server; its seat is then held
//! by the room, if at all. What was said last can still be fetched for [`LINGER`].

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::debug;

use super::doorstep::Doorstep;
use super::handle::{LastWord, SessionEnd};
use super::line::LineEnd;
use super::message::{ByeReason, ServerMessage};
use super::pace::Pace;
use super::presence::Reach;
use super::session::Session;
use super::sessions::Enrolled;
use crate::limits::Refusal;
use crate::room::Client;

/// How long the last word waits for its client.
const LINGER: Duration = Duration::from_secs(30);

/// A session with all that it needs to live.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) session: Session,
    /// What the room and the session itself have to say.
    pub(super) told: LineEnd,
    pub(super) requests: mpsc::Receiver<String>,
    pub(super) end: SessionEnd,
    pub(super) enrolled: Enrolled,
}

/// Why a life is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// The last word was said.
    Said,
    /// There is nobody to say it to.
    Gone,
}

impl Life {
    /// Lives until it is over, or until the server is draining.
    pub(super) async fn run(mut self, mut draining: watch::Receiver<bool>) {
        let over = tokio::select! {
            over = self.converse() => over,
            () = told_to_stop(&mut draining) => {
                let reason = ByeReason::Draining;
                self.end.say(ServerMessage::Bye { reason });
                Over::Said
            }
        };
        let Self {
            session,
            mut requests,
            mut end,
            enrolled,
            ..
        } = self;
        drop(session);
        requests.close();
        if over == Over::Said {
            let _ = timeout(LINGER, end.last_word_is_known()).await;
        }
        end.close();
        drop(enrolled);
    }

    async fn converse(&mut self) -> Over {
        let mut pace = Pace::new(self.session.limits(), Instant::now());
        let mut hears_at = Instant::now();
        let mut reach = Reach::Here;
        let within = self.session.limits().join_within();
        let mut doorstep = Doorstep::new(within, Instant::now());
        loop {
            let has_a_place = self.session.finds_its_place();
            let Some(wait_until) = doorstep.look(has_a_place, Instant::now()) else {
                return self.dismiss();
            };
            let request = async {
                sleep_until(hears_at).await;
                self.requests.recv().await
            };
            tokio::select! {
                message = self.told.next() => {
                    if self.say(message) == LastWord::Yes {
                        return Over::Said;
                    }
                }
                () = sleep_until(wait_until) => {}
                Some(text) = request => {
                    hears_at = pace.take(Instant::now());
                    // What there is to say meanwhile waits on the line.
                    if let Some(seen) = self.session.hear(&text).await {
                        self.end.acknowledge(seen);
                    }
                }
                now = self.end.reach_other_than(reach) => {
                    reach = now;
                    match self.client_in(reach) {
                        Some(client) => self.session.follow_client(client).await,
                        None => return Over::Gone,
                    }
                }
            }
        }
    }

    /// Ends what leads nowhere.
    fn dismiss(&self) -> Over {
        self.session.count(Refusal::Unjoined);
        let reason = ByeReason::NotJoined;
        self.end.say(ServerMessage::Bye { reason });
        Over::Said
    }

    fn say(&self, mut message: ServerMessage) -> LastWord {
        // The room does not know which session it talks to.
        let id = || Some(self.enrolled.id().as_str().to_owned());
        match &mut message {
            ServerMessage::Joined(joined) => joined.session = id(),
            ServerMessage::Waiting(waiting) => waiting.session = id(),
            _ => {}
        }
        self.end.say(message)
    }

    /// What the room is told; `None` if there is nobody, or nothing to come back to.
    fn client_in(&self, reach: Reach) -> Option<Client> {
        debug!(?reach, "client");
        match reach {
            Reach::Here => Some(Client::Here),
            Reach::Away => self.session.has_a_place().then_some(Client::Away),
            Reach::Gone => None,
        }
    }
}

async fn told_to_stop(draining: &mut watch::Receiver<bool>) {
    if draining.wait_for(|draining| *draining).await.is_err() {
        std::future::pending().await
    }
}
