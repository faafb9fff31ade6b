//! Joins and leaves, and what they leave behind: descriptors, threads, tasks, memory.
//!
//! Somebody sits in one room all the time. Every second guest goes there, so that a living room is
//! looked at as well; the others meet nobody, so that whole rooms come and go.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::sync::oneshot;

use crate::client::Client;
use crate::clip::{Clip, usual_clips};
use crate::daemon::Daemon;
use crate::player::Player;
use crate::verdict;

/// What one join and leave may add to resident memory, in kB.
const BUDGET_KB: f64 = 50.0;

/// Frames and audio packets that a guest waits for.
const FRAMES: u64 = 5;
const PACKETS: u64 = 10;

/// How long what was left behind may take to go away: the longest timer is that of idle threads of
/// the async runtime, 10 s.
const SETTLE_WITHIN: Duration = Duration::from_secs(60);

/// All of it together.
const BOUND: Duration = Duration::from_secs(20 * 60);

/// `churn`
#[derive(Debug, Args)]
pub(crate) struct Churn {
    /// Joins and leaves before anything is measured
    #[arg(long, value_name = "N", default_value_t = 50)]
    warm_up: u32,
    /// Joins and leaves that are measured
    #[arg(long, value_name = "N", default_value_t = 200,
          value_parser = clap::value_parser!(u32).range(1..))]
    joins: u32,
}

/// What must be as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    tasks: usize,
}

impl Churn {
    /// Runs and prints; fails if something stayed behind.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::time::timeout(BOUND, self.churn())
            .await
            .context("it takes too long")?
    }

    async fn churn(self) -> anyhow::Result<ExitCode> {
        let daemon = Daemon::start(&[])?;
        let mut clips = usual_clips(2)?;
        let guest = clips.pop().context("no clip")?;
        let (host, media) = Client::join(&daemon.address, "hosted", "host").await?;
        let (leave, left) = oneshot::channel::<()>();
        let player = Player::new(clips.pop().context("no clip")?, media)?;
        let hosting = tokio::spawn(player.play(async { drop(left.await) }));

        for n in 0..self.warm_up {
            visit(&daemon, n, &guest).await?;
        }
        let before = settled(&daemon, |_| true).await?;
        let resident_before = daemon.usage()?.resident_kb;
        println!(
            "after {} joins to warm up: {before:?}, {resident_before} kB",
            self.warm_up
        );
        for n in 0..self.joins {
            visit(&daemon, n, &guest).await?;
            if (n + 1) % 50 == 0 {
                let resident = daemon.usage()?.resident_kb;
                println!("after {} more: {resident} kB, a room still ending", n + 1);
            }
        }
        let after = settled(&daemon, |after| after == before).await?;
        let resident_after = daemon.usage()?.resident_kb;

        drop(leave);
        hosting.await??;
        host.leave().await?;
        Ok(self.report(
            before,
            after,
            resident_after as f64 - resident_before as f64,
        ))
    }

    fn report(&self, before: Holdings, after: Holdings, grown_kb: f64) -> ExitCode {
        let (same, _) = verdict(before == after);
        println!(
            "after {} joins: {after:?} (budget: exactly as before, {same})",
            self.joins
        );
        let per_join = grown_kb / f64::from(self.joins);
        let (kept, _) = verdict(per_join <= BUDGET_KB);
        println!("resident memory per join: {per_join:.1} kB (budget {BUDGET_KB:.0} kB, {kept})");
        verdict(before == after && per_join <= BUDGET_KB).1
    }
}

/// One guest: joins, sends, gets something, leaves.
async fn visit(daemon: &Daemon, n: u32, clip: &Clip) -> anyhow::Result<()> {
    let room = if n.is_multiple_of(2) {
        "hosted"
    } else {
        "passing"
    };
    let (client, media) = Client::join(&daemon.address, room, "guest").await?;
    let (stop, stopped) = oneshot::channel::<()>();
    let player = Player::new(clip.clone(), media)?;
    let playing = tokio::spawn(player.play(async { drop(stopped.await) }));
    client
        .received()
        .more(FRAMES, PACKETS)
        .await
        .with_context(|| format!("guest {n} in {room}"))?;
    drop(stop);
    playing.await??;
    client.leave().await
}

/// What the daemon holds once everybody but the host is gone and `enough` of it has gone too; or
/// what is left after a while.
async fn settled(daemon: &Daemon, enough: impl Fn(Holdings) -> bool) -> anyhow::Result<Holdings> {
    let deadline = Instant::now() + SETTLE_WITHIN;
    let mut last = None;
    let mut unchanged = 0;
    loop {
        // In this order: asking for its health opens a descriptor for a moment.
        let usage = daemon.usage()?;
        let health = daemon.health()?;
        let now = Holdings {
            descriptors: usage.descriptors,
            threads: usage.threads,
            tasks: health.tasks,
        };
        let alone = health.rooms == 1 && health.participants == 1;
        unchanged = if last == Some(now) && alone {
            unchanged + 1
        } else {
            0
        };
        last = Some(now);
        // Longer than the longest timer: then nothing more goes away.
        if unchanged >= 12 && enough(now) {
            return Ok(now);
        }
        if Instant::now() > deadline {
            ensure!(alone, "guests are still there: {health:?}");
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
