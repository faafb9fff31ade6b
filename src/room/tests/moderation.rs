//! What moderators may do, what others may not, and who is told.

use tokio::sync::oneshot;

use super::people::*;
use super::*;
use crate::signaling::message::{Act, Asked, How, Role, RoomState};

fn all_acts(participant: &str) -> Vec<Act> {
    let participant = participant.to_owned();
    let named = || Some(participant.clone());
    vec![
        Act::Lock,
        Act::Unlock,
        Act::Lobby { on: true },
        Act::Admit { waiting: None },
        Act::Deny { waiting: None },
        Act::Mute {
            participant: named(),
            how: How::Force,
        },
        Act::Unmute {
            participant: participant.clone(),
        },
        Act::CameraOff {
            participant: named(),
            how: How::Hold,
        },
        Act::CameraOn {
            participant: participant.clone(),
        },
        Act::Remove {
            participant: participant.clone(),
            ban: true,
        },
        Act::Role {
            participant: participant.clone(),
            role: Role::Moderator,
        },
        Act::LowerHand { participant: None },
        Act::Pin {
            participant: named(),
        },
        Act::Layout { layout: None },
        Act::End,
    ]
}

#[tokio::test]
async fn a_participant_may_do_nothing_of_what_moderators_may() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let bob = sit(&mut room, "Bob");
    ann.heard().await;

    for each in all_acts(&ann.id()) {
        let refused = act(&mut room, bob.actor(), each.clone());
        assert_eq!(refused, Err(ActError::NotModerator), "{each:?}");
    }

    assert_eq!(ann.heard().await, []);
    assert_eq!(room.ending, None);
}

#[tokio::test]
async fn a_session_that_lost_its_seat_to_another_moderates_no_more() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let Some(ServerMessage::Joined(joined)) = ann.heard().await.into_iter().next() else {
        panic!("joined comes first");
    };
    let (said, _line) = line();
    let again = JoinRequest {
        token: Some(joined.token),
        ..request("Ann", said)
    };
    let back = join(&mut room, again);

    let refused = act(&mut room, ann.actor(), Act::Lock);

    assert_eq!(refused, Err(ActError::NoSeat));
    assert_eq!(act(&mut room, Actor::Seat(back), Act::Lock), Ok(()));
}

#[tokio::test]
async fn an_operator_needs_no_seat_and_may_do_all_of_it() {
    for each in all_acts("p1") {
        let mut room = room();
        let _ann = sit(&mut room, "Ann");

        assert_eq!(
            act(&mut room, Actor::Operator, each.clone()),
            Ok(()),
            "{each:?}"
        );
    }
}

#[tokio::test]
async fn nobody_can_be_found_who_is_not_there() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");

    let acts = all_acts("p9").into_iter();
    let naming = acts.filter(|each| serde_json::to_string(each).unwrap().contains("p9"));
    let naming: Vec<Act> = naming.collect();

    assert_eq!(naming.len(), 7);
    for each in naming {
        let refused = act(&mut room, ann.actor(), each.clone());
        let nobody = ActError::NoSuchParticipant("p9".to_owned());
        assert_eq!(refused, Err(nobody), "{each:?}");
    }
}

#[tokio::test]
async fn a_locked_room_takes_nobody_in_but_moderators_and_those_who_come_back() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let Some(ServerMessage::Joined(joined)) = ann.heard().await.into_iter().next() else {
        panic!("joined comes first");
    };

    act(&mut room, ann.actor(), Act::Lock).unwrap();
    act(&mut room, ann.actor(), Act::Lock).unwrap();

    let told = RoomState {
        locked: true,
        ..RoomState::default()
    };
    assert_eq!(ann.heard().await, [ServerMessage::Room(told)], "once");
    let (said, _line) = line();
    let refused = room.join(request("Bob", said.clone()), Moment::now());
    assert!(matches!(refused, Err(JoinError::Locked)));
    let key = JoinRequest {
        grant: host(),
        ..request("Cid", said.clone())
    };
    join(&mut room, key);
    let again = JoinRequest {
        token: Some(joined.token),
        ..request("Ann", said.clone())
    };
    let ann = join(&mut room, again);

    act(&mut room, Actor::Seat(ann), Act::Unlock).unwrap();
    join(&mut room, request("Bob", said));
}

