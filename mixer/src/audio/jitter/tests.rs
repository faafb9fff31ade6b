//! The jitter buffer in tables: a row per packet, a letter per 20 ms of playout.

use std::time::Duration;

use bytes::Bytes;
use codecs::rtp::{RtpTimestamp, SeqNo};
use proptest::prelude::*;

use super::*;

/// Wrapping counters begin at each of these in every table.
const STARTS: [u16; 6] = [0, 1, 32_767, 32_768, 65_534, 65_535];

const TICK: i64 = TICK_SAMPLES as i64;

/// A packet of 20 ms: its sequence number, its media time in packets, its arrival in ms.
type Row = (i64, i64, u64);

#[test]
fn a_regular_stream_plays_from_the_first_tick_after_the_target_delay() {
    let rows = [(0, 0, 5), (1, 1, 25), (2, 2, 45), (3, 3, 65)];

    let (played, counters) = tables(&rows, 7);

    assert_eq!(played, "- - - 0 1 2 3");
    assert_eq!(counters, AudioCounters::default());
}

#[test]
fn a_packet_waits_exactly_the_target_delay() {
    let (played, _) = tables(&[(0, 0, 20)], 4);

    assert_eq!(played, "- - - 0");
}

#[test]
fn packets_out_of_order_play_in_order() {
    let rows = [(1, 1, 0), (0, 0, 1), (3, 3, 50), (2, 2, 55), (4, 4, 80)];

    let (played, counters) = tables(&rows, 7);

    // The fastest is the packet that came 20 ms early.
    assert_eq!(played, "- 0 1 2 3 4 ~");
    assert_eq!(counters, AudioCounters::default());
}

#[test]
fn a_packet_that_comes_again_is_counted_and_not_played_again() {
    let rows = [(0, 0, 0), (0, 0, 1), (1, 1, 20), (0, 0, 50), (1, 1, 70)];

    let (played, counters) = tables(&rows, 5);

    assert_eq!(played, "- - 0 1 ~");
    assert_eq!(counters.duplicate, 3);
    assert_eq!(counters.lost + counters.late, 0);
}

#[test]
fn a_lost_packet_is_recovered_from_the_next() {
    let rows = [(0, 0, 0), (2, 2, 40), (3, 3, 60)];

    let (played, counters) = tables(&rows, 6);

    assert_eq!(played, "- - 0 ^ 2 3");
    assert_eq!(counters.lost, 1);
}

#[test]
fn of_two_lost_packets_the_first_is_concealed_and_the_second_recovered() {
    let rows = [(0, 0, 0), (3, 3, 55), (4, 4, 80)];

    let (played, counters) = tables(&rows, 7);

    assert_eq!(played, "- - 0 ~ ^ 3 4");
    assert_eq!(counters.lost, 2);
}

#[test]
fn a_packet_behind_a_concealed_one_still_plays_if_it_comes_in_time() {
    let rows = [(0, 0, 0), (3, 3, 55), (2, 2, 75), (4, 4, 80)];

    let (played, counters) = tables(&rows, 7);

    assert_eq!(played, "- - 0 ~ 2 3 4");
    assert_eq!(counters.lost, 1);
}

#[test]
fn a_packet_that_comes_after_its_recovery_is_late_and_no_longer_lost() {
    let rows = [(0, 0, 0), (2, 2, 40), (1, 1, 65), (3, 3, 70)];

    let (played, counters) = tables(&rows, 6);

    assert_eq!(played, "- - 0 ^ 2 3");
    assert_eq!((counters.late, counters.lost), (1, 0));
}

#[test]
fn a_packet_from_before_the_first_is_late_and_was_never_lost() {
    let rows = [(0, 0, 0), (-1, -1, 41), (2, 2, 42)];

    let (played, counters) = tables(&rows, 5);

    assert_eq!(played, "- - 0 ^ 2");
    assert_eq!((counters.late, counters.lost), (1, 1));
}

#[test]
fn a_gap_in_time_alone_is_silence_and_not_loss() {
    let rows = [(0, 0, 0), (1, 3, 40), (2, 4, 60)];

    let (played, counters) = tables(&rows, 7);

    assert_eq!(played, "- - 0 _ _ 1 2");
    assert_eq!(counters, AudioCounters::default());
}

#[test]
fn of_a_gap_longer_than_the_loss_the_rest_is_silence() {
    let rows = [(0, 0, 0), (2, 4, 40), (3, 5, 60)];

    let (played, counters) = tables(&rows, 8);

    assert_eq!(played, "- - 0 _ _ ^ 2 3");
    assert_eq!(counters.lost, 1);
}

