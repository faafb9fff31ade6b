//! The key by which operators are known (RFC 6750): one secret, from a file.
//!
//! What is kept is a tag of it under a key of this process. A candidate is compared by its own tag, so
//! that neither how long that takes nor what is in memory tells of the secret. A key has
//! [`MIN_BYTES`] to [`MAX_BYTES`].

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use ring::hmac::{self, HMAC_SHA256, Tag};
use ring::rand::SystemRandom;

/// The shortest key, in bytes: one that nobody guesses.
const MIN_BYTES: usize = 16;

/// The longest key, in bytes.
const MAX_BYTES: usize = 4096;

/// What operators show.
#[derive(Clone)]
pub struct ApiKey {
    process: hmac::Key,
    tag: Tag,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The file cannot be read as text.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// Too short to be secret, or too long to be a key.
    #[error("the key has {0} bytes, expected {MIN_BYTES} to {MAX_BYTES}")]
    Length(usize),
    /// It could not stand in a header.
    #[error("the key has white space or other than ASCII in it")]
    Characters,
    /// The system gives no random numbers.
    #[error("no random numbers")]
    NoRandom,
}

impl ApiKey {
    /// Reads the key: all that is in `file`, but white space around it.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`].
    pub fn read(file: &Path) -> Result<Self, ApiKeyError> {
        let mut text = String::new();
        let most = u64::try_from(MAX_BYTES * 2).unwrap_or(u64::MAX);
        File::open(file)?.take(most).read_to_string(&mut text)?;
        Self::new(text.trim())
    }

    /// The key with this text.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`].
    pub fn new(text: &str) -> Result<Self, ApiKeyError> {
        if !(MIN_BYTES..=MAX_BYTES).contains(&text.len()) {
            return Err(ApiKeyError::Length(text.len()));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ApiKeyError::Characters);
        }
        let process = hmac::Key::generate(HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| ApiKeyError::NoRandom)?;
        let tag = hmac::sign(&process, text.as_bytes());
        Ok(Self { process, tag })
    }

    /// Whether that is the key.
    pub(crate) fn is(&self, candidate: &str) -> bool {
        hmac::verify(&self.process, candidate.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

/// Without the key.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef";

    #[test]
    fn only_the_key_is_the_key() {
        let key = ApiKey::new(KEY).unwrap();

        assert!(key.is(KEY));
        for other in [
            "",
            "0",
            "0123456789abcdeF",
            "0123456789abcdef0",
            " 0123456789abcdef",
        ] {
            assert!(!key.is(other), "{other}");
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
        ] {
            assert!(ApiKey::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn white_space_around_the_key_in_the_file_is_not_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, format!("{KEY}\n")).unwrap();

        assert!(ApiKey::read(&file).unwrap().is(KEY));
        assert!(ApiKey::read(&folder.path().join("none")).is_err());
    }
}