#[tokio::test]
async fn who_is_muted_by_force_is_silent_to_all_and_may_undo_it_unless_held() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let bob = sit(&mut room, "Bob");
    let mute = |how| Act::Mute {
        participant: Some(bob.id()),
        how,
    };
    let unmute = StatusChange {
        muted: Some(false),
        ..StatusChange::default()
    };

    act(&mut room, ann.actor(), mute(How::Force)).unwrap();
    let seen = last_seen(&ann.heard().await, &bob.id()).unwrap();
    assert!(seen.muted && seen.may_unmute);
    assert_eq!(seen.muted_by, Some(ann.id()));
    room.follow_status(bob.seat, unmute, Moment::now()).unwrap();
    assert!(!last_seen(&ann.heard().await, &bob.id()).unwrap().muted);

    act(&mut room, ann.actor(), mute(How::Hold)).unwrap();
    let refused = room.follow_status(bob.seat, unmute, Moment::now());
    assert_eq!(refused, Err(ActError::Held("microphone")));
    let seen = last_seen(&ann.heard().await, &bob.id()).unwrap();
    assert!(seen.muted && !seen.may_unmute);
}

#[tokio::test]
async fn who_is_asked_decides() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let mut bob = sit(&mut room, "Bob");
    bob.heard().await;

    for (how, expected) in [(How::Ask, Asked::CameraOff), (How::Force, Asked::CameraOn)] {
        let participant = Some(bob.id());
        let off = Act::CameraOff { participant, how };
        act(&mut room, ann.actor(), off).unwrap();
        if how == How::Force {
            let participant = bob.id();
            let on = Act::CameraOn { participant };
            act(&mut room, ann.actor(), on).unwrap();
        }
        let by = ann.id();
        let asked = ServerMessage::Asked { to: expected, by };
        assert!(bob.heard().await.contains(&asked));
        let on = room.seats.participant(bob.seat.participant).unwrap().camera;
        assert_eq!(on, how == How::Ask, "nobody is shown by another's will");
    }
}

#[tokio::test]
async fn all_but_moderators_are_muted_at_once() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let _others = [sit(&mut room, "Bob"), sit_as(&mut room, "Cid", host())];
    let _dan = sit(&mut room, "Dan");

    let everybody = Act::Mute {
        participant: None,
        how: How::Force,
    };
    act(&mut room, ann.actor(), everybody).unwrap();

    let muted = room.seats.participants().into_iter().map(|it| it.muted);
    assert_eq!(muted.collect::<Vec<_>>(), [false, true, false, true]);
}

