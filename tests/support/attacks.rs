//! What hostile clients do. Each attack says what it was answered, by code.
//!
//! Here are those that talk; others only [hold] what they have, or [are gone](ghosts) at once.
//!
//! [hold]: held

pub(crate) mod ghosts;
pub(crate) mod held;
mod publishing;
pub(crate) mod upgrade;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use mosaicd::signaling::message::{ErrorCode, ServerMessage};
use tokio::time::{Instant, sleep};

use self::publishing::PUBLISHING;
use super::carrier::{Carrier, Conversation, Kind};

/// Answers, by their code or what they are.
pub(crate) type Tally = BTreeMap<String, u64>;

/// Messages that are said before any answer is listened to.
const BATCH: usize = 64;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// What those say in turn who make a fuss.
const FUSS: [&str; 5] = [
    r#"{"type":"status","hand":true,"muted":true}"#,
    r#"{"type":"prefer","layout":"speaker","max_kbps":100}"#,
    r#"{"type":"status","hand":false,"muted":false}"#,
    r#"{"type":"prefer","layout":"grid"}"#,
    r#"{"type":"chat","text":"Me again!"}"#,
];

/// As often as a session may say something.
const FUSS_INTERVAL: Duration = Duration::from_millis(20);

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

/// An offer as long as one may be, with as many sections as fit.
fn giant_offer() -> String {
    let many = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(1_000);
    format!("{OFFER}{many}")
}

/// Offers that are none, whatever their length.
fn offers() -> Vec<String> {
    let lines = "a=x:y\r\n".repeat(5_000);
    [
        String::new(),
        "v=0".to_owned(),
        "\u{0}".repeat(1_000),
        OFFER.to_owned(),
        format!("{OFFER}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
        format!("{OFFER}m=audio 99999999999999999999 UDP/TLS/RTP/SAVPF 111\r\n"),
        giant_offer(),
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
    eve.leave().await?;
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
    eve.leave().await?;
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
            let answer = answer.await.with_context(|| format!("{tally:?}"))?;
            note(&mut tally, answer);
        }
    }
    eve.leave().await?;
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
    eve.leave().await?;
    Ok(tally)
}

/// Changes its mind and writes to everybody as often as anybody may, from a seat in `room`, for so
/// long; of what it hears, only refusals count.
pub(crate) async fn fuss(address: &str, room: &str, how_long: Duration) -> anyhow::Result<Tally> {
    let (mut eve, _) = Carrier::join(Kind::Socket, address, (room, "Eve")).await?;
    let end = Instant::now() + how_long;
    let mut tally = Tally::new();
    for text in FUSS.iter().cycle() {
        if Instant::now() >= end {
            break;
        }
        eve.say(text).await?;
        note(&mut tally, "said");
        sleep(FUSS_INTERVAL).await;
        while let Some(heard) = eve.try_hear() {
            if let ServerMessage::Error(error) = heard.message {
                note(&mut tally, word(error.code));
            }
        }
    }
    eve.leave().await?;
    Ok(tally)
}
