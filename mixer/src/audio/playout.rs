//! Turns one live track's packets into one tick of samples at a time.
//!
//! Asks the [`JitterBuffer`] what is due until the tick is full, decodes, conceals, fades, and
//! stretches where the delay is not what it should be. What a long packet has too much stays for
//! the ticks to come, as does what was decoded early in order to shorten it. The work per tick is
//! bounded by its length, however much has come: every piece is at least 2.5 ms, and of them
//! there are as many as a tick and two splices take.

use std::time::Duration;

use codecs::audio::{AudioDecoder, MAX_PACKET_SAMPLES, TICK_SAMPLES};
use codecs::rtp::SeqNo;

use crate::RoomTime;
use crate::audio::fade::Fade;
use crate::audio::jitter::{Change, Copies, Due, Haste, JitterBuffer};
use crate::audio::stretch::{self, LONGEST_LAG, OVERLAP, SHORTEST_LAG, Similarity};
use crate::audio::voice::Voice;
use crate::audio::{AudioConfig, AudioCounters, AudioPacket, PlayoutDelay};

/// What a splice takes besides the tick.
const SPLICE_SAMPLES: usize = LONGEST_LAG + OVERLAP;

/// A jitter buffer and what has been decoded from it.
#[derive(Debug)]
pub(crate) struct Playout {
    jitter: JitterBuffer,
    fade: Fade,
    channels: usize,
    /// Interleaved samples decoded and not played yet.
    decoded: Vec<i16>,
    /// Ticks since the last splice.
    since_splice: u32,
    /// The last tick.
    now: RoomTime,
}

impl Playout {
    pub(crate) fn new(config: &AudioConfig) -> Self {
        let channels = config.channels.count();
        let most = TICK_SAMPLES + SPLICE_SAMPLES + MAX_PACKET_SAMPLES + LONGEST_LAG;
        Self {
            jitter: JitterBuffer::new(config),
            fade: Fade::new(config.channels),
            channels,
            decoded: Vec::with_capacity(most * channels),
            since_splice: 0,
            now: RoomTime::START,
        }
    }

    /// Takes in one packet.
    pub(crate) fn insert(&mut self, packet: AudioPacket, counters: &mut AudioCounters) {
        self.jitter.insert(packet, counters);
    }

    /// Takes note of how long a packet takes to the sender and back.
    pub(crate) fn set_round_trip(&mut self, round_trip: Duration) {
        self.jitter.set_round_trip(round_trip);
    }

    /// The delay after the last tick.
    pub(crate) fn delay(&self) -> PlayoutDelay {
        self.jitter.playout_delay(self.now, self.ahead())
    }

    /// Names the packets worth asking for after the last tick.
    pub(crate) fn ask(&mut self, ask: impl FnMut(SeqNo)) {
        let ahead = self.ahead();
        self.jitter.ask(self.now, ahead, ask);
    }

    /// Fills `tick`, interleaved, with what is due at `now`; zeros where nothing is.
    pub(crate) fn play(
        &mut self,
        now: RoomTime,
        decoder: &mut dyn AudioDecoder,
        tick: &mut [i16],
        counters: &mut AudioCounters,
    ) {
        self.now = now;
        self.since_splice = self.since_splice.saturating_add(1);
        let change = self.jitter.change(now, self.ahead());
        while self.decoded.len() < tick.len() {
            self.append(tick.len(), decoder, counters);
        }
        match change {
            Change::Shorten { at_most, haste } if self.may_splice(haste) => {
                self.shorten(at_most, haste, decoder, counters);
            }
            Change::Lengthen { haste } if self.may_splice(haste) => {
                self.lengthen(haste, counters);
            }
            Change::Keep | Change::Shorten { .. } | Change::Lengthen { .. } => {}
        }
        tick.copy_from_slice(&self.decoded[..tick.len()]);
        self.decoded.drain(..tick.len());
    }

    /// Samples per channel decoded and not played yet.
    fn ahead(&self) -> usize {
        self.decoded.len() / self.channels
    }

    /// Appends the next piece; where nothing is due, silence up to `len`.
    fn append(&mut self, len: usize, decoder: &mut dyn AudioDecoder, counters: &mut AudioCounters) {
        let ahead = self.ahead();
        let begin = self.decoded.len();
        let mut voice = Voice {
            decoder,
            fade: &mut self.fade,
            channels: self.channels,
            pcm: &mut self.decoded,
            counters,
        };
        match self.jitter.take(self.now, ahead, voice.counters) {
            Due::Packet(payload) => {
                let copies = if voice.decoder.carries_copy(&payload) {
                    Copies::Carried
                } else {
                    Copies::None
                };
                let samples = voice.decode(&payload, self.jitter.packet_samples());
                self.jitter.played(samples, copies);
            }
            Due::Recover { next, samples } => voice.recover(next, samples),
            Due::Conceal { samples } => voice.conceal(samples),
            Due::Silence { samples } => voice.fall_silent(samples),
            Due::Nothing => {
                let missing = len.saturating_sub(begin) / self.channels;
                voice.fall_silent(missing);
            }
        }
    }

    /// Whether the last splice is long enough ago.
    fn may_splice(&self, haste: Haste) -> bool {
        let ticks_apart = match haste {
            Haste::Idly => 5,
            Haste::Soon => 3,
            Haste::Now => 1,
        };
        self.since_splice >= ticks_apart
    }

    /// Leaves out at most `at_most` samples. Takes packets out of the jitter buffer early if there
    /// is not enough left to fill the tick afterwards.
    fn shorten(
        &mut self,
        at_most: i64,
        haste: Haste,
        decoder: &mut dyn AudioDecoder,
        counters: &mut AudioCounters,
    ) {
        let at_most = usize::try_from(at_most).unwrap_or(0).min(LONGEST_LAG);
        if at_most < SHORTEST_LAG {
            return;
        }
        while self.ahead() < TICK_SAMPLES + SPLICE_SAMPLES && self.jitter.has_next() {
            self.append(0, decoder, counters);
        }
        let at_most = at_most.min(self.ahead().saturating_sub(TICK_SAMPLES));
        let least = similarity(haste);
        if let Some(lag) = stretch::shorten(&mut self.decoded, self.channels, at_most, least) {
            counters.accelerated += lag as u64;
            self.since_splice = 0;
        }
    }

    fn lengthen(&mut self, haste: Haste, counters: &mut AudioCounters) {
        let least = similarity(haste);
        if let Some(lag) = stretch::lengthen(&mut self.decoded, self.channels, least) {
            counters.expanded += lag as u64;
            self.since_splice = 0;
        }
    }
}

/// What a splice must at least be like.
const fn similarity(haste: Haste) -> Similarity {
    Similarity(match haste {
        Haste::Idly => 0.95,
        Haste::Soon => 0.85,
        Haste::Now => 0.5,
    })
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers written down in tests are small"
)]
mod tests {
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
                while let Some((seq, pcm)) =
                    packets.next_if(|(seq, _)| seq * samples / 48 <= now_ms)
                {
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
    fn jitter_that_begins_is_met_by_playing_slower() {
        let mut track = Track::new(Channels::Mono);
        let tone = tone(Channels::Mono);
        (0..100).for_each(|seq| {
            track.send(seq, seq as u64 * 20, tone.clone());
            track.tick(seq as u64 * 20);
        });
        assert_eq!(track.delay_ms(), 40);

        // From now on every other packet comes 60 ms late, after the ticks until then.
        for tick in 100..200usize {
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
}
