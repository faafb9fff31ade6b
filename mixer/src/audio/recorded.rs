//! Places recorded packets at their media time.
//!
//! Packets come in order, with no network in between, so there is no delay and no concealment of
//! gaps: the first packet begins at its media time to the sample, and what follows is appended to
//! it. Container times are rounded (WebM: to a millisecond) and would click if they were followed;
//! only where they leave the count of samples by more than [`MOST_DRIFT_SAMPLES`] does the media
//! time win: later, and silence fills the gap; earlier, and the overlap is cut off.
//!
//! Holds at most [`CAPACITY`] packets that are not due yet. Beyond that the newest are refused and
//! counted as dropped, since the oldest are the ones about to play.

use std::collections::VecDeque;

use codecs::audio::{AudioDecoder, Channels, MAX_PACKET_SAMPLES, SAMPLE_RATE_HZ, TICK_SAMPLES};

use crate::RoomTime;
use crate::audio::fade::Fade;
use crate::audio::voice::Voice;
use crate::audio::{AudioCounters, RecordedAudio};

/// The most packets one track can have waiting: 20 s of the usual 20 ms.
pub(crate) const CAPACITY: usize = 1_024;

/// Media time and count of samples may differ by 40 ms.
const MOST_DRIFT_SAMPLES: i64 = 1_920;

/// Recorded packets of one track and what has been decoded from them. Positions are samples per
/// channel since the room began.
#[derive(Debug)]
pub(crate) struct Recorded {
    packets: VecDeque<RecordedAudio>,
    fade: Fade,
    channels: usize,
    /// Interleaved samples that play right up to `end`.
    decoded: Vec<i16>,
    /// Position after the last sample in `decoded`, once there was a packet.
    end: Option<i64>,
    /// Length of the last packet, to conceal in place of one that cannot be decoded.
    packet_samples: usize,
}

impl Recorded {
    pub(crate) fn new(channels: Channels) -> Self {
        Self {
            packets: VecDeque::new(),
            fade: Fade::new(channels),
            channels: channels.count(),
            decoded: Vec::with_capacity((MAX_PACKET_SAMPLES + TICK_SAMPLES) * channels.count()),
            end: None,
            packet_samples: TICK_SAMPLES,
        }
    }

    /// Takes in the next packet.
    pub(crate) fn push(&mut self, packet: RecordedAudio, counters: &mut AudioCounters) {
        if self.packets.len() == CAPACITY {
            counters.dropped += 1;
            return;
        }
        self.packets.push_back(packet);
    }

    /// Fills `tick`, interleaved, with what begins at `now`; zeros where nothing is.
    pub(crate) fn play(
        &mut self,
        now: RoomTime,
        decoder: &mut dyn AudioDecoder,
        tick: &mut [i16],
        counters: &mut AudioCounters,
    ) {
        let tick_begin = position_of(now);
        let tick_end = tick_begin + (tick.len() / self.channels) as i64;
        self.forget_before(tick_begin);
        while self.end.is_none_or(|end| end < tick_end) {
            let Some(packet) = self.packets.front() else {
                break;
            };
            let nominal = position_of(packet.time);
            let begin = match self.end {
                Some(end) if (nominal - end).abs() <= MOST_DRIFT_SAMPLES => end,
                _ => nominal,
            };
            if begin >= tick_end {
                break;
            }
            let Some(packet) = self.packets.pop_front() else {
                break;
            };
            self.append(&packet.payload, begin, tick_begin, decoder, counters);
        }
        self.emit(tick_begin, tick);
    }

    /// Drops samples that ticks have gone past.
    fn forget_before(&mut self, tick_begin: i64) {
        let Some(end) = self.end else { return };
        let keep = usize::try_from(end - tick_begin).unwrap_or(0) * self.channels;
        let stale = self.decoded.len().saturating_sub(keep);
        self.decoded.drain(..stale);
    }

