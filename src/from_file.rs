//! What is read from a file at the start, and again when the operator says so, while it is in use.
//!
//! What cannot be read again stays as it was. Whoever uses it has one whole version of it, never half
//! of the next.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::{info, warn};

/// Something from a file. `T` says how it is read, and what is wrong with a file as `E`.
pub struct FromFile<T, E> {
    what: &'static str,
    path: PathBuf,
    read: fn(&Path) -> Result<T, E>,
    current: RwLock<Arc<T>>,
}

/// Something that can be read again, whatever it is.
pub(crate) trait ReadAgain: Send + Sync {
    /// Reads it again, and says how that went.
    fn read_again(&self);
}

impl<T, E> FromFile<T, E> {
    /// Reads it for the first time. `what` it is, in the plural, is for the log.
    ///
    /// # Errors
    ///
    /// As `read` has them.
    pub fn new(
        what: &'static str,
        path: &Path,
        read: fn(&Path) -> Result<T, E>,
    ) -> Result<Self, E> {
        Ok(Self {
            what,
            path: path.to_owned(),
            read,
            current: RwLock::new(Arc::new(read(path)?)),
        })
    }

    /// As it was read last.
    pub fn get(&self) -> Arc<T> {
        let current = self.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }
}

/// The text in `file`, if it is at most `max_bytes` long. What is longer is refused: cut off it would
/// be taken for something else that was not written there.
///
/// # Errors
///
/// [`ErrorKind::FileTooLarge`], [`ErrorKind::InvalidData`] if it is not UTF-8, and as reading has them.
pub(crate) fn text_of(file: impl Read, max_bytes: usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    let one_more = u64::try_from(max_bytes).map_or(u64::MAX, |max| max.saturating_add(1));
    file.take(one_more).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes {
        let message = format!("it has more than {max_bytes} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

impl<T: Send + Sync, E: fmt::Display> ReadAgain for FromFile<T, E> {
    fn read_again(&self) {
        let file = self.path.display();
        match (self.read)(&self.path) {
            Ok(read) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                info!(%file, "the {} were read again", self.what);
            }
            Err(error) => warn!(%file, %error, "the {} stay as they were", self.what),
        }
    }
}

/// Without what it is: that may be secret.
impl<T, E> fmt::Debug for FromFile<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFile")
            .field("what", &self.what)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::num::ParseIntError;

    use super::*;

    fn number(path: &Path) -> Result<u32, ParseIntError> {
        std::fs::read_to_string(path).unwrap().parse()
    }

    #[test]
    fn what_is_too_long_is_refused_and_never_taken_for_its_beginning() {
        for (bytes, max, kind) in [
            (&b"1234"[..], 4, None),
            (b"12345", 4, Some(ErrorKind::FileTooLarge)),
            // The bound lies within a letter.
            ("123\u{fc}".as_bytes(), 4, Some(ErrorKind::FileTooLarge)),
            (b"\xff", 4, Some(ErrorKind::InvalidData)),
            (b"", 0, None),
        ] {
            let read = text_of(bytes, max);

            assert_eq!(read.as_ref().err().map(io::Error::kind), kind, "{bytes:?}");
            assert!(read.is_err() || read.unwrap().as_bytes() == bytes);
        }
    }

    #[test]
    fn what_cannot_be_read_again_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        std::fs::write(&path, "1").unwrap();
        let file = FromFile::new("numbers", &path, number).unwrap();

        std::fs::write(&path, "2").unwrap();
        assert_eq!(*file.get(), 1, "nobody said that it should be read");
        file.read_again();
        assert_eq!(*file.get(), 2);

        std::fs::write(&path, "many").unwrap();
        file.read_again();
        assert_eq!(*file.get(), 2);
        assert!(FromFile::new("numbers", &path, number).is_err());
    }
}
