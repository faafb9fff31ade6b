//! Loads a running daemon: `room` shows what a conference of nine costs, `churn` what joins and
//! leaves leave behind, `isolation` whether one who floods makes the others late, `ladder` what many
//! rungs cost beside one, `idle` what sessions cost in which nothing happens, `hostile` what those cost
//! who mean no good. `fill` only joins a daemon that somebody else looks at.
//!
//! The participants send recordings as they are and only count what they get, so that nearly all
//! of the work is the daemon's. It is another process, looked at from outside.

#![expect(clippy::print_stdout, reason = "the figures are the result")]

#[path = "../support/attacks.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod attacks;
#[path = "../support/carrier.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod carrier;
mod churn;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/clip.rs"]
#[expect(dead_code, reason = "shared with the benches and tests")]
mod clip;
#[path = "../support/daemon.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod daemon;
mod fill;
#[path = "../support/floor.rs"]
#[expect(dead_code, reason = "shared with the benches and tests")]
mod floor;
mod hostile;
#[path = "../support/http.rs"]
mod http;
mod idle;
mod isolation;
mod ladder;
#[path = "../support/peer.rs"]
mod peer;
#[path = "../support/player.rs"]
mod player;
#[path = "../support/process.rs"]
#[expect(dead_code, reason = "shared with the benches and tests")]
mod process;
#[path = "../support/received.rs"]
#[expect(dead_code, reason = "shared with the benches and tests")]
mod received;
mod room;
mod talk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Load on a running daemon
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Memory and CPU of a live room of nine
    Room(room::Room),
    /// What joins and leaves leave behind
    Churn(churn::Churn),
    /// Whether one who floods makes everybody late
    Isolation(isolation::Isolation),
    /// What a room costs whose whole ladder is in use, beside one with one rung
    Ladder(ladder::Ladder),
    /// What hostile clients cost, and whether those who sit notice
    Hostile(hostile::Hostile),
    /// Memory and CPU of sessions in which nothing happens
    Idle(idle::Idle),
    /// Participants for somebody else's room, until the input ends
    Fill(fill::Fill),
    /// The codec floor of the room alone
    #[command(hide = true)]
    Floor {
        /// Of media
        seconds: u32,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let part = Cli::parse().part;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    match part {
        Part::Room(room) => runtime.block_on(room.run()),
        Part::Churn(churn) => runtime.block_on(churn.run()),
        Part::Isolation(isolation) => runtime.block_on(isolation.run()),
        Part::Ladder(ladder) => runtime.block_on(ladder.run()),
        Part::Hostile(hostile) => runtime.block_on(hostile.run()),
        Part::Idle(idle) => runtime.block_on(idle.run()),
        Part::Fill(fill) => runtime.block_on(fill.run()),
        Part::Floor { seconds } => room::work_at_the_floor(seconds).map(|()| ExitCode::SUCCESS),
    }
}

/// Whether a figure is within its budget, in words, and what the process says at its end.
fn verdict(kept: bool) -> (&'static str, ExitCode) {
    if kept {
        ("kept", ExitCode::SUCCESS)
    } else {
        ("OVER BUDGET", ExitCode::FAILURE)
    }
}
