//! What a participant's uplink is worth: the picture that somebody sees of them, and the sound that
//! somebody hears.
//!
//! More is worth it at once, so that nobody waits for a sharp picture of whoever speaks. Less is
//! worth it only after a while, so that a change of speakers does not make cameras flap; and a
//! picture that nobody sees is paused later still, since its way back takes a keyframe. All of it
//! is arithmetic; time is an argument.

use std::time::Duration;

use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};
use mixer::RoomTime;
use mixer::audio::{AudioRung, PacketTime};
use mixer::ladder::overhead::audio_wire_kbps;

/// For how long less has to be enough before less is worth it.
const FALLS_AFTER: Duration = Duration::from_secs(4);

/// For how long nobody has to see a participant before their picture is worth nothing.
const PAUSES_AFTER: Duration = Duration::from_secs(10);

/// Slower pictures than these pass for standing still, and an old one for a new still.
const LEAST_FPS: u32 = 5;

/// Mono speech that nobody minds, in kb/s: what sound is worth while nobody is there to hear it.
const LEAST_AUDIO_KBPS: u32 = 16;

/// Sound per packet, usually and where links are thin: headers take 24 kb/s, or 8.
const PACKETS: PacketTime = PacketTime::Ms20;
const LONG_PACKETS: PacketTime = PacketTime::Ms60;

/// Who gets packets as long as these has a thin link. Uplinks are rarely better.
const THIN_PACKETS: PacketTime = PacketTime::Ms120;

/// What goes over the link beside a picture's bits: headers, and the frames that are larger.
const VIDEO_WIRE_PERCENT: u64 = 115;

/// What a client gets that cannot be told to pause: encoders do not go lower.
const TRICKLE_KBPS: u64 = 30;

/// What a camera's picture needs in VP8 at 30 fps, in kb/s by pixels; in between, in proportion.
/// Cameras are noisier than our canvases, and their encoders quicker.
const KBPS: [(u64, u64); 6] = [
    (0, 40),
    (160 * 90, 80),
    (320 * 180, 180),
    (640 * 360, 500),
    (1280 * 720, 1_500),
    (1920 * 1080, 3_000),
];

/// What it needs at other rates, in percent of that. Frames further apart differ more.
const PERCENT: [(u64, u64); 5] = [(0, 20), (5, 35), (15, 65), (30, 100), (60, 150)];

/// How somebody is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sighting {
    size: PictureSize,
    fps: u32,
}

/// A picture worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VideoWorth {
    /// As large as anybody sees it.
    pub(super) size: PictureSize,
    /// As fast, in whole frames per second, 5 to 60.
    pub(super) fps: u32,
    /// Of the encoder.
    pub(super) kbps: u32,
}

/// What one participant is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Worth {
    /// `None`: nothing, since nobody sees it.
    pub(super) video: Option<VideoWorth>,
    pub(super) audio: AudioRung,
}

/// Follows one participant.
#[derive(Debug, Default)]
pub(super) struct Uplink {
    seen: Held<Option<Sighting>>,
    heard_kbps: Held<u32>,
}

/// How much sound is to be in a packet of somebody who gets theirs like `downlink`.
pub(super) fn packet_time(downlink: Option<AudioRung>) -> PacketTime {
    match downlink {
        Some(audio) if audio.packet_time() >= THIN_PACKETS => LONG_PACKETS,
        _ => PACKETS,
    }
}

impl Sighting {
    /// Seen at `size`, in a rung with a frame every `interval` ticks of 90 kHz.
    pub(super) fn new(size: PictureSize, interval: u32) -> Self {
        let fps = VIDEO_CLOCK_HZ.div_ceil(interval.max(1));
        Self {
            size,
            fps: fps.clamp(LEAST_FPS, 60),
        }
    }

    /// What both are well served by.
    pub(super) fn and(self, other: Self) -> Self {
        let size = self.size.covering(other.size);
        let fps = self.fps.max(other.fps);
        Self { size, fps }
    }
}