    /// Decodes one packet that begins at `begin`, leaving out what lies before the tick or before
    /// what is there already.
    fn append(
        &mut self,
        payload: &[u8],
        begin: i64,
        tick_begin: i64,
        decoder: &mut dyn AudioDecoder,
        counters: &mut AudioCounters,
    ) {
        let from = self.end.map_or(tick_begin, |end| end.max(tick_begin));
        let gap = usize::try_from(begin - from).unwrap_or(0);
        self.decoded
            .resize(self.decoded.len() + gap * self.channels, 0);

        let at = self.decoded.len();
        let samples = Voice {
            decoder,
            fade: &mut self.fade,
            channels: self.channels,
            pcm: &mut self.decoded,
            counters,
        }
        .decode(payload, self.packet_samples);
        self.packet_samples = samples;

        let overlap = usize::try_from(from - begin).unwrap_or(0).min(samples);
        self.decoded.drain(at..at + overlap * self.channels);
        let end = begin + samples as i64;
        self.end = Some(self.end.map_or(end, |before| end.max(before)));
    }

    /// Moves the samples from `tick_begin` on to `tick`.
    fn emit(&mut self, tick_begin: i64, tick: &mut [i16]) {
        tick.fill(0);
        let Some(end) = self.end else { return };
        let begin = end - (self.decoded.len() / self.channels) as i64;
        let offset = usize::try_from(begin - tick_begin).unwrap_or(0) * self.channels;
        let Some(tick) = tick.get_mut(offset..) else {
            return;
        };
        let count = tick.len().min(self.decoded.len());
        tick[..count].copy_from_slice(&self.decoded[..count]);
        self.decoded.drain(..count);
    }
}

/// The sample nearest to `time`.
fn position_of(time: RoomTime) -> i64 {
    let samples =
        (time.since_start().as_nanos() * u128::from(SAMPLE_RATE_HZ) + 500_000_000) / 1_000_000_000;
    // Within a thousandth of the range, so that sums of positions cannot overflow.
    i64::try_from(samples).map_or(i64::MAX >> 10, |samples| samples.min(i64::MAX >> 10))
}

