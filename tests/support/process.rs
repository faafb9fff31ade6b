//! What a process costs from its start to its end, as the kernel counts it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// User and system time of all threads.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// Runs `command` to its end.
///
/// # Errors
///
/// If it fails; then its own words were on stderr.
pub(crate) fn measure(command: &mut Command) -> anyhow::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let before = cpu_of_ended_children()?;
    let began = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("{} does not start", command.get_program().display()))?;
    let wall = began.elapsed();
    ensure!(
        status.success(),
        "{} failed",
        command.get_program().display()
    );
    Ok(Cost {
        cpu: cpu_of_ended_children()?.saturating_sub(before),
        wall,
    })
}

/// The `cutime` and `cstime` of proc(5): all children that were waited for, to 10 ms.
fn cpu_of_ended_children() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold anything; fields are counted from behind it.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .context("stat")?
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[13].parse::<u64>()? + fields[14].parse::<u64>()?;
    // USER_HZ is 100 wherever Linux runs.
    Ok(Duration::from_millis(ticks * 10))
}
