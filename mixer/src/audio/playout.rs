//! Turns one live track's packets into one tick of samples at a time.
//!
//! Asks the [`JitterBuffer`] what is due until the tick is full, decodes, conceals, fades. What a
//! long packet has too much stays for the ticks to come: at most one packet. The work per tick is
//! bounded by its length, however much has come: every piece is at least 2.5 ms, except that at
//! most one packet per tick is decoded and not heard.

use codecs::audio::{AudioDecoder, MAX_PACKET_SAMPLES, TICK_SAMPLES};

use crate::RoomTime;
use crate::audio::fade::Fade;
use crate::audio::jitter::{Due, JitterBuffer};
use crate::audio::voice::Voice;
use crate::audio::{AudioConfig, AudioCounters, AudioPacket, Level};

/// A packet no louder than this many dB below overload may be left out to shorten the delay.
const QUIET_MINUS_DBOV: u8 = 50;

/// A jitter buffer and what has been decoded from it.
#[derive(Debug)]
pub(crate) struct Playout {
    jitter: JitterBuffer,
    fade: Fade,
    channels: usize,
    /// Interleaved samples decoded and not played yet.
    decoded: Vec<i16>,
}

impl Playout {
    pub(crate) fn new(config: &AudioConfig) -> Self {
        let channels = config.channels.count();
        Self {
            jitter: JitterBuffer::new(config),
            fade: Fade::new(config.channels),
            channels,
            decoded: Vec::with_capacity((MAX_PACKET_SAMPLES + TICK_SAMPLES) * channels),
        }
    }

    /// Takes in one packet.
    pub(crate) fn insert(&mut self, packet: AudioPacket, counters: &mut AudioCounters) {
        self.jitter.insert(packet, counters);
    }

    /// Fills `tick`, interleaved, with what is due at `now`; zeros where nothing is.
    pub(crate) fn play(
        &mut self,
        now: RoomTime,
        decoder: &mut dyn AudioDecoder,
        tick: &mut [i16],
        counters: &mut AudioCounters,
    ) {
        let mut may_skip = true;
        while self.decoded.len() < tick.len() {
            let begin = self.decoded.len();
            let mut voice = Voice {
                decoder: &mut *decoder,
                fade: &mut self.fade,
                channels: self.channels,
                pcm: &mut self.decoded,
                counters: &mut *counters,
            };
            match self.jitter.take(now, voice.counters) {
                Due::Packet(payload) => {
                    let samples = voice.decode(&payload, self.jitter.packet_samples());
                    self.jitter.played(samples);
                    if may_skip && self.jitter.could_skip() && is_quiet(&self.decoded[begin..]) {
                        self.decoded.truncate(begin);
                        self.jitter.skipped();
                        counters.dropped += 1;
                        may_skip = false;
                    }
                }
                Due::Recover { next, samples } => voice.recover(next, samples),
                Due::Conceal { samples } => voice.conceal(samples),
                Due::Silence { samples } => voice.fall_silent(samples),
                Due::Nothing => {
                    let missing = (tick.len() - begin) / self.channels;
                    voice.fall_silent(missing);
                }
            }
        }
        tick.copy_from_slice(&self.decoded[..tick.len()]);
        self.decoded.drain(..tick.len());
    }
}

fn is_quiet(pcm: &[i16]) -> bool {
    Level::of(pcm).minus_dbov() >= QUIET_MINUS_DBOV
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
            let sent: Vec<i16> = (0..23_040).map(|at| (at % 30_011) as i16).collect();
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

            // The first waited for the target delay of 40 ms.
            assert!(played[..2 * 1_920].iter().all(|&sample| sample == 0));
            assert!(played[2 * 1_920..] == sent[..6 * 1_920], "{samples}");
        }
    }

    #[test]
    fn a_lost_packet_is_taken_from_the_next_and_no_other_sample_changes() {
        let mut track = Track::new(Channels::Mono);
        for (seq, value) in [(0, 10), (2, 12), (3, 13)] {
            track.send(seq, 0, packet(&[value; 960]));
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
    fn delay_that_nobody_needs_goes_away_while_it_is_quiet() {
        let mut track = Track::new(Channels::Mono);
        // Five packets in one go are 80 ms of delay where 40 are wanted; then one per tick.
        let quiet = packet(&[3; 960]);
        (0..4).for_each(|seq| track.send(seq, 0, quiet.clone()));

        for tick in 0..500 {
            track.send(4 + tick, tick as u64 * 20, quiet.clone());
            track.tick(tick as u64 * 20);
        }

        assert_eq!(track.counters.dropped, 2);
        assert_eq!(track.counters.concealed, 0);
    }

    #[test]
    fn delay_within_the_maximum_stays_while_it_is_loud() {
        let mut track = Track::new(Channels::Mono);
        let loud = packet(&[3_000; 960]);
        (0..4).for_each(|seq| track.send(seq, 0, loud.clone()));

        for tick in 0..500 {
            track.send(4 + tick, tick as u64 * 20, loud.clone());
            track.tick(tick as u64 * 20);
        }

        assert_eq!(track.counters.dropped, 0);
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

        fn tick(&mut self, now_ms: u64) -> Vec<i16> {
            let mut tick = vec![-1; TICK_SAMPLES * self.channels.count()];
            let now = RoomTime::from_ms(now_ms);
            self.playout
                .play(now, &mut self.decoder, &mut tick, &mut self.counters);
            tick
        }
    }
}
