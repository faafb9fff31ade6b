//! Seats as their participants come, vanish, come back and go.

use super::connection::DEAD_AFTER;
use super::*;
use crate::link::Link;
use crate::rtc::{Direction, TransportId, TransportState};
use crate::signaling::line;

const HOLD: Duration = Duration::from_secs(30);
const FIRST: TransportId = TransportId(1);
const SECOND: TransportId = TransportId(2);

fn named(name: &str) -> DisplayName {
    DisplayName::parse(name).unwrap()
}

fn seats() -> Seats {
    Seats::new(2, HOLD)
}

fn join(seats: &mut Seats, name: &str) -> Entered {
    join_as(seats, name, Grant::anybody())
}

fn join_as(seats: &mut Seats, name: &str, grant: Grant) -> Entered {
    let entered = seats.take(
        Newcomer::new(named(name), grant),
        Some(line().0),
        Moment::now(),
    );
    seats.hand_on();
    entered
}

/// Takes a seat back from another session.
fn come_back(seats: &mut Seats, name: &str, token: &str, now: Instant) -> Option<Entered> {
    let id = seats.find(token, None)?;
    seats.retake(id, (named(name), &Grant::anybody()), line().0, now)
}

fn connect(seats: &mut Seats, participant: ParticipantId, transport: TransportId) {
    connect_over(seats, participant, transport, Link::new(Instant::now()));
}

fn connect_over(
    seats: &mut Seats,
    participant: ParticipantId,
    transport: TransportId,
    link: Link,
) -> Arc<Link> {
    let link = Arc::new(link);
    let wiring = Wiring {
        link: Arc::clone(&link),
        hears: Direction::Wanted,
        sees: Direction::Wanted,
    };
    let seat = seats.seats.get_mut(&participant).unwrap();
    seat.connection = Some(Connection::new(transport, None, wiring));
    link
}

#[test]
fn two_seats_are_all_there_are_and_free_again_after_a_leave() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann");
    join(&mut seats, "Bob");

    assert!(seats.is_full());

    assert!(seats.leave(ann.seat));
    assert!(!seats.is_full());
    assert_eq!(join(&mut seats, "Cid").seat.participant, ParticipantId(3));
}

#[test]
fn a_silent_transport_makes_absent_and_its_return_present() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat.participant;
    let now = Instant::now();
    connect(&mut seats, ann, FIRST);
    assert!(!seats.transport(ann, FIRST, TransportState::Connected, now));

    assert!(seats.transport(ann, FIRST, TransportState::Disconnected, now));
    assert!(seats.participant(ann).unwrap().absent);

    assert!(seats.transport(ann, FIRST, TransportState::Connected, now));
    assert!(!seats.participant(ann).unwrap().absent);
}

#[test]
fn a_lost_session_alone_does_not_make_absent_while_media_flows() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let now = Instant::now();
    connect(&mut seats, ann.participant, FIRST);
    seats.transport(ann.participant, FIRST, TransportState::Connected, now);

    assert!(!seats.hang_up(ann, now));
    assert!(seats.transport(ann.participant, FIRST, TransportState::Disconnected, now));
}

#[test]
fn a_dead_transport_without_a_session_makes_absent_and_a_packet_present_again() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let link = connect_over(&mut seats, ann.participant, FIRST, Link::new(start));
    seats.transport(ann.participant, FIRST, TransportState::Connected, at(1_000));
    link.hear(at(20_000));

    // Silent, but in session: its own look at its packets tells a client more than we know.
    assert_eq!(seats.look_around(at(60_000)), []);
    link.hear(at(60_000));
    assert!(!seats.hang_up(ann, at(60_000)));

    assert_eq!(seats.look_around(at(74_999)), []);
    assert_eq!(seats.look_around(at(75_000)), [ann.participant]);
    assert!(seats.participant(ann.participant).unwrap().absent);
    assert_eq!(seats.look_around(at(76_000)), []);

    link.hear(at(77_000));
    assert_eq!(seats.look_around(at(77_500)), [ann.participant]);
    assert!(!seats.participant(ann.participant).unwrap().absent);
}

#[test]
fn a_session_lost_after_its_transport_died_makes_absent_at_once() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let start = Instant::now();
    connect_over(&mut seats, ann.participant, FIRST, Link::new(start));
    seats.transport(ann.participant, FIRST, TransportState::Connected, start);

    assert!(seats.hang_up(ann, start + DEAD_AFTER));

    let gone = seats.expire(start + DEAD_AFTER + HOLD);
    assert_eq!(gone.len(), 1);
}

