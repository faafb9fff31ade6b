//! The session's own end of the way to it: it notes down what there is to say, and learns whether
//! its client can be reached.

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::message::{ByeReason, ServerMessage};
use super::super::presence::Reach;
use super::{LifeState, SessionHandle};

/// The session's own end of it.
#[derive(Debug)]
pub(in crate::signaling) struct SessionEnd {
    handle: SessionHandle,
    moved: watch::Receiver<()>,
}

impl SessionEnd {
    pub(super) const fn new(handle: SessionHandle, moved: watch::Receiver<()>) -> Self {
        Self { handle, moved }
    }

    /// Says `message`; where too much waits already, the session is broken off. Whether that was
    /// the last word.
    pub(in crate::signaling) fn say(&self, message: ServerMessage) -> LastWord {
        let closes = matches!(
            message,
            ServerMessage::Left { .. } | ServerMessage::Bye { .. }
        );
        let is_slow = matches!(
            message,
            ServerMessage::Bye {
                reason: ByeReason::Slow
            }
        );
        let mut last_word = if closes { LastWord::Yes } else { LastWord::No };
        let mut state = self.handle.state();
        if is_slow {
            state.log.break_off(message);
        } else if state.log.say(message).is_err() {
            let reason = ByeReason::Slow;
            state.log.break_off(ServerMessage::Bye { reason });
            last_word = LastWord::Yes;
        } else if last_word == LastWord::Yes {
            state.log.end();
        }
        drop(state);
        self.handle.shared.news.send_replace(());
        last_word
    }

    /// Resolves when the client has acknowledged the last word.
    pub(in crate::signaling) async fn last_word_is_known(&mut self) {
        // The handle of our own keeps the other end.
        let _ = self
            .moved
            .wait_for(|()| self.handle.state().log.is_known())
            .await;
    }

    /// Has carriers that may still be there close.
    pub(in crate::signaling) fn close(self) {
        self.handle.state().life = LifeState::Over;
        self.handle.shared.news.send_replace(());
    }

    /// Forgets what the client says it has seen.
    pub(in crate::signaling) fn acknowledge(&self, seen: u64) {
        self.handle.state().log.acknowledge(seen);
    }

    /// Resolves when the client's reach is another than `before`.
    pub(in crate::signaling) async fn reach_other_than(&mut self, before: Reach) -> Reach {
        loop {
            self.moved.mark_unchanged();
            let (reach, until) = self.judge(Instant::now());
            if reach != before {
                return reach;
            }
            let changes = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                // The handle of our own keeps the other end.
                _ = self.moved.changed() => {}
                () = changes => {}
            }
        }
    }

    fn judge(&self, now: Instant) -> (Reach, Option<Instant>) {
        let mut state = self.handle.state();
        if state.life == LifeState::Dismissed {
            return (Reach::Gone, None);
        }
        let had_carrier = state.presence.has_carrier();
        let judged = state.presence.judge(now);
        if had_carrier && !state.presence.has_carrier() {
            self.handle.shared.news.send_replace(());
        }
        judged
    }
}

/// Whether a session has said its last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::signaling) enum LastWord {
    Yes,
    No,
}
