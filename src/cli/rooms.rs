//! The flags about who gets into rooms, and what rooms keep.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{count, seconds};
use crate::serve::{HouseRules, Opening, SameIdentity};

#[derive(Debug, Args)]
pub(super) struct RoomArgs {
    /// Who may open a room: open, whoever joins it first; listed, only --room
    #[arg(long = "rooms", value_enum, value_name = "WHO", default_value_t = OpeningArg::Open)]
    opening: OpeningArg,
    /// A room that is there from the beginning and stays; may be given several times
    #[arg(long = "room", value_name = "NAME", value_parser = parse_room)]
    pub(super) names: Vec<String>,
    /// How long a room stays in which nobody sits any more
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds(0..=86_400))]
    room_seconds: Duration,
    /// What becomes of a participant when somebody with the same identity joins
    #[arg(long, value_enum, default_value_t = SameIdentityArg::Replace)]
    same_identity: SameIdentityArg,
    /// The most that wait in the lobby of a room
    #[arg(long, value_name = "N", default_value = "100", value_parser = count(0..=1000))]
    max_waiting: usize,
    /// How long one may wait there
    #[arg(long, value_name = "SECONDS", default_value = "1800", value_parser = seconds(1..=86_400))]
    lobby_seconds: Duration,
    /// The most chat messages kept for those who join later
    #[arg(long, value_name = "N", default_value = "100", value_parser = count(0..=1000))]
    chat_messages: usize,
    /// How long they are kept
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds(0..=86_400))]
    chat_seconds: Duration,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OpeningArg {
    Open,
    Listed,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SameIdentityArg {
    Replace,
    Refuse,
}

impl RoomArgs {
    pub(super) fn house(&self) -> HouseRules {
        HouseRules {
            opening: match self.opening {
                OpeningArg::Open => Opening::Anybody,
                OpeningArg::Listed => Opening::Operator,
            },
            empty_for: self.room_seconds,
            same_identity: match self.same_identity {
                SameIdentityArg::Replace => SameIdentity::Replace,
                SameIdentityArg::Refuse => SameIdentity::Refuse,
            },
            max_waiting: self.max_waiting,
            patience: self.lobby_seconds,
            chat_kept: self.chat_messages,
            chat_kept_for: self.chat_seconds,
        }
    }
}

fn parse_room(text: &str) -> Result<String, String> {
    match crate::signaling::RoomName::parse(text) {
        Some(name) => Ok(name.to_string()),
        None => Err("expected 1 to 64 of A-Z a-z 0-9 . _ -".to_owned()),
    }
}