#[test]
fn after_a_pause_a_new_spurt_waits_for_the_target_delay() {
    let rows = [(0, 0, 0), (1, 20, 400), (2, 21, 420)];

    let (played, counters) = tables(&rows, 24);

    assert_eq!(played, "- - 0 ~ ~ ~ ~ ~ - - - - - - - - - - - - - - 1 2");
    assert_eq!(counters, AudioCounters::default());
}

#[test]
fn one_late_packet_with_its_successor_in_time_is_left_out() {
    let rows = [(0, 0, 0), (1, 1, 65), (2, 2, 70), (3, 3, 90)];

    let (played, counters) = tables(&rows, 6);

    assert_eq!(played, "- - 0 ~ 2 3");
    assert_eq!((counters.late, counters.lost), (1, 0));
}

#[test]
fn a_stream_that_has_become_later_goes_on_with_more_delay_and_no_loss() {
    let rows = [(0, 0, 0), (1, 1, 81), (2, 2, 101), (3, 3, 121)];

    let (played, counters) = tables(&rows, 9);

    assert_eq!(played, "- - 0 ~ ~ 1 2 3 ~");
    assert_eq!(counters, AudioCounters::default());
}

#[test]
fn a_burst_beyond_the_maximum_delay_is_cut_to_the_maximum() {
    let rows: Vec<Row> = (0..12).map(|at| (at, at, 0)).collect();

    let (played, counters) = tables(&rows, 6);

    // Twelve packets of which the newest begins 220 ms after the first, and may have come up to a
    // tick ago: the ones that begin more than 180 ms before it go.
    assert_eq!(played, "2 3 4 5 6 7");
    assert_eq!(counters.dropped, 2);
    assert_eq!(counters.lost, 0);
}

#[test]
fn a_burst_within_the_maximum_delay_plays_whole() {
    let rows: Vec<Row> = (0..9).map(|at| (at, at, 0)).collect();

    let (played, counters) = tables(&rows, 11);

    assert_eq!(played, "0 1 2 3 4 5 6 7 8 ~ ~");
    assert_eq!(counters.dropped, 0);
}

#[test]
fn after_a_stall_the_backlog_plays_up_to_the_maximum() {
    let regular = (0..5).map(|at| (at, at, at as u64 * 20));
    let stalled = (5..20).map(|at| (at, at, 400));
    let again = (20..25).map(|at| (at, at, at as u64 * 20));
    let rows: Vec<Row> = regular.chain(stalled).chain(again).collect();

    let (played, counters) = tables(&rows, 27);

    assert_eq!(
        played,
        "- - 0 1 2 3 4 ~ ~ ~ ~ ~ - - - - - - - - 11 12 13 14 15 16 17"
    );
    assert_eq!((counters.dropped, counters.lost), (6, 0));
}

#[test]
fn a_jump_far_ahead_in_time_becomes_a_pause_of_the_target_delay() {
    let rows = [(0, 0, 0), (1, 500_000, 20), (2, 500_001, 40)];

    let (played, counters) = tables(&rows, 6);

    // The packet at 20 ms plays 40 ms later, as any first packet would.
    assert_eq!(played, "- 0 _ 1 2 ~");
    assert_eq!(counters.lost, 0);
}

#[test]
fn a_single_wild_packet_changes_nothing() {
    for (seq, time) in [(20_000, 1), (1, -5_000), (-20_000, 1), (-3, 77)] {
        let rows = [(0, 0, 0), (seq, time, 10), (1, 1, 20), (2, 2, 40)];

        let (played, counters) = tables(&rows, 5);

        assert_eq!(played, "- - 0 1 2", "{seq} {time}");
        assert_eq!(counters.dropped, 1, "{seq} {time}");
    }
}

#[test]
fn a_sender_that_starts_over_is_heard_from_its_second_packet_on() {
    for (seq, time) in [(20_000, -40), (-20_000, 123_456), (-20_000, -2_000_000)] {
        let rows = [
            (0, 0, 0),
            (1, 1, 20),
            (seq, time, 40),
            (seq + 1, time + 1, 60),
            (seq + 2, time + 2, 80),
        ];

        let (played, counters) = tables(&rows, 7);

        assert_eq!(
            played,
            format!("- - 0 - - {} {}", seq + 1, seq + 2),
            "{seq} {time}"
        );
        assert_eq!((counters.dropped, counters.lost), (2, 0));
    }
}

