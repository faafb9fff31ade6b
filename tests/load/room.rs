//! A live room of nine: memory, CPU beside the codec floor, and whether media really flowed.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Args;
use codecs::video::PictureSize;
use codecs::vp8::KeyframePolicy;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::clip::{FRAMES_PER_SECOND, TICKS_PER_SECOND, usual_clips};
use crate::daemon::{Daemon, Usage};
use crate::floor::{self, Listeners, Settings};
use crate::player::Player;
use crate::process::measure;
use crate::verdict;

/// Participants in the room.
const PARTICIPANTS: usize = 9;

/// Resident memory of the daemon with nine participants.
const BUDGET_KB: u64 = 150_000;

/// What the daemon mixes when it is not told otherwise.
const SIZE: (u32, u32) = (1280, 720);
const VIDEO_KBPS: u32 = 1500;
const AUDIO_KBPS: u32 = 32;

/// Fewer frames per second than this, and the daemon did less than the floor.
const ENOUGH_FRAMES: f64 = 29.0;

/// Until everybody's queues, caches and heaps are as they stay.
const WARM_UP: Duration = Duration::from_secs(5);

/// `room`
#[derive(Debug, Args)]
pub(crate) struct Room {
    /// How long to look, after a warm-up
    #[arg(long, value_name = "S", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
}

/// What was counted at one participant.
#[derive(Clone, Copy)]
struct Count {
    audio: u64,
    video: u64,
    frames: u64,
}

impl Room {
    /// Runs and prints; fails over budget.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let floor_before = self.floor()?;
        let daemon = Daemon::start(&[])?;
        let (stop, stopped) = watch::channel(false);
        let mut players = JoinSet::new();
        let mut clients = Vec::new();
        for (n, clip) in usual_clips(PARTICIPANTS)?.into_iter().enumerate() {
            let name = format!("participant {n}");
            let (client, media) = Client::join(&daemon.address, "load", &name).await?;
            let mut stopped = stopped.clone();
            let until = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            players.spawn(Player::new(clip, media)?.play(until));
            clients.push(client);
        }
        for client in &clients {
            client.received().more(1, 1).await?;
        }
        tokio::time::sleep(WARM_UP).await;

        let counts = counts(&clients);
        let (began, before) = (Instant::now(), daemon.usage()?);
        let mut resident_kb = before.resident_kb;
        for _ in 0..self.seconds {
            tokio::time::sleep(Duration::from_secs(1)).await;
            resident_kb = resident_kb.max(daemon.usage()?.resident_kb);
        }
        let (took, after) = (began.elapsed(), daemon.usage()?);
        let received = rates(&counts, &self::counts(&clients), took);

        stop.send_replace(true);
        while let Some(played) = players.join_next().await {
            played??;
        }
        for client in clients {
            client.leave().await?;
        }
        let floors = [floor_before, self.floor()?];
        let skipped = skipped_ticks(&daemon).await;
        Ok(report(
            took,
            (before, after),
            resident_kb,
            &received,
            floors,
            &skipped,
        ))
    }

    /// CPU time of the floor's process for one second of media.
    fn floor(&self) -> anyhow::Result<f64> {
        let mut floor = Command::new(std::env::current_exe()?);
        floor.args(["floor", &self.seconds.to_string()]);
        Ok(measure(&mut floor)?.cpu.as_secs_f64() / f64::from(self.seconds))
    }
}

/// What the room makes the codecs do: each of nine talkers has a mix of their own.
pub(crate) fn work_at_the_floor(seconds: u32) -> anyhow::Result<()> {
    let settings = Settings {
        size: PictureSize::new(SIZE.0, SIZE.1)?,
        video_kbps: VIDEO_KBPS,
        audio_kbps: AUDIO_KBPS,
        keyframes: KeyframePolicy::OnRequest,
        listeners: Listeners::Everybody,
    };
    floor::work(&usual_clips(PARTICIPANTS)?, settings, seconds)
}

fn counts(clients: &[Client]) -> Vec<Count> {
    let count = |client: &Client| Count {
        audio: client.received().audio(),
        video: client.received().video(),
        frames: client.received().frames(),
    };
    clients.iter().map(count).collect()
}

/// Audio packets, video packets and frames per second, of each.
fn rates(before: &[Count], after: &[Count], took: Duration) -> Vec<[f64; 3]> {
    let per_second = |before: u64, after: u64| (after - before) as f64 / took.as_secs_f64();
    let both = before.iter().zip(after);
    both.map(|(before, after)| {
        [
            per_second(before.audio, after.audio),
            per_second(before.video, after.video),
            per_second(before.frames, after.frames),
        ]
    })
    .collect()
}

/// What the media threads say of themselves when the room ends.
async fn skipped_ticks(daemon: &Daemon) -> Vec<String> {
    let told = daemon.lines_with("skipped_ticks=", 2).await;
    let lines = told.unwrap_or_default().into_iter();
    let told = lines.filter_map(|line| {
        let (before, ticks) = line.split_once("skipped_ticks=")?;
        let thread = if before.contains("audio thread") {
            "audio"
        } else {
            "video"
        };
        Some(format!("{thread} {ticks}"))
    });
    told.collect()
}

fn report(
    took: Duration,
    (before, after): (Usage, Usage),
    resident_kb: u64,
    received: &[[f64; 3]],
    floors: [f64; 2],
    skipped: &[String],
) -> ExitCode {
    let cpu = (after.cpu - before.cpu).as_secs_f64() / took.as_secs_f64();
    let floor = f64::midpoint(floors[0], floors[1]);
    println!(
        "{PARTICIPANTS} participants of 640x360@{FRAMES_PER_SECOND}, one room of {}x{} at {VIDEO_KBPS} kb/s, \
         {:.0} s after a warm-up",
        SIZE.0,
        SIZE.1,
        took.as_secs_f64()
    );
    println!(
        "received per second  {:>7} {:>7} {:>7}",
        "audio", "video", "frames"
    );
    for (n, [audio, video, frames]) in received.iter().enumerate() {
        println!("  participant {n:<6} {audio:>8.1} {video:>7.1} {frames:>7.1}");
    }
    println!("  expected           {TICKS_PER_SECOND:>7}         {FRAMES_PER_SECOND:>7}");
    println!(
        "CPU of the daemon: {:.1} % of one core; codec floor: {:.1} % ({:.1} before, {:.1} after); \
         ratio {:.2} (no budget: network and encryption are in it)",
        cpu * 100.0,
        floor * 100.0,
        floors[0] * 100.0,
        floors[1] * 100.0,
        cpu / floor
    );
    if received
        .iter()
        .any(|[_, _, frames]| *frames < ENOUGH_FRAMES)
    {
        println!("  not a fair ratio: the machine was too busy for all the frames");
    }
    println!("ticks skipped: {}", skipped.join(", "));
    println!(
        "threads: {}, descriptors: {}",
        after.threads, after.descriptors
    );
    let (kept, code) = verdict(resident_kb <= BUDGET_KB);
    println!(
        "resident memory: {:.1} MB (budget {} MB, {kept})",
        resident_kb as f64 / 1000.0,
        BUDGET_KB / 1000
    );
    code
}
