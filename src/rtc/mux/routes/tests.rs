//! Strangers, neighbours, restarts and ends on one port.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::stun::testing::request;
use super::*;

const RTP: &[u8] = &[0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

struct Port {
    routes: Routes<&'static str>,
    start: Instant,
}

impl Port {
    fn new() -> Self {
        Self {
            routes: Routes::new(rtc::crypto::default_provider().unwrap()),
            start: Instant::now(),
        }
    }

    fn open(&mut self, name: &'static str) -> LaneId {
        let id = self.routes.open(name);
        self.admit(id, name);
        id
    }

    fn admit(&mut self, id: LaneId, ufrag: &str) {
        let credentials = Credentials {
            ufrag: ufrag.to_owned(),
            password: format!("{ufrag}-password"),
        };
        self.routes.admit(id, credentials);
    }

    fn request(&mut self, from: u16, ufrag: &str, at_ms: u64) -> Result<&'static str, Stray> {
        let password = format!("{ufrag}-password");
        let request = request(&format!("{ufrag}:client"), &password, &self.routes.crypto);
        self.datagram(from, &request, at_ms)
    }

    fn datagram(&mut self, from: u16, bytes: &[u8], at_ms: u64) -> Result<&'static str, Stray> {
        let now = self.start + Duration::from_millis(at_ms);
        self.routes.route(client(from), bytes, now).copied()
    }
}

fn client(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

#[test]
fn a_stranger_reaches_nobody_until_a_signed_request_introduces_it() {
    let mut port = Port::new();
    port.open("ann");
    port.open("bob");

    assert_eq!(port.datagram(1, RTP, 0), Err(Stray::Unknown));
    assert_eq!(port.request(1, "ann", 0), Ok("ann"));
    assert_eq!(port.request(2, "bob", 0), Ok("bob"));

    assert_eq!(port.datagram(1, RTP, 1), Ok("ann"));
    assert_eq!(port.datagram(2, RTP, 1), Ok("bob"));
    assert_eq!(port.datagram(3, RTP, 1), Err(Stray::Unknown));
}

#[test]
fn whoever_answers_a_request_of_ours_is_let_in_and_nobody_else() {
    let mut port = Port::new();
    let ann = port.open("ann");
    let crypto = Arc::clone(&port.routes.crypto);
    let asked = request("theirs:ann", "theirs", &crypto);
    let mut response = asked[..20].to_vec();
    response[..4].copy_from_slice(&[1, 1, 0, 0]);
    let mut other = response.clone();
    other[19] ^= 1;
    assert_eq!(port.datagram(1, &response, 0), Err(Stray::Unknown));

    port.routes.ask(ann, client(1), &asked);

    assert_eq!(port.datagram(1, &other, 0), Err(Stray::Unknown));
    assert_eq!(port.datagram(2, &response, 0), Err(Stray::Unknown));
    assert_eq!(port.datagram(1, &response, 0), Ok("ann"));
    assert_eq!(port.datagram(1, RTP, 1), Ok("ann"));
}

#[test]
fn what_was_asked_is_bounded_and_forgotten_with_the_connection() {
    let mut port = Port::new();
    let ann = port.open("ann");
    let crypto = Arc::clone(&port.routes.crypto);
    let asked = request("theirs:ann", "theirs", &crypto);

    for to in 1..=200 {
        port.routes.ask(ann, client(to), &asked);
        port.routes.ask(ann, client(to), RTP);
    }

    assert_eq!(port.routes.asked.len(), MAX_ASKED);
    port.routes.close(ann);
    assert!(port.routes.asked.is_empty());
}

#[test]
fn a_request_with_a_wrong_password_introduces_nobody() {
    let mut port = Port::new();
    port.open("ann");

    let forged = request("ann:client", "guess", &port.routes.crypto);

    assert_eq!(port.datagram(1, &forged, 0), Err(Stray::Forged));
    assert_eq!(port.datagram(1, RTP, 0), Err(Stray::Unknown));
    assert!(port.routes.sources.is_empty());
}

#[test]
fn a_client_that_changes_its_address_introduces_itself_again() {
    let mut port = Port::new();
    port.open("ann");
    port.request(1, "ann", 0).unwrap();

    assert_eq!(port.datagram(2, RTP, 10), Err(Stray::Unknown));
    assert_eq!(port.request(2, "ann", 20), Ok("ann"));
    assert_eq!(port.datagram(2, RTP, 30), Ok("ann"));
    assert_eq!(
        port.datagram(1, RTP, 40),
        Ok("ann"),
        "both, until ICE has decided"
    );
}

#[test]
fn a_restart_is_reached_by_old_and_new_credentials_and_the_next_ends_the_old() {
    let mut port = Port::new();
    let ann = port.open("ann");

    port.admit(ann, "ann2");
    assert_eq!(port.request(1, "ann", 0), Ok("ann"));
    assert_eq!(port.request(2, "ann2", 0), Ok("ann"));

    port.admit(ann, "ann3");
    assert_eq!(port.request(3, "ann", 0), Err(Stray::Unknown));
    assert_eq!(port.request(3, "ann3", 0), Ok("ann"));
    assert_eq!(port.routes.ufrags.len(), MAX_CREDENTIALS);
}

#[test]
fn the_same_credentials_twice_are_one_generation() {
    let mut port = Port::new();
    let ann = port.open("ann");
    port.admit(ann, "ann2");

    port.admit(ann, "ann2");

    assert_eq!(port.request(1, "ann", 0), Ok("ann"));
}

#[test]
fn nothing_is_left_of_a_closed_connection() {
    let mut port = Port::new();
    let ann = port.open("ann");
    port.request(1, "ann", 0).unwrap();

    port.routes.close(ann);

    assert_eq!(port.datagram(1, RTP, 1), Err(Stray::Unknown));
    assert_eq!(port.request(1, "ann", 1), Err(Stray::Unknown));
    assert!(port.routes.lanes.is_empty());
    assert!(port.routes.sources.is_empty());
    assert!(port.routes.ufrags.is_empty());
}

#[test]
fn a_source_in_use_is_not_taken_away_but_a_silent_one_is() {
    let mut port = Port::new();
    port.open("ann");
    port.open("eve");
    port.request(1, "ann", 0).unwrap();
    port.datagram(1, RTP, 1_000).unwrap();

    assert_eq!(port.request(1, "eve", 2_999), Err(Stray::Taken));
    assert_eq!(port.datagram(1, RTP, 2_999), Ok("ann"));

    assert_eq!(port.request(1, "eve", 4_999), Ok("eve"));
    assert_eq!(port.datagram(1, RTP, 5_000), Ok("eve"));
}

#[test]
fn closing_who_lost_a_source_leaves_it_to_who_has_it() {
    let mut port = Port::new();
    let ann = port.open("ann");
    port.open("eve");
    port.request(1, "ann", 0).unwrap();
    port.request(1, "eve", 9_000).unwrap();

    port.routes.close(ann);

    assert_eq!(port.datagram(1, RTP, 9_001), Ok("eve"));
}

#[test]
fn one_connection_has_a_bounded_number_of_sources_and_the_oldest_go() {
    let mut port = Port::new();
    port.open("ann");

    for from in 0..100 {
        port.request(from, "ann", u64::from(from)).unwrap();
    }

    assert_eq!(port.routes.sources.len(), MAX_SOURCES);
    assert_eq!(port.datagram(83, RTP, 100), Err(Stray::Unknown));
    assert_eq!(port.datagram(84, RTP, 100), Ok("ann"));
}

#[test]
fn garbage_is_for_nobody_even_from_a_known_source() {
    let mut port = Port::new();
    port.open("ann");
    port.request(1, "ann", 0).unwrap();

    assert_eq!(port.datagram(1, b"hello", 1), Err(Stray::Garbage));
    assert_eq!(port.datagram(1, &[], 1), Err(Stray::Garbage));
}

/// What may happen on a port, in any order.
#[derive(Clone, Debug)]
enum Event {
    Open,
    Close(usize),
    Admit(usize, u8),
    Request { from: u16, ufrag: u8 },
    Datagram { from: u16, bytes: Vec<u8> },
    Wait,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Open),
        (0..4_usize).prop_map(Event::Close),
        (0..4_usize, 0..8_u8).prop_map(|(lane, ufrag)| Event::Admit(lane, ufrag)),
        (0..40_u16, 0..8_u8).prop_map(|(from, ufrag)| Event::Request { from, ufrag }),
        (0..40_u16, vec(any::<u8>(), 0..64))
            .prop_map(|(from, bytes)| Event::Datagram { from, bytes }),
        Just(Event::Wait),
    ]
}

