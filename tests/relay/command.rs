//! What the relay is told, one command a line:
//!
//! - `target IP:PORT`: the daemon's media port
//! - `set SETTING...`, each `[up.|down.]NAME=VALUE`, without a direction for both: `loss`,
//!   `duplication` in percent; `delay`, `jitter` (uniform, either way) in ms; `reorder` 0 or 1;
//!   `kbps` with `queue` in bytes, 0 for infinitely wide
//! - `outage MS`: nothing gets through for so long
//! - `move`: the faces towards the daemon get other addresses and ports
//! - `stats`: nothing but the answer, which all commands have

use std::net::SocketAddr;
use std::time::Duration;

use link::{Bandwidth, Delivery, Jitter, LinkConfig, Loss};

/// What waits before a narrow place unless told otherwise: 64 full packets.
const QUEUE_BYTES: usize = 64 * 1_200;

#[derive(Debug)]
pub(crate) enum Command {
    Target(SocketAddr),
    Set(Vec<Setting>),
    Outage(Duration),
    Move,
    Stats,
}

/// A direction as seen by the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// One property of the paths of one or both directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    direction: Option<Direction>,
    property: Property,
}

#[derive(Clone, Copy, Debug)]
enum Property {
    Loss(f64),
    Duplication(f64),
    Delay(Duration),
    Jitter(Duration),
    Delivery(Delivery),
    BitsPerSecond(u64),
    QueueBytes(usize),
}

impl Command {
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match (command, rest.as_slice()) {
            ("target", [address]) => address
                .parse()
                .map(Self::Target)
                .map_err(|error| format!("{address}: {error}")),
            ("set", settings) => settings
                .iter()
                .map(|setting| Setting::parse(setting))
                .collect::<Result<_, _>>()
                .map(Self::Set),
            ("outage", [length]) => milliseconds(length).map(Self::Outage),
            ("move", []) => Ok(Self::Move),
            ("stats", []) => Ok(Self::Stats),
            _ => Err(format!("no such command: {line}")),
        }
    }
}

impl Setting {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text}: expected NAME=VALUE"))?;
        let (direction, name) = match name.split_once('.') {
            Some(("up", name)) => (Some(Direction::Up), name),
            Some(("down", name)) => (Some(Direction::Down), name),
            Some(_) => return Err(format!("{text}: expected up. or down.")),
            None => (None, name),
        };
        let property = match name {
            "loss" => Property::Loss(percent(value)?),
            "duplication" => Property::Duplication(percent(value)?),
            "delay" => Property::Delay(milliseconds(value)?),
            "jitter" => Property::Jitter(milliseconds(value)?),
            "reorder" if value == "1" => Property::Delivery(Delivery::Reordered),
            "reorder" => Property::Delivery(Delivery::InOrder),
            "kbps" => Property::BitsPerSecond(number::<u64>(value)?.saturating_mul(1_000)),
            "queue" => Property::QueueBytes(number(value)?),
            _ => return Err(format!("{text}: no such setting")),
        };
        Ok(Self {
            direction,
            property,
        })
    }

    /// Changes the configuration of a direction, if it is meant.
    pub(crate) fn apply(self, direction: Direction, config: &mut LinkConfig) {
        if self.direction.is_some_and(|meant| meant != direction) {
            return;
        }
        match self.property {
            Property::Loss(share) => config.loss = Loss::Random { share },
            Property::Duplication(share) => config.duplication = share,
            Property::Delay(delay) => config.delay = delay,
            Property::Jitter(half) => config.jitter = Jitter::Uniform(half),
            Property::Delivery(delivery) => config.delivery = delivery,
            Property::BitsPerSecond(0) => config.bandwidth = None,
            Property::BitsPerSecond(bits_per_second) => {
                let queue_bytes = config.bandwidth.map_or(QUEUE_BYTES, |it| it.queue_bytes);
                config.bandwidth = Some(Bandwidth {
                    bits_per_second,
                    queue_bytes,
                });
            }
            Property::QueueBytes(queue_bytes) => {
                if let Some(bandwidth) = &mut config.bandwidth {
                    bandwidth.queue_bytes = queue_bytes;
                }
            }
        }
    }
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse()
        .map_err(|_| format!("{text}: expected a number"))
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 = number(text)?;
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err(format!("{text}: expected 0 to 100"))
    }
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    number(text).map(Duration::from_millis)
}