#[test]
fn a_transport_counts_as_heard_of_when_it_connects() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let start = Instant::now();
    let later = start + Duration::from_secs(3_600);
    connect_over(&mut seats, ann.participant, FIRST, Link::new(start));
    seats.transport(ann.participant, FIRST, TransportState::Connected, later);

    assert!(!seats.hang_up(ann, later));
    assert_eq!(seats.look_around(later + DEAD_AFTER), [ann.participant]);
}

#[test]
fn an_absent_seat_goes_when_it_was_held_long_enough_and_not_before() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let now = Instant::now();
    assert!(seats.hang_up(ann, now), "no transport, no session: absent");

    let just_before = seats.expire(now + HOLD - Duration::from_millis(1));
    assert!(just_before.is_empty());

    let gone = seats.expire(now + HOLD);
    assert_eq!(gone.len(), 1);
    assert!(seats.is_empty());
}

#[test]
fn a_session_whose_client_is_away_keeps_its_line_and_reaches_nobody() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let now = Instant::now();

    assert!(seats.follow_client(ann, Client::Away, now));
    assert!(seats.line(ann.participant).is_some());
    assert!(seats.participant(ann.participant).unwrap().absent);

    assert!(seats.follow_client(ann, Client::Here, now));
    assert!(!seats.participant(ann.participant).unwrap().absent);
}

#[test]
fn a_client_that_is_away_is_there_while_its_media_flows() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let now = Instant::now();
    connect_over(&mut seats, ann.participant, FIRST, Link::new(now));
    seats.transport(ann.participant, FIRST, TransportState::Connected, now);

    assert!(!seats.follow_client(ann, Client::Away, now));

    assert!(!seats.participant(ann.participant).unwrap().absent);
    assert_eq!(seats.look_around(now + DEAD_AFTER), [ann.participant]);
}

#[test]
fn a_token_takes_the_same_seat_back_and_displaces_its_session() {
    let mut seats = seats();
    let first = join(&mut seats, "Ann");

    let second = come_back(&mut seats, "Ann", &first.token, Instant::now()).unwrap();

    assert_eq!(second.seat.participant, first.seat.participant);
    assert!(second.displaced.is_some());
    assert!(
        !seats.leave(first.seat),
        "the earlier session has no say any more"
    );
    assert!(seats.leave(second.seat));
}

#[test]
fn the_end_of_a_replaced_transport_means_nothing() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat.participant;
    connect(&mut seats, ann, FIRST);
    connect(&mut seats, ann, SECOND);

    assert!(!seats.transport(ann, FIRST, TransportState::Failed, Instant::now()));
    assert!(seats.line_of(ann, FIRST).is_none());
    assert!(seats.line_of(ann, SECOND).is_some());
}

#[test]
fn coming_back_with_a_token_holds_the_seat_anew_until_media_flows() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann");
    let now = Instant::now();
    connect(&mut seats, ann.seat.participant, FIRST);
    seats.transport(ann.seat.participant, FIRST, TransportState::Failed, now);

    let late = now + HOLD - Duration::from_secs(1);
    come_back(&mut seats, "Ann", &ann.token, late).unwrap();

    assert!(seats.expire(now + HOLD).is_empty());
    assert_eq!(seats.expire(late + HOLD).len(), 1);
}

#[test]
fn a_made_up_token_is_refused() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann");

    for token in ["", "0", &"0".repeat(32), &ann.token[1..]] {
        assert_eq!(seats.find(token, None), None);
    }
}

#[test]
fn a_token_is_of_no_use_with_somebody_elses_credential() {
    let mut seats = seats();
    let ann = join_as(&mut seats, "Ann", identity("ann"));

    assert_eq!(seats.find(&ann.token, None), None);
    assert_eq!(seats.find(&ann.token, Some("eve")), None);
    let found = seats.find(&ann.token, Some("ann"));
    assert_eq!(found, Some(ann.seat.participant));
}

#[test]
fn another_device_of_the_same_person_gets_the_seat_and_the_first_not_back() {
    let mut seats = seats();
    let ann = join_as(&mut seats, "Ann", identity("ann"));
    let id = seats.of_identity("ann").unwrap();
    connect(&mut seats, id, FIRST);
    status(&mut seats, ann.seat, Some(true), None).unwrap();
    seats.force_off(id, Device::Camera, By::Operator, Grip::Firm);

    seats.hand_over(id, Part::InSession);
    let grant = identity("ann");
    let entered = seats.retake(id, (named("Ann"), &grant), line().0, Instant::now());

    let entered = entered.unwrap();
    assert!(entered.displaced.is_some());
    assert_eq!(seats.find(&ann.token, Some("ann")), None);
    assert_eq!(seats.find(&entered.token, Some("ann")), Some(id));
    assert!(seats.wiring(id).is_none());
    let described = seats.participant(id).unwrap();
    assert_eq!((described.muted, described.camera), (false, false));
}