impl Uplink {
    /// What the uplink is worth from `now` on, which never goes backwards: of somebody seen like
    /// `seen`, heard by others at up to `heard_kbps`, with packets of [`packet_time`].
    /// `None` until it is known whether anybody sees them.
    pub(super) fn follow(
        &mut self,
        now: RoomTime,
        seen: Option<Sighting>,
        heard_kbps: u32,
        packet_time: PacketTime,
    ) -> Option<Worth> {
        let seen = self.seen.follow(now, seen)?;
        let heard_kbps = self.heard_kbps.follow(now, heard_kbps).unwrap_or_default();
        Some(Worth {
            video: seen.map(VideoWorth::of),
            audio: AudioRung::nearest(heard_kbps.max(LEAST_AUDIO_KBPS), packet_time),
        })
    }
}

impl VideoWorth {
    fn of(Sighting { size, fps }: Sighting) -> Self {
        let at_30 = between(&KBPS, size.pixels() as u64);
        let kbps = at_30 * between(&PERCENT, u64::from(fps)) / 100;
        Self {
            size,
            fps,
            kbps: u32::try_from(kbps).unwrap_or(u32::MAX),
        }
    }
}

impl Worth {
    /// What it is on the link, headers and all, in bits per second.
    pub(super) fn bits_per_second(self) -> u64 {
        let audio = u64::from(audio_wire_kbps(self.audio));
        let video = self.video.map_or(TRICKLE_KBPS, |it| u64::from(it.kbps));
        (audio + video * VIDEO_WIRE_PERCENT / 100) * 1_000
    }
}

/// Something of which there may be more or less.
trait Extent: Copy + PartialEq + Default {
    /// What both are well served by.
    fn and(self, other: Self) -> Self;

    /// For how long this has to be enough before there is no more than it.
    fn patience(self) -> Duration;
}

impl Extent for Option<Sighting> {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        }
    }

    fn patience(self) -> Duration {
        match self {
            Some(_) => FALLS_AFTER,
            None => PAUSES_AFTER,
        }
    }
}

impl Extent for u32 {
    fn and(self, other: Self) -> Self {
        self.max(other)
    }

    fn patience(self) -> Duration {
        PAUSES_AFTER
    }
}

/// Rises at once, falls when less has been enough for a while.
#[derive(Debug)]
struct Held<T> {
    /// `None` until something was there, or nothing for long enough.
    current: Option<T>,
    /// Since when it was less, and the most that it was since.
    less: Option<(RoomTime, T)>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self {
            current: None,
            less: None,
        }
    }
}

impl<T: Extent> Held<T> {
    fn follow(&mut self, now: RoomTime, wanted: T) -> Option<T> {
        let risen = self.current.unwrap_or_default().and(wanted);
        if risen != T::default() {
            self.current = Some(risen);
        }
        if self.current == Some(wanted) {
            self.less = None;
            return self.current;
        }
        let (since, most) = self.less.get_or_insert((now, wanted));
        *most = most.and(wanted);
        if now.since(*since) >= most.patience() {
            self.current = Some(*most);
            self.less = None;
        }
        self.current
    }
}

