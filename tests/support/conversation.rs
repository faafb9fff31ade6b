//! What a bare signaling client does with what it says and hears, whatever carries it.

use mosaicd::signaling::message::{ErrorCode, ErrorMessage, ServerMessage};

/// A client that says one message at a time and hears one at a time.
pub(crate) trait Conversation {
    /// Says anything.
    async fn say(&mut self, text: &str) -> anyhow::Result<()>;

    /// The next message, without its number.
    async fn hear_message(&mut self) -> anyhow::Result<ServerMessage>;

    /// The next message that `wanted` takes; others are passed over.
    async fn hear_until<T>(
        &mut self,
        wanted: impl Fn(ServerMessage) -> Option<T>,
    ) -> anyhow::Result<T> {
        loop {
            if let Some(found) = wanted(self.hear_message().await?) {
                return Ok(found);
            }
        }
    }

    /// Says `text` and takes the error that answers it.
    async fn refusal(&mut self, text: &str) -> anyhow::Result<ErrorMessage> {
        self.say(text).await?;
        self.hear_until(|message| match message {
            ServerMessage::Error(error) => Some(error),
            _ => None,
        })
        .await
    }

    /// Says `text` and takes the code of the error that answers it.
    async fn refusal_code(&mut self, text: &str) -> anyhow::Result<ErrorCode> {
        Ok(self.refusal(text).await?.code)
    }

    /// Whether the server is still there for us.
    async fn ping(&mut self) -> anyhow::Result<()> {
        self.say(r#"{"type":"ping","id":"still there?"}"#).await?;
        self.hear_until(|message| matches!(message, ServerMessage::Pong { .. }).then_some(()))
            .await
    }
}
