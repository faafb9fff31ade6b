//! What hostile clients cost, attack by attack: memory before, at the peak and afterwards, and how
//! the ticks are kept of a room of nine that sits meanwhile. How they are answered is printed beside.
//!
//! The attackers come from an address of their own, so that it is their limits that hold, first the
//! usual ones and then, where those would end it at once, open ones. They are made by this process
//! on the same machine, which is part of the figures. Each attack has a room of nine of its own,
//! since a room says at its end how it kept time.

mod attack;
mod sitting;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::time::{Instant, interval, sleep};

use crate::attacks::Tally;
use crate::clip::Clip;
use crate::daemon::Daemon;
use crate::verdict;
use attack::{Attack, Means, OPENED, QUIET, USUAL};
use sitting::{SITTING, Sitting, Time};

/// What an attack may leave behind in resident memory, and take while it goes on, in MB.
const BUDGET_LEFT_MB: f64 = 16.0;
const BUDGET_PEAK_MB: f64 = 256.0;

/// p99 of the lateness of ticks with an attack, against without: what a machine that is busy with
/// the attack itself makes of no difference.
const BUDGET_RATIO: f64 = 2.0;

/// Below this, in µs, lateness is that of waking up at all, and no ratio means anything.
const FLOOR_US: f64 = 1_000.0;

/// How often to look at memory.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How long what was left behind may take to go: silence, a seat held, a last word kept.
const SETTLE_WITHIN: Duration = Duration::from_secs(90);

/// All of it together.
const BOUND: Duration = Duration::from_secs(30 * 60);

/// What holds in any case, so that what vanished is gone within moments.
const SHORT: [&str; 4] = ["--seat-seconds", "1", "--room-seconds", "0"];

/// So that whatever is begun also gets into rooms.
const OPEN: [&str; 14] = [
    "--max-rooms",
    "200",
    "--limit",
    "sessions=20000",
    "--limit",
    "sessions-per-address=20000",
    "--limit",
    "participants-per-address=20000",
    "--limit",
    "rooms-per-address=200",
    "--limit",
    "connections-per-address=10000",
    "--limit",
    "requests-per-second=100000",
];

/// `hostile`
#[derive(Debug, Args)]
pub(crate) struct Hostile {
    /// Joins of those who vanish at once
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    joins: usize,
    /// Sessions that are begun and never used; guesses; offers
    #[arg(long, value_name = "N", default_value_t = 3_000)]
    requests: usize,
    /// Connections that get no further than their beginning
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    connections: usize,
    /// Clients at a time that flood, or say what makes no sense, over each carrier
    #[arg(long, value_name = "N", default_value_t = 8,
          value_parser = clap::value_parser!(u16).range(1..=10))]
    talkers: u16,
    /// How long the attacks last that would never end
    #[arg(long, value_name = "S", default_value_t = 6)]
    seconds: u64,
    /// Only the attacks of these names
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
}

/// What one attack did.
#[derive(Debug)]
struct Outcome {
    before_mb: f64,
    peak_mb: f64,
    after_mb: f64,
    took: Duration,
    time: Time,
    answers: Tally,
}

