//! Whatever people and moderators do, in whatever order: what each is told adds up to what is so.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio::sync::oneshot;

use super::people::*;
use super::*;
use crate::signaling::message::{Act, ErrorCode, How, Participant, Role, RoomState};

/// The most who take part.
const PEOPLE: usize = 6;

/// One thing to do, by somebody, to somebody.
#[derive(Clone, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    HangUp(usize),
    Status(usize, StatusChange),
    Act(usize, Act),
    Write(usize),
    Pin(usize, u32),
}

fn any_act() -> impl Strategy<Value = Act> {
    let participant = || (1u32..9).prop_map(|id| format!("p{id}"));
    let perhaps = move || prop::option::of(participant());
    let waiting = || prop::option::of((1u32..9).prop_map(|id| format!("w{id}")));
    let how = || prop_oneof![Just(How::Ask), Just(How::Force), Just(How::Hold)];
    let role = prop_oneof![Just(Role::Participant), Just(Role::Moderator)];
    let layout = prop_oneof![Just(PreferredLayout::Grid), Just(PreferredLayout::Speaker)];
    prop_oneof![
        1 => Just(Act::Lock),
        1 => Just(Act::Unlock),
        3 => any::<bool>().prop_map(|on| Act::Lobby { on }),
        1 => waiting().prop_map(|waiting| Act::Admit { waiting }),
        1 => waiting().prop_map(|waiting| Act::Deny { waiting }),
        1 => (perhaps(), how()).prop_map(|(participant, how)| Act::Mute { participant, how }),
        1 => (perhaps(), how()).prop_map(|(participant, how)| Act::CameraOff { participant, how }),
        1 => participant().prop_map(|participant| Act::Unmute { participant }),
        1 => participant().prop_map(|participant| Act::CameraOn { participant }),
        1 => (participant(), any::<bool>())
            .prop_map(|(participant, ban)| Act::Remove { participant, ban }),
        4 => (participant(), role).prop_map(|(participant, role)| Act::Role { participant, role }),
        1 => perhaps().prop_map(|participant| Act::LowerHand { participant }),
        1 => perhaps().prop_map(|participant| Act::Pin { participant }),
        1 => prop::option::of(layout).prop_map(|layout| Act::Layout { layout }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let who = || 0..PEOPLE;
    let flag = || prop::option::of(any::<bool>());
    let change = (flag(), flag(), flag()).prop_map(|(muted, camera, hand)| StatusChange {
        muted,
        camera,
        hand,
    });
    prop_oneof![
        4 => who().prop_map(Step::Join),
        1 => who().prop_map(Step::Leave),
        1 => who().prop_map(Step::HangUp),
        2 => (who(), change).prop_map(|(who, change)| Step::Status(who, change)),
        6 => (who(), any_act()).prop_map(|(who, act)| Step::Act(who, act)),
        1 => who().prop_map(Step::Write),
        1 => (who(), 1u32..9).prop_map(|(who, whom)| Step::Pin(who, whom)),
    ]
}

/// What one client makes of what it is told.
struct Client {
    entry: Entry,
    line: LineEnd,
    token: Option<String>,
    own: Option<String>,
    participants: BTreeMap<String, Participant>,
    state: RoomState,
    /// Nothing is known of it where nothing was kept.
    last_chat: Option<u64>,
    knocking: Vec<String>,
    is_over: bool,
}

impl Client {
    fn seat(&mut self) -> Option<SeatId> {
        if let Entry::Waiting { admitted, .. } = &mut self.entry
            && let Ok(seated) = admitted.try_recv()
        {
            self.entry = Entry::Seated(seated);
        }
        match &self.entry {
            Entry::Seated(seated) => Some(seated.seat),
            Entry::Waiting { .. } => None,
        }
    }

    fn take(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined(joined) => {
                self.token = Some(joined.token);
                self.own = Some(joined.participant);
                self.state = joined.state;
                self.last_chat = joined.chat.last().map(|chat| chat.number);
                self.knocking.clear();
                let all = joined.participants.into_iter();
                self.participants = all.map(|it| (it.id.clone(), it)).collect();
            }
            ServerMessage::Waiting(waiting) => self.token = Some(waiting.token),
            ServerMessage::Participant { participant } => {
                self.participants
                    .insert(participant.id.clone(), participant);
            }
            ServerMessage::ParticipantLeft { participant, .. } => {
                assert!(self.participants.remove(&participant).is_some());
            }
            ServerMessage::Room(state) => self.state = state,
            ServerMessage::Knocking { waiting } => {
                self.knocking = waiting.into_iter().map(|knock| knock.id).collect();
            }
            ServerMessage::Chat(chat) => {
                assert!(self.last_chat.is_none_or(|last| chat.number == last + 1));
                self.last_chat = Some(chat.number);
            }
            ServerMessage::Error(error) => {
                assert!(matches!(
                    error.code,
                    ErrorCode::Denied | ErrorCode::RoomFull
                ));
                self.is_over = true;
            }
            ServerMessage::Bye { .. } => self.is_over = true,
            ServerMessage::Asked { .. } => assert!(self.own.is_some()),
            other => panic!("nobody has media or asked: {other:?}"),
        }
    }
}

fn come(room: &mut Room, person: usize, token: Option<String>) -> Option<Client> {
    let (said, line) = line();
    let name = format!("Person {person}");
    let request = JoinRequest {
        token,
        ..request(&name, said)
    };
    let entry = room.join(request, Moment::now()).ok()?;
    Some(Client {
        entry,
        line,
        token: None,
        own: None,
        participants: BTreeMap::new(),
        state: RoomState::default(),
        last_chat: None,
        knocking: Vec::new(),
        is_over: false,
    })
}

fn do_step(room: &mut Room, clients: &mut [Option<Client>], step: Step) {
    let (Step::Join(who)
    | Step::Leave(who)
    | Step::HangUp(who)
    | Step::Status(who, _)
    | Step::Act(who, _)
    | Step::Write(who)
    | Step::Pin(who, _)) = step;
    let client = &mut clients[who];
    if let Step::Join(_) = step {
        let token = client.as_ref().and_then(|client| client.token.clone());
        if let Some(back) = come(room, who, token).or_else(|| come(room, who, None)) {
            *client = Some(back);
        }
        return;
    }
    let Some(present) = client.as_mut().filter(|client| !client.is_over) else {
        return;
    };
    let Some(seat) = present.seat() else {
        return;
    };
    match step {
        Step::Leave(_) => {
            let (done, _when) = oneshot::channel();
            room.obey(Command::Leave { seat, done });
            *client = None;
        }
        Step::HangUp(_) => {
            room.hang_up(seat);
            present.is_over = true;
        }
        Step::Status(_, change) => {
            let _ = room.follow_status(seat, change, Moment::now());
        }
        Step::Act(who, act) => {
            let moderators = room
                .seats
                .moderators()
                .filter_map(|id| room.seats.seat_id(id));
            // Every other one is asked for by whoever may.
            let actor = moderators.last().filter(|_| who % 2 == 0).unwrap_or(seat);
            let act = to_somebody_here(room, &act);
            let _ = room.moderate(Actor::Seat(actor), act, Moment::now());
        }
        Step::Write(_) => {
            let _ = room.say(seat, "hello".to_owned(), Moment::now());
        }
        Step::Pin(_, whom) => {
            let pin = Some(ParticipantId(whom));
            let wish = mixer::ladder::Wish {
                pin,
                ..mixer::ladder::Wish::default()
            };
            let _ = room.prefer(seat, wish);
        }
        Step::Join(_) => {}
    }
    room.count_seats(Moment::now());
}

/// The same, but to one of those who are there, mostly: the later ones of the first eight are not.
fn to_somebody_here(room: &Room, act: &Act) -> Act {
    let mut act = serde_json::to_value(act).unwrap();
    if let Some(named) = act["participant"].as_str() {
        let place: usize = named[1..].parse().unwrap();
        let id = room.seats.ids().nth(place - 1);
        act["participant"] = id
            .map_or_else(|| named.to_owned(), |id| id.to_string())
            .into();
    }
    serde_json::from_value(act).unwrap()
}

proptest! {
    #[test]
    fn what_each_is_told_adds_up_to_what_is_so(
        steps in prop::collection::vec(any_step(), 1..100),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let settings = RoomSettings {
            max_participants: Some(PEOPLE),
            ..RoomSettings::default()
        };
        let mut room = room_with(HouseRules::default(), settings);
        let mut clients: Vec<Option<Client>> = (0..PEOPLE).map(|_| None).collect();

        for (step, seconds) in steps.into_iter().zip(1..) {
            do_step(&mut room, &mut clients, step);
            seconds_later(&mut room, seconds);
            for client in clients.iter_mut().flatten() {
                for message in runtime.block_on(heard(&mut client.line)) {
                    client.take(message);
                }
            }
        }

        prop_assert!(room.seats.len() <= PEOPLE);
        prop_assert_eq!(room.seats.is_empty(), room.seats.moderators().next().is_none());
        let expected = room.seats.participants().into_iter();
        let expected: BTreeMap<_, _> = expected.map(|it| (it.id.clone(), it)).collect();
        let waiting = room.lobby.knocks().into_iter().map(|knock| knock.id);
        let waiting: Vec<String> = waiting.collect();
        for client in clients.iter_mut().flatten() {
            if client.is_over || client.seat().is_none() {
                continue;
            }
            prop_assert_eq!(&client.participants, &expected);
            prop_assert_eq!(&client.state, &room.state());
            let own = &expected[client.own.as_ref().unwrap()];
            if own.role == Role::Moderator {
                prop_assert_eq!(&client.knocking, &waiting);
            }
        }
    }
}
