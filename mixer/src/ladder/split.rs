//! What a link carries, divided: audio first, then what accompanies media, the rest for video.
//!
//! | from kb/s | audio kb/s | packet ms | on the link |
//! |---|---|---|---|
//! | 0 | 12 | 120 | 16 |
//! | 27 | 20 | 120 | 24 |
//! | 75 | 20 | 60 | 28 |
//! | 220 | 24 | 40 | 36 |
//! | 350 | 32 | 20 | 56 |
//! | 1000 | 40 | 20 | 64 |
//! | 2000 | as much as it may get | 20 | |
//!
//! Long packets cost delay and lose more at once, so they are left as soon as there is room. So is
//! 12 kb/s: from 20 on, packets carry copies of the one before (in-band FEC). A link has to be above
//! a row's bound by an eighth before audio takes it. Below the bound audio stays for a second if it
//! takes no more than half, since estimates dip while a queue empties, and packet times that come and go are heard.

use std::time::Duration;

use super::overhead::audio_wire_kbps;
use crate::RoomTime;

/// How audio is encoded for a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AudioShape {
    /// The encoder's bitrate, 6 to 256 kb/s.
    pub bitrate_kbps: u32,
    /// Sound per packet: 20, 40, 60 or 120 ms.
    pub packet_ms: u32,
}

impl AudioShape {
    /// What it takes on the link, headers included.
    #[must_use]
    pub const fn wire_kbps(self) -> u32 {
        audio_wire_kbps(self.bitrate_kbps, self.packet_ms)
    }
}

/// From how many kb/s on audio has which shape. The lowest first.
const ROWS: [(u32, AudioShape); 7] = [
    row(0, 12, 120),
    row(27, 20, 120),
    row(75, 20, 60),
    row(220, 24, 40),
    row(350, 32, 20),
    row(1_000, 40, 20),
    row(2_000, u32::MAX, 20),
];

const fn row(from_kbps: u32, bitrate_kbps: u32, packet_ms: u32) -> (u32, AudioShape) {
    let shape = AudioShape {
        bitrate_kbps,
        packet_ms,
    };
    (from_kbps, shape)
}

/// How long a link must have had room for better audio before it gets it. Changing costs nothing,
/// but packet times that come and go are heard as delay that does.
const RISE_AFTER: Duration = Duration::from_secs(3);

/// For so long audio stays on a row for which the link is not enough, as long as it
/// takes no more than half of it.
const LEAVE_AFTER: Duration = Duration::from_secs(1);

/// A link above a row's bound by one part in this may take the row.
const MARGIN: u32 = 8;

/// Of what is left for video, one part in this is for sending again what got lost.
const RESEND_SHARE: u32 = 20;

/// Below this link, in kb/s, one part in this: the queue there is a matter of single packets, and
/// what comes on top of the usual stands in it.
const THIN_KBPS: u32 = 300;
const THIN_RESEND_SHARE: u32 = 8;

/// More than it takes until [`link_for`] moves no more than a kb/s.
const SETTLING_ROUNDS: usize = 8;

/// What of a link is whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) audio: AudioShape,
    /// For video, headers included.
    pub(super) video_kbps: u32,
}

/// Audio's part over time.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// `None` before the first division, which takes what fits at once.
    row: Option<usize>,
    /// Since when there has been room for a better row.
    room_since: Option<RoomTime>,
    /// Since when the link has been below the row's bound.
    below_since: Option<RoomTime>,
}

impl Splitter {
    /// Divides `link_kbps` at `now`. Audio gets at most `max_audio_kbps`; `loss_percent` is what
    /// the receiver reports of video.
    pub(super) fn divide(
        &mut self,
        now: RoomTime,
        link_kbps: u32,
        max_audio_kbps: u32,
        loss_percent: u32,
    ) -> Split {
        let row = self.follow(now, link_kbps, max_audio_kbps);
        let audio = shape_of(row, max_audio_kbps);
        Split {
            audio,
            video_kbps: video_part(link_kbps, audio, loss_percent),
        }
    }

    fn follow(&mut self, now: RoomTime, link_kbps: u32, max_audio_kbps: u32) -> usize {
        let sure = row_of(link_kbps - link_kbps / MARGIN);
        let row = *self.row.get_or_insert(sure);
        let row = if row_of(link_kbps) < row {
            self.room_since = None;
            let below_since = *self.below_since.get_or_insert(now);
            let fits = fits(shape_of(row, max_audio_kbps), link_kbps);
            if fits && now.since(below_since) < LEAVE_AFTER {
                row
            } else {
                row_of(link_kbps)
            }
        } else {
            self.below_since = None;
            if sure <= row {
                self.room_since = None;
                row
            } else if now.since(*self.room_since.get_or_insert(now)) >= RISE_AFTER {
                self.room_since = None;
                sure
            } else {
                row
            }
        };
        self.row = Some(row);
        row
    }
}

/// Whether audio leaves half of the link to video.
fn fits(audio: AudioShape, link_kbps: u32) -> bool {
    audio.wire_kbps() <= link_kbps / 2
}

fn row_of(link_kbps: u32) -> usize {
    let above = ROWS.iter().position(|(from, _)| *from > link_kbps);
    above.unwrap_or(ROWS.len()) - 1
}

fn shape_of(row: usize, max_audio_kbps: u32) -> AudioShape {
    let (_, mut audio) = ROWS[row];
    audio.bitrate_kbps = audio.bitrate_kbps.min(max_audio_kbps);
    audio
}

/// What a link must carry, about, for video to have `video_kbps` beside the audio it then has.
pub(super) fn link_for(video_kbps: u32, max_audio_kbps: u32) -> u32 {
    let mut link_kbps = video_kbps;
    // Audio's rows and the shares of a link depend on the link: a few rounds settle it.
    for _ in 0..SETTLING_ROUNDS {
        let audio = shape_of(row_of(link_kbps), max_audio_kbps);
        let got = video_part(link_kbps, audio, 0);
        link_kbps = (link_kbps + video_kbps).saturating_sub(got).max(1);
    }
    link_kbps
}

fn video_part(link_kbps: u32, audio: AudioShape, loss_percent: u32) -> u32 {
    let left = link_kbps.saturating_sub(audio.wire_kbps() + control_kbps(link_kbps));
    // What is lost once is sent twice; a fifth of it at most, beyond which resending is hopeless.
    let lost = left * loss_percent.min(20) / 100;
    let share = if link_kbps < THIN_KBPS {
        THIN_RESEND_SHARE
    } else {
        RESEND_SHARE
    };
    left - lost - (left - lost) / share
}

/// For what an estimate of media does not count: reports, STUN, NACK, feedback on what the
/// participant sends. A thirty-second, 1 to 6 kb/s: most of it was there when the link was measured.
const fn control_kbps(link_kbps: u32) -> u32 {
    let share = link_kbps / 32;
    if share < 1 {
        1
    } else if share > 6 {
        6
    } else {
        share
    }
}
