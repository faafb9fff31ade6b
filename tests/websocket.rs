//! WebSockets to the byte (RFC 6455), for what a client library would not say or would not show:
//! how they end, and what is not spoken over them.

#[path = "support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
#[path = "support/upgrade.rs"]
mod upgrade;

use std::time::Duration;

use anyhow::{Context, ensure};
use daemon::Daemon;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use upgrade::UPGRADE;

/// First bytes of frames that are all of their message.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

/// The first bit that extensions may give a meaning to: of a compressed message (RFC 7692 §6).
const RSV1: u8 = 0x40;

const JOIN: &[u8] = br#"{"type":"join","version":1,"room":"demo"}"#;
const LEAVE: &[u8] = br#"{"type":"leave"}"#;

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that speaks in frames.
struct Client {
    stream: TcpStream,
}

impl Client {
    /// Opens `/ws` with these lines in the head besides; also what is answered.
    async fn open(daemon: &Daemon, lines: &str) -> anyhow::Result<(Self, String)> {
        let mut stream = TcpStream::connect(&daemon.address).await?;
        let head = format!("{}\r\n{lines}\r\n", UPGRADE.trim_end());
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await?);
        }
        Ok((Self { stream }, String::from_utf8(answer)?))
    }

    /// Opens `/ws` and takes a seat.
    async fn join(daemon: &Daemon) -> anyhow::Result<Self> {
        let (mut client, _) = Self::open(daemon, "").await?;
        client.say(&frame(TEXT, JOIN)).await?;
        let joined = client.hear().await?;
        ensure!(joined.1.contains("joined"), "{joined:?}");
        Ok(client)
    }

    async fn say(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// The next frame: its first byte and what is in it, which is text or, of a close frame, its
    /// code and text.
    async fn hear(&mut self) -> anyhow::Result<(u8, String)> {
        timeout(PATIENCE, self.read_frame())
            .await
            .context("nothing was heard")?
    }

    async fn read_frame(&mut self) -> anyhow::Result<(u8, String)> {
        let first = self.stream.read_u8().await?;
        let length = match self.stream.read_u8().await? {
            126 => self.stream.read_u16().await?.into(),
            127 => self.stream.read_u64().await?,
            length => length.into(),
        };
        let mut payload = vec![0; usize::try_from(length)?];
        self.stream.read_exact(&mut payload).await?;
        if let (CLOSE, Some((code, reason))) = (first, payload.split_first_chunk()) {
            let code = u16::from_be_bytes(*code);
            return Ok((first, format!("{code} {}", str::from_utf8(reason)?)));
        }
        Ok((first, String::from_utf8(payload)?))
    }

    /// The next frame with `first` as its first byte; others are passed over.
    async fn hear_until(&mut self, first: u8) -> anyhow::Result<String> {
        loop {
            let (heard, text) = self.hear().await?;
            if heard == first {
                return Ok(text);
            }
        }
    }

    /// Resolves when the server has closed the connection; fails if it was reset.
    async fn ended(mut self) -> anyhow::Result<()> {
        // Answers to pings may still come.
        let mut rest = Vec::new();
        let ended = timeout(PATIENCE, self.stream.read_to_end(&mut rest));
        ended.await.context("it stays open")??;
        Ok(())
    }
}

/// A frame of a client's, with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
    assert!(length < 126, "no frame for this is needed here");
    let mut frame = vec![first, 0x80 | length, 0, 0, 0, 0];
    frame.extend(payload);
    frame
}

#[tokio::test]
async fn who_leaves_with_much_still_on_the_way_hears_the_last_word_and_is_not_reset()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut client = Client::join(&daemon).await?;

    // More than the server reads at a time, so that it leaves while some of it is unread.
    let mut all = frame(TEXT, LEAVE);
    all.extend(frame(PING, &[b'x'; 100]).repeat(600));
    client.say(&all).await?;

    let left = client.hear_until(TEXT).await?;
    assert!(left.contains(r#""type":"left""#), "{left}");
    assert_eq!(client.hear_until(CLOSE).await?, "1000 ");
    client.say(&frame(CLOSE, &1000_u16.to_be_bytes())).await?;
    client.ended().await
}

#[tokio::test]
async fn who_never_closes_is_cut_all_the_same() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut client = Client::join(&daemon).await?;

    client.say(&frame(TEXT, LEAVE)).await?;

    assert_eq!(client.hear_until(CLOSE).await?, "1000 ");
    client.ended().await
}

#[tokio::test]
async fn compression_that_is_offered_is_not_taken_up() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let offers = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n\
                  sec-websocket-extensions: x-webkit-deflate-frame\r\n";

    let (mut client, answer) = Client::open(&daemon, offers).await?;

    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    let answer = answer.to_lowercase();
    assert!(!answer.contains("sec-websocket-extensions"), "{answer}");
    client.say(&frame(TEXT, JOIN)).await?;
    assert!(client.hear().await?.1.contains("joined"));
    Ok(())
}

#[tokio::test]
async fn a_compressed_message_is_refused_and_ends_the_socket() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let (mut client, _) = Client::open(&daemon, "").await?;

    // `{}` by permessage-deflate (RFC 7692 §7.2.1).
    client
        .say(&frame(TEXT | RSV1, &[0xaa, 0xae, 0x05, 0x00]))
        .await?;

    let (first, said) = client.hear().await?;
    assert_eq!(first, CLOSE);
    assert!(said.starts_with("1002 "), "{said}");
    client.ended().await
}

#[tokio::test]
async fn a_message_beyond_all_measure_is_refused_by_its_length_alone() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let mut client = Client::join(&daemon).await?;

    let mut head = vec![TEXT, 0x80 | 127];
    head.extend(u64::to_be_bytes(1 << 40));
    head.extend([0; 4]);
    client.say(&head).await?;

    let said = client.hear_until(CLOSE).await?;
    assert!(said.starts_with("1009 "), "{said}");
    client.ended().await
}
