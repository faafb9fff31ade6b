//! What the video thread keeps of one participant who is connected.

use std::sync::Arc;

use mixer::ladder::{Allocation, Downlink, Ladder};
use mixer::{ParticipantId, RoomTime};
use tokio::sync::mpsc;
use tracing::warn;

use crate::link::Link;
use crate::room::lip_sync::LipSync;
use crate::room::thinning::{Telling, Thinning};
use crate::room::uplink::{Uplink, Worth};
use crate::room::viewer::Viewer;

/// Somebody connected.
pub(super) struct Member {
    pub(super) link: Arc<Link>,
    pub(super) viewer: Viewer,
    pub(super) sync: LipSync,
    thinning: Thinning,
    pub(super) uplink: Uplink,
    /// What the uplink is worth; `None` while that is not known.
    pub(super) worth: Option<Worth>,
    /// Packets that found no room in the link, as of the last tick.
    dropped: u64,
}

/// Whether a new allocation says anything new to the participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allocated {
    AsBefore,
    Otherwise,
}

impl Member {
    pub(super) fn new(link: Arc<Link>, viewer: Viewer) -> Self {
        Self {
            link,
            viewer,
            sync: LipSync::default(),
            thinning: Thinning::default(),
            uplink: Uplink::default(),
            worth: None,
            dropped: 0,
        }
    }

    /// Decides what the viewer gets, and leaves on the link what the transport is to know of it.
    pub(super) fn allocate(&mut self, now: RoomTime, ladder: &Ladder) -> Allocated {
        let Self { link, viewer, .. } = self;
        let before = viewer.allocation();
        let allocation = viewer.allocate(now, ladder, downlink(link));
        link.path.set_audio_rung(allocation.audio);
        let useful_kbps = viewer.useful_kbps(ladder);
        link.path
            .set_useful_downlink_bps(u64::from(useful_kbps) * 1_000);
        let next_bps = allocation.next_kbps.map(|kbps| u64::from(kbps) * 1_000);
        link.path.set_next_downlink_bps(next_bps);
        if before.as_ref().map(told) == Some(told(&allocation)) {
            Allocated::AsBefore
        } else {
            Allocated::Otherwise
        }
    }

    /// Whether packets have found no room in the link since this was asked last.
    pub(super) fn has_displaced(&mut self) -> bool {
        let dropped = self.link.dropped_in();
        std::mem::replace(&mut self.dropped, dropped) != dropped
    }

    /// What comes of `participant` is thinned at `now`: says so by `tell`, not each time.
    pub(super) fn note_thinned(
        &mut self,
        participant: ParticipantId,
        now: RoomTime,
        tell: &mpsc::Sender<ParticipantId>,
    ) {
        let telling = self.thinning.note(now);
        if telling == Telling::Begun {
            warn!(%participant, "sends more than is taken, it is thinned");
        }
        if telling != Telling::Nothing {
            // One who is not told now is told with the next notice.
            let _ = tell.try_send(participant);
        }
    }
}

/// What of an allocation a participant is told: not the bitrate, which follows every estimate.
fn told(allocation: &Allocation) -> impl PartialEq {
    let Allocation {
        audio,
        video,
        why,
        next_kbps,
    } = *allocation;
    (audio, video.index(), why, next_kbps)
}

/// What is known of the way to a participant.
fn downlink(link: &Link) -> Downlink {
    Downlink {
        bps: link.path.downlink_bps(),
        lasting_bps: link.path.lasting_downlink_bps(),
        loss_percent: u32::from(link.path.fraction_lost()) * 100 / 256,
    }
}