proptest! {
    #[test]
    fn tables_agree_and_stay_bounded_whatever_happens(events in vec(event(), 0..200)) {
        let mut port = Port::new();
        let mut lanes = Vec::new();
        let mut at_ms = 0;
        for event in events {
            match event {
                Event::Open => lanes.push(port.routes.open("somebody")),
                Event::Close(n) if n < lanes.len() => port.routes.close(lanes.remove(n)),
                Event::Admit(n, ufrag) if n < lanes.len() => {
                    port.admit(lanes[n], &ufrag.to_string());
                }
                Event::Request { from, ufrag } => {
                    let _ = port.request(from, &ufrag.to_string(), at_ms);
                }
                Event::Datagram { from, bytes } => {
                    let _ = port.datagram(from, &bytes, at_ms);
                }
                Event::Wait => at_ms += 2_000,
                Event::Close(_) | Event::Admit(..) => {}
            }

            let Routes { lanes: open, sources, ufrags, .. } = &port.routes;
            prop_assert_eq!(open.len(), lanes.len());
            for (id, lane) in open {
                prop_assert!(lane.sources.len() <= MAX_SOURCES);
                prop_assert!(lane.credentials.len() <= MAX_CREDENTIALS);
                prop_assert!(lane.sources.iter().all(|it| sources[it].lane == *id));
                prop_assert!(lane.credentials.iter().all(|it| ufrags[&it.ufrag] == *id));
            }
            let known: usize = open.values().map(|lane| lane.sources.len()).sum();
            prop_assert_eq!(known, sources.len());
            let named: usize = open.values().map(|lane| lane.credentials.len()).sum();
            prop_assert_eq!(named, ufrags.len());
        }
    }
}
