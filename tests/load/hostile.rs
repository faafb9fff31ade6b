//! What hostile clients cost, attack by attack: memory before, at the peak and afterwards, and how
//! the ticks are kept of a room of nine that sits meanwhile. How they are answered is printed beside,
//! all of it as a table for documents.
//!
//! The attackers come from an address of their own, so that it is their limits that hold, first the
//! usual ones and then, where those would end it at once, open ones. They are made by this process
//! on the same machine, which is part of the figures. Each attack has a room of nine of its own,
//! since a room says at its end how it kept time; it ends with the attack, so that no quiet time
//! afterwards is in that.

mod attack;
mod means;
mod memory;
mod outcome;
mod sitting;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::time::{Instant, sleep_until};

use crate::clip::Clip;
use crate::daemon::Daemon;
use crate::verdict;
use attack::{Attack, OPENED, QUIET, USUAL};
use means::Means;
use outcome::Outcome;
use sitting::Sitting;

/// All of it together.
const BOUND: Duration = Duration::from_secs(30 * 60);

/// What holds in any case, so that what vanished is gone within moments.
const SHORT: [&str; 4] = ["--seat-seconds", "1", "--room-seconds", "0"];

/// So that whatever is begun also gets into rooms.
const OPEN: [&str; 22] = [
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
    "connections-per-second=100000",
    "--limit",
    "connection-burst=100000",
    "--limit",
    "openings-per-address=10000",
    "--limit",
    "requests-per-second=100000",
    "--limit",
    "offers-per-minute=1000000",
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
    #[arg(long, value_name = "S", default_value_t = 4)]
    seconds: u64,
    /// Only the attacks of these names
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
}

impl Hostile {
    /// Runs and prints; fails over budget.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::time::timeout(BOUND, self.attack_all())
            .await
            .context("it takes too long")?
    }

    async fn attack_all(self) -> anyhow::Result<ExitCode> {
        let (began, clips) = (Instant::now(), sitting::clips()?);
        let open = [&SHORT[..], &OPEN[..]].concat();
        let usual = self
            .against(&SHORT, "Usual limits", (USUAL, &clips))
            .await?;
        let opened = self.against(&open, "Open limits", (OPENED, &clips)).await?;
        let (kept, code) = verdict(usual && opened);
        println!("budget: {}: {kept}", outcome::budgets());
        println!("all of it took {:.0} s", began.elapsed().as_secs_f64());
        Ok(code)
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
        let daemon = Daemon::start(flags)?;
        // The first room of all makes what is made once.
        self.measure(&daemon, (QUIET, "warm-up"), clips).await?;
        let quiet = self.measure(&daemon, (QUIET, "quiet"), clips).await?;
        println!("{what}:\n\n{}\n{quiet}", outcome::HEAD);
        let mut excesses = Vec::new();
        for (n, attack) in attacks.into_iter().enumerate() {
            let room = format!("sitting-{n}");
            let outcome = self.measure(&daemon, (*attack, &room), clips).await;
            let outcome = outcome.with_context(|| attack.name.to_owned())?;
            println!("{outcome}");
            excesses.extend(outcome.excesses(&quiet));
        }
        println!();
        for excess in &excesses {
            println!("{} {excess}", verdict(false).0);
        }
        Ok(excesses.is_empty())
    }

    async fn measure(
        &self,
        daemon: &Daemon,
        (attack, room): (Attack, &str),
        clips: &[Clip],
    ) -> anyhow::Result<Outcome> {
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
        // As the attack before has left it.
        let before_mb = memory::resident(daemon)?;
        let sitting = Sitting::begin(daemon, room, clips).await?;
        let began = Instant::now();
        let (answers, peak_mb) = memory::peak(daemon, attack.run(&means)).await?;
        let took = began.elapsed();
        // A room that sits for a shorter time is later, for its joining is in that.
        sleep_until(began + means.how_long).await;
        let time = sitting.end(daemon).await?;
        Ok(Outcome {
            name: attack.name,
            before_mb,
            peak_mb,
            after_mb: memory::empty(daemon).await?,
            took,
            time,
            answers,
        })
    }
}
