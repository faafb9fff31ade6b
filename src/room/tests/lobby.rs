//! Who has to wait, who does not, and what becomes of them.

use tokio::sync::oneshot;

use super::people::*;
use super::*;
use crate::signaling::message::{Act, ErrorMessage, RequestId, Role, RoomState};

#[tokio::test]
async fn who_knocks_waits_until_they_are_admitted_and_moderators_see_who_does() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let mut cid = sit(&mut room, "Cid");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();

    let mut bob = knock(&mut room, |said| request("Bob", said));
    let mut dan = knock(&mut room, |said| request("Dan", said));
    seconds_later(&mut room, 1);
    assert_eq!(knocking(&ann.heard().await), ["w1 Bob", "w2 Dan"]);
    assert_eq!(knocking(&cid.heard().await), [""; 0], "no moderator");
    assert_eq!(places(&heard(&mut bob.line).await), [1]);
    assert_eq!(places(&heard(&mut dan.line).await), [2]);

    let waiting = Some("w1".to_owned());
    act(&mut room, ann.actor(), Act::Admit { waiting }).unwrap();

    let seated = bob.admitted.try_recv().unwrap();
    let heard_by_bob = heard(&mut bob.line).await;
    let [ServerMessage::Joined(joined)] = &heard_by_bob[..] else {
        panic!("{heard_by_bob:?}");
    };
    assert_eq!(joined.participant, seated.seat.participant.to_string());
    seconds_later(&mut room, 2);
    let heard_by_ann = ann.heard().await;
    assert_eq!(knocking(&heard_by_ann), ["w2 Dan"]);
    assert_eq!(last_seen(&heard_by_ann, "p3").unwrap().name, "Bob");
    assert_eq!(places(&heard(&mut dan.line).await), [1]);
}

#[tokio::test]
async fn who_is_denied_is_told_as_the_answer_to_their_join() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let mut bob = knock(&mut room, |said| JoinRequest {
        id: Some(RequestId::Number(7)),
        ..request("Bob", said)
    });

    act(&mut room, ann.actor(), Act::Deny { waiting: None }).unwrap();

    let heard = heard(&mut bob.line).await;
    let Some(ServerMessage::Error(ErrorMessage { id, code, .. })) = heard.last() else {
        panic!("{heard:?}");
    };
    assert_eq!(*code, ErrorCode::Denied);
    assert!(id.is_some());
    assert!(bob.admitted.try_recv().is_err());
    seconds_later(&mut room, 1);
    assert_eq!(knocking(&ann.heard().await), [""; 0]);
    let waiting = Some("w1".to_owned());
    let again = act(&mut room, ann.actor(), Act::Admit { waiting });
    assert!(matches!(again, Err(ActError::NoSuchParticipant(_))));
}

#[tokio::test]
async fn a_lobby_that_ends_lets_everybody_in_who_fits() {
    let settings = RoomSettings {
        max_participants: Some(2),
        ..RoomSettings::default()
    };
    let mut room = room_with(HouseRules::default(), settings);
    let ann = sit(&mut room, "Ann");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let mut bob = knock(&mut room, |said| request("Bob", said));
    let mut cid = knock(&mut room, |said| request("Cid", said));

    act(&mut room, ann.actor(), Act::Lobby { on: false }).unwrap();

    assert!(bob.admitted.try_recv().is_ok());
    assert!(cid.admitted.try_recv().is_err());
    let heard = heard(&mut cid.line).await;
    assert!(matches!(heard.last(), Some(ServerMessage::Error(error))
        if error.code == ErrorCode::RoomFull));
}

