//! Accepts connections, with or without TLS, and hands their requests to the router.
//!
//! Bounds: so many connections of everybody and of each address, so many and so long that have yet to
//! ask for something ([`opening`]), [`HEADER_TIMEOUT`] for the head of each later request and for the
//! pause before it, [`BUFFER_BYTES`] for a head, [`BODY_TIMEOUT`] for what follows, [`TAKE_TIMEOUT`]
//! for the client to take some of the answer. What is beyond is cut: there is nobody yet to whom
//! anything could be said.

mod opening;
mod stall;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures_util::{StreamExt, stream};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout_at};
use tower::ServiceExt;
use tracing::{debug, warn};

use super::guard::{Guard, Hold, Peer};
use super::tls::Tls;
use crate::limits::{Address, Refusal};
use opening::{Deadline, Threshold};
use stall::Impatient;

/// How long a client may take to send the head of a request, and to think of the next one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take to send the body of a request: it is never long.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take none of what it is told.
const TAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is read of a request at a time, and the most its head may have.
const BUFFER_BYTES: usize = 32 * 1024;

/// How long to wait when the system has no more descriptors.
const EXHAUSTION_PAUSE: Duration = Duration::from_secs(1);

/// Answers the requests of one connection.
struct Service {
    router: Router,
    peer: Peer,
    guard: Arc<Guard>,
    threshold: Threshold,
    deadline: Deadline,
    /// Becomes true when no further request is to be answered.
    closes: watch::Receiver<bool>,
}

/// Serves until `stop` resolves and the open requests and WebSockets have ended. What goes wrong with one
/// connection ends that one.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    guard: Arc<Guard>,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    let (closing, closes) = watch::channel(false);
    let mut connections = JoinSet::new();
    let (open, mut all_closed) = mpsc::channel(1);
    tokio::pin!(stop);
    loop {
        let (stream, address) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    follow(&error).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        // A trusted proxy has as many as it needs.
        let counted = (!guard.proxies.trusts(address.ip())).then(|| Address::from(address.ip()));
        let Ok([permit, opening]) = guard.limiter.connect(counted, Instant::now()) else {
            continue;
        };
        let hold = Arc::new(Hold::new(permit, open.clone()));
        let (threshold, deadline) = opening::begin(&guard, opening);
        let service = Service {
            router: router.clone(),
            peer: Peer { address, hold },
            guard: Arc::clone(&guard),
            threshold,
            deadline,
            closes: closes.clone(),
        };
        connections.spawn(welcome(stream, tls.clone(), service));
    }
    drop(listener);
    closing.send_replace(true);
    while connections.join_next().await.is_some() {}
    // What has become a WebSocket is no request any more, and has yet to say goodbye.
    drop(open);
    let _ = all_closed.recv().await;
}

async fn follow(error: &io::Error) {
    use io::ErrorKind;
    let of_one = matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused
    );
    if !of_one {
        warn!(%error, "cannot accept a connection");
        sleep(EXHAUSTION_PAUSE).await;
    }
}

async fn welcome(stream: TcpStream, tls: Option<Arc<Tls>>, service: Service) {
    // Answers and messages are short, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return service.answer(stream).await;
    };
    match timeout_at(service.deadline.at(), tls.accept(stream)).await {
        Ok(Ok(stream)) => service.answer(stream).await,
        failed => {
            let counters = service.guard.limiter.counters();
            counters.count(Refusal::TlsHandshake);
            debug!(peer = %service.peer.address, error = ?failed.err(), "no TLS");
        }
    }
}

