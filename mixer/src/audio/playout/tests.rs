//! From packets to ticks, with a codec that copies.

use bytes::Bytes;
use codecs::audio::Channels;
use codecs::rtp::{RtpTimestamp, SeqNo};

use super::*;
use crate::audio::fake::{CONCEALED, PcmDecoder, RECOVERED, packet};

#[test]
fn samples_come_out_as_they_were_sent_whatever_the_length_of_the_packets() {
    for samples in [120, 480, 960, 1_440, 2_880, 5_760] {
        let mut track = Track::new(Channels::Stereo);
        let sent: Vec<i16> = (0..23_040).map(|at| 1 + (at % 30_011) as i16).collect();
        let mut packets = sent.chunks(2 * samples).enumerate().peekable();
        let mut played = Vec::new();

        for now_ms in (0..160).step_by(20) {
            while let Some((seq, pcm)) = packets.next_if(|(seq, _)| seq * samples / 48 <= now_ms) {
                track.send_at(seq, seq * samples, now_ms as u64, packet(pcm));
            }
            played.extend(track.tick(now_ms as u64));
        }

        // The first waited for the target delay of 40 ms, short ones until they fill a tick.
        let silent = played.iter().take_while(|&&sample| sample == 0).count();
        let expected = if samples < 960 || samples == 1_440 {
            3
        } else {
            2
        };
        assert_eq!(silent, expected * 1_920, "{samples}");
        assert!(
            played[silent..] == sent[..played.len() - silent],
            "{samples}"
        );
    }
}

#[test]
fn a_lost_packet_is_taken_from_the_next_and_no_other_sample_changes() {
    let mut track = Track::new(Channels::Mono);
    for (seq, value) in [(0, 10), (2, 12), (3, 13)] {
        track.send(seq, seq as u64 * 20, packet(&[value; 960]));
    }

    let played: Vec<i16> = (2..6).flat_map(|tick| track.tick(tick * 20)).collect();

    let expected = [10, RECOVERED, 12, 13].map(|value| [value; 960]).concat();
    assert_eq!(played, expected);
    assert_eq!((track.counters.lost, track.counters.recovered), (1, 960));
    assert_eq!(track.counters.concealed, 0);
}

#[test]
fn a_corrupt_packet_is_concealed_for_as_long_as_the_one_before() {
    let mut track = Track::new(Channels::Mono);
    track.send_at(0, 0, 0, packet(&[10; 480]));
    track.send_at(1, 480, 0, Bytes::from_static(b"odd"));
    track.send_at(2, 960, 0, packet(&[12; 480]));

    let played: Vec<i16> = [track.tick(40), track.tick(60)].concat();

    assert_eq!(played[..480], [10; 480]);
    assert_eq!(played[480..960], [CONCEALED; 480]);
    assert_eq!(played[960..1_440], [12; 480]);
    assert_eq!((track.counters.corrupt, track.counters.lost), (1, 0));
}

#[test]
fn a_stream_that_ends_fades_to_exact_silence_and_stays_there() {
    let mut track = Track::new(Channels::Mono);
    track.send(0, 0, packet(&[CONCEALED; 960]));

    let played: Vec<i16> = (2..20).flat_map(|tick| track.tick(tick * 20)).collect();

    assert!(played.is_sorted_by(|a, b| a >= b));
    assert!(played[960..5_700].iter().all(|&sample| sample > 0));
    assert!(played[5_760..].iter().all(|&sample| sample == 0));
    assert_eq!(track.counters.concealed, 4_800);
}

#[test]
fn sound_after_a_pause_rises_without_a_step() {
    let mut track = Track::new(Channels::Mono);
    track.send(0, 0, packet(&[0; 960]));
    (2..20).for_each(|tick| drop(track.tick(tick * 20)));
    track.send_at(1, 20 * 960, 400, packet(&[20_000; 960]));

    let played: Vec<i16> = (20..23).flat_map(|tick| track.tick(tick * 20)).collect();

    assert!(
        played
            .windows(2)
            .all(|pair| (pair[1] - pair[0]).abs() <= 90)
    );
    assert_eq!(played[2_880 - 720..], [20_000; 720]);
}

