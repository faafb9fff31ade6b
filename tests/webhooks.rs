//! Webhooks of a running daemon, as whoever receives them meets them.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/http.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the operators' interface"
)]
mod http;
#[path = "support/receiver.rs"]
mod receiver;
#[path = "support/signal.rs"]
mod signal;
#[path = "support/socket.rs"]
#[expect(dead_code, reason = "shared with the signaling tests")]
mod socket;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use daemon::{Daemon, binary};
use http::ask;
use receiver::Receiver;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::Value;
use signal::signal;
use socket::Socket;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const KEY: &str = "a-key-of-an-operator";

/// No state that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(40);

/// Files that a daemon needs.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> anyhow::Result<Self> {
        let files = Self {
            folder: tempfile::tempdir()?,
        };
        std::fs::write(files.path("secret"), OLD)?;
        std::fs::write(files.path("key"), KEY)?;
        Ok(files)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A daemon that posts to these addresses, with these flags as well.
    fn daemon(&self, urls: &[&str], flags: &[&str]) -> anyhow::Result<Daemon> {
        self.daemon_in(&[], urls, flags)
    }

    fn daemon_in(
        &self,
        variables: &[(&str, &str)],
        urls: &[&str],
        flags: &[&str],
    ) -> anyhow::Result<Daemon> {
        let (secret, key) = (self.path("secret"), self.path("key"));
        let text = |path: &Path| path.display().to_string();
        let (secret, key) = (text(&secret), text(&key));
        let own = ["--webhook-secret-file", &secret, "--api-key-file", &key];
        let urls = urls.iter().flat_map(|url| ["--webhook", url]);
        let flags: Vec<&str> = urls.chain(own).chain(flags.iter().copied()).collect();
        Daemon::start_in(variables, &flags)
    }
}

async fn status(daemon: &Daemon) -> anyhow::Result<Value> {
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", bearer.as_str())];
    let answer = ask(&daemon.address, ("GET", "/api/v1/status"), &headers, vec![]).await?;
    Ok(serde_json::from_str(&answer.text().await?)?)
}

/// How the first webhook stands, once that is as wanted.
async fn webhook(daemon: &Daemon, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    nth_webhook(0, daemon, wanted).await
}

