//! What the room asks of the video thread, and how that is done.

use std::sync::Arc;

use codecs::rtp::vp8::PictureNumber;
use codecs::video::{I420, Scaler, VideoDecoder};
use mixer::ParticipantId;
use mixer::ladder::Wish;
use mixer::video::{Camera, Presence, VideoInput};
use tokio::sync::oneshot;
use tracing::info;

use super::VideoThread;
use super::member::Member;
use super::sights::SightsKnown;
use crate::link::Link;
use crate::room::viewer::Viewer;

/// What the room asks of the thread.
#[derive(Debug)]
pub(in crate::room) enum VideoControl {
    Join {
        participant: ParticipantId,
    },
    Leave {
        participant: ParticipantId,
    },
    Attach {
        participant: ParticipantId,
        link: Arc<Link>,
        decoder: Box<dyn VideoDecoder>,
        scaler: Box<dyn Scaler>,
        wish: Wish,
    },
    Detach {
        participant: ParticipantId,
    },
    Presence {
        participant: ParticipantId,
        presence: Presence,
    },
    Camera {
        participant: ParticipantId,
        camera: Camera,
    },
    Wish {
        participant: ParticipantId,
        wish: Wish,
    },
    Speaker(Option<ParticipantId>),
    /// Somebody is pinned for the room, or nobody.
    Pin(Option<ParticipantId>),
    /// A copy of the largest picture is wanted. Nothing is sent if there is none.
    Snapshot(oneshot::Sender<I420>),
}

impl VideoThread {
    /// Does what is asked, before the next tick.
    pub(super) fn obey(&mut self, control: VideoControl) {
        match control {
            VideoControl::Join { participant } => {
                self.mixer.handle(VideoInput::Join { participant });
            }
            VideoControl::Leave { participant } => {
                self.end_track(participant);
                self.mixer.handle(VideoInput::Leave { participant });
            }
            VideoControl::Attach {
                participant,
                link,
                decoder,
                scaler,
                wish,
            } => {
                self.mixer.handle(VideoInput::AddTrack {
                    participant,
                    decoder,
                    scaler,
                });
                let number = PictureNumber::new(rand::random(), rand::random());
                let mut viewer = Viewer::new(self.config.audio_kbps, wish, number);
                viewer.cap_packets(link.max_packet_ms());
                let member = Member::new(link, viewer);
                self.members.insert(participant, member);
                self.allocated_at = None;
            }
            VideoControl::Detach { participant } => {
                self.end_track(participant);
                self.mixer.handle(VideoInput::RemoveTrack { participant });
            }
            VideoControl::Presence {
                participant,
                presence,
            } => {
                self.mixer.handle(VideoInput::Presence {
                    participant,
                    presence,
                });
            }
            VideoControl::Camera {
                participant,
                camera,
            } => {
                self.mixer.handle(VideoInput::Camera {
                    participant,
                    camera,
                });
            }
            VideoControl::Wish { participant, wish } => {
                if let Some(member) = self.members.get_mut(&participant) {
                    member.viewer.set_wish(wish);
                    self.allocated_at = None;
                }
            }
            VideoControl::Speaker(speaker) => {
                self.mixer.handle(VideoInput::ActiveSpeaker(speaker));
            }
            VideoControl::Pin(pinned) => self.mixer.handle(VideoInput::Pin(pinned)),
            VideoControl::Snapshot(wanted) => {
                if let Some(canvas) = self.largest_canvas() {
                    let _ = wanted.send(canvas.clone());
                }
            }
        }
    }

    /// The largest picture that is encoded, as it was encoded last.
    fn largest_canvas(&self) -> Option<&I420> {
        let rungs = self.encodings.rungs();
        let canvases = rungs.filter_map(|rung| self.mixer.canvas(rung));
        canvases.max_by_key(|canvas| canvas.size().pixels())
    }

    fn end_track(&mut self, participant: ParticipantId) {
        if self.members.remove(&participant).is_none() {
            return;
        }
        self.sights = SightsKnown::Outdated;
        // Who only watches has none.
        if let Some(counters) = self.mixer.counters(participant) {
            info!(%participant, ?counters, "video ended");
        }
    }
}
