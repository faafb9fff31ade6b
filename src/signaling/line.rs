//! The way from a room and a transport to one session: bounded, and cut when it overflows.
//!
//! A client that does not take its messages would otherwise hold memory without end, or see a
//! room that is not what it is. So a full line is closed, and the client comes back with its token.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::message::{ByeReason, ServerMessage};

/// Messages that may wait: some twenty for each of 49 participants joining at once, and then some.
const CAPACITY: usize = 1024;

/// The end that talks. Cloned for everybody who has something to say.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    messages: mpsc::Sender<ServerMessage>,
    closed: Arc<watch::Sender<Option<ByeReason>>>,
}

/// The end that listens.
#[derive(Debug)]
pub(crate) struct LineEnd {
    messages: mpsc::Receiver<ServerMessage>,
    closed: watch::Receiver<Option<ByeReason>>,
}

/// A new line.
pub(crate) fn line() -> (Line, LineEnd) {
    let (sender, messages) = mpsc::channel(CAPACITY);
    let (closing, closed) = watch::channel(None);
    (
        Line {
            messages: sender,
            closed: Arc::new(closing),
        },
        LineEnd { messages, closed },
    )
}

impl Line {
    /// Says `message`, or closes the line if too many wait already.
    pub(crate) fn say(&self, message: ServerMessage) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.messages.try_send(message) {
            self.close(ByeReason::Slow);
        }
    }

    /// Ends the session with `reason`. The first reason stays.
    pub(crate) fn close(&self, reason: ByeReason) {
        self.closed.send_if_modified(|closed| {
            let first = closed.is_none();
            closed.get_or_insert(reason);
            first
        });
    }
}

impl LineEnd {
    /// The next message, in order. After [`Line::close`], what was said before is followed by one
    /// `bye`, unless the line was closed for being full: then the `bye` comes at once.
    pub(crate) async fn next(&mut self) -> ServerMessage {
        let slow = Some(ByeReason::Slow);
        if *self.closed.borrow() == slow {
            return ServerMessage::Bye {
                reason: ByeReason::Slow,
            };
        }
        tokio::select! {
            biased;
            Some(message) = self.messages.recv() => message,
            reason = closed(&mut self.closed) => ServerMessage::Bye { reason },
        }
    }
}

async fn closed(closed: &mut watch::Receiver<Option<ByeReason>>) -> ByeReason {
    let reason = closed
        .wait_for(Option::is_some)
        .await
        .ok()
        .and_then(|reason| *reason);
    match reason {
        Some(reason) => reason,
        // All talking ends are gone without a word: nobody will say anything any more.
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pong() -> ServerMessage {
        ServerMessage::Pong { id: None }
    }

    #[tokio::test]
    async fn what_was_said_before_closing_still_arrives() {
        let (line, mut end) = line();

        line.say(pong());
        line.close(ByeReason::Taken);

        assert_eq!(end.next().await, pong());
        assert_eq!(
            end.next().await,
            ServerMessage::Bye {
                reason: ByeReason::Taken
            }
        );
    }

    #[tokio::test]
    async fn a_line_nobody_reads_is_cut() {
        let (line, mut end) = line();

        for _ in 0..=CAPACITY {
            line.say(pong());
        }

        assert_eq!(
            end.next().await,
            ServerMessage::Bye {
                reason: ByeReason::Slow
            }
        );
    }
}
