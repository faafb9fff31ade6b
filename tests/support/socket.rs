//! A bare signaling client: text in, messages out.

#[path = "conversation.rs"]
mod conversation;

use std::time::Duration;

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use mosaicd::signaling::message::ServerMessage;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

pub(crate) use conversation::Conversation;

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open socket.
pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    /// Opens `/ws` at `address`.
    pub(crate) async fn open(address: &str) -> anyhow::Result<Self> {
        Self::open_with(address, &[]).await
    }

    /// Opens `/ws` at `address` with these headers beside or in place of the usual ones.
    pub(crate) async fn open_with(
        address: &str,
        headers: &[(&'static str, &str)],
    ) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}/ws").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let (stream, _) = tokio_tungstenite::connect_async(request).await?;
        Ok(Self { stream })
    }

    /// Opens a socket and takes a seat.
    pub(crate) async fn join(address: &str, room: &str, name: &str) -> anyhow::Result<Self> {
        let mut socket = Self::open(address).await?;
        let join = format!(r#"{{"type":"join","version":1,"room":"{room}","name":"{name}"}}"#);
        socket.say(&join).await?;
        match socket.hear().await? {
            ServerMessage::Joined(_) => Ok(socket),
            other => anyhow::bail!("expected joined, got {other:?}"),
        }
    }

    /// Says something that is not text.
    pub(crate) async fn say_bytes(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        Ok(self.stream.send(Message::binary(bytes)).await?)
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<ServerMessage> {
        loop {
            match self
                .raw()
                .await?
                .context("the server closed the socket")??
            {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Close(_) => anyhow::bail!("the server closed the socket"),
                _ => {}
            }
        }
    }

    /// Resolves when the server has closed the socket.
    pub(crate) async fn closed(&mut self) -> anyhow::Result<()> {
        while let Some(Ok(_)) = self.raw().await? {}
        Ok(())
    }

    async fn raw(
        &mut self,
    ) -> anyhow::Result<Option<Result<Message, tokio_tungstenite::tungstenite::Error>>> {
        tokio::time::timeout(PATIENCE, self.stream.next())
            .await
            .context("nothing was heard")
    }
}

impl Conversation for Socket {
    async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.stream.send(Message::text(text)).await?)
    }

    async fn hear_message(&mut self) -> anyhow::Result<ServerMessage> {
        self.hear().await
    }
}
