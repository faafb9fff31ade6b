//! What the relay is told, one command a line:
//!
//! - `target IP:PORT`: the daemon's media port
//! - `set SETTING...`: other conditions from now on, see [`conditions`](crate::conditions)
//! - `outage [up|down] MS [held]`: nothing gets through for so long; packets sent meanwhile are
//!   lost, or wait and go on their way together when it ends
//! - `move`: the faces towards the daemon get other addresses and ports
//! - `stats`: nothing but the answer, which all commands have: what became of the packets of each
//!   direction so far; `bytes` that got through, by kind; and `queue`, how many of them took how many
//!   ms through queue and narrow place

use std::net::SocketAddr;
use std::time::Duration;

use link::During;

use crate::conditions::{Direction, Setting, milliseconds};

#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Target(SocketAddr),
    Set(Vec<Setting>),
    Outage(OutageOrder),
    Move,
    Stats,
}

/// An outage that begins now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutageOrder {
    /// Both where it does not say.
    pub(crate) direction: Option<Direction>,
    pub(crate) length: Duration,
    pub(crate) during: During,
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
            ("outage", words) => OutageOrder::parse(words).map(Self::Outage),
            ("move", []) => Ok(Self::Move),
            ("stats", []) => Ok(Self::Stats),
            _ => Err(format!("no such command: {line}")),
        }
    }
}

impl OutageOrder {
    fn parse(words: &[&str]) -> Result<Self, String> {
        let (direction, words) = match words {
            ["up", rest @ ..] => (Some(Direction::Up), rest),
            ["down", rest @ ..] => (Some(Direction::Down), rest),
            rest => (None, rest),
        };
        let (length, during) = match words {
            [length] => (length, During::Lost),
            [length, "held"] => (length, During::Held),
            _ => return Err("expected outage [up|down] MS [held]".to_owned()),
        };
        Ok(Self {
            direction,
            length: milliseconds(length)?,
            during,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_says_where_how_long_and_what_becomes_of_the_packets() {
        for (line, direction, length_ms, during) in [
            ("outage 3000", None, 3_000, During::Lost),
            ("outage up 20", Some(Direction::Up), 20, During::Lost),
            ("outage down 1 held", Some(Direction::Down), 1, During::Held),
            (" outage  5   held ", None, 5, During::Held),
        ] {
            let expected = OutageOrder {
                direction,
                length: Duration::from_millis(length_ms),
                during,
            };
            assert_eq!(
                Command::parse(line),
                Ok(Command::Outage(expected)),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_command_is_refused_with_a_reason() {
        for line in [
            "",
            "go",
            "outage",
            "outage held",
            "outage sideways 5",
            "outage 5 lost",
            "move on",
            "target here",
            "set loss=5 delay",
        ] {
            assert!(Command::parse(line).is_err(), "{line}");
        }
    }
}
