use proptest::prelude::*;

use super::*;

const WINDOW: Duration = Duration::from_millis(150);

/// Where wrapping counters go wrong.
const STARTS: [u16; 6] = [0, 1, 32_767, 32_768, 65_534, 65_535];

/// `K` and `d` begin a keyframe and a delta frame, `r` goes on, `p` is padding; `.` is the marker.
/// The payload is the packet's place in the sequence.
fn fragment(start: u16, (place, arrival_ms, time, what): (i32, u64, u32, &str)) -> Fragment {
    let wire = (i32::from(start) + place).rem_euclid(1 << 16);
    let bytes = Bytes::from(format!("{place}"));
    Fragment {
        seq: SeqNo(u16::try_from(wire).unwrap()),
        timestamp: RtpTimestamp(u32::from(start).wrapping_add(time * 3_000)),
        marker: if what.ends_with('.') {
            Marker::Last
        } else {
            Marker::NotLast
        },
        arrival: RoomTime::from_ms(arrival_ms),
        orientation: None,
        part: match what.as_bytes()[0] {
            b'K' => Part::Head(FrameKind::Key, bytes),
            b'd' => Part::Head(FrameKind::Delta, bytes),
            b'r' => Part::Rest(bytes),
            _ => Part::Padding,
        },
    }
}

/// Everything that can be taken, as `K012 d3`.
fn take_all(assembly: &mut Assembly, now_ms: u64, counters: &mut PacketCounters) -> String {
    let mut taken = Vec::new();
    let mut frame = Vec::new();
    while let Some(Taken { kind, .. }) =
        assembly.take(RoomTime::from_ms(now_ms), &mut frame, counters)
    {
        let kind = if kind == FrameKind::Key { 'K' } else { 'd' };
        taken.push(format!("{kind}{}", String::from_utf8_lossy(&frame)));
    }
    taken.join(" ")
}

/// A packet `(place, arrival_ms, frame, what)` and what can be taken right after it.
type Row = ((i32, u64, u32, &'static str), &'static str);

fn check(rows: &[Row], expected: PacketCounters) {
    for start in STARTS {
        let mut assembly = Assembly::new(WINDOW);
        let mut counters = PacketCounters::default();
        for (packet, taken) in rows {
            assembly.push(fragment(start, *packet), &mut counters);
            assert_eq!(
                take_all(&mut assembly, packet.1, &mut counters),
                *taken,
                "after {packet:?} from {start}"
            );
        }
        assert_eq!(counters, expected, "from {start}");
    }
}

#[test]
fn packets_in_order_give_each_frame_with_its_last_packet() {
    check(
        &[
            ((0, 0, 0, "K"), ""),
            ((1, 1, 0, "r"), ""),
            ((2, 2, 0, "r."), "K012"),
            ((3, 33, 1, "d."), "d3"),
            ((4, 66, 2, "d"), ""),
            ((5, 67, 2, "r."), "d45"),
        ],
        PacketCounters::default(),
    );
}

#[test]
fn packets_out_of_order_wait_for_the_ones_before() {
    check(
        &[
            ((2, 0, 0, "r."), ""),
            ((1, 1, 0, "r"), ""),
            ((0, 2, 0, "K"), "K012"),
            ((4, 33, 2, "d."), ""),
            ((5, 34, 3, "d."), ""),
            ((3, 35, 1, "d."), "d3 d4 d5"),
        ],
        PacketCounters::default(),
    );
}

#[test]
fn a_retransmission_within_the_window_fills_the_gap() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((2, 33, 2, "d."), ""),
            ((3, 66, 3, "d."), ""),
            ((1, 182, 1, "d."), "d1 d2 d3"),
        ],
        PacketCounters::default(),
    );
}

