//! A bad network between real clients and the daemon, on loopback: a UDP relay that delays, loses,
//! reorders and repeats as the seeded `link` says, dies for a while, and moves.
//!
//! Clients send to where it listens; each gets a face towards the daemon, with an address of its
//! own, and a path of its own in each direction. The daemon announces the relay's address
//! (`--announce`), and must not learn the clients' own, or the relay would be passed by.
//!
//! Prints the address it listens on, then obeys the commands of [`command`] from its input, each
//! answered with one line of JSON, until the input ends.

#![expect(clippy::print_stdout, reason = "the answers are for another program")]

mod command;
mod conditions;
mod path;
mod sockets;
mod traffic;

use std::net::SocketAddr;

use clap::Parser;
use command::Command;
use conditions::Setting;
use sockets::Relay;
use tokio::io::{AsyncBufReadExt, BufReader};

/// A bad network on loopback
#[derive(Debug, Parser)]
struct Cli {
    /// Where clients send to
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The daemon's media port; may also be told later, by the command of this name
    #[arg(long, value_name = "IP:PORT")]
    target: Option<SocketAddr>,
    /// The same seed makes the same luck
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How bad the paths are from the start, as in the command `set`
    #[arg(value_name = "SETTING", value_parser = Setting::parse)]
    settings: Vec<Setting>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let mut relay = Relay::bind(cli.listen, cli.seed).await?;
    relay.set(&cli.settings);
    if let Some(target) = cli.target {
        relay.aim(target);
    }
    println!("listening on {}", relay.address()?);

    // Lines of tokio's `stdin` are read on a thread of its own and come out whole.
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => println!("{}", obey(&mut relay, &line)),
                None => return Ok(()),
            },
            () = relay.step() => {}
        }
    }
}

fn obey(relay: &mut Relay, line: &str) -> serde_json::Value {
    match Command::parse(line) {
        Ok(Command::Target(target)) => relay.aim(target),
        Ok(Command::Set(settings)) => relay.set(&settings),
        Ok(Command::Outage(outage)) => relay.die_for(outage),
        Ok(Command::Move) => {
            if let Err(error) = relay.move_away() {
                return serde_json::json!({ "error": error.to_string() });
            }
        }
        Ok(Command::Stats) => {}
        Err(error) => return serde_json::json!({ "error": error }),
    }
    relay.stats()
}
