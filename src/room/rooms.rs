//! All rooms of the process, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::handle::Seated;
use super::{JoinError, JoinRequest, RoomConfig, RoomHandle, open};
use crate::signaling::RoomName;

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnterError {
    #[error("the server takes no more than {max} rooms at a time")]
    TooManyRooms { max: usize },
    #[error(transparent)]
    Room(#[from] JoinError),
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) rooms: usize,
    /// Seats taken, those held for the absent included.
    pub(crate) participants: usize,
}

/// Opens rooms when somebody joins them, and forgets them when they have ended.
#[derive(Debug)]
pub(crate) struct Rooms {
    rooms: Mutex<HashMap<RoomName, RoomHandle>>,
    config: RoomConfig,
    max_rooms: usize,
    pool: Arc<rayon::ThreadPool>,
}

impl Rooms {
    /// At most `max_rooms` at a time, all alike, all compositing on one pool.
    pub(crate) fn new(config: RoomConfig, max_rooms: usize, pool: Arc<rayon::ThreadPool>) -> Self {
        Self {
            rooms: Mutex::new(HashMap::new()),
            config,
            max_rooms,
            pool,
        }
    }

    /// Joins a room, opening it if need be.
    ///
    /// # Errors
    ///
    /// [`EnterError::TooManyRooms`], or what the room has against it.
    pub(crate) async fn join(
        &self,
        room: &RoomName,
        request: JoinRequest,
    ) -> Result<(RoomHandle, Seated), EnterError> {
        loop {
            let handle = self.find_or_open(room)?;
            if let Ok(answer) = handle.join(request.clone()).await {
                return Ok((handle, answer?));
            }
            // It ended between being found and being asked: the next round opens another.
        }
    }

    /// How long the seat of somebody absent is held.
    pub(crate) const fn seat_hold(&self) -> Duration {
        self.config.seat_hold
    }

    /// Counts rooms and seats.
    pub(crate) fn census(&self) -> Census {
        let rooms = self.open_rooms();
        Census {
            rooms: rooms.len(),
            participants: rooms.values().map(RoomHandle::seats_taken).sum(),
        }
    }

    fn find_or_open(&self, name: &RoomName) -> Result<RoomHandle, EnterError> {
        let mut rooms = self.open_rooms();
        if let Some(room) = rooms.get(name) {
            return Ok(room.clone());
        }
        if rooms.len() >= self.max_rooms {
            return Err(EnterError::TooManyRooms {
                max: self.max_rooms,
            });
        }
        let room = open(
            name.to_string(),
            self.config.clone(),
            Arc::clone(&self.pool),
        );
        rooms.insert(name.clone(), room.clone());
        Ok(room)
    }

    /// The rooms, without those that have ended.
    fn open_rooms(&self) -> MutexGuard<'_, HashMap<RoomName, RoomHandle>> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| !room.has_ended());
        rooms
    }
}
