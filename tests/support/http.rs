//! A bare HTTP client: one request over one connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::AbortHandle;

/// No answer that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(40);

/// What came back, up to its body.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    connection: AbortHandle,
}

impl Answer {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// A header's value; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    }

    /// All of the body.
    pub(crate) async fn text(mut self) -> anyhow::Result<String> {
        let mut text = Vec::new();
        while let Some(bytes) = self.next().await? {
            text.extend_from_slice(&bytes);
        }
        Ok(String::from_utf8(text)?)
    }

    /// The next part of the body, if there is more.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.response.frame());
            let Some(frame) = frame.await.context("nothing more came")? else {
                return Ok(None);
            };
            if let Ok(bytes) = frame?.into_data() {
                return Ok(Some(bytes));
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Connects to `address`, such as `127.0.0.1:8080`, which may say where from: `127.0.0.2>127.0.0.1:8080`.
pub(crate) async fn connect(address: &str) -> anyhow::Result<TcpStream> {
    let Some((from, to)) = address.split_once('>') else {
        return Ok(TcpStream::connect(address).await?);
    };
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from.parse()?, 0))?;
    Ok(socket.connect(to.parse()?).await?)
}

/// Whom one connects to there.
pub(crate) fn host(address: &str) -> &str {
    address.rsplit('>').next().unwrap_or(address)
}

/// Asks the server at `address` for something.
pub(crate) async fn ask(
    address: &str,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> anyhow::Result<Answer> {
    let stream = connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection).abort_handle();
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", host(address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    let response = tokio::time::timeout(PATIENCE, sender.send_request(request));
    Ok(Answer {
        response: response.await.context("no answer came")??,
        connection,
    })
}
