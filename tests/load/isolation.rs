//! Whether one participant who floods makes everybody's ticks late.
//!
//! Rooms of five, one after the other: in every second one the fifth sends what nobody should, in
//! the others they behave. What the media threads say of their lateness at the end of each room is
//! compared. The flood is made by this process on the same machine, which is part of the figure.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use codecs::rtp::vp8::{Packetizer, PacketizerConfig};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::client::{Client, Media};
use crate::clip::{Clip, usual_clips};
use crate::daemon::Daemon;
use crate::player::Player;
use crate::verdict;

/// Those who behave.
const GOOD: usize = 4;

/// p99 with the bad one, against without: what a machine that is busy with the flood itself, and a
/// histogram with steps of a fifth, make of no difference.
const BUDGET: f64 = 2.0;

/// Below this, lateness is that of waking up at all, and no ratio means anything.
const FLOOR_US: f64 = 500.0;

/// The bad one sends a burst this often.
const BURST_INTERVAL: Duration = Duration::from_millis(10);

/// Keyframes of 640x360 in each burst: one and a half times the pixels that are taken.
const KEYFRAMES: u32 = 2;

/// Packets of no sound in each burst: ten times what sound takes.
const PACKETS: u32 = 5;

/// `isolation`
#[derive(Debug, Args)]
pub(crate) struct Isolation {
    /// How long each room lives
    #[arg(long, value_name = "S", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Rooms of either kind
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
}

/// How the fifth does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fifth {
    Behaves,
    Floods,
}

/// Lateness of the ticks of one room, 99 of 100, in µs.
#[derive(Clone, Copy)]
struct Late {
    audio: f64,
    video: f64,
}

impl Isolation {
    /// Runs and prints; fails over budget.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let daemon = Daemon::start(&[])?;
        let (mut without, mut with) = (Vec::new(), Vec::new());
        println!("tick lateness p99 in µs  {:>8} {:>8}", "audio", "video");
        for round in 0..self.rounds {
            for (fifth, all) in [(Fifth::Behaves, &mut without), (Fifth::Floods, &mut with)] {
                let late = self.room(&daemon, round, fifth).await?;
                println!(
                    "  fifth {fifth:<8?} {:>18.0} {:>8.0}",
                    late.audio, late.video
                );
                all.push(late);
            }
        }
        let thinned = daemon.lines_with("it is thinned", 1).await?.len();
        println!("rooms in which the flood was thinned and told: {thinned}");
        let audio = ratio(&with, &without, |late| late.audio);
        let video = ratio(&with, &without, |late| late.video);
        let (kept, code) = verdict(audio <= BUDGET && video <= BUDGET);
        println!(
            "with the flood against without, medians, of at least {FLOOR_US} µs: audio {audio:.2}, \
             video {video:.2} (budget {BUDGET:.1}, {kept})"
        );
        Ok(code)
    }

    async fn room(&self, daemon: &Daemon, round: u32, fifth: Fifth) -> anyhow::Result<Late> {
        let name = format!("{fifth:?}-{round}");
        let (stop, stopped) = watch::channel(false);
        let mut senders = JoinSet::new();
        let mut clients = Vec::new();
        for (n, clip) in usual_clips(GOOD + 1)?.into_iter().enumerate() {
            let (client, media) = Client::join(&daemon.address, &name, "guest").await?;
            let mut stopped = stopped.clone();
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            if n == GOOD && fifth == Fifth::Floods {
                senders.spawn(flood(clip, media, until));
            } else {
                senders.spawn(Player::new(clip, media)?.play(until));
            }
            clients.push(client);
        }
        for client in &clients {
            client.received().more(1, 1).await?;
        }
        tokio::time::sleep(Duration::from_secs(self.seconds.into())).await;
        stop.send_replace(true);
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        for client in clients {
            client.leave().await?;
        }
        let rooms = usize::try_from(2 * round)? + 1 + usize::from(fifth == Fifth::Floods);
        let lines = daemon.lines_with("lateness=", 2 * rooms).await?;
        Ok(Late {
            audio: p99_us(&lines, &name, "audio thread")?,
            video: p99_us(&lines, &name, "video thread")?,
        })
    }
}

/// Keyframes and noise, far more than anybody may send.
async fn flood(clip: Clip, mut media: Media, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut packetizer = Packetizer::new(PacketizerConfig {
        max_payload_bytes: 1_180,
        first_picture_id: 0,
        first_tl0_pic_idx: 0,
    })?;
    let mut payloads = Vec::new();
    let mut bursts = tokio::time::interval(BURST_INTERVAL);
    bursts.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut pictures, mut sounds) = (0_u32, 0_u32);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = bursts.tick() => {}
            () = &mut stop => return Ok(()),
        }
        for _ in 0..KEYFRAMES {
            packetizer.packetize(&clip.frames[0], &mut payloads);
            let last = payloads.len() - 1;
            for (n, payload) in payloads.drain(..).enumerate() {
                let timestamp = pictures.wrapping_mul(450);
                media.video.send(timestamp, n == last, payload).await?;
            }
            pictures += 1;
        }
        for _ in 0..PACKETS {
            let noise = Bytes::from(sounds.wrapping_mul(0x9e37_79b9).to_be_bytes().repeat(30));
            media
                .audio
                .send(sounds.wrapping_mul(960), false, noise)
                .await?;
            sounds += 1;
        }
    }
}

/// What a thread of a room said when it ended.
pub(crate) fn p99_us(lines: &[String], room: &str, thread: &str) -> anyhow::Result<f64> {
    let name = format!("name={room}}}");
    let line = lines
        .iter()
        .find(|line| line.contains(&name) && line.contains(thread))
        .with_context(|| format!("nothing of the {thread} of {room}: {lines:?}"))?;
    let (_, rest) = line.split_once("p99_us=").context("no p99")?;
    let number = rest.split(' ').next().unwrap_or_default();
    Ok(number.parse()?)
}

fn ratio(with: &[Late], without: &[Late], of: impl Fn(&Late) -> f64 + Copy) -> f64 {
    let median = |all: &[Late]| {
        let mut values: Vec<f64> = all.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2].max(FLOOR_US)
    };
    median(with) / median(without)
}
