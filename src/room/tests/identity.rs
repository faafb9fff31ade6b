//! Two with one identity.

use super::people::*;
use super::*;

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
