//! Names that came from outside and have been looked at.

use std::fmt;

/// The longest name of a room or a participant, in characters.
const MAX_CHARS: usize = 64;

/// The name of a room: 1 to 64 of `A-Z a-z 0-9 . _ -`, so that it can stand in an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RoomName(String);

/// What a participant is called: at most 64 characters, none of them a control character. May be
/// empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisplayName(String);

impl RoomName {
    /// `None` if `name` is no name for a room.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let valid = (1..=MAX_CHARS).contains(&name.len()) && name.chars().all(allowed);
        valid.then(|| Self(name.to_owned()))
    }

    /// The name itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl DisplayName {
    /// `None` if `name` is no name for a participant. White space around it is dropped.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        let valid = name.chars().count() <= MAX_CHARS && !name.chars().any(char::is_control);
        valid.then(|| Self(name.to_owned()))
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_have_names_that_can_stand_in_an_address() {
        for good in ["a", "demo", "Room_7.b-c", &"x".repeat(64)] {
            assert!(RoomName::parse(good).is_some(), "{good}");
        }
        for bad in ["", " ", "a b", "a/b", "ü", "a\n", &"x".repeat(65)] {
            assert!(RoomName::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn participants_may_be_called_anything_printable_of_bounded_length() {
        for good in ["", "Ann", "Ünal 🙂", &"ü".repeat(64)] {
            assert!(DisplayName::parse(good).is_some(), "{good}");
        }
        for bad in ["a\u{0}b", "a\nb", &"x".repeat(65)] {
            assert!(DisplayName::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(DisplayName::parse("  Ann ").unwrap().to_string(), "Ann");
    }
}
