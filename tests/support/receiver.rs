//! A server that webhooks are posted to: what comes is handed to the test, answers are scripted.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use ring::hmac;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(40);

/// A status, and a `Location` to go with it.
pub(crate) type Scripted = (u16, Option<String>);

/// A running receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    came: mpsc::UnboundedReceiver<Post>,
}

/// What was posted.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Receiver {
    /// Answers as scripted, and 204 from then on.
    pub(crate) async fn start(script: Vec<Scripted>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Self::on(listener, script, None)
    }

    /// The same on a port that is open already, with TLS or without.
    pub(crate) fn on(
        listener: TcpListener,
        script: Vec<Scripted>,
        tls: Option<TlsAcceptor>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr()?;
        let (posts, came) = mpsc::unbounded_channel();
        let script = Arc::new(Mutex::new(VecDeque::from(script)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (posts, script) = (posts.clone(), Arc::clone(&script));
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, posts, script).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, posts, script).await;
                            }
                        }
                    }
                });
            }
        });
        Ok(Self { address, came })
    }

    /// The next that was posted.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Post> {
        let next = tokio::time::timeout(PATIENCE, self.came.recv()).await;
        next.context("nothing was posted")?.context("no receiver")
    }

    /// What was posted and nobody has looked at.
    pub(crate) fn try_next(&mut self) -> Option<Post> {
        self.came.try_recv().ok()
    }

    /// The kinds of the events up to the first of this kind.
    pub(crate) async fn kinds_until(&mut self, kind: &str) -> anyhow::Result<Vec<String>> {
        let mut kinds: Vec<String> = Vec::new();
        while kinds.last().is_none_or(|last| last != kind) {
            kinds.push(self.next().await?.kind()?);
        }
        Ok(kinds)
    }
}

impl Post {
    pub(crate) fn event(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&self.body)?)
    }

    pub(crate) fn kind(&self) -> anyhow::Result<String> {
        let event = self.event()?;
        Ok(event["event"].as_str().context("no kind")?.to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// Whether one of the signatures is by this secret.
    pub(crate) fn is_signed_by(&self, secret: &str) -> anyhow::Result<bool> {
        let secret = STANDARD.decode(secret.trim_start_matches("whsec_"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = format!("{id}.{timestamp}.{}", self.body);
        let expected = format!(
            "v1,{}",
            STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
        );
        let signatures = self.header("webhook-signature");
        Ok(signatures.split(' ').any(|signature| signature == expected))
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    posts: mpsc::UnboundedSender<Post>,
    script: Arc<Mutex<VecDeque<Scripted>>>,
) {
    let answer = service_fn(|request: Request<Incoming>| {
        let (posts, script) = (posts.clone(), Arc::clone(&script));
        async move {
            let (parts, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map_or_else(|_| Bytes::new(), |it| it.to_bytes());
            let _ = posts.send(Post {
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            });
            let next = script
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let (status, location) = next.unwrap_or((204, None));
            let mut response = Response::builder().status(status);
            if let Some(location) = location {
                response = response.header("location", location);
            }
            let response = response.body(Empty::<Bytes>::new());
            Ok::<_, Infallible>(response.unwrap_or_default())
        }
    });
    let http = hyper::server::conn::http1::Builder::new();
    // A connection that breaks off is for the other end to mind.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}
