//! What sessions cost in which nobody says anything: memory and CPU of each, by carrier.
//!
//! Each is a seat without media in a room of [`ROOM`], which pings as the server asks. Requests come
//! over a connection of their own each, which is the dearest way there is.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::carrier::{Carrier, Conversation, Kind};
use crate::daemon::Daemon;
use crate::verdict;

/// What a session may hold of resident memory, its share of the room included.
const BUDGET_KB: f64 = 100.0;

/// What a session may use of a core, in thousandths of it.
const BUDGET_PERMILLE: f64 = 0.2;

/// Seats in a room: each hears of the others' coming.
const ROOM: u32 = 25;

/// Joins under way at a time.
const AT_ONCE: usize = 16;

/// All of it together.
const BOUND: Duration = Duration::from_secs(20 * 60);

/// Sessions from one address, here, are all there are.
const LIMITS: [&str; 14] = [
    "--limit",
    "sessions-per-address=5000",
    "--limit",
    "participants-per-address=5000",
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
];

/// `idle`
#[derive(Debug, Args)]
pub(crate) struct Idle {
    /// Sessions over each carrier
    #[arg(long, value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(1..=2500))]
    sessions: u32,
    /// How long they are looked at
    #[arg(long, value_name = "S", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

/// What one session costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    resident_kb: f64,
    cpu_permille: f64,
    tasks: f64,
}

impl Idle {
    /// Runs and prints; fails over budget.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        tokio::time::timeout(BOUND, self.compare())
            .await
            .context("it takes too long")?
    }

    async fn compare(self) -> anyhow::Result<ExitCode> {
        println!(
            "{} idle sessions for {} s, each: {:>10} {:>13} {:>6}",
            self.sessions, self.seconds, "memory kB", "of a core ‰", "tasks"
        );
        let mut all_kept = true;
        for kind in Kind::ALL {
            let cost = self.measure(kind).await?;
            let kept = cost.resident_kb <= BUDGET_KB && cost.cpu_permille <= BUDGET_PERMILLE;
            all_kept &= kept;
            println!(
                "  {:<34} {:>10.1} {:>13.2} {:>6.1}  ({})",
                format!("{kind:?}"),
                cost.resident_kb,
                cost.cpu_permille,
                cost.tasks,
                verdict(kept).0
            );
        }
        println!("budget: {BUDGET_KB:.0} kB and {BUDGET_PERMILLE:.1} ‰ each");
        Ok(verdict(all_kept).1)
    }

    async fn measure(&self, kind: Kind) -> anyhow::Result<Cost> {
        let daemon = Daemon::start(&LIMITS)?;
        // What the first one brings about once is nobody's.
        let (first, _) = Carrier::join(kind, &daemon.address, ("first", "Ann")).await?;
        let (before, tasks_before) = (daemon.usage()?, daemon.health()?.tasks);

        let mut joining = JoinSet::new();
        let mut sessions = JoinSet::new();
        for n in 0..self.sessions {
            if joining.len() >= AT_ONCE {
                let joined = joining.join_next().await.context("nobody joins")?;
                sessions.spawn(sit(joined??));
            }
            joining.spawn(join(kind, daemon.address.clone(), n));
        }
        while let Some(joined) = joining.join_next().await {
            sessions.spawn(sit(joined??));
        }

        let (began, early) = (Instant::now(), daemon.usage()?);
        tokio::time::sleep(Duration::from_secs(self.seconds.into())).await;
        let (late, elapsed, health) = (daemon.usage()?, began.elapsed(), daemon.health()?);

        let seats = usize::try_from(self.sessions)? + 1;
        ensure!(
            health.participants == seats && health.sessions == seats,
            "not all of them sit: {health:?}"
        );
        if let Some(ended) = sessions.try_join_next() {
            ended??;
        }
        drop((first, sessions));
        let each = |total: f64| total / f64::from(self.sessions);
        Ok(Cost {
            resident_kb: each(late.resident_kb as f64 - before.resident_kb as f64),
            cpu_permille: each((late.cpu - early.cpu).as_secs_f64() / elapsed.as_secs_f64() * 1e3),
            tasks: each(health.tasks as f64 - tasks_before as f64),
        })
    }
}

/// A seat, and how often to ping.
async fn join(kind: Kind, address: String, n: u32) -> anyhow::Result<(Carrier, Duration)> {
    let room = format!("idle-{}", n / ROOM);
    let (carrier, joined) = Carrier::join(kind, &address, (&room, "Ann")).await?;
    Ok((carrier, Duration::from_millis(joined.ping_interval_ms)))
}

/// Pings, and says nothing else. Ends only with a failure.
async fn sit((mut carrier, every): (Carrier, Duration)) -> anyhow::Result<()> {
    let mut pings = tokio::time::interval(every);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pings.tick().await;
        carrier.ping().await?;
    }
}