#[test]
fn a_gap_past_its_window_ends_everything_until_the_next_keyframe() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((2, 33, 2, "d."), ""),
            ((3, 182, 3, "d."), ""),
            ((4, 183, 4, "d."), ""),
            ((5, 200, 5, "d."), ""),
            ((6, 216, 6, "K"), ""),
            ((7, 217, 6, "r."), "K67"),
            ((8, 250, 7, "d."), "d8"),
        ],
        PacketCounters {
            lost: 1,
            dropped: 4,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn a_complete_keyframe_beyond_a_gap_ends_the_waiting() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((2, 33, 2, "d."), ""),
            ((3, 66, 3, "K."), "K3"),
            ((1, 70, 1, "d."), ""),
        ],
        PacketCounters {
            lost: 1,
            late: 1,
            dropped: 1,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn nothing_is_given_out_before_the_first_keyframe() {
    check(
        &[
            ((0, 0, 0, "r."), ""),
            ((1, 33, 1, "d."), ""),
            ((2, 66, 2, "K."), "K2"),
        ],
        PacketCounters {
            dropped: 2,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn a_keyframe_sent_slower_than_the_window_is_not_given_up() {
    check(
        &[
            ((0, 0, 0, "K"), ""),
            ((1, 200, 0, "r"), ""),
            ((2, 400, 0, "r"), ""),
            ((3, 600, 0, "r."), "K0123"),
        ],
        PacketCounters::default(),
    );
}

#[test]
fn duplicates_and_stragglers_are_told_apart_from_news() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((0, 1, 0, "K."), ""),
            ((2, 2, 2, "d."), ""),
            ((2, 3, 2, "d."), ""),
            ((1, 4, 1, "d."), "d1 d2"),
        ],
        PacketCounters {
            late: 1,
            duplicate: 1,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn padding_is_passed_over_wherever_it_is() {
    check(
        &[
            ((0, 0, 0, "p"), ""),
            ((1, 1, 1, "K"), ""),
            ((2, 2, 1, "p"), ""),
            ((3, 3, 1, "r."), "K13"),
            ((4, 4, 1, "p"), ""),
            ((5, 5, 1, "p"), ""),
            ((6, 6, 2, "d."), "d6"),
        ],
        PacketCounters {
            dropped: 1,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn a_sender_without_marker_bits_is_understood_one_frame_later() {
    check(
        &[
            ((0, 0, 0, "K"), ""),
            ((1, 1, 0, "r"), ""),
            ((2, 33, 1, "d"), "K01"),
            ((3, 66, 2, "d"), "d2"),
        ],
        PacketCounters::default(),
    );
}

#[test]
fn a_frame_whose_packets_contradict_each_other_ends_the_chain() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((1, 33, 1, "d"), ""),
            ((2, 34, 2, "r."), ""),
            ((3, 66, 3, "d."), ""),
            ((4, 99, 4, "K."), "K4"),
        ],
        PacketCounters {
            dropped: 3,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn a_sender_that_begins_anew_is_followed_from_its_second_packet() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((1, 33, 1, "d."), "d1"),
            // Far ahead.
            ((20_000, 66, 90_000, "K"), ""),
            ((20_001, 67, 90_000, "r."), "K2000020001"),
            ((20_002, 99, 90_001, "d."), "d20002"),
            // A little behind: the media time tells.
            ((19_900, 120, 500_000, "K"), ""),
            ((19_901, 121, 500_000, "r."), "K1990019901"),
        ],
        PacketCounters::default(),
    );
}

#[test]
fn one_stray_packet_changes_nothing() {
    check(
        &[
            ((0, 0, 0, "K."), "K0"),
            ((30_000, 1, 7, "K."), ""),
            ((1, 33, 1, "d."), "d1"),
            ((-10_000, 40, 7, "K."), ""),
            ((2, 66, 2, "d."), "d2"),
        ],
        PacketCounters {
            dropped: 1,
            ..PacketCounters::default()
        },
    );
}

#[test]
fn a_keyframe_is_needed_only_while_none_is_on_its_way() {
    let mut assembly = Assembly::new(WINDOW);
    let mut counters = PacketCounters::default();
    assert!(!assembly.needs_keyframe());

    assembly.push(fragment(0, (0, 0, 0, "d.")), &mut counters);
    assert!(assembly.needs_keyframe());

    assembly.push(fragment(0, (1, 33, 1, "K")), &mut counters);
    assert!(!assembly.needs_keyframe());

    assembly.push(fragment(0, (2, 34, 1, "r.")), &mut counters);
    assert_eq!(take_all(&mut assembly, 34, &mut counters), "K12");
    assert!(!assembly.needs_keyframe());

    assembly.break_chain();
    assert!(assembly.needs_keyframe());
}

#[test]
fn a_keyframe_with_a_hole_is_waited_for_and_then_given_up() {
    let mut assembly = Assembly::new(WINDOW);
    let mut counters = PacketCounters::default();

    for packet in [(0, 0, 0, "K"), (2, 10, 0, "r.")] {
        assembly.push(fragment(0, packet), &mut counters);
    }
    take_all(&mut assembly, 159, &mut counters);
    assert!(!assembly.needs_keyframe());

    take_all(&mut assembly, 160, &mut counters);
    assert!(assembly.needs_keyframe());
    assert_eq!((counters.lost, counters.dropped), (1, 2));
}

#[test]
fn more_packets_than_the_bound_are_all_dropped() {
    let mut assembly = Assembly::new(WINDOW);
    let mut counters = PacketCounters::default();

    assembly.push(fragment(0, (0, 0, 0, "K")), &mut counters);
    for place in 1..=i32::try_from(MAX_PACKETS).unwrap() {
        assembly.push(fragment(0, (place, 0, 0, "r")), &mut counters);
    }

    assert_eq!(counters.dropped, MAX_PACKETS as u64 + 1);
    assert_eq!((assembly.held.len(), assembly.held_bytes), (0, 0));
    assert!(assembly.needs_keyframe());
}

#[test]
fn more_bytes_than_the_bound_are_all_dropped() {
    let mut assembly = Assembly::new(WINDOW);
    let mut counters = PacketCounters::default();

    for place in 0..3 {
        let mut large = fragment(0, (place, 0, 0, "r"));
        large.part = Part::Rest(Bytes::from(vec![0; MAX_BYTES / 3 + 1]));
        assembly.push(large, &mut counters);
    }

    assert_eq!(counters.dropped, 3);
    assert_eq!(assembly.held_bytes, 0);
}

fn any_packet() -> impl Strategy<Value = (i32, u64, u32, &'static str)> {
    let place = prop_oneof![8 => -20i32..200, 1 => -40_000i32..40_000];
    let what = prop::sample::select(vec!["K", "K.", "d", "d.", "r", "r.", "p", "p."]);
    (place, 0u64..50, 0u32..8, what)
}

proptest! {
    #[test]
    fn no_packets_in_any_order_panic_or_break_the_bounds_or_the_count(
        start: u16,
        packets in prop::collection::vec(any_packet(), 0..400),
    ) {
        let mut assembly = Assembly::new(WINDOW);
        let mut counters = PacketCounters::default();
        let mut now_ms = 0;
        let mut frame = Vec::new();
        let mut given_out = 0;

        for (place, later_ms, time, what) in packets {
            now_ms += later_ms;
            assembly.push(fragment(start, (place, now_ms, time, what)), &mut counters);
            while assembly.take(RoomTime::from_ms(now_ms), &mut frame, &mut counters).is_some() {
                given_out += 1;
                prop_assert!(!frame.is_empty());
            }

            let bytes: usize = assembly.held.values().map(|held| held.part.bytes().len()).sum();
            prop_assert_eq!(bytes, assembly.held_bytes);
            prop_assert!(assembly.held.len() <= MAX_PACKETS);
        }
        prop_assert!(given_out <= 400);
    }

    #[test]
    fn shuffled_within_the_window_is_as_good_as_in_order(
        start: u16,
        sizes in prop::collection::vec(1usize..6, 1..30),
        swaps in prop::collection::vec((0usize..100, 0usize..100), 0..60),
    ) {
        let mut packets = Vec::new();
        for (time, size) in sizes.iter().enumerate() {
            for part in 0..*size {
                let head = if time == 0 { "K" } else { "d" };
                let what = match (part == 0, part + 1 == *size) {
                    (true, true) => format!("{head}."),
                    (true, false) => head.to_owned(),
                    (false, true) => "r.".to_owned(),
                    (false, false) => "r".to_owned(),
                };
                packets.push((i32::try_from(packets.len()).unwrap(), u32::try_from(time).unwrap(), what));
            }
        }
        let in_order = packets.clone();
        for (a, b) in swaps {
            let count = packets.len();
            packets.swap(a % count, b % count);
        }

        let [straight, shuffled] = [in_order, packets].map(|packets| {
            let mut assembly = Assembly::new(WINDOW);
            let mut counters = PacketCounters::default();
            let taken: Vec<String> = packets
                .iter()
                .map(|(place, time, what)| {
                    assembly.push(fragment(start, (*place, 100, *time, what)), &mut counters);
                    take_all(&mut assembly, 100, &mut counters)
                })
                .filter(|taken| !taken.is_empty())
                .collect();
            (taken.join(" "), counters)
        });

        prop_assert_eq!(straight, shuffled);
    }
}
