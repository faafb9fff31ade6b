//! What viewers see and what uplinks are worth: found out, and told to the room when it has changed.

use codecs::video::PictureSize;
use mixer::video::VideoMixer;
use mixer::{ParticipantId, RoomTime};
use tokio::sync::watch;
use tracing::debug;

use super::VideoThread;
use super::member::Member;
use crate::room::encodings::Encodings;
use crate::room::sight::{Sight, Sights};
use crate::room::uplink::{self, Sighting};

/// Whether what the room was told of viewers' pictures is still true.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SightsKnown {
    Yes,
    Outdated,
}

impl VideoThread {
    /// Finds out what uplinks are worth: as often as it is decided what viewers get, and whenever
    /// pictures have changed, so that nobody waits for whoever begins to speak.
    pub(super) fn follow_uplinks(&mut self, now: RoomTime) {
        if self.allocated_at != Some(now) && self.sights == SightsKnown::Yes {
            return;
        }
        let heard: Vec<(ParticipantId, u32)> = self
            .members
            .iter()
            .filter_map(|(id, member)| {
                Some((*id, member.viewer.allocation()?.audio.bitrate_kbps()))
            })
            .collect();
        let (encodings, mixer) = (&self.encodings, &self.mixer);
        for (participant, member) in &mut self.members {
            let others = heard.iter().filter(|(id, _)| id != participant);
            let heard_kbps = others.map(|(_, kbps)| *kbps).max().unwrap_or_default();
            let seen = sighting(encodings, mixer, *participant);
            let allocation = member.viewer.allocation();
            let packet_time = uplink::packet_time(allocation.map(|it| it.audio));
            let Some(worth) = member.uplink.follow(now, seen, heard_kbps, packet_time) else {
                continue;
            };
            if member.worth.replace(worth) != Some(worth) {
                debug!(%participant, ?worth, "uplink");
                member
                    .link
                    .path
                    .set_uplink_worth_bps(worth.bits_per_second());
                self.sights = SightsKnown::Outdated;
            }
        }
    }

    /// Tells the room what is new of viewers' pictures.
    pub(super) fn tell(&mut self, tell_sights: &watch::Sender<Sights>) {
        if self.sights == SightsKnown::Yes {
            return;
        }
        self.sights = SightsKnown::Yes;
        let members = self.members.iter();
        let sights: Sights = members
            .filter_map(|(participant, Member { viewer, worth, .. })| {
                let view = viewer.watches();
                let layout = view.and_then(|view| self.mixer.layout(view.id()));
                let sight = Sight {
                    layout: layout.cloned(),
                    seen_as: self.seen_as(*participant),
                    allocation: viewer.allocation()?,
                    worth: *worth,
                };
                Some((*participant, sight))
            })
            .collect();
        tell_sights.send_if_modified(|told| {
            let changed = *told != sights;
            *told = sights;
            changed
        });
    }

    /// The largest that anybody sees a participant.
    fn seen_as(&self, participant: ParticipantId) -> Option<PictureSize> {
        let layouts = self
            .encodings
            .rungs()
            .filter_map(|rung| self.mixer.layout(rung));
        let regions = layouts.filter_map(|layout| layout.region(participant));
        let sizes = regions.map(mixer::video::Region::size);
        sizes.max_by_key(|size| size.pixels())
    }
}

/// How a participant is seen on the rungs that are encoded.
fn sighting(
    encodings: &Encodings,
    mixer: &VideoMixer,
    participant: ParticipantId,
) -> Option<Sighting> {
    let on = |(rung, interval)| {
        let region = mixer.layout(rung)?.region(participant)?;
        Some(Sighting::new(region.size(), interval))
    };
    encodings.intervals().filter_map(on).reduce(Sighting::and)
}