#[test]
fn beyond_the_capacity_the_oldest_go_first() {
    // Packets of 2.5 ms, so that the capacity and not the delay decides.
    let mut run = Run::new(AudioConfig {
        jitter_maximum: Duration::from_secs(1),
        ..fixed()
    });

    for seq in 0..200 {
        run.insert(seq, seq * 120, 0);
    }

    assert_eq!(run.counters.dropped, 200 - order::CAPACITY as u64);
    assert_eq!(run.jitter.order.len(), order::CAPACITY);
    assert_eq!(run.piece(1_000), "72");
}

#[test]
fn packets_of_every_length_play_without_a_gap() {
    for samples in [120i64, 240, 480, 960, 1_920, 2_880, 5_760] {
        let mut run = Run::new(fixed());
        run.packet_samples = samples;
        let mut arrived = 0;
        let mut pieces = Vec::new();

        for now_ms in (0..2_000).step_by(20) {
            while arrived * samples <= now_ms * 48 {
                run.insert(arrived, arrived * samples, (arrived * samples / 48) as u64);
                arrived += 1;
            }
            run.tick_into(now_ms as u64, &mut pieces);
        }

        let played: Vec<_> = pieces
            .iter()
            .filter(|piece| *piece != "-")
            .cloned()
            .collect();
        let in_order: Vec<_> = (0..played.len()).map(|at| at.to_string()).collect();
        assert_eq!(played, in_order, "{samples}");
        assert_eq!(run.counters, AudioCounters::default(), "{samples}");
    }
}

#[derive(Clone, Debug)]
enum Operation {
    Insert {
        seq: u16,
        timestamp: u32,
        arrival_ms: u64,
    },
    Follow {
        seq_step: u16,
        time_step: u32,
    },
    Tick {
        after_ms: u64,
        decoded: usize,
    },
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => (any::<u16>(), any::<u32>(), any::<u64>()).prop_map(
            |(seq, timestamp, arrival_ms)| Operation::Insert { seq, timestamp, arrival_ms: arrival_ms >> 20 }
        ),
        8 => (0u16..4, prop_oneof![Just(960u32), 0..6_000u32]).prop_map(
            |(seq_step, time_step)| Operation::Follow { seq_step, time_step }
        ),
        6 => (0u64..60, prop_oneof![Just(960usize), 1usize..6_000])
            .prop_map(|(after_ms, decoded)| Operation::Tick { after_ms, decoded }),
    ]
}

proptest! {
    #[test]
    fn jitter_within_the_target_is_never_heard(
        jitter_ms in prop::collection::vec(0..=40u64, 100),
        base_ms in 0..100u64,
    ) {
        let mut rows: Vec<Row> = (0..)
            .zip(&jitter_ms)
            .map(|(seq, jitter_ms)| (seq, seq, base_ms + seq as u64 * 20 + jitter_ms))
            .collect();
        rows.sort_by_key(|row| row.2);

        let (played, counters) = table(&rows, 80, 0);

        let heard: Vec<_> = played.split(' ').skip_while(|piece| *piece == "-").collect();
        // The first packet may have been overtaken by others and be late when it comes.
        let first: i64 = heard[0].parse().expect("begins with a packet");
        let in_order: Vec<_> = (first..).take(heard.len()).map(|seq| seq.to_string()).collect();
        prop_assert_eq!(heard, in_order);
        prop_assert!(first <= 2);
        prop_assert_eq!(counters.lost, 0);
    }

    #[test]
    fn whatever_comes_every_tick_ends_and_every_packet_is_accounted_for(
        operations in prop::collection::vec(operation(), 1..400)
    ) {
        let mut run = Run::new(fixed());
        let (mut seq, mut timestamp, mut now_ms) = (0u16, 0u32, 0);
        let (mut inserted, mut given) = (0u64, 0u64);

        for operation in operations {
            match operation {
                Operation::Insert { seq: s, timestamp: t, arrival_ms } => {
                    (seq, timestamp) = (s, t);
                    run.insert_wire(seq, timestamp, arrival_ms);
                    inserted += 1;
                }
                Operation::Follow { seq_step, time_step } => {
                    seq = seq.wrapping_add(seq_step);
                    timestamp = timestamp.wrapping_add(time_step);
                    run.insert_wire(seq, timestamp, now_ms);
                    inserted += 1;
                }
                Operation::Tick { after_ms, decoded } => {
                    now_ms += after_ms;
                    run.packet_samples = decoded as i64;
                    let mut pieces = Vec::new();
                    run.tick_into(now_ms, &mut pieces);
                    prop_assert!(pieces.len() <= 960);
                    given += pieces.iter().filter(|piece| piece.parse::<i64>().is_ok()).count() as u64;
                }
            }
            prop_assert!(run.jitter.order.len() <= order::CAPACITY);
        }

        let counters = run.counters;
        let waiting = run.jitter.order.len() as u64;
        prop_assert_eq!(
            inserted,
            given + waiting + counters.late + counters.duplicate + counters.dropped
        );
    }
}

