//! All rooms of the process, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use super::events::{Events, RoomEvent};
use super::handle::Entry;
use super::house::RoomSettings;
use super::{JoinError, JoinRequest, Opening, RoomConfig, RoomHandle, open};
use crate::signaling::RoomName;

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnterError {
    #[error("the server takes no more than {max} rooms at a time")]
    TooManyRooms { max: usize },
    #[error("there is no such room, and it is not for you to open it")]
    NoSuchRoom,
    #[error(transparent)]
    Room(#[from] JoinError),
}

/// Why a room was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CreateError {
    #[error("the server takes no more than {max} rooms at a time")]
    TooManyRooms { max: usize },
    #[error("there is a room of that name")]
    Exists,
}

/// How many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) rooms: usize,
    /// Seats taken, those held for the absent included.
    pub(crate) participants: usize,
}

/// Opens rooms when somebody joins them, or when it is told to, and forgets them when they have
/// ended.
#[derive(Debug)]
pub(crate) struct Rooms {
    rooms: Mutex<HashMap<RoomName, RoomHandle>>,
    config: RoomConfig,
    max_rooms: usize,
    pool: Arc<rayon::ThreadPool>,
    events: Events,
}

impl Rooms {
    /// At most `max_rooms` at a time, all alike, all compositing on one pool.
    pub(crate) fn new(config: RoomConfig, max_rooms: usize, pool: Arc<rayon::ThreadPool>) -> Self {
        Self {
            rooms: Mutex::new(HashMap::new()),
            config,
            max_rooms,
            pool,
            events: Events::new(),
        }
    }

    /// Makes a room that begins as `settings` say.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub(crate) fn create(
        &self,
        name: &RoomName,
        settings: RoomSettings,
    ) -> Result<RoomHandle, CreateError> {
        let mut rooms = self.open_rooms();
        if rooms.contains_key(name) {
            return Err(CreateError::Exists);
        }
        if rooms.len() >= self.max_rooms {
            let max = self.max_rooms;
            return Err(CreateError::TooManyRooms { max });
        }
        Ok(self.open(&mut rooms, name, settings))
    }

    /// The room of that name, if there is one.
    #[cfg_attr(not(test), expect(dead_code, reason = "no interface for operators yet"))]
    pub(crate) fn find(&self, name: &RoomName) -> Option<RoomHandle> {
        self.open_rooms().get(name).cloned()
    }

    /// The names of all rooms, in alphabetical order.
    #[cfg_attr(not(test), expect(dead_code, reason = "no interface for operators yet"))]
    pub(crate) fn names(&self) -> Vec<String> {
        let rooms = self.open_rooms();
        let mut names: Vec<String> = rooms.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        names
    }

    /// What happens in rooms from now on. Whoever falls behind by more than 1,024 events loses the
    /// oldest, and is told how many.
    #[cfg_attr(not(test), expect(dead_code, reason = "no interface for operators yet"))]
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<RoomEvent> {
        self.events.subscribe()
    }

    /// Joins a room, opening it if need be and allowed.
    ///
    /// # Errors
    ///
    /// [`EnterError`].
    pub(crate) async fn join(
        &self,
        room: &RoomName,
        request: JoinRequest,
    ) -> Result<(RoomHandle, Entry), EnterError> {
        loop {
            let handle = self.find_or_open(room)?;
            if let Ok(answer) = handle.join(request.clone()).await {
                return Ok((handle, answer?));
            }
            // It ended between being found and being asked: the next round opens another.
        }
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
        if self.config.house.opening == Opening::Operator {
            return Err(EnterError::NoSuchRoom);
        }
        if rooms.len() >= self.max_rooms {
            return Err(EnterError::TooManyRooms {
                max: self.max_rooms,
            });
        }
        Ok(self.open(&mut rooms, name, RoomSettings::default()))
    }

    fn open(
        &self,
        rooms: &mut HashMap<RoomName, RoomHandle>,
        name: &RoomName,
        settings: RoomSettings,
    ) -> RoomHandle {
        let room = open(
            name.to_string(),
            self.config.clone(),
            settings,
            self.events.clone(),
            Arc::clone(&self.pool),
        );
        rooms.insert(name.clone(), room.clone());
        room
    }

    /// The rooms, without those that have ended.
    fn open_rooms(&self) -> MutexGuard<'_, HashMap<RoomName, RoomHandle>> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| !room.has_ended());
        rooms
    }
}
