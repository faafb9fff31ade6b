//! Connections that a hostile client holds, and what it never does over them: end what it began, or
//! read what it is told.

use std::io;
use std::time::Duration;

use anyhow::Context;
use futures_util::SinkExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::super::http::{connect, host};
use super::{Tally, note};

/// A write that waits for so long is not to be expected to end.
const STALLED: Duration = Duration::from_millis(500);

/// As often as a session may say something.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(20);

/// Connections that have sent the beginning of something, and go no further.
pub(crate) struct Held {
    streams: Vec<TcpStream>,
}

impl Held {
    /// Opens so many, each with `beginning`.
    pub(crate) async fn open(address: &str, count: usize, beginning: &str) -> anyhow::Result<Self> {
        let mut streams = Vec::new();
        for _ in 0..count {
            let mut stream = connect(address).await?;
            // The server may have cut it already.
            let _ = stream.write_all(beginning.as_bytes()).await;
            streams.push(stream);
        }
        Ok(Self { streams })
    }

    /// Sends the same over each of them, for so long, as often as `every`: how many are left then,
    /// and how many were cut.
    pub(crate) async fn go_on(
        &mut self,
        more: &[u8],
        (every, how_long): (Duration, Duration),
    ) -> Tally {
        let end = Instant::now() + how_long;
        while Instant::now() < end {
            if !more.is_empty() {
                for stream in &mut self.streams {
                    // Where it is cut, or the server does not take it, there is no more to do.
                    let _ = stream.try_write(more);
                }
            }
            sleep(every).await;
        }
        let cut = self.cut();
        let mut tally = Tally::new();
        for (outcome, count) in [("cut", cut), ("held", self.streams.len() - cut)] {
            tally.insert(outcome.to_owned(), count as u64);
        }
        tally
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

    /// How many of them the server has cut.
    pub(crate) fn cut(&self) -> usize {
        self.streams.iter().filter(|stream| is_cut(stream)).count()
    }
}

/// Whether the end has come, behind all that was said.
fn is_cut(stream: &TcpStream) -> bool {
    let mut said = [0; 16 * 1024];
    loop {
        match stream.try_read(&mut said) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}

/// A frame of a WebSocket with so many bytes of text, which is not the last of its message (RFC 6455
/// §5.2). The mask is all zeros.
pub(crate) fn fragment(is_first: bool, length: u16) -> Vec<u8> {
    let mut frame = vec![u8::from(is_first), 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(vec![b' '; length.into()]);
    frame
}

/// So many in one room who have each other told something as often as may be, and never read any of
/// it, for so long.
pub(crate) async fn swallow(
    address: &str,
    (room, count): (&str, usize),
    how_long: Duration,
) -> anyhow::Result<Tally> {
    let end = Instant::now() + how_long;
    let mut deaf = JoinSet::new();
    for _ in 0..count {
        deaf.spawn(say_all_the_time(address.to_owned(), room.to_owned(), end));
    }
    let mut tally = Tally::new();
    while let Some(outcome) = deaf.join_next().await {
        note(&mut tally, outcome??);
    }
    Ok(tally)
}

async fn say_all_the_time(
    address: String,
    room: String,
    end: Instant,
) -> anyhow::Result<&'static str> {
    let stream = connect(&address).await?;
    let url = format!("ws://{}/ws", host(&address));
    let Ok((mut socket, _)) = tokio_tungstenite::client_async(url, stream).await else {
        return Ok("refused");
    };
    let join = format!(r#"{{"type":"join","version":1,"room":"{room}","name":"Deaf"}}"#);
    socket.send(Message::text(join)).await?;
    let mut outcome = "held";
    let mut raised = false;
    while Instant::now() < end {
        raised = !raised;
        let status = format!(r#"{{"type":"status","hand":{raised}}}"#);
        match timeout(STALLED, socket.send(Message::text(status))).await {
            Ok(Ok(())) => sleep(MESSAGE_INTERVAL).await,
            Ok(Err(_)) => return Ok("cut"),
            Err(_) => {
                outcome = "stalled";
                break;
            }
        }
    }
    tokio::time::sleep_until(end).await;
    Ok(outcome)
}