/// How another one stands.
async fn nth_webhook(
    n: usize,
    daemon: &Daemon,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let webhook = status(daemon).await?["webhooks"][n].clone();
        if wanted(&webhook) {
            return Ok(webhook);
        }
        anyhow::ensure!(Instant::now() < deadline, "{webhook}");
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn each_event_is_posted_once_in_order_and_signed() -> anyhow::Result<()> {
    let files = Files::new()?;
    let mut receiver = Receiver::start(vec![]).await?;
    let url = format!("http://{}/hook", receiver.address);
    let daemon = files.daemon(&[&url], &[])?;

    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let (mut kinds, mut ids) = (Vec::new(), BTreeSet::new());
    while kinds.last().is_none_or(|kind| kind != "joined") {
        let post = receiver.next().await?;
        let event = post.event()?;
        assert!(post.is_signed_by(OLD)? && !post.is_signed_by(NEW)?);
        assert_eq!(post.header("content-type"), "application/json");
        assert_eq!(event["id"], post.header("webhook-id"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let age = now.abs_diff(post.header("webhook-timestamp").parse()?);
        assert!(age < 60, "{age}");
        assert!(event["at_ms"].is_u64());
        ids.insert(post.header("webhook-id").to_owned());
        kinds.push(post.kind()?);
    }
    assert_eq!(kinds[..2], ["started", "opened"]);
    assert_eq!(ids.len(), kinds.len());
    let stands = webhook(&daemon, |it| it["waiting"] == 0).await?;
    assert_eq!(stands["delivered"], kinds.len());
    assert_eq!(
        (&stands["url"], &stands["state"]),
        (&url.into(), &"working".into())
    );
    Ok(())
}

#[tokio::test]
async fn what_the_document_says_of_signatures_can_be_run() -> anyhow::Result<()> {
    let text = include_str!("../OPERATING.md");
    let (_, code) = text.split_once("```python\n").context("no example")?;
    let (code, _) = code.split_once("```").context("no end")?;
    let files = Files::new()?;
    let mut receiver = Receiver::start(vec![]).await?;
    let url = format!("http://{}/", receiver.address);
    let _daemon = files.daemon(&[&url], &[])?;
    let post = receiver.next().await?;
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: Value = names
        .map(|name| (name, post.header(name)))
        .into_iter()
        .collect();
    let changed = post.body.replace("started", "opened");

    for (secret, body, expected) in [
        (OLD, &post.body, "True"),
        (NEW, &post.body, "False"),
        (OLD, &changed, "False"),
    ] {
        let call = "import json, sys\n\
                    print(is_genuine(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode()))";
        let run = std::process::Command::new("python3")
            .args(["-c", &format!("{code}\n{call}"), secret])
            .args([&headers.to_string(), body])
            .output()?;

        let said = String::from_utf8(run.stdout)? + str::from_utf8(&run.stderr)?;
        assert_eq!(said.trim(), expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_fails_and_one_that_was_away_get_everything_in_order() -> anyhow::Result<()>
{
    let files = Files::new()?;
    let mut failing = Receiver::start(vec![(503, None), (500, None)]).await?;
    // Its port is taken, and nobody listens there yet.
    let away = TcpSocket::new_v4()?;
    away.bind("127.0.0.1:0".parse()?)?;
    let address = away.local_addr()?;
    let urls = [failing.address, address].map(|it| format!("http://{it}/"));
    let daemon = files.daemon(&[&urls[0], &urls[1]], &[])?;
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    nth_webhook(1, &daemon, |it| it["failed_tries"] != 0).await?;

    let mut away = Receiver::on(away.listen(8)?, vec![], None)?;

    let kinds = failing.kinds_until("joined").await?;
    assert_eq!(kinds[..4], ["started", "started", "started", "opened"]);
    let kinds = away.kinds_until("joined").await?;
    assert_eq!(kinds[..2], ["started", "opened"]);
    Ok(())
}

#[tokio::test]
async fn redirects_are_not_followed_and_what_is_not_wanted_is_counted() -> anyhow::Result<()> {
    let files = Files::new()?;
    let mut elsewhere = Receiver::start(vec![]).await?;
    let there = format!("http://{}/", elsewhere.address);
    let script = vec![(307, Some(there.clone())), (302, Some(there)), (400, None)];
    let mut receiver = Receiver::start(script).await?;
    let url = format!("http://{}/?key=secret", receiver.address);
    let daemon = files.daemon(&[&url], &[])?;

    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;

    let kinds = receiver.kinds_until("joined").await?;
    assert_eq!(kinds[..2], ["started", "opened"]);
    let stands = webhook(&daemon, |it| it["waiting"] == 0).await?;
    assert_eq!(stands["dropped"]["refused"], 3, "{stands}");
    assert!(!stands.to_string().contains("secret"), "{stands}");
    assert!(elsewhere.try_next().is_none());
    assert!(
        daemon
            .lines()
            .iter()
            .all(|line| !line.contains("key=secret"))
    );
    Ok(())
}

#[tokio::test]
async fn secrets_and_keys_are_exchanged_without_a_restart() -> anyhow::Result<()> {
    let files = Files::new()?;
    let mut receiver = Receiver::start(vec![]).await?;
    let url = format!("http://{}/", receiver.address);
    let daemon = files.daemon(&[&url], &[])?;
    assert!(receiver.next().await?.is_signed_by(OLD)?);
    let room = |key: &'static str, name: &str| {
        let body = format!(r#"{{"room":"{name}"}}"#);
        let address = daemon.address.clone();
        async move {
            let bearer = format!("Bearer {key}");
            let headers = [("authorization", bearer.as_str())];
            let asked = ("POST", "/api/v1/rooms");
            anyhow::Ok(ask(&address, asked, &headers, body.into()).await?.status())
        }
    };
    const NEXT_KEY: &str = "another-key-of-an-operator";

    std::fs::write(files.path("secret"), format!("{NEW}\n{OLD}\n"))?;
    std::fs::write(files.path("key"), format!("{NEXT_KEY}\n{KEY}\n"))?;
    signal(daemon.process(), "HUP")?;
    daemon.lines_with("the API keys were read again", 1).await?;
    daemon
        .lines_with("the webhook secrets were read again", 1)
        .await?;
    assert_eq!(room(NEXT_KEY, "a").await?, 201);
    assert_eq!(room(KEY, "b").await?, 201);
    for _ in 0..2 {
        let post = receiver.next().await?;
        assert!(post.is_signed_by(OLD)? && post.is_signed_by(NEW)?);
    }

    std::fs::write(files.path("secret"), NEW)?;
    std::fs::write(files.path("key"), "short")?;
    signal(daemon.process(), "HUP")?;
    daemon
        .lines_with("the API keys stay as they were", 1)
        .await?;
    daemon
        .lines_with("the webhook secrets were read again", 2)
        .await?;
    assert_eq!(room(KEY, "c").await?, 201);
    let post = receiver.next().await?;
    assert!(!post.is_signed_by(OLD)? && post.is_signed_by(NEW)?);
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_has_gone_is_told_again_when_the_operator_says_so() -> anyhow::Result<()> {
    let files = Files::new()?;
    let mut receiver = Receiver::start(vec![(410, None)]).await?;
    let url = format!("http://{}/", receiver.address);
    let daemon = files.daemon(&[&url], &[])?;
    receiver.next().await?;
    webhook(&daemon, |it| it["state"] == "gone").await?;
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    assert!(receiver.try_next().is_none());

    signal(daemon.process(), "HUP")?;

    let kinds = receiver.kinds_until("joined").await?;
    assert_eq!(kinds[..2], ["started", "opened"]);
    Ok(())
}

#[tokio::test]
async fn the_last_events_are_told_before_the_server_ends() -> anyhow::Result<()> {
    let files = Files::new()?;
    // The second try of the second event would be a while later.
    let mut receiver = Receiver::start(vec![(204, None), (503, None)]).await?;
    let url = format!("http://{}/", receiver.address);
    let daemon = files.daemon(&[&url], &[])?;
    assert_eq!(receiver.next().await?.kind()?, "started");
    let _ann = Socket::join(&daemon.address, "demo", "Ann").await?;
    assert_eq!(receiver.next().await?.kind()?, "opened");

    signal(daemon.process(), "TERM")?;

    let kinds = receiver.kinds_until("stopping").await?;
    assert_eq!(kinds[0], "opened");
    assert!(kinds.contains(&"joined".to_owned()), "{kinds:?}");
    Ok(())
}

#[tokio::test]
async fn a_receiver_behind_tls_is_one_that_the_system_s_authorities_know() -> anyhow::Result<()> {
    let files = Files::new()?;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let authority = files.path("authority");
    std::fs::write(&authority, made.cert.pem())?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .ok()
        .context("no key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut receiver = Receiver::on(listener, vec![], Some(acceptor))?;
    let url = format!("https://localhost:{}/", receiver.address.port());
    let authority = authority.display().to_string();

    let stranger = files.daemon(&[&url], &[])?;
    let stands = webhook(&stranger, |it| it["failed_tries"] != 0).await?;
    let why = stands["last_failure"].as_str().context("no failure")?;
    assert!(why.contains("certificate"), "{why}");
    assert!(receiver.try_next().is_none());

    let variables = [("SSL_CERT_FILE", authority.as_str())];
    let _known = files.daemon_in(&variables, &[&url], &[])?;
    let post = receiver.next().await?;
    assert_eq!(post.kind()?, "started");
    assert!(post.is_signed_by(OLD)?);
    Ok(())
}

#[test]
fn what_cannot_be_told_safely_is_refused_before_anything_is_served() -> anyhow::Result<()> {
    let files = Files::new()?;
    std::fs::write(files.path("short"), "whsec_c2hvcnQ=")?;
    let (secret, short) = (files.path("secret"), files.path("short"));
    let (secret, short) = (secret.display().to_string(), short.display().to_string());
    let here = "http://127.0.0.1:1/";
    for (url, file, expected) in [
        ("http://app.example/", Some(&secret), "--webhook-plain"),
        ("app.example", Some(&secret), "such as https://"),
        (here, Some(&short), "a secret has 5 bytes"),
        (here, None, "--webhook-secret-file"),
    ] {
        let mut command = std::process::Command::new(binary()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--webhook", url]);
        if let Some(file) = file {
            command.args(["--webhook-secret-file", file]);
        }
        let served = command.output()?;

        assert_eq!(served.status.code(), Some(2), "{url}");
        let said = String::from_utf8(served.stderr)?;
        assert!(said.contains(expected), "{said}");
    }
    Ok(())
}
