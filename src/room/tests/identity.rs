//! Two with one identity, and what a role that changes brings.

use super::people::*;
use super::*;
use crate::signaling::message::{Act, Role};

#[tokio::test]
async fn of_two_with_one_identity_the_later_gets_the_seat() {
    let mut room = room();
    let mut first = sit_as(&mut room, "Ann", identity("ann"));
    first.heard().await;

    let second = sit_as(&mut room, "Ann", identity("ann"));

    assert_eq!(second.seat.participant, first.seat.participant);
    let reason = ByeReason::Replaced;
    assert_eq!(first.heard().await, [ServerMessage::Bye { reason }]);
    assert_eq!(room.seats.len(), 1);
}

#[tokio::test]
async fn of_two_with_one_identity_the_later_is_refused_where_that_is_wanted() {
    let house = HouseRules {
        same_identity: SameIdentity::Refuse,
        ..HouseRules::default()
    };
    let mut room = room_with(house, RoomSettings::default());
    let first = sit_as(&mut room, "Ann", identity("ann"));
    let (said, _line) = line();
    let second = JoinRequest {
        grant: identity("ann"),
        ..request("Ann", said)
    };

    let refused = room.join(second.clone(), Moment::now());
    assert!(matches!(refused, Err(JoinError::IdentityTaken)));

    room.hang_up(first.seat);
    let seat = join(&mut room, second);
    assert_eq!(seat.participant, first.seat.participant, "nobody was there");
}

#[tokio::test]
async fn where_a_credential_takes_the_last_moderators_role_somebody_else_moderates() {
    let mut room = room();
    let guest = |role| Grant {
        role,
        ..identity("ann")
    };
    let ann = sit_as(&mut room, "Ann", guest(Some(Role::Moderator)));
    let bob = sit(&mut room, "Bob");

    sit_as(&mut room, "Ann", guest(Some(Role::Participant)));

    let role = |seat: SeatId| room.seats.role(seat.participant);
    assert_eq!(role(ann.seat), Some(Role::Participant));
    assert_eq!(role(bob.seat), Some(Role::Moderator));
}

#[tokio::test]
async fn whoever_moderates_again_is_told_that_nobody_waits_any_more() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let bob = sit(&mut room, "Bob");
    let give = |id: String, role| Act::Role {
        participant: id,
        role,
    };
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let dan = knock(&mut room, |said| request("Dan", said));
    act(&mut room, ann.actor(), give(bob.id(), Role::Moderator)).unwrap();
    act(&mut room, bob.actor(), give(ann.id(), Role::Participant)).unwrap();
    assert!(room.lobby.withdraw(dan.ticket));
    ann.heard().await;

    act(&mut room, bob.actor(), give(ann.id(), Role::Moderator)).unwrap();

    let waiting = Vec::new();
    let told = ann.heard().await;
    assert!(
        told.contains(&ServerMessage::Knocking { waiting }),
        "{told:?}"
    );
}