impl Hostile {
    /// Runs and prints; fails over budget.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::time::timeout(BOUND, self.attack_all())
            .await
            .context("it takes too long")?
    }

    async fn attack_all(self) -> anyhow::Result<ExitCode> {
        let clips = sitting::clips()?;
        println!(
            "memory in MB {:>8} {:>7} {:>7} {:>7}  ticks: p99 µs, audio, video; skipped",
            "before", "peak", "after", "s"
        );
        let usual = self
            .against(&SHORT, "usual limits", (USUAL, &clips))
            .await?;
        let open = [&SHORT[..], &OPEN[..]].concat();
        let opened = self.against(&open, "open limits", (OPENED, &clips)).await?;
        println!(
            "budget: {BUDGET_LEFT_MB:.0} MB left, {BUDGET_PEAK_MB:.0} MB at the peak, no tick skipped \
             more, {BUDGET_RATIO:.1} times as late, of at least {FLOOR_US:.0} µs"
        );
        Ok(verdict(usual && opened).1)
    }

    /// All of `attacks` against one server; whether the budget was kept.
    async fn against(
        &self,
        flags: &[&str],
        what: &str,
        (attacks, clips): (&[Attack], &[Clip]),
    ) -> anyhow::Result<bool> {
        let is_wanted = |attack: &&Attack| {
            self.only.is_empty() || self.only.iter().any(|name| name == attack.name)
        };
        let attacks: Vec<&Attack> = attacks.iter().filter(is_wanted).collect();
        if attacks.is_empty() {
            return Ok(true);
        }
        println!("{what}:");
        let daemon = Daemon::start(flags)?;
        // The first room of all makes what is made once.
        self.measure(&daemon, (&QUIET, "warm-up"), clips).await?;
        let quiet = self.measure(&daemon, (&QUIET, "quiet"), clips).await?;
        quiet.print("quiet");
        let mut all_kept = true;
        for (n, attack) in attacks.into_iter().enumerate() {
            let room = format!("sitting-{n}");
            let outcome = self.measure(&daemon, (attack, &room), clips).await;
            let outcome = outcome.with_context(|| attack.name.to_owned())?;
            outcome.print(attack.name);
            all_kept &= outcome.keeps_budget(quiet.time);
        }
        Ok(all_kept)
    }

    async fn measure(
        &self,
        daemon: &Daemon,
        (attack, room): (&Attack, &str),
        clips: &[Clip],
    ) -> anyhow::Result<Outcome> {
        let sitting = Sitting::begin(daemon, room, clips).await?;
        let means = Means {
            address: daemon.address.clone(),
            sitting: room.to_owned(),
            joins: self.joins,
            requests: self.requests,
            connections: self.connections,
            talkers: self.talkers.into(),
            how_long: Duration::from_secs(self.seconds),
        };
        let means = means.from(2);
        let (began, before_mb) = (Instant::now(), resident_mb(daemon)?);
        let (answers, peak_mb) = watched(daemon, (attack.run)(&means)).await?;
        let took = began.elapsed();
        settle(daemon).await?;
        let after_mb = resident_mb(daemon)?;
        Ok(Outcome {
            before_mb,
            peak_mb: peak_mb.max(before_mb),
            after_mb,
            took,
            time: sitting.end(daemon).await?,
            answers,
        })
    }
}

impl Outcome {
    fn print(&self, name: &str) {
        println!(
            "  {name:<14} {:>4.1} {:>7.1} {:>7.1} {:>7.1}  {:>6.0} {:>6.0} {:>3}  {}",
            self.before_mb,
            self.peak_mb,
            self.after_mb,
            self.took.as_secs_f64(),
            self.time.audio_us,
            self.time.video_us,
            self.time.skipped,
            shown(&self.answers)
        );
    }

    /// Says what is over.
    fn keeps_budget(&self, quiet: Time) -> bool {
        let ratio = |with: f64, without: f64| with.max(FLOOR_US) / without.max(FLOOR_US);
        let audio = ratio(self.time.audio_us, quiet.audio_us);
        let video = ratio(self.time.video_us, quiet.video_us);
        let figures = [
            ("MB left", self.after_mb - self.before_mb, BUDGET_LEFT_MB),
            (
                "MB more at the peak",
                self.peak_mb - self.before_mb,
                BUDGET_PEAK_MB,
            ),
            ("times as late, audio", audio, BUDGET_RATIO),
            ("times as late, video", video, BUDGET_RATIO),
            (
                "ticks skipped more",
                self.time.skipped.saturating_sub(quiet.skipped) as f64,
                0.0,
            ),
        ];
        let over = figures.iter().filter(|(_, figure, budget)| figure > budget);
        let over = over.inspect(|(what, figure, budget)| {
            println!(
                "    {}: {figure:.1} {what}, budget {budget:.1}",
                verdict(false).0
            );
        });
        over.count() == 0
    }
}

/// Attacks; what the answers were, and the most memory meanwhile.
async fn watched(
    daemon: &Daemon,
    attacking: impl Future<Output = anyhow::Result<Tally>>,
) -> anyhow::Result<(Tally, f64)> {
    tokio::pin!(attacking);
    let mut looks = interval(LOOK_INTERVAL);
    let mut peak_mb: f64 = 0.0;
    loop {
        tokio::select! {
            answers = &mut attacking => return Ok((answers?, peak_mb.max(resident_mb(daemon)?))),
            _ = looks.tick() => peak_mb = peak_mb.max(resident_mb(daemon)?),
        }
    }
}

/// Resolves when nobody but those who sit is there.
async fn settle(daemon: &Daemon) -> anyhow::Result<()> {
    let deadline = Instant::now() + SETTLE_WITHIN;
    loop {
        let health = daemon.health()?;
        if (health.rooms, health.participants, health.sessions) == (1, SITTING, SITTING) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "still there: {health:?}");
        sleep(LOOK_INTERVAL).await;
    }
}

fn resident_mb(daemon: &Daemon) -> anyhow::Result<f64> {
    Ok(daemon.usage()?.resident_kb as f64 / 1024.0)
}

fn shown(answers: &Tally) -> String {
    let all = answers
        .iter()
        .map(|(code, count)| format!("{code} {count}"));
    all.collect::<Vec<_>>().join(", ")
}
