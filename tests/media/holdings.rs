//! What a daemon holds for those who send and receive, and gives up when they leave.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::client::Client;
use crate::daemon::Daemon;
use crate::playing::{Playing, SMALL, one_clip};

#[tokio::test]
async fn media_flows_over_a_port_of_ones_own_as_well() -> anyhow::Result<()> {
    let flags = [&SMALL[..], &["--media-ports", "20000-29999"]].concat();
    let daemon = Daemon::start(&flags)?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;

    ann.received().more(30, 50).await?;

    singing.stop().await?;
    ann.leave().await
}

#[tokio::test]
async fn whoever_leaves_takes_all_descriptors_threads_and_tasks_along() -> anyhow::Result<()> {
    let daemon = Daemon::start(&SMALL)?;
    let (ann, media) = Client::join(&daemon.address, "demo", "Ann").await?;
    let singing = Playing::start(one_clip()?, media)?;
    // The first guest may open what stays open for good.
    visit(&daemon).await?;
    let before = holdings_when(&daemon, |_| true).await?;

    for _ in 0..5 {
        visit(&daemon).await?;
    }

    let after = holdings_when(&daemon, |after| after == before).await?;
    assert_eq!(after, before);
    singing.stop().await?;
    ann.leave().await
}

async fn visit(daemon: &Daemon) -> anyhow::Result<()> {
    let (guest, media) = Client::join(&daemon.address, "demo", "guest").await?;
    let singing = Playing::start(one_clip()?, media)?;
    guest.received().more(3, 3).await?;
    singing.stop().await?;
    guest.leave().await
}

/// What a daemon holds that must not pile up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    tasks: usize,
}

/// What the daemon holds once only one participant is left and `settled` is true of it, or what it
/// is when it does not come to that.
async fn holdings_when(
    daemon: &Daemon,
    settled: impl Fn(Holdings) -> bool,
) -> anyhow::Result<Holdings> {
    let deadline = Instant::now() + Duration::from_secs(30);
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
        unchanged = if last == Some(now) { unchanged + 1 } else { 0 };
        last = Some(now);
        let alone = health.participants == 1;
        if alone && unchanged >= 20 && settled(now) {
            return Ok(now);
        }
        if Instant::now() > deadline {
            ensure!(alone, "the guests are still there");
            return Ok(now);
        }
        // A pause between two looks, not a wait for something to have happened.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
