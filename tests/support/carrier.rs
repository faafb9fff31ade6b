//! A bare signaling client over any of the carriers: text in, messages out.

#[path = "conversation.rs"]
mod conversation;

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use mosaicd::signaling::message::{Joined, ServerMessage};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;

use super::http::{Answer, ask, connect, host};

pub(crate) use conversation::Conversation;

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// What may wait to be heard.
const HEARD: usize = 4096;

/// The ways to talk to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Socket,
    Events,
    Polls,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Socket, Self::Events, Self::Polls];
}

/// A message, and its number if it has one.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Heard {
    #[serde(default)]
    pub(crate) seq: Option<u64>,
    #[serde(flatten)]
    pub(crate) message: ServerMessage,
}

/// A carrier. Dropping it breaks the connection.
pub(crate) struct Carrier {
    heard: mpsc::Receiver<Heard>,
    way: Way,
    listening: Vec<AbortHandle>,
}

enum Way {
    Socket(mpsc::Sender<Message>),
    Requests {
        address: String,
        kind: Kind,
        /// Of the session, once there is one.
        path: Option<String>,
        tell: mpsc::Sender<Heard>,
    },
}

impl Carrier {
    /// Opens a carrier over which nothing was said yet.
    pub(crate) async fn open(kind: Kind, address: &str) -> anyhow::Result<Self> {
        let (tell, heard) = mpsc::channel(HEARD);
        let (way, listening) = match kind {
            Kind::Socket => {
                let (to_say, listening) = socket(address, tell).await?;
                (Way::Socket(to_say), vec![listening])
            }
            Kind::Events | Kind::Polls => {
                let address = address.to_owned();
                let path = None;
                let way = Way::Requests {
                    address,
                    kind,
                    path,
                    tell,
                };
                (way, Vec::new())
            }
        };
        Ok(Self {
            heard,
            way,
            listening,
        })
    }