/// The tables are about order and time: a target that no row moves, and a maximum within reach.
fn fixed() -> AudioConfig {
    AudioConfig {
        jitter_minimum: Duration::from_millis(40),
        jitter_maximum: Duration::from_millis(200),
        ..AudioConfig::default()
    }
}

/// Plays `rows` for `ticks` ticks from every start of the counters, and wants the same each time.
fn tables(rows: &[Row], ticks: u64) -> (String, AudioCounters) {
    let outcomes = STARTS.map(|start| table(rows, ticks, start));
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0]);
    }
    outcomes[0].clone()
}

fn table(rows: &[Row], ticks: u64, start: u16) -> (String, AudioCounters) {
    let mut run = Run::new(fixed());
    run.start = start;
    let mut rows = rows.iter().peekable();
    let mut played = Vec::new();
    for now_ms in (0..ticks).map(|tick| tick * 20) {
        while let Some(&(seq, time, arrival_ms)) = rows.next_if(|row| row.2 <= now_ms) {
            run.insert(seq, time * TICK, arrival_ms);
        }
        run.tick_into(now_ms, &mut played);
    }
    (played.join(" "), run.counters)
}

/// A jitter buffer whose packets carry the number they were inserted with.
struct Run {
    jitter: JitterBuffer,
    counters: AudioCounters,
    start: u16,
    packet_samples: i64,
    /// Samples played beyond the tick.
    ahead: i64,
}

impl Run {
    fn new(config: AudioConfig) -> Self {
        Self {
            jitter: JitterBuffer::new(&config),
            counters: AudioCounters::default(),
            start: 0,
            packet_samples: TICK,
            ahead: 0,
        }
    }

    /// Inserts a packet with the counters `seq` and `timestamp` after the start.
    fn insert(&mut self, seq: i64, timestamp: i64, arrival_ms: u64) {
        let wire_seq = (seq + i64::from(self.start)).rem_euclid(1 << 16) as u16;
        let wire_timestamp = (timestamp + (i64::from(self.start) << 16)).rem_euclid(1 << 32) as u32;
        self.insert_as(seq, wire_seq, wire_timestamp, arrival_ms);
    }

    fn insert_wire(&mut self, seq: u16, timestamp: u32, arrival_ms: u64) {
        self.insert_as(i64::from(seq), seq, timestamp, arrival_ms);
    }

    fn insert_as(&mut self, number: i64, seq: u16, timestamp: u32, arrival_ms: u64) {
        let packet = AudioPacket {
            seq: SeqNo(seq),
            timestamp: RtpTimestamp(timestamp),
            arrival: RoomTime::from_ms(arrival_ms),
            payload: Bytes::from(number.to_string()),
        };
        self.jitter.insert(packet, &mut self.counters);
    }

    /// Plays one tick; adds its pieces: a packet's number, `^` recovered, `~` concealed, `_`
    /// silence, `-` nothing.
    fn tick_into(&mut self, now_ms: u64, pieces: &mut Vec<String>) {
        while self.ahead < TICK {
            pieces.push(self.piece(now_ms));
        }
        self.ahead -= TICK;
    }

    fn piece(&mut self, now_ms: u64) -> String {
        let now = RoomTime::from_ms(now_ms);
        let ahead = self.ahead as usize;
        let (piece, samples) = match self.jitter.take(now, ahead, &mut self.counters) {
            Due::Packet(payload) => {
                let name = String::from_utf8_lossy(&payload).into_owned();
                self.jitter
                    .played(self.packet_samples as usize, Copies::Carried);
                (name, self.packet_samples)
            }
            Due::Recover { samples, .. } => ("^".to_owned(), samples as i64),
            Due::Conceal { samples } => ("~".to_owned(), samples as i64),
            Due::Silence { samples } => ("_".to_owned(), samples as i64),
            Due::Nothing => ("-".to_owned(), TICK - self.ahead),
        };
        assert!(samples > 0, "{piece} makes no progress");
        self.ahead += samples;
        piece
    }
}
