//! One receiver: what its link carries and what it asks for, turned into what it gets.

use std::time::Duration;

use super::choice::{Choice, Headroom, VideoChoice, Why, room_kbps};
use super::overhead::video_wire_kbps;
use super::split::{AudioCap, Split, Splitter, link_for, video_part};
use super::{Ladder, RungSpec};
use crate::audio::{AudioRung, PacketTime};
use crate::video::Arrangement;
use crate::{ParticipantId, RoomTime};

/// What a link is taken to carry until it is known. More would lose a quarter of the first second
/// on a link of 100 kb/s.
const FIRST_KBPS: u32 = 120;

/// What video gets of it: a first picture of two or three kilobytes, which comes soon on any link.
/// More would keep the first second of audio from links of 64 kb/s and less.
const FIRST_VIDEO_KBPS: u32 = 20;

/// After so long without knowing what a link carries, its receiver does not tell, and gets all.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// More than any link is taken to carry.
const PLENTY_KBPS: u32 = 1_000_000;

/// Whom a receiver wants to see large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishedLayout {
    /// Everybody alike.
    Grid,
    /// The active speaker.
    Speaker,
}

/// Whether a receiver wants video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WishedVideo {
    /// As much as there is.
    #[default]
    Wanted,
    /// None: audio only.
    Unwanted,
}

/// What a receiver asks for, beside what its link allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Whom to see large; `None`: as each rung has it, or if somebody is pinned, as a speaker.
    pub layout: Option<WishedLayout>,
    /// Whom to see large in place of the active speaker.
    pub pin: Option<ParticipantId>,
    /// The most that may come over the link, everything counted. Audio comes in any case.
    pub max_kbps: Option<u32>,
    /// The highest canvas in pixels.
    pub max_height: Option<u32>,
    /// Whether to see anything.
    pub video: WishedVideo,
}

impl Wish {
    /// How the pictures of `rung` are arranged for whoever asks for this.
    #[must_use]
    pub fn arrangement(self, rung: &RungSpec) -> Arrangement {
        let layout = self
            .layout
            .or_else(|| self.pin.map(|_| WishedLayout::Speaker));
        match (layout, rung.arrangement) {
            (None, arrangement) => arrangement,
            (Some(WishedLayout::Grid), _) => Arrangement::Grid,
            (Some(WishedLayout::Speaker), Arrangement::Grid) => Arrangement::SpeakerLarge,
            (Some(WishedLayout::Speaker), arrangement) => arrangement,
        }
    }

    fn allows(&self, rung: &RungSpec) -> bool {
        let fits = |max: u32| rung.size.height() as u64 <= u64::from(max);
        self.video == WishedVideo::Wanted && self.max_height.is_none_or(fits)
    }
}

/// What is known of the way to a receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Downlink {
    /// What may be sent over it in bits per second, with all headers; `None` while unknown.
    pub bps: Option<u64>,
    /// What will be there again when a queue has been drained, as long as one is; `None`: no more than
    /// `bps`.
    pub lasting_bps: Option<u64>,
    /// Video packets that the receiver reports lost.
    pub loss_percent: u32,
}

/// What a receiver gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Its audio.
    pub audio: AudioRung,
    /// Its video.
    pub video: VideoChoice,
    /// Why its video is no better.
    pub why: Why,
    /// What its link would have to carry for the next rung up, about, everything counted, if
    /// nothing gets lost. `None` where there is none, or where the link is not the reason.
    pub next_kbps: Option<u32>,
}

/// Allocates to one receiver. See the module.
#[derive(Debug)]
pub struct Receiver {
    audio_cap: AudioCap,
    wish: Wish,
    splitter: Splitter,
    choice: Choice,
    first_tick: Option<RoomTime>,
    last_known_bps: Option<u64>,
}

impl Receiver {
    /// A receiver of whom nothing is known. Its audio never gets more than `max_audio_kbps`.
    #[must_use]
    pub fn new(max_audio_kbps: u32) -> Self {
        Self {
            audio_cap: AudioCap {
                kbps: max_audio_kbps,
                packet_time: PacketTime::Ms120,
            },
            wish: Wish::default(),
            splitter: Splitter::default(),
            choice: Choice::default(),
            first_tick: None,
            last_known_bps: None,
        }
    }

