//! How much longer a participant's audio is on its way to us than its video.
//!
//! Sender reports (RFC 3550 §6.4.1) tell when, by the participant's own clock, a packet's media was
//! captured. That clock is not ours, but it is the same for both streams: so what it differs by
//! falls out of the difference of the two transits, and the difference is all that sync needs.
//! Time is an argument.

use std::time::Duration;

use mixer::RoomTime;

use crate::link::MAX_SKEW_US;

/// The fastest audio of so long, and of up to as long again before that, is what counts.
const WINDOW: Duration = Duration::from_secs(5);

/// A frame weighs one part in so many.
const SMOOTHING: i64 = 16;

/// The clock of one incoming stream.
#[derive(Debug)]
pub(super) struct CaptureClock {
    clock_hz: u32,
    /// A wall-clock time in microseconds, and the media time that it is paired with.
    pair: Option<(i64, u32)>,
}

impl CaptureClock {
    /// A stream whose media times count `clock_hz`.
    pub(super) fn new(clock_hz: u32) -> Self {
        Self {
            clock_hz: clock_hz.max(1),
            pair: None,
        }
    }

    /// A sender report pairs a 64-bit NTP time with a media time.
    pub(super) fn report(&mut self, ntp: u64, rtp: u32) {
        self.pair = Some((micros(ntp), rtp));
    }

    /// The time from the capture of `rtp` to `arrival`, in microseconds, plus what the two clocks
    /// differ by. `None` before the first report.
    fn transit_us(&self, rtp: u32, arrival: RoomTime) -> Option<i64> {
        let (wall_us, reported) = self.pair?;
        let ticks = i64::from(rtp.wrapping_sub(reported).cast_signed());
        let captured_us = wall_us + ticks * 1_000_000 / i64::from(self.clock_hz);
        let arrival_us = i64::try_from(arrival.since_start().as_micros()).ok()?;
        Some(arrival_us - captured_us)
    }
}

/// Measures the two streams of a participant, or one of them where they do not come over the same leg:
/// what is compared is left on the link.
#[derive(Debug, Default)]
pub(super) struct SkewMeter {
    audio: Fastest,
    video_us: Option<i64>,
}

/// The least of the last one to two [`WINDOW`]s.
#[derive(Debug, Default)]
struct Fastest {
    since: RoomTime,
    current: Option<i64>,
    before: Option<i64>,
}

impl SkewMeter {
    /// An audio packet has arrived. The fastest of a while counts: the jitter buffer makes the
    /// others as slow as its delay wants it, counted from that one.
    pub(super) fn audio(&mut self, clock: &CaptureClock, rtp: u32, arrival: RoomTime) {
        if let Some(transit) = clock.transit_us(rtp, arrival) {
            self.audio.add(transit, arrival);
        }
    }

    /// The last packet of a frame has arrived. The usual one counts: frames are shown as they come.
    pub(super) fn frame(&mut self, clock: &CaptureClock, rtp: u32, arrival: RoomTime) {
        let Some(transit) = clock.transit_us(rtp, arrival) else {
            return;
        };
        let jumped = |old: &i64| (transit - *old).abs() > MAX_SKEW_US;
        let old = self.video_us.filter(|old| !jumped(old));
        self.video_us = Some(old.map_or(transit, |old| old + (transit - old) / SMOOTHING));
    }

    /// How long audio takes, in microseconds, plus what its clock and ours differ by. `None` before
    /// it is known.
    pub(super) fn audio_us(&self) -> Option<i64> {
        self.audio.least()
    }

    /// The same of video, by the same clocks.
    pub(super) fn video_us(&self) -> Option<i64> {
        self.video_us
    }
}

impl Fastest {
    fn add(&mut self, transit: i64, now: RoomTime) {
        let age = now.since(self.since);
        if age >= WINDOW {
            self.before = if age < WINDOW * 2 { self.current } else { None };
            self.current = None;
            self.since = now;
        }
        self.current = Some(self.current.map_or(transit, |least| least.min(transit)));
    }

    fn least(&self) -> Option<i64> {
        self.current.into_iter().chain(self.before).min()
    }
}

