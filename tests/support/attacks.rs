//! What hostile clients do. Each attack says what it was answered, by code.

use std::collections::BTreeMap;
use std::io;

use anyhow::{Context, bail};
use mosaicd::signaling::message::{ErrorCode, ServerMessage};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::carrier::{Carrier, Kind};
use super::http::ask;

/// Answers, by their code or what they are.
pub(crate) type Tally = BTreeMap<String, u64>;

/// Under way at a time.
const AT_ONCE: usize = 16;

/// Messages that are said before any answer is listened to.
const BATCH: usize = 64;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// Counts one answer.
pub(crate) fn note(tally: &mut Tally, answer: impl Into<String>) {
    *tally.entry(answer.into()).or_default() += 1;
}

fn word(code: ErrorCode) -> String {
    let code = serde_json::to_value(code).unwrap_or_default();
    code.as_str().unwrap_or_default().to_owned()
}

/// Messages that are none, or too long, or not the time for.
fn nonsense() -> Vec<String> {
    let nested = format!(
        r#"{{"type":"ping","x":{}1{}}}"#,
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let long = format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(70_000));
    let texts = [
        "",
        "\u{0}",
        "{",
        r#"{"type":"ping","id":1e999}"#,
        "null",
        "17",
        r#"{"type":null}"#,
        r#"{"type":"ping","id":-1}"#,
        r#"{"type":"ping","id":{"a":1}}"#,
        r#"{"type":"ping","after":"now"}"#,
        r#"{"type":"dance"}"#,
        r#"{"type":"joined"}"#,
        r#"{"type":"join","version":1,"room":"demo"}"#,
        r#"{"type":"resume","version":1,"session":"guess","after":0}"#,
        r#"{"type":"candidate","candidate":{"candidate":"","sdpMid":"0"}}"#,
        r#"{"type":"moderate","act":"remove","participant":"p1"}"#,
        r#"{"type":"moderate","act":"end"}"#,
        r#"{"type":"chat","text":" "}"#,
        r#"{"type":"prefer","pin":"p99"}"#,
    ];
    let mut texts: Vec<String> = texts.map(str::to_owned).into();
    texts.extend([nested, long]);
    texts
}

