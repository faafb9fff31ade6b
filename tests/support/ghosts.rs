//! Clients that begin something, many times, and are gone.

use anyhow::{Context, bail};
use mosaicd::signaling::message::ServerMessage;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Error;

use super::super::carrier::{Carrier, Conversation, Kind};
use super::super::http::{Answer, ask};
use super::{PUBLISHING, Tally, giant_offer, note, word};

/// Under way at a time.
const AT_ONCE: usize = 16;

/// Joins and is gone, again and again, in as many rooms.
pub(crate) async fn vanish(address: &str, (joins, rooms): (usize, usize)) -> anyhow::Result<Tally> {
    many(joins, |n| {
        let (address, room) = (address.to_owned(), format!("haunted-{}", n % rooms));
        async move {
            let mut ghost = match Carrier::open(Kind::Socket, &address).await {
                Ok(ghost) => ghost,
                Err(error) => return refused(error),
            };
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
            let answer = ask(&address, ("POST", "/sessions"), &[], join.into()).await;
            outcome(answer).await
        }
    })
    .await
}

/// Guesses at sessions and at seats.
pub(crate) async fn guess(address: &str, count: usize) -> anyhow::Result<Tally> {
    many(count, |n| {
        let address = address.to_owned();
        async move {
            let guess = if n % 2 == 0 {
                format!(r#"{{"type":"resume","version":1,"session":"{n:032x}","after":0}}"#)
            } else {
                format!(r#"{{"type":"join","version":1,"room":"guess-{n}","token":"{n:032x}"}}"#)
            };
            let answer = ask(&address, ("POST", "/sessions"), &[], guess.into()).await;
            outcome(answer).await
        }
    })
    .await
}

/// Publishes by WHIP what is no offer, what is a giant one, and what is a good one behind which
/// there is nobody.
pub(crate) async fn publish(address: &str, (room, count): (&str, usize)) -> anyhow::Result<Tally> {
    many(count, |n| {
        let (address, path) = (address.to_owned(), format!("/whip/{room}"));
        async move {
            let offer = match n % 4 {
                0 => "v=0".to_owned(),
                1 => giant_offer(),
                _ => PUBLISHING.to_owned(),
            };
            let headers = [("content-type", "application/sdp")];
            let answer = ask(&address, ("POST", &path), &headers, offer.into()).await;
            outcome(answer).await
        }
    })
    .await
}

/// What an answer over HTTP comes to: a code, the message that it is, or a status.
async fn outcome(answer: anyhow::Result<Answer>) -> anyhow::Result<String> {
    let Ok(answer) = answer else {
        return Ok("cut".to_owned());
    };
    let status = answer.status().as_u16().to_string();
    let text = answer.text().await.unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let said = [&body["code"], &body["type"]];
    let said = said.iter().find_map(|it| it.as_str().map(str::to_owned));
    Ok(said.unwrap_or(status))
}

/// Why there is no WebSocket.
fn refused(error: anyhow::Error) -> anyhow::Result<String> {
    match error.downcast::<Error>()? {
        Error::Http(response) => Ok(response.status().as_u16().to_string()),
        _ => Ok("cut".to_owned()),
    }
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
