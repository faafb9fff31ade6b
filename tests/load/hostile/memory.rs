//! Resident memory of the daemon: while something is done to it, and when nobody is there.
//!
//! A room that sits still grows for half a minute, as its queues fill. So what is left behind is not
//! read beside people who sit, but when all are gone, before and afterwards.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::{Instant, interval, sleep};

use crate::daemon::Daemon;

/// How often to look.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// How long what was left behind may take to go: silence, a seat held, a last word kept.
const EMPTY_WITHIN: Duration = Duration::from_secs(90);

/// Memory that does not fall by [`STILL_MB`] for so long falls no further.
const STILL_FOR: Duration = Duration::from_secs(2);
const STILL_MB: f64 = 0.5;

/// How long it may go on falling.
const SETTLE_WITHIN: Duration = Duration::from_secs(20);

/// In MB.
pub(super) fn resident(daemon: &Daemon) -> anyhow::Result<f64> {
    Ok(daemon.usage()?.resident_kb as f64 / 1024.0)
}

/// What `doing` comes to, and the most memory meanwhile, in MB.
pub(super) async fn peak<T>(
    daemon: &Daemon,
    doing: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(T, f64)> {
    tokio::pin!(doing);
    let mut looks = interval(LOOK_INTERVAL);
    let mut peak_mb: f64 = 0.0;
    loop {
        tokio::select! {
            done = &mut doing => return Ok((done?, peak_mb.max(resident(daemon)?))),
            _ = looks.tick() => peak_mb = peak_mb.max(resident(daemon)?),
        }
    }
}

/// What is left when nobody is there any more and memory has stopped falling, in MB.
pub(super) async fn empty(daemon: &Daemon) -> anyhow::Result<f64> {
    let deadline = Instant::now() + EMPTY_WITHIN;
    loop {
        let health = daemon.health()?;
        if (health.rooms, health.participants, health.sessions) == (0, 0, 0) {
            break;
        }
        ensure!(Instant::now() < deadline, "still there: {health:?}");
        sleep(LOOK_INTERVAL).await;
    }
    let deadline = Instant::now() + SETTLE_WITHIN;
    let (mut least_mb, mut since) = (resident(daemon)?, Instant::now());
    while since.elapsed() < STILL_FOR && Instant::now() < deadline {
        sleep(LOOK_INTERVAL).await;
        let now_mb = resident(daemon)?;
        if now_mb < least_mb - STILL_MB {
            (least_mb, since) = (now_mb, Instant::now());
        }
    }
    resident(daemon)
}