#[tokio::test]
async fn who_is_removed_is_told_and_kept_out_by_token_and_identity() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let mut eve = sit_as(&mut room, "Eve", identity("eve"));
    let Some(ServerMessage::Joined(joined)) = eve.heard().await.into_iter().next() else {
        panic!("joined comes first");
    };
    let remove = Act::Remove {
        participant: eve.id(),
        ban: true,
    };

    act(&mut room, ann.actor(), remove).unwrap();

    let reason = ByeReason::Removed;
    assert_eq!(eve.heard().await, [ServerMessage::Bye { reason }]);
    let left = ServerMessage::ParticipantLeft {
        participant: eve.id(),
        reason: LeaveReason::Removed,
    };
    assert!(ann.heard().await.contains(&left));
    let (said, _line) = line();
    for (grant, token) in [
        (Grant::anybody(), Some(joined.token)),
        (identity("eve"), None),
    ] {
        let again = JoinRequest {
            grant,
            token,
            ..request("Eve", said.clone())
        };
        let refused = room.join(again, Moment::now());
        assert!(matches!(refused, Err(JoinError::Banned)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_moderator_is_told_whether_a_ban_keeps_anybody_out() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let known = sit_as(&mut room, "Eve", identity("eve"));
    let [stranger, spared] = ["Mallory", "Bob"].map(|name| sit(&mut room, name));
    let mut remove = |who: &Person, ban| {
        let participant = who.id();
        let act = Act::Remove { participant, ban };
        room.moderate(ann.actor(), act, Moment::now())
            .map(|acted| acted.kept_out)
    };

    assert_eq!(remove(&known, true), Ok(Some(true)));
    assert_eq!(remove(&stranger, true), Ok(Some(false)));
    assert_eq!(remove(&spared, false), Ok(None));

    // It is true: they are somebody new by whatever name, and a lock is what keeps them out.
    sit(&mut room, "Mallory");
    act(&mut room, ann.actor(), Act::Lock).unwrap();
    let refused = room.join(request("Mallory", line().0), Moment::now());
    assert!(matches!(refused, Err(JoinError::Locked)), "{refused:?}");
}

#[tokio::test]
async fn who_is_removed_without_a_ban_may_come_again() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let bob = sit_as(&mut room, "Bob", identity("bob"));
    let remove = Act::Remove {
        participant: bob.id(),
        ban: false,
    };

    act(&mut room, ann.actor(), remove).unwrap();

    sit_as(&mut room, "Bob", identity("bob"));
}

#[tokio::test]
async fn nobody_removes_themselves_or_a_moderator_by_credential() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let boss = sit_as(&mut room, "Boss", host());
    let remove = |who: &Person| Act::Remove {
        participant: who.id(),
        ban: true,
    };
    let demote = Act::Role {
        participant: boss.id(),
        role: Role::Participant,
    };

    let outcomes = [remove(&ann), remove(&boss), demote].map(|it| act(&mut room, ann.actor(), it));

    let expected = [ActError::Oneself, ActError::Protected, ActError::Protected];
    assert_eq!(outcomes, expected.map(Err));
    assert_eq!(act(&mut room, boss.actor(), remove(&ann)), Ok(()));
}

#[tokio::test]
async fn roles_are_given_and_taken_but_somebody_moderates() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let bob = sit(&mut room, "Bob");
    let role = |who: &Person, role| Act::Role {
        participant: who.id(),
        role,
    };

    let alone = act(&mut room, ann.actor(), role(&ann, Role::Participant));
    assert_eq!(alone, Err(ActError::LastModerator));
    act(&mut room, ann.actor(), role(&bob, Role::Moderator)).unwrap();
    act(&mut room, ann.actor(), role(&ann, Role::Participant)).unwrap();

    let seen = last_seen(&ann.heard().await, &ann.id()).unwrap();
    assert_eq!(seen.role, Role::Participant);
    let refused = act(&mut room, ann.actor(), Act::Lock);
    assert_eq!(refused, Err(ActError::NotModerator));
    assert_eq!(act(&mut room, bob.actor(), Act::Lock), Ok(()));
}

#[tokio::test]
async fn when_the_moderator_is_gone_for_good_whoever_sat_longest_is_told_to_be_it() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let mut bob = sit(&mut room, "Bob");
    let _cid = sit(&mut room, "Cid");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let _dan = knock(&mut room, |said| request("Dan", said));
    bob.heard().await;

    let (done, _when) = oneshot::channel();
    let seat = ann.seat;
    room.obey(Command::Leave { seat, done });

    let heard = bob.heard().await;
    assert_eq!(last_seen(&heard, &bob.id()).unwrap().role, Role::Moderator);
    assert_eq!(knocking(&heard), ["w1 Dan"]);
}

#[tokio::test]
async fn a_pin_is_told_to_all_and_goes_with_whom_it_held() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let bob = sit(&mut room, "Bob");
    let pinned = |heard: Vec<ServerMessage>| -> Vec<Option<String>> {
        let states = heard.into_iter().filter_map(|message| match message {
            ServerMessage::Room(state) => Some(state.pinned),
            _ => None,
        });
        states.collect()
    };

    let participant = Some(bob.id());
    act(&mut room, ann.actor(), Act::Pin { participant }).unwrap();
    assert_eq!(pinned(ann.heard().await), [Some(bob.id())]);

    let (done, _when) = oneshot::channel();
    let seat = bob.seat;
    room.obey(Command::Leave { seat, done });
    assert_eq!(pinned(ann.heard().await), [None]);
}

