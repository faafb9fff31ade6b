//! The way to a session: requests in, events out, by whatever carrier.
//!
//! At most one carrier at a time is attached. One that comes later detaches the one before, which
//! is told nothing else: the session is the same. Requests that wait are bounded by [`INBOX`];
//! beyond that the carrier waits, and so its client does. Of carriers that bring one request each,
//! so many at a time may have something to say; the next is refused.

mod end;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::log::{Gap, Log, Numbered};
use super::presence::{Carrier, Presence};

pub(super) use end::{LastWord, SessionEnd};

/// Requests that may wait for a session.
const INBOX: usize = 32;

/// A way to a session. It may have ended: then there is nothing to hear but what is in the log.
#[derive(Clone, Debug)]
pub(crate) struct SessionHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    requests: mpsc::Sender<String>,
    /// For those who come beside the carrier that listens.
    turns: Arc<Semaphore>,
    state: Mutex<State>,
    /// To the carriers: there is something to take, or another carrier.
    news: watch::Sender<()>,
    /// To the session: carriers came and went, or something was heard.
    moves: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    log: Log,
    presence: Presence,
    /// Number of the carrier that was attached last.
    current: u64,
    life: LifeState,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LifeState {
    Lives,
    /// Its client has no use for it.
    Dismissed,
    /// Nothing will be said any more, nor heard.
    Over,
}

/// A carrier's hold on a session. Dropping it means that the carrier is gone.
#[derive(Debug)]
pub(crate) struct Attachment {
    handle: SessionHandle,
    number: u64,
    news: watch::Receiver<()>,
}

/// What a carrier has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Say(Numbered),
    /// Nothing: the last word was said.
    Close,
    /// Nothing: another carrier has come, or nothing was heard over this one for too long.
    Detached,
}

/// A turn to say something to a session, over a request of its own.
#[derive(Debug)]
pub(crate) struct Turn {
    handle: SessionHandle,
    _permit: OwnedSemaphorePermit,
}

/// The carrier is no longer the session's, or the session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detached;

/// A way to a new session, whose client counts as gone when it was away for `hold` and has at most
/// so many `turns` at a time; and what comes to the session that way.
pub(super) fn session_handle(
    hold: Duration,
    turns: usize,
    now: Instant,
) -> (SessionHandle, SessionEnd, mpsc::Receiver<String>) {
    let (sender, requests) = mpsc::channel(INBOX);
    let (moves, moved) = watch::channel(());
    let state = State {
        log: Log::default(),
        presence: Presence::new(hold, now),
        current: 0,
        life: LifeState::Lives,
    };
    let shared = Arc::new(Shared {
        requests: sender,
        turns: Arc::new(Semaphore::new(turns)),
        state: Mutex::new(state),
        news: watch::Sender::new(()),
        moves,
    });
    let handle = SessionHandle { shared };
    let end = SessionEnd::new(handle.clone(), moved);
    (handle, end, requests)
}

impl SessionHandle {
    /// Attaches a carrier whose client has seen all events up to `after`, in place of the one that
    /// may be attached.
    ///
    /// # Errors
    ///
    /// [`Gap`] if what came after that is not there.
    pub(crate) fn attach(&self, after: u64, carrier: Carrier) -> Result<Attachment, Gap> {
        let news = self.shared.news.subscribe();
        let number = {
            let mut state = self.state();
            state.log.rewind(after)?;
            state.presence.attach(carrier, Instant::now());
            state.current += 1;
            state.current
        };
        self.shared.tell_all();
        Ok(Attachment {
            handle: self.clone(),
            number,
            news,
        })
    }

    /// A turn to say something; `None` where as many are taken as there may be.
    pub(crate) fn turn(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.shared.turns).try_acquire_owned().ok()?;
        Some(Turn {
            handle: self.clone(),
            _permit: permit,
        })
    }

    /// Ends a session that its client has no use for, without a word.
    pub(super) fn dismiss(&self) {
        self.state().life = LifeState::Dismissed;
        self.shared.moves.send_replace(());
    }

    /// The last event there is.
    pub(crate) fn last(&self) -> u64 {
        self.state().log.last()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Hands over one message of the client; waits while too many wait already. One that comes
    /// after the session's end is dropped.
    pub(crate) async fn request(&self, text: String) {
        let SessionHandle { shared } = &self.handle;
        self.handle.state().presence.hear(Instant::now());
        shared.moves.send_replace(());
        let _ = shared.requests.send(text).await;
    }
}

impl Shared {
    fn tell_all(&self) {
        self.news.send_replace(());
        self.moves.send_replace(());
    }
}

impl Attachment {
    /// What to do next. Losing the race against something else loses nothing.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            if self.news.changed().await.is_err() {
                return Next::Detached;
            }
        }
    }

    /// What to do at once, if anything.
    pub(crate) fn try_next(&mut self) -> Option<Next> {
        self.news.mark_unchanged();
        let mut state = self.handle.state();
        if !state.has(self.number) {
            return Some(Next::Detached);
        }
        match state.log.take() {
            Some(event) => Some(Next::Say(event)),
            None => state.is_over().then_some(Next::Close),
        }
    }

    /// The last event that was taken.
    pub(crate) fn taken(&self) -> u64 {
        self.handle.state().log.taken()
    }

    /// The client has all events up to `seen`, as far as they were taken.
    pub(crate) fn acknowledge(&self, seen: u64) {
        let mut state = self.handle.state();
        if state.has(self.number) {
            state.log.acknowledge(seen);
        }
        drop(state);
        self.handle.shared.moves.send_replace(());
    }

    /// Hands over one message of the client; waits while too many wait already.
    ///
    /// # Errors
    ///
    /// [`Detached`] if another carrier came, or the session has ended: then the message is not heard.
    pub(crate) async fn request(&self, text: String) -> Result<(), Detached> {
        let requests = &self.handle.shared.requests;
        let permit = requests.reserve().await.map_err(|_| Detached)?;
        // Under the lock: what comes over the next carrier must come later.
        let state = self.handle.state();
        if !state.has(self.number) {
            return Err(Detached);
        }
        permit.send(text);
        Ok(())
    }

    /// The client lives.
    pub(crate) fn hear(&self) {
        let mut state = self.handle.state();
        if state.has(self.number) {
            state.presence.hear(Instant::now());
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let mut state = self.handle.state();
        if state.has(self.number) {
            state.presence.detach(Instant::now());
            drop(state);
            self.handle.shared.moves.send_replace(());
        }
    }
}

impl State {
    fn has(&self, carrier: u64) -> bool {
        self.current == carrier && self.presence.has_carrier()
    }

    fn is_over(&self) -> bool {
        self.log.is_told() || self.life == LifeState::Over
    }
}