#[test]
fn a_packet_that_announces_silence_ends_in_silence() {
    let mut track = Track::new(Channels::Mono);
    track.send(0, 0, packet(&[20_000; 960]));
    track.send(1, 0, packet(&[20_000; 1]));

    let played: Vec<i16> = (2..20).flat_map(|tick| track.tick(tick * 20)).collect();

    assert!(played[961..].iter().all(|&sample| sample == 0));
    assert_eq!((track.counters.concealed, track.counters.lost), (0, 0));
}

#[test]
fn a_backlog_is_played_away_without_a_step_and_without_losing_a_packet() {
    for channels in [Channels::Mono, Channels::Stereo] {
        let mut track = Track::new(channels);
        // 200 Hz, so that every packet goes on where the one before ended.
        let tone = tone(channels);
        (0..15).for_each(|seq| track.send(seq, 300, tone.clone()));
        let mut played = Vec::new();

        for tick in 15..150 {
            track.send(tick, tick as u64 * 20, tone.clone());
            played.extend(track.tick(tick as u64 * 20));
            if tick == 20 {
                assert!(track.delay_ms() > 150);
            }
        }

        assert!(
            (40..=65).contains(&track.delay_ms()),
            "{}",
            track.delay_ms()
        );
        assert_eq!((track.counters.dropped, track.counters.concealed), (0, 0));
        assert!(track.counters.accelerated > 48 * 200);
        let steepest = played
            .chunks(channels.count())
            .map(|frame| i32::from(frame[0]))
            .collect::<Vec<_>>()
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).abs())
            .max();
        // 10 000 at 200 Hz: 262 per sample.
        assert!(steepest <= Some(270), "{steepest:?}");
    }
}

#[test]
fn jitter_that_begins_is_met_by_playing_slower_even_where_nothing_repeats() {
    let mut track = Track::new(Channels::Mono);
    let tone = tone(Channels::Mono);
    (0..100).for_each(|seq| {
        track.send(seq, seq as u64 * 20, tone.clone());
        track.tick(seq as u64 * 20);
    });
    assert_eq!(track.delay_ms(), 40);

    // From now on every other packet comes 60 ms late, and the tone is in pieces.
    for tick in 100..300usize {
        for seq in [tick, tick.saturating_sub(3)] {
            if (seq < 100 || seq % 2 == 0) == (seq == tick) && seq >= 100 {
                track.send(seq, tick as u64 * 20, tone.clone());
            }
        }
        track.tick(tick as u64 * 20);
    }

    assert!(track.delay_ms() >= 60, "{}", track.delay_ms());
    assert!(track.counters.expanded > 0);
}

/// A packet of four periods of 200 Hz on every channel.
fn tone(channels: Channels) -> Bytes {
    let wave: Vec<i16> = (0..960)
        .map(|at| f64::from(at) * 200.0 / 48_000.0 * std::f64::consts::TAU)
        .flat_map(|phase| vec![(phase.sin() * 10_000.0) as i16; channels.count()])
        .collect();
    packet(&wave)
}

struct Track {
    playout: Playout,
    decoder: PcmDecoder,
    channels: Channels,
    counters: AudioCounters,
}

impl Track {
    fn new(channels: Channels) -> Self {
        Self {
            playout: Playout::new(&AudioConfig {
                channels,
                jitter_minimum: Duration::from_millis(40),
                ..AudioConfig::default()
            }),
            decoder: PcmDecoder(channels),
            channels,
            counters: AudioCounters::default(),
        }
    }

    fn send(&mut self, seq: usize, arrival_ms: u64, payload: Bytes) {
        self.send_at(seq, seq * 960, arrival_ms, payload);
    }

    fn send_at(&mut self, seq: usize, timestamp: usize, arrival_ms: u64, payload: Bytes) {
        let packet = AudioPacket {
            seq: SeqNo(seq as u16),
            timestamp: RtpTimestamp(timestamp as u32),
            arrival: RoomTime::from_ms(arrival_ms),
            payload,
        };
        self.playout.insert(packet, &mut self.counters);
    }

    fn delay_ms(&self) -> u128 {
        self.playout.delay().current.unwrap().as_millis()
    }

    fn tick(&mut self, now_ms: u64) -> Vec<i16> {
        let mut tick = vec![-1; TICK_SAMPLES * self.channels.count()];
        let now = RoomTime::from_ms(now_ms);
        self.playout
            .play(now, &mut self.decoder, &mut tick, &mut self.counters);
        tick
    }
}
