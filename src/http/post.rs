//! The other way round: posts one event to another server over HTTP/1.1, with or without TLS, and says
//! what came of it.
//!
//! Redirects are answers like others. Authorities are those that the system trusts. A connection is
//! kept for the next event. Of a body of an answer at most [`MAX_ANSWER_BYTES`] are read, and thrown
//! away. How long it may take is for whoever asks.

mod endpoint;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, RootCertStore};

use crate::webhooks::{Answer, Letter, Post};
pub use endpoint::{Endpoint, EndpointError, Plain};

/// How much of an answer is read: then the connection can be used again.
const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// How long a connection is kept on which nothing is said.
const IDLE: Duration = Duration::from_secs(60);

/// Why nothing can be posted.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// Without authorities nobody can be told apart from somebody else.
    #[error("the certificates of the system's authorities cannot be read: {0}")]
    Authorities(#[from] std::io::Error),
    /// There is no TLS.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Posts over the network.
#[derive(Clone, Debug)]
pub(crate) struct HttpPost {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
}

impl HttpPost {
    /// For all of these endpoints.
    ///
    /// # Errors
    ///
    /// [`PostError`] if one of them is private and there are no authorities to know it by.
    pub(crate) fn new(endpoints: &[Endpoint]) -> Result<Self, PostError> {
        let builder = HttpsConnectorBuilder::new();
        let provider = default_provider();
        let builder = if endpoints.iter().any(Endpoint::is_private) {
            builder.with_provider_and_native_roots(provider)?
        } else {
            let config = ClientConfig::builder_with_provider(Arc::new(provider))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(config)
        };
        let connector = builder.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self {
            client,
            uri: Uri::default(),
        })
    }

    /// For this one of them.
    pub(crate) fn to(&self, endpoint: &Endpoint) -> Self {
        Self {
            client: self.client.clone(),
            uri: endpoint.uri().clone(),
        }
    }
}

impl Post for HttpPost {
    async fn post(&mut self, letter: Letter) -> Result<Answer, String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("mosaicd/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", letter.id)
            .header("webhook-timestamp", letter.timestamp)
            .header("webhook-signature", letter.signature)
            .body(Full::new(Bytes::from(letter.body)))
            .map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(said)?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let answer = Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.and_then(|it| read_wait(it, SystemTime::now())),
        };
        // Whatever it says, and whether that arrives: the status has said it all.
        let _ = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await;
        Ok(answer)
    }
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
fn read_wait(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// An error with what it comes from, in one line.
fn said(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let wait = read_wait(&HeaderValue::from_static(text), now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text}");
        }
    }
}
