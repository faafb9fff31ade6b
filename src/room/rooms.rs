//! All rooms of the process, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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
            match handle.join(request.clone()).await {
                Ok(answer) => return Ok((handle, answer?)),
                // It ended between being found and being asked: the next round opens another.
                Err(_) => self.forget_ended(),
            }
        }
    }

    fn find_or_open(&self, name: &RoomName) -> Result<RoomHandle, EnterError> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| !room.has_ended());
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

    fn forget_ended(&self) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| !room.has_ended());
    }
}
