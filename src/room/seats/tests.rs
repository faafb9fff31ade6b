//! Seats as their participants come, vanish, come back and go.

use super::*;
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
    seats
        .join(named(name), None, line().0, Instant::now())
        .unwrap()
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
fn the_third_of_two_seats_is_refused_and_free_again_after_a_leave() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann");
    join(&mut seats, "Bob");

    let refused = seats
        .join(named("Cid"), None, line().0, Instant::now())
        .unwrap_err();
    assert_eq!(refused, JoinError::Full { max: 2 });

    assert!(seats.leave(ann.seat));
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

    let second = seats
        .join(named("Ann"), Some(&first.token), line().0, Instant::now())
        .unwrap();

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
    let token = Some(ann.token.as_str());
    seats.join(named("Ann"), token, line().0, late).unwrap();

    assert!(seats.expire(now + HOLD).is_empty());
    assert_eq!(seats.expire(late + HOLD).len(), 1);
}

#[test]
fn a_made_up_token_is_refused() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann");

    for token in ["", "0", &"0".repeat(32), &ann.token[1..]] {
        let refused = seats
            .join(named("Eve"), Some(token), line().0, Instant::now())
            .unwrap_err();
        assert_eq!(refused, JoinError::BadToken);
    }
}

#[test]
fn only_a_change_of_status_is_told() {
    let mut seats = seats();
    let ann = join(&mut seats, "Ann").seat;
    let mute = StatusChange {
        muted: Some(true),
        camera: None,
    };

    assert!(seats.status(ann, mute));
    assert!(!seats.status(ann, mute));

    let described = seats.participant(ann.participant).unwrap();
    assert_eq!((described.muted, described.camera), (true, true));
}
