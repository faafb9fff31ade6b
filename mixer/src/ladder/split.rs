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
use crate::audio::{AudioRung, PacketTime};

/// From how many kb/s on audio is on which rung. The lowest first.
pub const AUDIO_LADDER: [(u32, AudioRung); 7] = [
    row(0, 12, PacketTime::Ms120),
    row(27, 20, PacketTime::Ms120),
    row(75, 20, PacketTime::Ms60),
    row(220, 24, PacketTime::Ms40),
    row(350, 32, PacketTime::Ms20),
    row(1_000, 40, PacketTime::Ms20),
    row(2_000, AudioRung::MOST_KBPS, PacketTime::Ms20),
];

const fn row(from_kbps: u32, bitrate_kbps: u32, packet_time: PacketTime) -> (u32, AudioRung) {
    match AudioRung::new(bitrate_kbps, packet_time) {
        Ok(rung) => (from_kbps, rung),
        Err(_) => panic!("the ladder has rungs that exist"),
    }
}

/// What a receiver's audio never exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AudioCap {
    pub(super) kbps: u32,
    pub(super) packet_time: PacketTime,
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
    pub(super) audio: AudioRung,
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
    /// Divides `link_kbps` at `now`. Audio gets at most `cap`; `loss_percent` is what the receiver
    /// reports of video.
    pub(super) fn divide(
        &mut self,
        now: RoomTime,
        link_kbps: u32,
        cap: AudioCap,
        loss_percent: u32,
    ) -> Split {
        let row = self.follow(now, link_kbps, cap);
        let audio = rung_of(row, cap);
        Split {
            audio,
            video_kbps: video_part(link_kbps, audio, loss_percent),
        }
    }

    fn follow(&mut self, now: RoomTime, link_kbps: u32, cap: AudioCap) -> usize {
        let sure = row_of(link_kbps - link_kbps / MARGIN);
        let row = *self.row.get_or_insert(sure);
        let row = if row_of(link_kbps) < row {
            self.room_since = None;
            let below_since = *self.below_since.get_or_insert(now);
            let fits = fits(rung_of(row, cap), link_kbps);
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
fn fits(audio: AudioRung, link_kbps: u32) -> bool {
    audio_wire_kbps(audio) <= link_kbps / 2
}

fn row_of(link_kbps: u32) -> usize {
    let above = AUDIO_LADDER.iter().position(|(from, _)| *from > link_kbps);
    above.unwrap_or(AUDIO_LADDER.len()) - 1
}

fn rung_of(row: usize, cap: AudioCap) -> AudioRung {
    let (_, audio) = AUDIO_LADDER[row];
    audio.at_most(cap.kbps, cap.packet_time)
}

/// What a link must carry, about, for video to have `video_kbps` beside the audio it then has.
pub(super) fn link_for(video_kbps: u32, cap: AudioCap) -> u32 {
    let mut link_kbps = video_kbps;
    // Audio's rows and the shares of a link depend on the link: a few rounds settle it.
    for _ in 0..SETTLING_ROUNDS {
        let audio = rung_of(row_of(link_kbps), cap);
        let got = video_part(link_kbps, audio, 0);
        link_kbps = (link_kbps + video_kbps).saturating_sub(got).max(1);
    }
    link_kbps
}

/// What of a link is left for video beside `audio`, headers included.
pub(super) fn video_part(link_kbps: u32, audio: AudioRung, loss_percent: u32) -> u32 {
    let left = link_kbps.saturating_sub(audio_wire_kbps(audio) + control_kbps(link_kbps));
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
