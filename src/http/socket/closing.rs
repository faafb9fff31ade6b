//! The end of a WebSocket (RFC 6455 §7.1).
//!
//! A connection that is closed with something in it that nobody read is reset, and its client may
//! lose what it has not read itself: the last word. So after our close frame there is reading on
//! until the client has closed as well, for at most [`CLOSE_WITHIN`] and [`MAX_UNHEARD_BYTES`]:
//! nothing of it is heard. After what is no frame, or too long, nothing can be read on; who has more
//! of that on the way may see a reset before the code.

use std::time::Duration;

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite;

/// How long a client may take to close, once we have.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// How much of what a client says after our close frame is read, in bytes.
const MAX_UNHEARD_BYTES: usize = 1024 * 1024;

/// What is said of an error, in bytes: a close frame holds 125 (RFC 6455 §5.5), and its code 2.
const MAX_REASON_BYTES: usize = 123;

/// Why we close.
#[derive(Debug)]
pub(super) enum Reason {
    /// All was said.
    Said,
    /// What came breaks the protocol of WebSockets, or our bounds.
    Broken(Error),
}

/// Closes, and returns when the client has closed as well or may take no longer.
pub(super) async fn close(socket: &mut WebSocket, reason: Reason) {
    let farewell = Message::Close(Some(reason.frame()));
    let closing = async {
        if socket.send(farewell).await.is_ok() {
            pass_over(socket).await;
        }
    };
    // Where the time is over, there is nobody who would read.
    let _ = timeout(CLOSE_WITHIN, closing).await;
}

impl Reason {
    fn frame(self) -> CloseFrame {
        let Self::Broken(error) = self else {
            let (code, reason) = (close_code::NORMAL, "".into());
            return CloseFrame { code, reason };
        };
        let mut reason = error.to_string();
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        CloseFrame {
            code: code_of(error),
            reason: reason.into(),
        }
    }
}

/// What fits best (RFC 6455 §7.4.1).
fn code_of(error: Error) -> u16 {
    let error = error.into_inner().downcast::<tungstenite::Error>();
    match error.as_deref() {
        Ok(tungstenite::Error::Capacity(_)) => close_code::SIZE,
        Ok(tungstenite::Error::Utf8(_)) => close_code::INVALID,
        _ => close_code::PROTOCOL,
    }
}

/// Reads until there is no more, or too much of it.
async fn pass_over(messages: impl Stream<Item = Result<Message, Error>>) {
    let mut messages = std::pin::pin!(messages);
    let mut left = MAX_UNHEARD_BYTES;
    while let Some(Ok(message)) = messages.next().await {
        // An empty one is not for nothing, either.
        let bytes = length(&message).max(1);
        let Some(rest) = left.checked_sub(bytes) else {
            return;
        };
        left = rest;
    }
}

fn length(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        Message::Close(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn what_comes_after_the_end_is_read_up_to_a_bound() {
        let mut read = 0;
        let endless = stream::repeat_with(|| {
            read += 1;
            Ok(Message::text("x".repeat(1024)))
        });

        pass_over(endless).await;

        assert_eq!(read, MAX_UNHEARD_BYTES / 1024 + 1);
    }

    #[tokio::test]
    async fn messages_of_nothing_come_to_an_end_as_well() {
        let mut read = 0;
        let endless = stream::repeat_with(|| {
            read += 1;
            Ok(Message::text(""))
        });

        pass_over(endless).await;

        assert_eq!(read, MAX_UNHEARD_BYTES + 1);
    }

    #[test]
    fn what_is_wrong_is_said_as_far_as_a_close_frame_holds() {
        let too_long =
            tungstenite::Error::Capacity(tungstenite::error::CapacityError::MessageTooLong {
                size: 2,
                max_size: 1,
            });
        let wordy = Error::new(std::io::Error::other("ä".repeat(MAX_REASON_BYTES)));

        let (too_long, wordy) = (
            Reason::Broken(Error::new(too_long)).frame(),
            Reason::Broken(wordy).frame(),
        );

        assert_eq!(too_long.code, 1009);
        assert!(too_long.reason.contains("too long"), "{}", too_long.reason);
        assert_eq!((wordy.code, wordy.reason.len()), (1002, 122));
    }
}
