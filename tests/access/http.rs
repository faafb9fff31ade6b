//! A request and what is answered, as text, for whatever a client library would not say.

use anyhow::Context;
use mosaicd::signaling::message::{ErrorMessage, ServerMessage};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// A header by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }

    /// The error in the body.
    pub(crate) fn error(&self) -> anyhow::Result<ErrorMessage> {
        match serde_json::from_str(&self.body)? {
            ServerMessage::Error(error) => Ok(error),
            other => anyhow::bail!("expected an error, got {other:?}"),
        }
    }
}

/// Asks for `path`; a `host` or `connection` among the headers goes in place of the usual one.
pub(crate) async fn get(
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> anyhow::Result<Answer> {
    let stream = TcpStream::connect(address).await?;
    ask(stream, address, ("GET", path), headers).await
}

/// Asks over a connection that is there, and reads until it is closed.
pub(crate) async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    address: &str,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> anyhow::Result<Answer> {
    let mut request = format!("{method} {path} HTTP/1.1\r\n");
    for (usual, value) in [("connection", "close"), ("host", address)] {
        if !headers.iter().any(|(name, _)| *name == usual) {
            request += &format!("{usual}: {value}\r\n");
        }
    }
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    stream
        .write_all(format!("{request}\r\n").as_bytes())
        .await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").context("no head")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// The headers that ask for a WebSocket, without the connection being one afterwards where that is
/// refused.
pub(crate) const UPGRADE: [(&str, &str); 4] = [
    ("connection", "upgrade, close"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
];

/// What is answered to a WebSocket that is refused.
pub(crate) async fn refused(address: &str, headers: &[(&str, &str)]) -> anyhow::Result<Answer> {
    get(address, "/ws", &[&UPGRADE[..], headers].concat()).await
}