    /// Keeps audio to packets of at most `ms` milliseconds, or of the shortest there are.
    pub fn cap_packets(&mut self, ms: u32) {
        self.audio_cap.packet_time = PacketTime::within_ms(ms);
    }

    /// Replaces what the receiver asks for.
    pub const fn set_wish(&mut self, wish: Wish) {
        self.wish = wish;
    }

    /// What the receiver asks for.
    #[must_use]
    pub const fn wish(&self) -> Wish {
        self.wish
    }

    /// What the receiver gets from `now` on. To be called every 100 ms, about; `now` never goes
    /// backwards.
    pub fn tick(&mut self, now: RoomTime, ladder: &Ladder, downlink: Downlink) -> Allocation {
        let (known, link_kbps) = self.link(now, downlink.bps);
        let asked = self.wish.max_kbps.is_some_and(|max| max < link_kbps);
        let link_kbps = self.wish.max_kbps.unwrap_or(u32::MAX).min(link_kbps);
        let loss_percent = downlink.loss_percent;
        let Split { audio, video_kbps } =
            self.splitter
                .divide(now, link_kbps, self.audio_cap, loss_percent);
        let lasting_kbps = downlink.lasting_bps.map_or(link_kbps, |bps| {
            let most = self.wish.max_kbps.unwrap_or(u32::MAX);
            kbps_of(bps).clamp(link_kbps, most.max(link_kbps))
        });
        let first_at_most = match known {
            Known::NotYet => FIRST_VIDEO_KBPS,
            Known::Yes | Known::Never => u32::MAX,
        };
        let headroom = Headroom {
            now_kbps: video_kbps.min(first_at_most),
            lasting_kbps: video_part(lasting_kbps, audio, loss_percent).min(first_at_most),
        };
        let wish = self.wish;
        let video = self
            .choice
            .tick(now, ladder, headroom, |rung| wish.allows(rung));
        let above = video.index().map_or(0, |index| index + 1);
        let next = ladder.rungs().get(above);
        let (why, next) = match next {
            None => (Why::Best, None),
            Some(rung) if asked || !wish.allows(rung) => (Why::Asked, None),
            Some(_) if known == Known::NotYet => (Why::Starting, None),
            Some(rung) => (Why::Bandwidth, Some(rung)),
        };
        let next_kbps = next.map(|rung| {
            let wire_kbps = video_wire_kbps(rung, room_kbps(rung));
            link_for(wire_kbps, self.audio_cap)
        });
        Allocation {
            audio,
            video,
            why,
            next_kbps,
        }
    }

    /// What a link must carry, about, for all that the receiver would take, and a quarter more,
    /// since an estimate hovers below what it knows to be there. To know of more is of no use.
    #[must_use]
    pub fn useful_kbps(&self, ladder: &Ladder) -> u32 {
        let wanted = |rung: &&RungSpec| self.wish.allows(rung);
        let best = ladder.rungs().iter().rev().find(wanted);
        let video_kbps = best.map_or(0, |rung| video_wire_kbps(rung, *rung.kbps.end()));
        let kbps = link_for(video_kbps, self.audio_cap);
        self.wish.max_kbps.unwrap_or(u32::MAX).min(kbps + kbps / 4)
    }

    /// What the link carries, as far as that is known.
    fn link(&mut self, now: RoomTime, bps: Option<u64>) -> (Known, u32) {
        let first_tick = *self.first_tick.get_or_insert(now);
        self.last_known_bps = bps.or(self.last_known_bps);
        match self.last_known_bps {
            Some(bps) => (Known::Yes, kbps_of(bps)),
            None if now.since(first_tick) < UNKNOWN_FOR => (Known::NotYet, FIRST_KBPS),
            None => (Known::Never, PLENTY_KBPS),
        }
    }
}

fn kbps_of(bps: u64) -> u32 {
    let kbps = u32::try_from(bps / 1_000).unwrap_or(PLENTY_KBPS);
    kbps.min(PLENTY_KBPS)
}

/// Whether it is known what a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Yes,
    NotYet,
    Never,
}
