//! Signals to a process.

use std::process::Command;

/// Sends one, such as `HUP`.
pub(crate) fn signal(process: u32, name: &str) -> anyhow::Result<()> {
    let flag = format!("-{name}");
    let process = process.to_string();
    let status = Command::new("kill").args([&flag, &process]).status()?;
    anyhow::ensure!(status.success(), "kill failed");
    Ok(())
}