/// The value at `x`, in proportion between two rows, of the last row beyond it.
fn between(rows: &[(u64, u64)], x: u64) -> u64 {
    let above = rows.partition_point(|(at, _)| *at <= x);
    let below = rows[..above].last().copied().unwrap_or_default();
    let Some(above) = rows.get(above) else {
        return below.1;
    };
    below.1 + (above.1 - below.1) * (x - below.0) / (above.0 - below.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_30TH: u32 = 3_000;
    const EVERY_15TH: u32 = 6_000;

    fn at(ms: u64) -> RoomTime {
        RoomTime::from_ms(ms)
    }

    fn seen(width: u32, height: u32, interval: u32) -> Option<Sighting> {
        let size = PictureSize::new(width, height).unwrap();
        Some(Sighting::new(size, interval))
    }

    /// What video is worth, as width and fps; 0 for a pause.
    fn told(uplink: &mut Uplink, ms: u64, seen: Option<Sighting>) -> Option<(usize, u32)> {
        let worth = uplink.follow(at(ms), seen, 32, PACKETS)?;
        Some(worth.video.map_or((0, 0), |it| (it.size.width(), it.fps)))
    }

    #[test]
    fn a_picture_is_worth_what_its_size_and_rate_need() {
        let rows = [
            ((1280, 720), 3_000, 30, 1_500),
            ((1280, 720), 1_500, 60, 2_250),
            ((640, 360), 3_000, 30, 500),
            ((640, 360), 6_000, 15, 325),
            ((426, 240), 6_000, 15, 170),
            ((320, 180), 3_000, 30, 180),
            ((320, 180), 12_000, 8, 79),
            ((106, 60), 6_000, 15, 37),
            ((320, 180), 135_000, 5, 63),
            ((4_000, 4_000), 3_000, 30, 3_000),
        ];

        for ((width, height), interval, fps, kbps) in rows {
            let worth = VideoWorth::of(seen(width, height, interval).unwrap());
            assert_eq!((worth.fps, worth.kbps), (fps, kbps), "{width}x{height}");
        }
    }

    #[test]
    fn more_is_worth_it_at_once_and_less_after_four_seconds() {
        let mut uplink = Uplink::default();
        let (small, large) = (seen(320, 180, EVERY_30TH), seen(640, 360, EVERY_30TH));

        let rows = [
            (0, small, 320),
            (100, large, 640),
            (200, small, 640),
            (4_199, small, 640),
            (4_200, small, 320),
            (4_300, large, 640),
        ];

        for (ms, seen, width) in rows {
            assert_eq!(told(&mut uplink, ms, seen), Some((width, 30)), "{ms} ms");
        }
    }

    #[test]
    fn who_speaks_now_and_then_is_not_made_smaller_in_between() {
        let mut uplink = Uplink::default();

        for n in 0..20 {
            let large = n % 2 == 0;
            let width = if large { 640 } else { 160 };
            let size = seen(width, width * 9 / 16, EVERY_30TH);
            assert_eq!(told(&mut uplink, n * 3_000, size), Some((640, 30)));
        }
    }

    #[test]
    fn a_picture_falls_to_the_most_that_was_seen_meanwhile() {
        let mut uplink = Uplink::default();
        told(&mut uplink, 0, seen(1280, 720, EVERY_30TH));

        told(&mut uplink, 1_000, seen(320, 180, EVERY_30TH));
        told(&mut uplink, 2_000, seen(640, 360, EVERY_15TH));
        let fallen = told(&mut uplink, 5_000, seen(160, 90, EVERY_15TH));

        assert_eq!(fallen, Some((640, 30)));
    }

    #[test]
    fn nobody_is_paused_before_ten_seconds_unseen_and_everybody_is_back_at_once() {
        let mut uplink = Uplink::default();
        let large = seen(640, 360, EVERY_15TH);
        told(&mut uplink, 0, large);

        let rows = [
            (1_000, None, 640),
            (10_999, None, 640),
            (11_000, None, 0),
            (60_000, None, 0),
            (60_033, seen(320, 180, EVERY_15TH), 320),
        ];

        for (ms, seen, width) in rows {
            let fps = if width == 0 { 0 } else { 15 };
            assert_eq!(told(&mut uplink, ms, seen), Some((width, fps)), "{ms} ms");
        }
    }

    #[test]
    fn nothing_is_said_of_somebody_new_before_it_is_known_whether_they_are_seen() {
        let mut uplink = Uplink::default();

        assert_eq!(told(&mut uplink, 0, None), None);
        assert_eq!(told(&mut uplink, 9_999, None), None);
        assert_eq!(told(&mut uplink, 10_000, None), Some((0, 0)));
    }

    #[test]
    fn sound_is_worth_what_the_others_hear_and_never_less_than_speech_needs() {
        let mut uplink = Uplink::default();
        let large = seen(640, 360, EVERY_30TH);

        let rows = [
            (0, 0, 16),
            (100, 32, 32),
            (200, 24, 32),
            (10_200, 24, 24),
            (10_300, 12, 24),
            (20_300, 12, 16),
        ];

        for (ms, heard_kbps, kbps) in rows {
            let worth = uplink
                .follow(at(ms), large, heard_kbps, LONG_PACKETS)
                .unwrap();
            let expected = AudioRung::new(kbps, PacketTime::Ms60);
            assert_eq!(Ok(worth.audio), expected, "{ms} ms");
        }
    }

    #[test]
    fn the_worth_on_the_link_counts_headers_and_leaves_a_trickle_of_a_paused_picture() {
        let audio = AudioRung::nearest(32, PacketTime::Ms20);
        let video = Some(VideoWorth::of(seen(640, 360, EVERY_30TH).unwrap()));

        // Audio: 32 and 24 of headers. Video: 500 and 15 % of that; or 30 and 15 %.
        let rows = [(video, 631_000), (None, 90_000)];

        for (video, bps) in rows {
            assert_eq!(Worth { video, audio }.bits_per_second(), bps);
        }
    }
}