/// Offers that are none, whatever their length.
fn offers() -> Vec<String> {
    let many = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(1_000);
    let lines = "a=x:y\r\n".repeat(5_000);
    [
        String::new(),
        "v=0".to_owned(),
        "\u{0}".repeat(1_000),
        OFFER.to_owned(),
        format!("{OFFER}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
        format!("{OFFER}m=audio 99999999999999999999 UDP/TLS/RTP/SAVPF 111\r\n"),
        format!("{OFFER}{many}"),
        format!("{OFFER}{lines}"),
        format!("{OFFER}{}", "x".repeat(45_000)),
        "x".repeat(50_000),
    ]
    .into()
}

/// Says what makes no sense, one thing after the other, from a seat in `room`.
pub(crate) async fn talk_nonsense(kind: Kind, address: &str, room: &str) -> anyhow::Result<Tally> {
    let (mut eve, _) = Carrier::join(kind, address, (room, "Eve")).await?;
    let mut tally = Tally::new();
    for text in nonsense() {
        let code = eve.refusal_code(&text).await;
        note(&mut tally, word(code.with_context(|| shown(&text))?));
    }
    eve.ping().await?;
    Ok(tally)
}

/// Offers what cannot be answered, from a seat in `room`.
pub(crate) async fn offer_nonsense(kind: Kind, address: &str, room: &str) -> anyhow::Result<Tally> {
    let (mut eve, _) = Carrier::join(kind, address, (room, "Eve")).await?;
    let mut tally = Tally::new();
    for sdp in offers() {
        let offer = serde_json::json!({"type": "offer", "sdp": sdp}).to_string();
        let code = eve.refusal_code(&offer).await;
        note(&mut tally, word(code.with_context(|| shown(&sdp))?));
    }
    eve.ping().await?;
    Ok(tally)
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Asks for signs of life, far more often than anybody may, from a seat in `room`.
pub(crate) async fn flood(
    kind: Kind,
    address: &str,
    (room, batches): (&str, usize),
) -> anyhow::Result<Tally> {
    let (mut eve, _) = Carrier::join(kind, address, (room, "Eve")).await?;
    let ping = r#"{"type":"ping","id":7}"#;
    let mut tally = Tally::new();
    for _ in 0..batches {
        match kind {
            Kind::Socket => {
                for _ in 0..BATCH {
                    eve.say(ping).await?;
                }
            }
            Kind::Events | Kind::Polls => {
                let all = vec![ping; BATCH].join(",");
                eve.say(&format!("[{all}]")).await?;
            }
        }
        for _ in 0..BATCH {
            let answer = eve.hear_until(|message| match message {
                ServerMessage::Pong { .. } => Some("pong".to_owned()),
                ServerMessage::Error(error) => Some(word(error.code)),
                _ => None,
            });
            note(&mut tally, answer.await?);
        }
    }
    Ok(tally)
}

/// Messages in so many batches of a flood.
pub(crate) const fn flood_length(batches: usize) -> usize {
    batches * BATCH
}

/// Sends candidates after an offer, beyond what may follow one, from a seat in `room`.
pub(crate) async fn send_candidates(
    kind: Kind,
    address: &str,
    (room, count): (&str, usize),
) -> anyhow::Result<Tally> {
    let (mut eve, _) = Carrier::join(kind, address, (room, "Eve")).await?;
    let offer = serde_json::json!({"type": "offer", "sdp": format!("{OFFER}m=audio")}).to_string();
    let mut tally = Tally::new();
    note(&mut tally, word(eve.refusal_code(&offer).await?));
    for n in 0..count {
        let line = format!("candidate:1 1 udp 1 127.0.0.1 {} typ host", 1 + n % 60_000);
        let candidate = serde_json::json!({
            "type": "candidate",
            "candidate": {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0},
        });
        note(
            &mut tally,
            word(eve.refusal_code(&candidate.to_string()).await?),
        );
    }
    Ok(tally)
}

/// Joins and is gone, again and again, in as many rooms.
pub(crate) async fn vanish(address: &str, (joins, rooms): (usize, usize)) -> anyhow::Result<Tally> {
    many(joins, |n| {
        let (address, room) = (address.to_owned(), format!("haunted-{}", n % rooms));
        async move {
            let mut ghost = Carrier::open(Kind::Socket, &address).await?;
            let join = format!(r#"{{"type":"join","version":1,"room":"{room}","name":"Ghost"}}"#);
            ghost.say(&join).await?;
            match ghost.hear().await?.message {
                ServerMessage::Joined(_) => Ok("joined".to_owned()),
                ServerMessage::Error(error) => Ok(word(error.code)),
                other => bail!("{other:?}"),
            }
        }
    })
    .await
}

/// Begins sessions by requests and never comes back to them.
pub(crate) async fn begin_and_forget(
    address: &str,
    (sessions, rooms): (usize, usize),
) -> anyhow::Result<Tally> {
    many(sessions, |n| {
        let (address, room) = (address.to_owned(), format!("forgotten-{}", n % rooms));
        async move {
            let join = format!(r#"{{"type":"join","version":1,"room":"{room}"}}"#);
            let answer = ask(&address, ("POST", "/sessions"), &[], join.into()).await?;
            match serde_json::from_str(&answer.text().await?)? {
                ServerMessage::Joined(_) => Ok("joined".to_owned()),
                ServerMessage::Error(error) => Ok(word(error.code)),
                other => bail!("{other:?}"),
            }
        }
    })
    .await
}

async fn many<F>(count: usize, one: impl Fn(usize) -> F) -> anyhow::Result<Tally>
where
    F: Future<Output = anyhow::Result<String>> + Send + 'static,
{
    let mut tally = Tally::new();
    let mut running = JoinSet::new();
    for n in 0..count {
        if running.len() >= AT_ONCE {
            let answer = running.join_next().await.context("nobody")?;
            note(&mut tally, answer??);
        }
        running.spawn(one(n));
    }
    while let Some(answer) = running.join_next().await {
        note(&mut tally, answer??);
    }
    Ok(tally)
}

/// Connections that have sent the beginning of something, and go no further.
pub(crate) struct Held {
    streams: Vec<TcpStream>,
}

impl Held {
    /// Opens so many, each with `beginning`.
    pub(crate) async fn open(address: &str, count: usize, beginning: &str) -> anyhow::Result<Self> {
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = TcpStream::connect(address).await?;
            // The server may have cut it already.
            let _ = stream.write_all(beginning.as_bytes()).await;
            streams.push(stream);
        }
        Ok(Self { streams })
    }

    /// Resolves once the connection that was opened last is cut.
    pub(crate) async fn last_is_cut(&self) -> anyhow::Result<()> {
        let last = self.streams.last().context("none")?;
        while !is_cut(last) {
            last.readable().await?;
        }
        Ok(())
    }

    /// Resolves once the server has said something over each of them.
    pub(crate) async fn all_are_answered(&self) -> anyhow::Result<()> {
        for stream in &self.streams {
            stream.readable().await?;
        }
        Ok(())
    }

    /// How many of them the server has cut, or answered.
    pub(crate) fn cut(&self) -> usize {
        self.streams.iter().filter(|stream| is_cut(stream)).count()
    }
}

fn is_cut(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0; 512]);
    !matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