/// A 64-bit NTP time (RFC 3550 §4) in microseconds.
fn micros(ntp: u64) -> i64 {
    let fraction_us = ((ntp & u64::from(u32::MAX)) * 1_000_000) >> 32;
    let us = (ntp >> 32) * 1_000_000 + fraction_us;
    i64::try_from(us).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::link::Path;

    const NTP: u64 = 0xe000_0001_8000_0000;

    fn skew_us(meter: &SkewMeter) -> Option<i64> {
        let path = Path::default();
        path.set_transits_us(meter.audio_us(), None);
        path.set_transits_us(None, meter.video_us());
        path.skew_us()
    }

    /// Clocks that were both reported for the same moment: the room's 10th second.
    fn clocks() -> (CaptureClock, CaptureClock) {
        let (mut audio, mut video) = (CaptureClock::new(48_000), CaptureClock::new(90_000));
        audio.report(NTP, u32::MAX - 100);
        video.report(NTP, 7);
        (audio, video)
    }

    /// Media captured so many milliseconds after that moment, arriving so many after it.
    fn arrive(meter: &mut SkewMeter, captured_ms: u32, audio_ms: u64, video_ms: u64) {
        let (audio, video) = clocks();
        let at = |ms| RoomTime::from_ms(10_000 + ms);
        let audio_rtp = (u32::MAX - 100).wrapping_add(captured_ms * 48);
        meter.audio(&audio, audio_rtp, at(audio_ms));
        meter.frame(&video, 7 + captured_ms * 90, at(video_ms));
    }

    #[test]
    fn skew_is_what_the_fastest_audio_takes_longer_than_the_usual_frame() {
        let mut meter = SkewMeter::default();
        for n in 0..100_u32 {
            let captured = u64::from(n) * 20;
            let jitter = u64::from(n % 4) * 10;
            arrive(&mut meter, n * 20, captured + 50 + jitter, captured + 30);
        }

        assert_eq!(skew_us(&meter), Some(20_000));
    }

    #[test]
    fn video_that_takes_longer_gives_a_negative_skew() {
        let mut meter = SkewMeter::default();

        arrive(&mut meter, 1_000, 1_010, 1_045);

        assert_eq!(skew_us(&meter), Some(-35_000));
    }

    #[test]
    fn nothing_is_known_before_both_streams_were_reported() {
        let mut meter = SkewMeter::default();
        let (audio, _) = clocks();

        meter.audio(&audio, 0, RoomTime::from_ms(10_000));
        meter.frame(&CaptureClock::new(90_000), 0, RoomTime::from_ms(10_000));

        assert_eq!(skew_us(&meter), None);
    }

    #[test]
    fn a_path_that_has_become_slower_shows_after_the_windows() {
        let mut meter = SkewMeter::default();
        for n in 0..1_000_u32 {
            let captured = u64::from(n) * 20;
            let audio = if n < 100 { 20 } else { 90 };
            arrive(&mut meter, n * 20, captured + audio, captured + 20);
        }

        assert_eq!(skew_us(&meter), Some(70_000));
    }

    #[test]
    fn clocks_that_are_seconds_apart_are_not_believed() {
        let mut meter = SkewMeter::default();

        arrive(&mut meter, 0, 2_100, 50);

        assert_eq!(skew_us(&meter), None);
    }

    proptest! {
        #[test]
        fn any_reports_and_packets_give_a_skew_within_limits_or_none(
            events in prop::collection::vec(
                (0_u8..4, any::<u64>(), any::<u32>(), 0_u64..1 << 40), 0..100),
            clock_hz in any::<u32>(),
        ) {
            let mut meter = SkewMeter::default();
            let (mut audio, mut video) = (CaptureClock::new(clock_hz), CaptureClock::new(90_000));
            for (event, ntp, rtp, ms) in events {
                let arrival = RoomTime::from_ms(ms);
                match event {
                    0 => audio.report(ntp, rtp),
                    1 => video.report(ntp, rtp),
                    2 => meter.audio(&audio, rtp, arrival),
                    _ => meter.frame(&video, rtp, arrival),
                }
                prop_assert!(skew_us(&meter).is_none_or(|skew| skew.abs() <= MAX_SKEW_US));
            }
        }
    }
}