    /// Opens a carrier and takes a seat.
    pub(crate) async fn join(
        kind: Kind,
        address: &str,
        (room, name): (&str, &str),
    ) -> anyhow::Result<(Self, Joined)> {
        let mut carrier = Self::open(kind, address).await?;
        let join = format!(r#"{{"type":"join","version":1,"room":"{room}","name":"{name}"}}"#);
        carrier.say(&join).await?;
        match carrier.hear().await?.message {
            ServerMessage::Joined(joined) => Ok((carrier, joined)),
            other => bail!("expected joined, got {other:?}"),
        }
    }

    /// Says anything that need not be text.
    pub(crate) async fn say_bytes(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        match &mut self.way {
            Way::Socket(to_say) => {
                let message = match String::from_utf8(bytes) {
                    Ok(text) => Message::text(text),
                    Err(error) => Message::binary(error.into_bytes()),
                };
                Ok(to_say.send(message).await?)
            }
            Way::Requests {
                address,
                path: Some(path),
                ..
            } => {
                let answer = ask(address, ("POST", path), &[], bytes).await?;
                anyhow::ensure!(answer.status() == 202, "{}", answer.status());
                Ok(())
            }
            Way::Requests {
                address,
                kind,
                path,
                tell,
            } => {
                let answer = ask(address, ("POST", "/sessions"), &[], bytes).await?;
                let (is_begun, location) =
                    (answer.status().is_success(), answer.header("location"));
                let reply: Heard = serde_json::from_str(&answer.text().await?)?;
                if is_begun {
                    let after = match &reply.message {
                        ServerMessage::Resumed(resumed) => resumed.after,
                        _ => 0,
                    };
                    let session = format!("/{location}");
                    let heard = tell.clone();
                    let listening = listen(*kind, (address.clone(), session.clone()), after, heard);
                    self.listening.push(tokio::spawn(listening).abort_handle());
                    *path = Some(session);
                }
                // A numbered one comes again, as an event.
                if reply.seq.is_none() {
                    tell.send(reply).await?;
                }
                Ok(())
            }
        }
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> anyhow::Result<Heard> {
        let heard = self.next().await?;
        heard.context("the server closed the carrier")
    }

    /// The next message, if it is there already.
    pub(crate) fn try_hear(&mut self) -> Option<Heard> {
        self.heard.try_recv().ok()
    }

    /// Leaves as soon as the server hears it, and lets it know that the last word has come.
    pub(crate) async fn leave(&mut self) -> anyhow::Result<()> {
        let leave = r#"{"type":"leave"}"#;
        self.say(leave).await?;
        let left = loop {
            let heard = self.hear().await?;
            match heard.message {
                ServerMessage::Left { .. } => {
                    break heard.seq.context("an event without a number")?;
                }
                ServerMessage::Error(error) => {
                    let wait = error.retry_after_ms.context("it is not heard")?;
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    self.say(leave).await?;
                }
                _ => {}
            }
        };
        if let Way::Requests {
            address,
            path: Some(path),
            ..
        } = &self.way
        {
            let path = format!("{path}/poll?after={left}");
            ask(address, ("GET", &path), &[], Vec::new()).await?;
        }
        Ok(())
    }

    /// Resolves when the server has closed the carrier.
    pub(crate) async fn closed(&mut self) -> anyhow::Result<()> {
        // Of requests, it is the answers that tell.
        if let Way::Requests { tell, .. } = &mut self.way {
            *tell = mpsc::channel(1).0;
        }
        while self.next().await?.is_some() {}
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<Option<Heard>> {
        tokio::time::timeout(PATIENCE, self.heard.recv())
            .await
            .context("nothing was heard")
    }
}

impl Conversation for Carrier {
    async fn say(&mut self, text: &str) -> anyhow::Result<()> {
        self.say_bytes(text.as_bytes().to_vec()).await
    }

    async fn hear_message(&mut self) -> anyhow::Result<ServerMessage> {
        Ok(self.hear().await?.message)
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        for listening in &self.listening {
            listening.abort();
        }
    }
}

async fn socket(
    address: &str,
    tell: mpsc::Sender<Heard>,
) -> anyhow::Result<(mpsc::Sender<Message>, AbortHandle)> {
    let stream = connect(address).await?;
    let url = format!("ws://{}/ws", host(address));
    let (mut stream, _) = tokio_tungstenite::client_async(url, stream).await?;
    let (to_say, mut sayings) = mpsc::channel(HEARD);
    let carrying = async move {
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let heard = serde_json::from_str(&text);
                        let Ok(heard) = heard else { return };
                        if tell.send(heard).await.is_err() {
                            return;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => {}
                },
                Some(saying) = sayings.recv() => if stream.send(saying).await.is_err() {
                    return;
                },
            }
        }
    };
    Ok((to_say, tokio::spawn(carrying).abort_handle()))
}

/// Listens until the session is no more.
async fn listen(
    kind: Kind,
    (address, session): (String, String),
    mut after: u64,
    tell: mpsc::Sender<Heard>,
) -> anyhow::Result<()> {
    loop {
        let path = match kind {
            Kind::Events => format!("{session}/events?after={after}"),
            Kind::Socket | Kind::Polls => format!("{session}/poll?after={after}"),
        };
        let answer = ask(&address, ("GET", &path), &[], Vec::new()).await?;
        if answer.status() != 200 {
            return Ok(());
        }
        if kind == Kind::Events {
            return take_events(answer, &tell).await;
        }
        let events: Vec<Heard> = serde_json::from_str(&answer.text().await?)?;
        for event in events {
            after = event.seq.context("an event without a number")?;
            tell.send(event).await?;
        }
    }
}

async fn take_events(mut answer: Answer, tell: &mpsc::Sender<Heard>) -> anyhow::Result<()> {
    let mut text = String::new();
    while let Some(bytes) = answer.next().await? {
        text.push_str(str::from_utf8(&bytes)?);
        while let Some((event, rest)) = text.split_once("\n\n") {
            let field = |name: &str| {
                event
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            if let Some(data) = field("data") {
                let heard: Heard = serde_json::from_str(data)?;
                let id = field("id").context("an event without an id")?;
                anyhow::ensure!(heard.seq == Some(id.parse()?), "{event}");
                tell.send(heard).await?;
            }
            text = rest.to_owned();
        }
    }
    Ok(())
}
