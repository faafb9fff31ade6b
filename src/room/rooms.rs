//! All rooms of the process, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::events::Events;
use super::handle::Entry;
use super::house::RoomSettings;
use super::{JoinError, JoinRequest, Opening, RoomConfig, RoomHandle, open};
use crate::limits::{Excess, Permit};
use crate::signaling::RoomName;

/// Why nobody was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EnterError {
    #[error("the server takes no more than {max} rooms at a time")]
    TooManyRooms { max: usize },
    #[error(transparent)]
    TooManyOfAddress(#[from] Excess),
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

#[derive(Debug)]
struct OpenRoom {
    handle: RoomHandle,
    /// Given back to the address of whoever opened it by coming first.
    _permit: Option<Permit>,
}

/// Opens rooms when somebody joins them, or when it is told to, and forgets them when they have
/// ended.
#[derive(Debug)]
pub(crate) struct Rooms {
    rooms: Mutex<HashMap<RoomName, OpenRoom>>,
    config: RoomConfig,
    max_rooms: usize,
    pool: Arc<rayon::ThreadPool>,
}

impl Rooms {
    /// At most `max_rooms` at a time, alike but for their settings, all compositing on one pool.
    pub(crate) fn new(config: RoomConfig, max_rooms: usize, pool: Arc<rayon::ThreadPool>) -> Self {
        Self {
            rooms: Mutex::new(HashMap::new()),
            config,
            max_rooms,
            pool,
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
        Ok(self.open(&mut rooms, name, settings, None))
    }

    /// The room of that name, if there is one.
    pub(crate) fn find(&self, name: &RoomName) -> Option<RoomHandle> {
        self.open_rooms().get(name).map(|room| room.handle.clone())
    }

    /// The names of all rooms with their seats taken, in alphabetical order.
    pub(crate) fn summaries(&self) -> Vec<(String, usize)> {
        let rooms = self.open_rooms();
        let all = rooms
            .iter()
            .map(|(name, room)| (name.to_string(), room.handle.seats_taken()));
        let mut all: Vec<(String, usize)> = all.collect();
        all.sort_unstable();
        all
    }

    /// What happens in them.
    pub(crate) const fn events(&self) -> &Events {
        &self.config.events
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
            let handle = self.find_or_open(room, &request)?;
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
            participants: rooms.values().map(|it| it.handle.seats_taken()).sum(),
        }
    }

    fn find_or_open(
        &self,
        name: &RoomName,
        request: &JoinRequest,
    ) -> Result<RoomHandle, EnterError> {
        let mut rooms = self.open_rooms();
        if let Some(room) = rooms.get(name) {
            return Ok(room.handle.clone());
        }
        // Nobody has a seat in what is not there: a guess is no reason to open anything.
        if request.token.is_some() {
            return Err(JoinError::BadToken.into());
        }
        if self.config.house.opening == Opening::Operator {
            return Err(EnterError::NoSuchRoom);
        }
        if rooms.len() >= self.max_rooms {
            return Err(EnterError::TooManyRooms {
                max: self.max_rooms,
            });
        }
        let permit = request
            .permit
            .as_ref()
            .map(|it| it.for_room())
            .transpose()?;
        Ok(self.open(&mut rooms, name, RoomSettings::default(), permit))
    }

    fn open(
        &self,
        rooms: &mut HashMap<RoomName, OpenRoom>,
        name: &RoomName,
        settings: RoomSettings,
        permit: Option<Permit>,
    ) -> RoomHandle {
        let handle = open(
            name.to_string(),
            self.config.clone(),
            settings,
            Arc::clone(&self.pool),
        );
        let room = OpenRoom {
            handle: handle.clone(),
            _permit: permit,
        };
        rooms.insert(name.clone(), room);
        handle
    }

    /// The rooms, without those that have ended.
    fn open_rooms(&self) -> MutexGuard<'_, HashMap<RoomName, OpenRoom>> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| !room.handle.has_ended());
        rooms
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Actor, HouseRules, Next, Part, SeatId, Stay, one_thread};
    use super::*;
    use crate::access::Grant;
    use crate::signaling::message::{Act, ByeReason, PreferredLayout, RoomState, ServerMessage};
    use crate::signaling::{DisplayName, LineEnd, line};

    fn rooms(house: HouseRules) -> Rooms {
        Rooms::new(RoomConfig::small(house), 2, one_thread())
    }

    fn named(name: &str) -> RoomName {
        RoomName::parse(name).unwrap()
    }

    async fn join(rooms: &Rooms, room: &str) -> Result<(RoomHandle, SeatId, LineEnd), EnterError> {
        let (said, end) = line();
        let request = JoinRequest {
            id: None,
            name: DisplayName::parse("Ann").unwrap(),
            grant: Grant::anybody(),
            part: Part::InSession,
            token: None,
            permit: None,
            line: said,
        };
        match rooms.join(&named(room), request).await? {
            (handle, Entry::Seated(seated)) => Ok((handle, seated.seat, end)),
            (_, entry) => panic!("{entry:?}"),
        }
    }

    fn listed() -> HouseRules {
        HouseRules {
            opening: Opening::Operator,
            empty_for: Duration::ZERO,
            ..HouseRules::default()
        }
    }

    fn staying() -> RoomSettings {
        RoomSettings {
            stay: Stay::UntilEnded,
            ..RoomSettings::default()
        }
    }

    #[tokio::test]
    async fn where_rooms_are_listed_only_those_of_the_operator_can_be_joined() {
        let rooms = rooms(listed());
        rooms.create(&named("demo"), staying()).unwrap();

        let refused = join(&rooms, "other").await.unwrap_err();
        assert_eq!(refused, EnterError::NoSuchRoom);

        let (demo, seat, _line) = join(&rooms, "demo").await.unwrap();
        demo.leave(seat).await;
        join(&rooms, "demo").await.unwrap();
    }

    #[tokio::test]
    async fn a_room_is_made_once_and_only_so_many_are() {
        let rooms = rooms(listed());
        rooms.create(&named("a"), staying()).unwrap();

        let again = rooms.create(&named("a"), staying()).unwrap_err();
        assert_eq!(again, CreateError::Exists);
        rooms.create(&named("b"), staying()).unwrap();
        let third = rooms.create(&named("c"), staying()).unwrap_err();
        assert_eq!(third, CreateError::TooManyRooms { max: 2 });
        let expected = ["a", "b"].map(|name| (name.to_owned(), 0));
        assert_eq!(rooms.summaries(), expected);
    }

    #[tokio::test]
    async fn a_room_that_is_not_to_stay_is_gone_when_it_is_empty() {
        let house = HouseRules {
            empty_for: Duration::ZERO,
            ..HouseRules::default()
        };
        let rooms = rooms(house);
        let (demo, seat, _line) = join(&rooms, "demo").await.unwrap();
        let mut events = rooms.events().reader();

        demo.leave(seat).await;

        for expected in ["left", "closed"] {
            let Next::Event(kept) = events.next().await else {
                panic!("nothing was lost");
            };
            let event = serde_json::to_value(&kept.event).unwrap();
            assert_eq!(event["event"], expected);
        }
        assert!(rooms.find(&named("demo")).is_none());
    }

    #[tokio::test]
    async fn a_room_that_was_just_left_is_still_there_for_a_while() {
        let rooms = rooms(HouseRules::default());
        let (demo, seat, _line) = join(&rooms, "demo").await.unwrap();

        demo.leave(seat).await;

        let (_, again, _line) = join(&rooms, "demo").await.unwrap();
        assert_eq!(again.participant.to_string(), "p2", "the same room");
    }

    #[tokio::test]
    async fn an_operator_sees_and_ends_a_room_without_a_seat() {
        let rooms = rooms(listed());
        let settings = RoomSettings {
            max_participants: Some(3),
            layout: Some(PreferredLayout::Speaker),
            ..staying()
        };
        let demo = rooms.create(&named("demo"), settings).unwrap();
        let (_, _, mut line) = join(&rooms, "demo").await.unwrap();

        demo.moderate(Actor::Operator, Act::Lock, None)
            .await
            .unwrap();
        let described = demo.describe().await.unwrap();
        assert_eq!(described.max_participants, 3);
        assert_eq!(described.participants.len(), 1);
        let state = RoomState {
            locked: true,
            layout: Some(PreferredLayout::Speaker),
            ..RoomState::default()
        };
        assert_eq!(described.state, state);

        demo.moderate(Actor::Operator, Act::End, None)
            .await
            .unwrap();
        loop {
            if let ServerMessage::Bye { reason } = line.next().await {
                assert_eq!(reason, ByeReason::Ended);
                break;
            }
        }
        assert!(rooms.find(&named("demo")).is_none());
    }
}