#[tokio::test]
async fn ones_own_wish_goes_before_a_pin_and_a_pin_before_the_layout_of_the_room() {
    use mixer::ladder::{Wish, WishedLayout};

    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let bob = sit(&mut room, "Bob");
    let wished = |room: &Room| room.wish(bob.seat.participant).layout;
    assert_eq!(wished(&room), None);

    let layout = Some(PreferredLayout::Grid);
    act(&mut room, ann.actor(), Act::Layout { layout }).unwrap();
    assert_eq!(wished(&room), Some(WishedLayout::Grid));

    let participant = Some(ann.id());
    act(&mut room, ann.actor(), Act::Pin { participant }).unwrap();
    assert_eq!(wished(&room), Some(WishedLayout::Speaker));

    let own = Wish {
        layout: Some(WishedLayout::Grid),
        ..Wish::default()
    };
    room.prefer(bob.seat, own).unwrap();
    assert_eq!(wished(&room), Some(WishedLayout::Grid));
}

#[tokio::test]
async fn only_three_can_be_pinned_by_people_for_themselves() {
    let mut room = room();
    let people = ["Ann", "Bob", "Cid", "Dan", "Eve"].map(|name| sit(&mut room, name));
    let pin = |who: &Person| mixer::ladder::Wish {
        pin: Some(who.seat.participant),
        ..mixer::ladder::Wish::default()
    };

    for (one, other) in people.iter().zip(&people[1..4]) {
        assert_eq!(room.prefer(one.seat, pin(other)), Ok(()));
    }
    let refused = room.prefer(people[3].seat, pin(&people[0]));
    assert_eq!(refused, Err(ActError::TooManyPins { max: 3 }));
    assert_eq!(room.prefer(people[3].seat, pin(&people[1])), Ok(()));

    let nobody = mixer::ladder::Wish {
        pin: Some(ParticipantId(9)),
        ..mixer::ladder::Wish::default()
    };
    let refused = room.prefer(people[4].seat, nobody);
    assert!(matches!(refused, Err(ActError::NoSuchParticipant(_))));
    let (done, _when) = oneshot::channel();
    let seat = people[1].seat;
    room.obey(Command::Leave { seat, done });
    assert_eq!(room.prefer(people[4].seat, pin(&people[0])), Ok(()));
}

#[tokio::test]
async fn the_end_is_told_to_everybody_and_the_one_who_asked_is_answered_before() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    let mut bob = sit(&mut room, "Bob");
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let mut cid = knock(&mut room, |said| request("Cid", said));
    for line in [&mut ann.line, &mut bob.line, &mut cid.line] {
        heard(line).await;
    }
    let (commands, received) = mpsc::channel(COMMANDS);
    let (reply, _answer) = oneshot::channel();
    let (actor, act, id) = (ann.actor(), Act::End, None);
    let end = Command::Moderate {
        actor,
        act,
        id,
        reply,
    };
    commands.send(end).await.unwrap();

    room.run(received).await;

    let reason = ByeReason::Ended;
    let bye = ServerMessage::Bye { reason };
    let done = ServerMessage::Done {
        id: None,
        kept_out: None,
    };
    assert_eq!(ann.heard().await, [done, bye.clone()]);
    assert_eq!(bob.heard().await, std::slice::from_ref(&bye));
    assert_eq!(heard(&mut cid.line).await, [bye]);
}

#[tokio::test]
async fn a_description_has_everybody_with_what_is_known_of_them() {
    let mut room = room();
    let ann = sit_as(&mut room, "Ann", identity("ann"));
    let bob = welcome(&mut room);
    act(&mut room, ann.actor(), Act::Lobby { on: true }).unwrap();
    let _cid = knock(&mut room, |said| request("Cid", said));
    room.hang_up(ann.seat);

    let described = room.describe(Instant::now());

    let [first, second] = &described.participants[..] else {
        panic!("{described:?}");
    };
    assert_eq!(first.identity.as_deref(), Some("ann"));
    assert_eq!(first.participant.role, Role::Moderator);
    assert!(first.absent_ms.is_some());
    assert_eq!((first.level_minus_dbov, first.loss_percent), (None, None));
    assert_eq!(second.participant.id, bob.seat.participant.to_string());
    assert_eq!(second.level_minus_dbov, Some(127));
    assert_eq!(described.waiting[0].name, "Cid");
    assert!(described.state.lobby);
    assert!(serde_json::to_string(&described).is_ok());
}