impl Service {
    async fn answer(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self {
            router,
            peer,
            guard,
            threshold,
            deadline,
            mut closes,
        } = self;
        let address = peer.address;
        let answer = service_fn(move |request: Request<Incoming>| {
            threshold.pass();
            let mut request = request.map(in_time);
            request.extensions_mut().insert(peer.clone());
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(TokioIo::new(Impatient::new(stream, TAKE_TIMEOUT)), answer)
            .with_upgrades();
        tokio::pin!(connection);
        let closed = async move {
            let _ = closes.wait_for(|closes| *closes).await;
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = deadline.over(&guard) => {
                debug!(peer = %address, "nothing was asked in time");
                return;
            }
            () = closed => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            debug!(peer = %address, %error, "a connection failed");
        }
    }
}

/// The same body, which fails where it takes too long to come.
fn in_time(body: Incoming) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let deadline = tokio::time::Instant::now() + BODY_TIMEOUT;
    let pieces = Body::new(body).into_data_stream();
    Body::from_stream(stream::unfold(Some(pieces), move |pieces| async move {
        let mut pieces = pieces?;
        match timeout_at(deadline, pieces.next()).await {
            Ok(Some(piece)) => Some((piece.map_err(io::Error::other), Some(pieces))),
            Ok(None) => None,
            Err(_) => Some((Err(io::ErrorKind::TimedOut.into()), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;

    use super::super::guard::Openness;
    use super::super::guard::origin::Origins;
    use super::super::guard::proxy::Proxies;
    use super::*;
    use crate::limits::Limiter;

    async fn echo(text: String) -> String {
        text
    }

    fn guard() -> Guard {
        Guard {
            origins: Origins::new(Vec::new()),
            proxies: Proxies::new(Vec::new()),
            openness: Openness::Loopback,
            limiter: Arc::new(Limiter::default()),
        }
    }

    /// A connection that is answered, from the client's end, and until when.
    fn connect(closes: watch::Receiver<bool>) -> (DuplexStream, JoinHandle<()>) {
        let (client, server) = duplex(64 * 1024);
        let guard = Arc::new(guard());
        let [permit, opening] = guard.limiter.connect(None, Instant::now()).unwrap();
        let (threshold, deadline) = opening::begin(&guard, opening);
        let service = Service {
            router: Router::new()
                .route("/", get(|| async { "here" }).post(echo))
                .route("/long", get(|| async { "x".repeat(1024 * 1024) })),
            peer: Peer {
                address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1),
                hold: Arc::new(Hold::new(permit, mpsc::channel(1).0)),
            },
            guard,
            threshold,
            deadline,
            closes,
        };
        (client, tokio::spawn(service.answer(server)))
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_ends_a_request_is_cut_in_time() {
        let (_closing, closes) = watch::channel(false);
        let began = tokio::time::Instant::now();
        let (mut client, answered) = connect(closes);
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();

        // A line every ten seconds keeps it no longer alive.
        let mut lines = 0;
        while !answered.is_finished() && lines < 100 {
            let _ = client.write_all(b"a: b\r\n").await;
            lines += 1;
            sleep(Duration::from_secs(10)).await;
        }

        assert!(began.elapsed() <= Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_nothing_is_cut_in_time_and_sooner_than_who_has_asked() {
        let mut took = Vec::new();
        for beginning in ["", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"] {
            let (_closing, closes) = watch::channel(false);
            let began = tokio::time::Instant::now();
            let (mut client, answered) = connect(closes);
            client.write_all(beginning.as_bytes()).await.unwrap();

            answered.await.unwrap();

            took.push(began.elapsed().as_secs());
        }

        assert_eq!(took, [10, HEADER_TIMEOUT.as_secs()]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_ends_a_body_is_told_and_cut_in_time() {
        let (_closing, closes) = watch::channel(false);
        let began = tokio::time::Instant::now();
        let (mut client, answered) = connect(closes);
        let head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n";
        client.write_all(head).await.unwrap();

        for _ in 0..10 {
            let _ = client.write_all(b"x").await;
            sleep(Duration::from_secs(10)).await;
        }
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();

        assert!(text.starts_with("HTTP/1.1 400"), "{text}");
        answered.await.unwrap();
        assert!(began.elapsed() >= BODY_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_comes_as_it_was_sent() {
        let (_closing, closes) = watch::channel(false);
        let (mut client, _answered) = connect(closes);
        let request =
            "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\n";
        client.write_all(request.as_bytes()).await.unwrap();
        client.write_all(b"he").await.unwrap();
        client.write_all(b"llo").await.unwrap();

        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();

        assert!(text.ends_with("\r\n\r\nhello"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_nothing_more_is_cut_in_time() {
        let (_closing, closes) = watch::channel(false);
        let (mut client, answered) = connect(closes);
        let request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        client.write_all(request).await.unwrap();

        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();

        assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("here"));
        answered.await.unwrap();
    }

    #[tokio::test]
    async fn a_head_beyond_all_measure_is_not_read() {
        let (_closing, closes) = watch::channel(false);
        let (mut client, answered) = connect(closes);
        let head = format!("GET / HTTP/1.1\r\na: {}", "x".repeat(2 * BUFFER_BYTES));
        // The server may be gone before all of it is sent.
        let _ = client.write_all(head.as_bytes()).await;

        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();

        assert!(text.starts_with("HTTP/1.1 431"), "{text}");
        answered.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_the_answer_is_cut_in_time() {
        let (_closing, closes) = watch::channel(false);
        let began = tokio::time::Instant::now();
        let (mut client, answered) = connect(closes);
        let request = b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n";
        client.write_all(request).await.unwrap();

        answered.await.unwrap();

        let took = began.elapsed();
        assert!(TAKE_TIMEOUT <= took && took < 2 * TAKE_TIMEOUT, "{took:?}");
    }

    #[tokio::test]
    async fn heads_with_too_many_lines_are_refused_and_other_protocols_cut() {
        let many = format!(
            "GET / HTTP/1.1\r\nhost: a\r\n{}\r\n",
            "a: b\r\n".repeat(200)
        );
        let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned();
        for (head, status) in [(many, "HTTP/1.1 431"), (http2, "")] {
            let (_closing, closes) = watch::channel(false);
            let (mut client, answered) = connect(closes);
            client.write_all(head.as_bytes()).await.unwrap();

            let mut text = String::new();
            client.read_to_string(&mut text).await.unwrap();

            assert_eq!(text.get(..12).unwrap_or_default(), status, "{text}");
            answered.await.unwrap();
        }
    }

    #[tokio::test]
    async fn when_the_server_stops_an_idle_connection_ends() {
        let (closing, closes) = watch::channel(false);
        let (_client, answered) = connect(closes);

        closing.send_replace(true);

        answered.await.unwrap();
    }
}
