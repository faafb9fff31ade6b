//! How many snapshots may be taken: copying and encoding pictures must not take from those in calls.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{Bucket, Rate};

/// Snapshots a second, of all rooms.
const PER_SECOND: u32 = 5;

/// Snapshots that may be taken one right after the other.
const BURST: u32 = 10;

/// Snapshots that may be under way.
const AT_ONCE: usize = 2;

/// After how long it is worth asking again where others are under way.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(200);

/// All snapshots of the server.
#[derive(Debug)]
pub(super) struct Snapshots {
    pace: Mutex<Bucket>,
    turns: Arc<Semaphore>,
}

impl Snapshots {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            pace: Mutex::new(Bucket::new(now)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Takes a turn, which lasts until it is dropped.
    ///
    /// # Errors
    ///
    /// How long to wait, if there are too many.
    pub(super) fn take(&self, now: Instant) -> Result<OwnedSemaphorePermit, Duration> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        let turn = turn.map_err(|_| WAIT_FOR_OTHERS)?;
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.take(Rate::per_second(PER_SECOND, BURST), now)?;
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_taken_at_a_time_and_so_many_a_second() {
        let now = Instant::now();
        let snapshots = Snapshots::new(now);

        let first = snapshots.take(now).unwrap();
        let second = snapshots.take(now).unwrap();
        assert_eq!(snapshots.take(now).err(), Some(WAIT_FOR_OTHERS));
        drop((first, second));
        for _ in 2..BURST {
            drop(snapshots.take(now).unwrap());
        }
        let wait = snapshots.take(now).err().unwrap();
        assert_eq!(wait, Duration::from_millis(200));
        assert!(snapshots.take(now + wait).is_ok());
    }
}