#[tokio::test]
async fn a_place_survives_its_session_and_becomes_a_seat_meanwhile() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let mut bob = knock(&mut room, |said| request("Bob", said));
    let Some(ServerMessage::Waiting(waiting)) = heard(&mut bob.line).await.pop() else {
        panic!("he waits");
    };
    let back = |said| JoinRequest {
        token: Some(waiting.token.clone()),
        ..request("Bob", said)
    };
    room.obey(Command::HangUpWaiting { ticket: bob.ticket });

    let again = knock(&mut room, back);
    assert_eq!(room.lobby.knocks().len(), 1, "the same place");
    drop(again);
    act(&mut room, ann.actor(), Act::Admit { waiting: None }).unwrap();

    let participants = room.seats.participants();
    assert!(participants[1].absent, "nobody was at the door");
    let (said, _line) = line();
    let seat = join(&mut room, back(said));
    assert_eq!(seat.participant, ParticipantId(2));
    assert!(!room.seats.participants()[1].absent);
}

#[tokio::test]
async fn in_a_room_made_with_a_lobby_all_wait_for_whoever_has_a_key() {
    let settings = RoomSettings {
        lobby: true,
        stay: Stay::UntilEnded,
        ..RoomSettings::default()
    };
    let mut room = room_with(HouseRules::default(), settings);
    let mut bob = knock(&mut room, |said| request("Bob", said));
    room.look_around(Instant::now() + Duration::from_secs(60));
    assert!(!room.is_over(Instant::now() + Duration::from_secs(60)));

    let host = sit_as(&mut room, "Host", host());
    act(&mut room, host.actor(), Act::Admit { waiting: None }).unwrap();

    let seat_of_bob = bob.admitted.try_recv().unwrap().seat;
    let lobby = Act::Lobby { on: false };
    act(&mut room, host.actor(), lobby).unwrap();
    for seat in [host.seat, seat_of_bob] {
        let (done, _when) = oneshot::channel();
        room.obey(Command::Leave { seat, done });
    }
    assert!(room.rules.lobby, "the room begins anew as it was made");
}

#[tokio::test]
async fn a_full_lobby_says_so_and_who_has_a_key_passes_it() {
    let house = HouseRules {
        max_waiting: 1,
        ..HouseRules::default()
    };
    let mut room = room_with(house, RoomSettings::default());
    let ann = sit(&mut room, "Ann");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let _bob = knock(&mut room, |said| request("Bob", said));
    let (said, _line) = line();

    let refused = room.join(request("Cid", said), Moment::now());

    assert!(matches!(refused, Err(JoinError::LobbyFull { max: 1 })));
    let mut dan = sit_as(&mut room, "Dan", host());
    assert_eq!(knocking(&dan.heard().await), ["w1 Bob"]);
}

#[tokio::test]
async fn when_the_last_has_left_those_who_wait_have_the_room_to_themselves() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    room.say(ann.seat, "a secret".to_owned(), Moment::now())
        .unwrap();
    let mut bob = knock(&mut room, |said| request("Bob", said));

    let (done, _when) = oneshot::channel();
    let seat = ann.seat;
    room.obey(Command::Leave { seat, done });

    assert!(bob.admitted.try_recv().is_ok());
    let heard = heard(&mut bob.line).await;
    let joined = heard.iter().find_map(|message| match message {
        ServerMessage::Joined(joined) => Some(joined),
        _ => None,
    });
    let joined = joined.unwrap();
    assert_eq!(joined.participants[0].role, Role::Moderator);
    assert_eq!(joined.chat, []);
    assert_eq!(joined.state, RoomState::default());
}

#[tokio::test]
async fn people_who_come_and_go_at_the_door_do_not_fill_a_moderators_line() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();

    for _ in 0..2_000 {
        let knocker = knock(&mut room, |said| request("Eve", said));
        let (done, _when) = oneshot::channel();
        let ticket = knocker.ticket;
        room.obey(Command::Withdraw { ticket, done });
    }

    let heard = ann.heard().await;
    assert!(heard.len() < 100, "{} messages", heard.len());
    assert!(!matches!(heard.last(), Some(ServerMessage::Bye { .. })));
}
