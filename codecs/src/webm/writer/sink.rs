//! What stands between libwebm and the destination: a buffer, a position, and a memory for errors.
//!
//! libwebm writes a few bytes at a time and asks for the position before most of them, which
//! would flush a plain buffer; and it reports a failed write as `false`, which would hide a full
//! disk.

use std::io::{self, BufWriter, IntoInnerError, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::WriteError;

/// A buffered destination that knows its position without asking.
pub(super) struct Sink<W: Write> {
    destination: BufWriter<W>,
    /// From where the file begins.
    position: u64,
    fault: Fault,
}

/// The first error of a [`Sink`] that somebody else owns.
#[derive(Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<io::Error>>>);

impl Fault {
    /// The destination's error if there was one, or else that libwebm refused to do `what`.
    pub(super) fn or(&self, what: &'static str) -> WriteError {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => WriteError::Io(error),
            None => WriteError::Refused(what),
        }
    }

    /// Keeps a copy of the first error; libwebm gets another.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
            kind.into()
        })
    }
}

impl<W: Write> Sink<W> {
    pub(super) fn new(destination: W) -> (Self, Fault) {
        let fault = Fault::default();
        let destination = BufWriter::with_capacity(1 << 18, destination);
        (
            Self {
                destination,
                position: 0,
                fault: fault.clone(),
            },
            fault,
        )
    }

    /// Writes out what is buffered and gives the destination.
    pub(super) fn into_inner(self) -> io::Result<W> {
        self.destination
            .into_inner()
            .map_err(IntoInnerError::into_error)
    }
}

impl<W: Write> Write for Sink<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.fault.note(self.destination.write(bytes))?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.fault.note(self.destination.flush())
    }
}

impl<W: Write + Seek> Seek for Sink<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(target) = to else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        let by = i128::from(target) - i128::from(self.position);
        let by = i64::try_from(by).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.fault
            .note(self.destination.seek(SeekFrom::Current(by)))?;
        self.position = target;
        Ok(target)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}
