//! The flags about who gets into rooms, and what rooms keep.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{count, seconds};
use super::wrong;
use crate::ladder_text;
use crate::serve::{HouseRules, ListedRoom, Opening, SameIdentity};
use crate::signaling::RoomName;

#[derive(Debug, Args)]
pub(super) struct RoomArgs {
    /// Who may open a room: open, whoever joins it first; listed, only --room
    #[arg(long = "rooms", value_enum, value_name = "WHO", default_value_t = OpeningArg::Open)]
    opening: OpeningArg,
    /// A room that is there from the beginning and stays, with a ladder of its own (as --ladder) if
    /// a file is named; may be given several times
    #[arg(long = "room", value_name = "NAME[=LADDER]", value_parser = parse_room)]
    rooms: Vec<RoomArg>,
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

/// A room and the file of its ladder, if it has one of its own.
#[derive(Clone, Debug)]
struct RoomArg {
    name: String,
    ladder: Option<PathBuf>,
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

    /// The rooms of `--room`, with their ladders read.
    ///
    /// # Errors
    ///
    /// If a file has no ladder, as clap says it.
    pub(super) fn listed(self) -> Result<Vec<ListedRoom>, clap::Error> {
        self.rooms.into_iter().map(RoomArg::read).collect()
    }
}

impl RoomArg {
    fn read(self) -> Result<ListedRoom, clap::Error> {
        let Self { name, ladder: file } = self;
        let read = |file: PathBuf| {
            ladder_text::read(&file).map_err(|error| {
                let file = file.display();
                wrong("serve", format!("--room {name}={file}: {error}"))
            })
        };
        let ladder = file.map(read).transpose()?;
        Ok(ListedRoom { name, ladder })
    }
}

/// Reads `NAME` or `NAME=FILE`; a name has no `=`.
fn parse_room(text: &str) -> Result<RoomArg, String> {
    let (name, file) = match text.split_once('=') {
        None => (text, None),
        Some((_, "")) => return Err("expected a file behind the =".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
    };
    match RoomName::parse(name) {
        Some(name) => Ok(RoomArg {
            name: name.to_string(),
            ladder: file,
        }),
        None => Err("expected 1 to 64 of A-Z a-z 0-9 . _ -, perhaps = and a file".to_owned()),
    }
}