#[test]
fn a_credential_says_who_moderates_and_what_one_is_called() {
    let mut seats = seats();
    let grant = Grant {
        name: Some(named("Dr. Bob")),
        role: Some(Role::Moderator),
        ..identity("bob")
    };
    join(&mut seats, "Ann");

    let bob = join_as(&mut seats, "Bobby", grant).seat.participant;

    let described = seats.participant(bob).unwrap();
    assert_eq!(described.role, Role::Moderator);
    assert_eq!(described.name, "Dr. Bob");
    assert_eq!(seats.moderators().count(), 2);
}

#[test]
fn the_first_moderates_and_then_whoever_has_sat_longest_and_can_be_reached() {
    let mut seats = Seats::new(9, HOLD);
    let [ann, bob, cid] = ["Ann", "Bob", "Cid"].map(|name| join(&mut seats, name).seat);
    assert_eq!(moderators(&seats), [ann.participant]);
    seats.hang_up(bob, Instant::now());

    seats.leave(ann);
    assert_eq!(seats.hand_on(), Some(cid.participant));
    assert_eq!(seats.hand_on(), None);

    seats.leave(cid);
    assert_eq!(seats.hand_on(), Some(bob.participant));
}

#[test]
fn who_is_no_moderator_by_credential_does_not_become_one_by_staying() {
    let mut seats = seats();
    let grant = Grant {
        role: Some(Role::Participant),
        ..Grant::anybody()
    };
    join_as(&mut seats, "Ann", grant);
    assert_eq!(moderators(&seats), []);

    let bob = join(&mut seats, "Bob").seat.participant;

    assert_eq!(moderators(&seats), [bob]);
}

#[test]
fn what_a_moderator_holds_off_is_refused_and_the_rest_is_followed() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let id = ann.participant;
    assert!(seats.force_off(id, Device::Microphone, By::Operator, Grip::Firm));

    let both = status(&mut seats, ann, Some(false), Some(false));

    assert_eq!(both, Err(Held(Device::Microphone)));
    let described = seats.participant(id).unwrap();
    assert_eq!((described.muted, described.camera), (true, false));
    assert_eq!(described.muted_by.as_deref(), Some("operator"));
    assert!(!described.may_unmute);

    seats.release(id, Device::Microphone);
    assert_eq!(status(&mut seats, ann, Some(false), None), Ok(true));
    assert!(!seats.participant(id).unwrap().muted);
}

#[test]
fn a_hand_keeps_the_time_at_which_it_was_raised_first() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let hand = |hand| StatusChange {
        hand: Some(hand),
        ..StatusChange::default()
    };
    let at = |wall_ms| Moment {
        now: Instant::now(),
        wall_ms,
    };
    let raised = |seats: &Seats| seats.participant(ann.participant).unwrap().hand_raised_ms;

    assert!(seats.status(ann, hand(true), at(7)).unwrap().0);
    assert!(!seats.status(ann, hand(true), at(8)).unwrap().0);
    assert_eq!(raised(&seats), Some(7));
    assert!(seats.lower_hand(ann.participant));
    assert!(!seats.lower_hand(ann.participant));
    assert_eq!(raised(&seats), None);
}

#[test]
fn only_a_change_of_status_is_told() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;

    assert_eq!(status(&mut seats, ann, Some(true), None), Ok(true));
    assert_eq!(status(&mut seats, ann, Some(true), None), Ok(false));

    let described = seats.participant(ann.participant).unwrap();
    assert_eq!((described.muted, described.camera), (true, true));
}

fn identity(identity: &str) -> Grant {
    Grant {
        identity: Some(identity.to_owned()),
        ..Grant::anybody()
    }
}

fn moderators(seats: &Seats) -> Vec<ParticipantId> {
    seats.moderators().collect()
}

/// Says it, in a session that has the seat.
fn status(
    seats: &mut Seats,
    seat: SeatId,
    muted: Option<bool>,
    camera: Option<bool>,
) -> Result<bool, Held> {
    let change = StatusChange {
        muted,
        camera,
        hand: None,
    };
    let (changed, outcome) = seats.status(seat, change, Moment::now()).unwrap();
    outcome.map(|()| changed)
}
