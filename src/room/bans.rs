//! Who was removed from a room and is not to come back: remembered for the life of the room.
//!
//! A token is known by whoever had the seat, an identity by whoever made the credential; without
//! either, nothing can be told of those who come. At most [`MAX_BANS`]; beyond that the oldest is
//! forgotten.

use std::collections::VecDeque;

/// The most of them.
const MAX_BANS: usize = 1_000;

/// The banned of one room.
#[derive(Debug, Default)]
pub(super) struct Bans {
    banned: VecDeque<Ban>,
}

#[derive(Debug)]
struct Ban {
    token: String,
    identity: Option<String>,
}

impl Bans {
    /// Bans whoever has this token or this identity.
    pub(super) fn add(&mut self, token: String, identity: Option<String>) {
        if self.banned.len() >= MAX_BANS {
            self.banned.pop_front();
        }
        self.banned.push_back(Ban { token, identity });
    }

    /// Whether either is banned.
    pub(super) fn holds(&self, token: Option<&str>, identity: Option<&str>) -> bool {
        let same = |banned: Option<&str>, given: Option<&str>| given.is_some() && banned == given;
        self.banned
            .iter()
            .any(|ban| same(Some(&ban.token), token) || same(ban.identity.as_deref(), identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banned_are_known_by_token_and_identity_and_nobody_else_is() {
        let mut bans = Bans::default();
        bans.add("t1".to_owned(), Some("eve@example.org".to_owned()));
        bans.add("t2".to_owned(), None);

        assert!(bans.holds(Some("t1"), None));
        assert!(bans.holds(None, Some("eve@example.org")));
        assert!(bans.holds(Some("t2"), Some("ann@example.org")));
        assert!(!bans.holds(None, None));
        assert!(!bans.holds(Some("t3"), Some("ann@example.org")));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut bans = Bans::default();

        for number in 0..=MAX_BANS {
            bans.add(number.to_string(), None);
        }

        assert!(!bans.holds(Some("0"), None));
        assert!(bans.holds(Some("1"), None));
        assert_eq!(bans.banned.len(), MAX_BANS);
    }
}
