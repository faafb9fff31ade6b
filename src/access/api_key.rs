//! The keys by which operators are known (RFC 6750): secrets from a file, one on each line.
//!
//! What is kept is a tag of each under a key of this process. A candidate is compared by its own tag,
//! with all of them, so that neither how long that takes nor what is in memory tells of the secrets.
//! There are 1 to [`MAX_KEYS`], each of [`MIN_BYTES`] to [`MAX_BYTES`]: two are enough to change from
//! one to the other while both are in use.

use std::fmt;
use std::fs::File;
use std::path::Path;

use ring::hmac::{self, HMAC_SHA256, Tag};
use ring::rand::SystemRandom;

use crate::from_file::{FromFile, text_of};

/// The shortest key, in bytes: one that nobody guesses.
const MIN_BYTES: usize = 16;

/// The longest key, in bytes.
const MAX_BYTES: usize = 4096;

/// The most keys.
const MAX_KEYS: usize = 8;

/// The longest file, with room for white space.
const MAX_FILE_BYTES: usize = 2 * MAX_KEYS * MAX_BYTES;

/// What operators show.
pub struct ApiKeys {
    process: hmac::Key,
    tags: Vec<Tag>,
}

/// The keys, as they are in a file.
pub type ApiKeyFile = FromFile<ApiKeys, ApiKeyError>;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The file cannot be read as text.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// Too short to be secret, or too long to be a key.
    #[error("the key has {0} bytes, expected {MIN_BYTES} to {MAX_BYTES}")]
    Length(usize),
    /// None, or so many that they are none.
    #[error("there are {0} keys, expected 1 to {MAX_KEYS}, one on each line")]
    Count(usize),
    /// It could not stand in a header.
    #[error("the key has white space or other than ASCII in it")]
    Characters,
    /// The system gives no random numbers.
    #[error("no random numbers")]
    NoRandom,
}

impl ApiKeys {
    /// Reads the keys: each line of `file`, but white space around it and empty ones.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`].
    pub fn read(file: &Path) -> Result<Self, ApiKeyError> {
        Self::new(&text_of(File::open(file)?, MAX_FILE_BYTES)?)
    }

    /// The keys in this text.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`].
    pub fn new(text: &str) -> Result<Self, ApiKeyError> {
        let process = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| ApiKeyError::NoRandom)?;
        let keys = text.lines().map(str::trim).filter(|key| !key.is_empty());
        let tag = |key: &str| {
            check(key)?;
            Ok(hmac::sign(&process, key.as_bytes()))
        };
        let tags = keys.map(tag).collect::<Result<Vec<Tag>, ApiKeyError>>()?;
        if !(1..=MAX_KEYS).contains(&tags.len()) {
            return Err(ApiKeyError::Count(tags.len()));
        }
        Ok(Self { process, tags })
    }

    /// Whether that is one of the keys.
    pub(crate) fn are(&self, candidate: &str) -> bool {
        let is =
            |tag: &Tag| hmac::verify(&self.process, candidate.as_bytes(), tag.as_ref()).is_ok();
        // All of them, whichever it is.
        self.tags.iter().fold(false, |found, tag| is(tag) | found)
    }
}

fn check(key: &str) -> Result<(), ApiKeyError> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&key.len()) {
        return Err(ApiKeyError::Length(key.len()));
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ApiKeyError::Characters);
    }
    Ok(())
}

/// Without the keys.
impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef";

    #[test]
    fn only_the_key_is_the_key() {
        let key = ApiKeys::new(KEY).unwrap();

        assert!(key.are(KEY));
        for other in [
            "",
            "0",
            "0123456789abcdeF",
            "0123456789abcdef0",
            " 0123456789abcdef",
        ] {
            assert!(!key.are(other), "{other}");
        }
        assert!(!format!("{key:?}").contains(KEY));
    }

    #[test]
    fn a_key_is_long_and_can_stand_in_a_header() {
        let long = "x".repeat(MAX_BYTES + 1);
        for bad in [
            "",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789äbcdef",
            &long,
            "0123456789abcdef\nshort",
            &format!("{KEY}\n").repeat(MAX_KEYS + 1),
        ] {
            assert!(ApiKeys::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_line_is_a_key_and_all_of_them_are_good() {
        let keys = ApiKeys::new("0123456789abcdef\n\n  fedcba9876543210\r\n").unwrap();

        assert!(keys.are("0123456789abcdef") && keys.are("fedcba9876543210"));
        for other in ["", "0123456789abcdef\n", "0123456789abcdeffedcba9876543210"] {
            assert!(!keys.are(other), "{other:?}");
        }
    }

    #[test]
    fn white_space_around_the_key_in_the_file_is_not_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, format!("{KEY}\n")).unwrap();

        assert!(ApiKeys::read(&file).unwrap().are(KEY));
        assert!(ApiKeys::read(&folder.path().join("none")).is_err());
    }
}
