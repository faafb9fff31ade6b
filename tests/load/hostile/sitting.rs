//! A room of nine that sits with sound and picture while others do what they want.

use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::clip::{Clip, usual_clips};
use crate::daemon::Daemon;
use crate::isolation::p99_us;
use crate::player::Player;

/// Those who sit.
const SITTING: usize = 9;

/// Frames and packets that each gets before anything is done.
const WARM_UP: (u64, u64) = (60, 100);

/// How long the threads of a room may take to end.
const END_WITHIN: Duration = Duration::from_secs(20);

const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// How the media threads of a room kept time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    /// Lateness of the ticks, 99 of 100.
    pub(super) audio_us: f64,
    pub(super) video_us: f64,
    pub(super) skipped: u64,
}

/// The room while they sit.
pub(super) struct Sitting {
    room: String,
    clients: Vec<Client>,
    players: JoinSet<anyhow::Result<()>>,
    stop: watch::Sender<bool>,
}

/// What they send.
pub(super) fn clips() -> anyhow::Result<Vec<Clip>> {
    usual_clips(SITTING)
}

impl Sitting {
    /// All of them get sound and picture when this resolves.
    pub(super) async fn begin(daemon: &Daemon, room: &str, clips: &[Clip]) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let mut players = JoinSet::new();
        let mut clients = Vec::new();
        for clip in clips {
            let (client, media) = Client::join(&daemon.address, room, "guest").await?;
            let mut stopped = stopped.clone();
            players.spawn(Player::new(clip.clone(), media)?.play(async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            }));
            clients.push(client);
        }
        let sitting = Self {
            room: room.to_owned(),
            clients,
            players,
            stop,
        };
        sitting.get_media(WARM_UP).await?;
        Ok(sitting)
    }

    /// Resolves when each has got so many frames and packets more.
    pub(super) async fn get_media(&self, (frames, packets): (u64, u64)) -> anyhow::Result<()> {
        let all = self.clients.iter();
        let all = all.map(|client| client.received().more(frames, packets));
        let got = try_join_all(all).await;
        got.context("those who sit get nothing")?;
        Ok(())
    }

    /// All leave; how the room kept time.
    pub(super) async fn end(mut self, daemon: &Daemon) -> anyhow::Result<Time> {
        self.get_media((1, 1)).await?;
        self.stop.send_replace(true);
        while let Some(played) = self.players.join_next().await {
            played??;
        }
        for client in self.clients {
            client.leave().await?;
        }
        let lines = told(daemon, &self.room).await?;
        Ok(Time {
            audio_us: p99_us(&lines, &self.room, "audio thread")?,
            video_us: p99_us(&lines, &self.room, "video thread")?,
            skipped: lines.iter().filter_map(|line| skipped(line)).sum(),
        })
    }
}

/// What both threads of the room said at its end.
async fn told(daemon: &Daemon, room: &str) -> anyhow::Result<Vec<String>> {
    let name = format!("name={room}}}");
    let deadline = Instant::now() + END_WITHIN;
    loop {
        let mut lines = daemon.lines();
        lines.retain(|line| line.contains("lateness=") && line.contains(&name));
        if lines.len() >= 2 {
            return Ok(lines);
        }
        ensure!(Instant::now() < deadline, "only {lines:?} of {room}");
        sleep(LOOK_INTERVAL).await;
    }
}

fn skipped(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("skipped_ticks=")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}