#[cfg(test)]
#[expect(
    clippy::cast_sign_loss,
    reason = "numbers written down in tests are small"
)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::audio::fake::{CONCEALED, PcmDecoder, packet};

    #[test]
    fn the_first_packet_begins_at_its_media_time_to_the_sample() {
        let mut track = Track::new();
        track.push_us(25_000, &[7; 960]);

        let played = track.ticks(0..3);

        assert_eq!(played[..1_200], [0; 1_200]);
        assert_eq!(played[1_200..2_160], [7; 960]);
        assert_eq!(played[2_160..], [0; 720]);
    }

    #[test]
    fn rounded_times_do_not_move_a_sample() {
        let mut track = Track::new();
        let sent: Vec<i16> = (1..=9_600).collect();
        let rounding_us = [0, 1_000, -1_000, 500, -500, 1_000, 1_000, -1_000, 0, 300];
        for (at, (pcm, rounding_us)) in sent.chunks(960).zip(rounding_us).enumerate() {
            track.push_us(40_000 + at as i64 * 20_000 + rounding_us, pcm);
        }

        let played = track.ticks(0..14);

        assert_eq!(played[1_920..11_520], sent);
        assert!(played[11_520..].iter().all(|&sample| sample == 0));
    }

    #[test]
    fn a_gap_is_silence_and_what_follows_is_at_its_time() {
        let mut track = Track::new();
        track.push_us(0, &[1; 960]);
        track.push_us(75_000, &[2; 960]);

        let played = track.ticks(0..5);

        assert_eq!(played[..960], [1; 960]);
        assert_eq!(played[960..3_600], [0; 2_640]);
        assert_eq!(played[3_600..4_560], [2; 960]);
    }

    #[test]
    fn an_overlap_is_cut_from_the_later_packet() {
        let mut track = Track::new();
        track.push_us(0, &[1; 5_760]);
        track.push_us(70_000, &[2; 2_880]);

        let played = track.ticks(0..7);

        assert_eq!(played[..5_760], [1; 5_760]);
        assert_eq!(played[5_760..6_240], [2; 480]);
        assert_eq!(played[6_240..], [0; 480]);
    }

    #[test]
    fn slow_drift_is_followed_by_count_until_it_exceeds_40_ms() {
        let mut track = Track::new();
        // Each packet of 20 ms claims to begin 21 ms after the one before.
        for at in 0..60 {
            track.push_us(at * 21_000, &[1; 960]);
        }

        let played = track.ticks(0..63);

        // The 42nd is 41 ms behind its count.
        let silent: Vec<usize> = (0..60_480).filter(|&at| played[at] == 0).collect();
        assert_eq!(silent[..1_968], (39_360..41_328).collect::<Vec<_>>());
    }

    #[test]
    fn what_lies_before_the_tick_is_left_out() {
        let mut track = Track::new();
        track.push_us(0, &[1; 960]);
        track.push_us(20_000, &[2; 960]);
        track.push_us(40_000, &[3; 960]);

        let played = track.ticks(1..3);

        assert_eq!(played, [[2; 960], [3; 960]].concat());
    }

    #[test]
    fn a_skipped_tick_skips_its_samples() {
        let mut track = Track::new();
        track.push_us(0, &[1; 2_880]);
        track.push_us(60_000, &[2; 960]);
        track.ticks(0..1);

        let played = track.ticks(2..4);

        assert_eq!(played, [[1; 960], [2; 960]].concat());
    }

    #[test]
    fn a_corrupt_packet_keeps_its_place() {
        let mut track = Track::new();
        track.push_us(0, &[1; 960]);
        track.push(20_000, vec![0; 3].into());
        track.push_us(40_000, &[3; 960]);

        let played = track.ticks(0..3);

        assert_eq!(played, [[1; 960], [CONCEALED; 960], [3; 960]].concat());
        assert_eq!(track.counters.corrupt, 1);
    }

    #[test]
    fn packets_beyond_the_capacity_are_refused() {
        let mut track = Track::new();

        for at in 0..CAPACITY as i64 + 5 {
            track.push_us(at * 20_000, &[1; 960]);
        }

        assert_eq!(track.counters.dropped, 5);
    }

    #[test]
    fn absurd_times_neither_panic_nor_play() {
        let mut track = Track::new();
        let far = RoomTime::new(Duration::MAX);
        for time in [far, RoomTime::START, far] {
            let payload = packet(&[1; 960]);
            track
                .recorded
                .push(RecordedAudio { time, payload }, &mut track.counters);
        }

        assert_eq!(track.ticks(5..7), [0; 1_920]);

        let mut tick = [1; 960];
        track.recorded.play(
            far,
            &mut PcmDecoder(Channels::Mono),
            &mut tick,
            &mut track.counters,
        );
    }

    struct Track {
        recorded: Recorded,
        counters: AudioCounters,
    }

    impl Track {
        fn new() -> Self {
            Self {
                recorded: Recorded::new(Channels::Mono),
                counters: AudioCounters::default(),
            }
        }

        fn push_us(&mut self, time_us: i64, pcm: &[i16]) {
            self.push(time_us, packet(pcm));
        }

        fn push(&mut self, time_us: i64, payload: bytes::Bytes) {
            let time = RoomTime::new(Duration::from_micros(time_us as u64));
            self.recorded
                .push(RecordedAudio { time, payload }, &mut self.counters);
        }

        fn ticks(&mut self, ticks: std::ops::Range<u64>) -> Vec<i16> {
            let mut played = Vec::new();
            for tick in ticks {
                let mut pcm = [-1; 960];
                self.recorded.play(
                    RoomTime::from_ms(tick * 20),
                    &mut PcmDecoder(Channels::Mono),
                    &mut pcm,
                    &mut self.counters,
                );
                played.extend(pcm);
            }
            played
        }
    }
}
