//! What the video thread finds out about each participant's picture, the one they get and the one
//! they send, and how the room tells them.

use std::collections::BTreeMap;

use codecs::video::{PictureSize, VIDEO_CLOCK_HZ};
use mixer::ParticipantId;
use mixer::ladder::{Allocation, Ladder, Pace, Why};
use mixer::video::Layout;
use serde_json::Number;

use super::uplink::Worth;
use crate::signaling::message::{
    self, LayoutCanvas, NextRung, Quality, QualityReason, ServerMessage, Tile, UplinkAudio,
    UplinkVideo, VideoRung, VideoState,
};

/// What one participant gets and how they are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// Who is where in the picture they get. `None` while they get none.
    pub(super) layout: Option<Layout>,
    /// The largest that anybody sees them.
    pub(super) seen_as: Option<PictureSize>,
    /// What was decided for them.
    pub(super) allocation: Allocation,
    /// What is worth sending for them, once that is known.
    pub(super) worth: Option<Worth>,
}

/// Of everybody with a transport.
pub(super) type Sights = BTreeMap<ParticipantId, Sight>;

impl Sight {
    /// What to say to the participant, who was told `before`: only what is new.
    pub(super) fn messages(
        &self,
        before: Option<&Self>,
        ladder: &Ladder,
    ) -> impl Iterator<Item = ServerMessage> {
        let same_picture = before
            .is_some_and(|before| (&before.layout, before.seen_as) == (&self.layout, self.seen_as));
        let layout = if same_picture {
            None
        } else {
            self.layout_message()
        };
        let told = before.map(|before| before.quality_message(ladder));
        let quality = Some(self.quality_message(ladder)).filter(|it| told.as_ref() != Some(it));
        let told = before.and_then(|before| before.worth);
        let uplink = self
            .worth
            .filter(|worth| told != Some(*worth))
            .map(uplink_message);
        layout.into_iter().chain(quality).chain(uplink)
    }

    fn layout_message(&self) -> Option<ServerMessage> {
        let layout = self.layout.as_ref()?;
        let tiles = layout.tiles().iter().map(|(participant, region)| Tile {
            participant: participant.to_string(),
            left: region.left(),
            top: region.top(),
            width: region.size().width(),
            height: region.size().height(),
        });
        Some(ServerMessage::Layout(message::Layout {
            canvas: canvas(layout.canvas()),
            tiles: tiles.collect(),
            seen_as: self.seen_as.map(canvas),
        }))
    }

    fn quality_message(&self, ladder: &Ladder) -> ServerMessage {
        let Allocation {
            audio,
            video,
            why,
            next_kbps,
        } = self.allocation;
        let rung = video.index().map(|index| &ladder.rungs()[index]);
        ServerMessage::Quality(Quality {
            video: match rung.map(|rung| rung.pace) {
                Some(Pace::Moving { .. }) => VideoState::Moving,
                Some(Pace::Stills { .. }) => VideoState::Stills,
                None => VideoState::Paused,
            },
            rung: rung.map(|rung| VideoRung {
                name: rung.name.clone(),
                width: rung.size.width(),
                height: rung.size.height(),
                fps: fps(rung.pace),
            }),
            audio_kbps: audio.bitrate_kbps(),
            packet_ms: audio.packet_time().ms(),
            reason: match why {
                Why::Best => QualityReason::Best,
                Why::Bandwidth => QualityReason::Bandwidth,
                Why::Asked => QualityReason::Asked,
                Why::Starting => QualityReason::Starting,
            },
            next: next_kbps.map(|kbps| NextRung { kbps }),
        })
    }
}

fn canvas(size: PictureSize) -> LayoutCanvas {
    LayoutCanvas {
        width: size.width(),
        height: size.height(),
    }
}

fn uplink_message(Worth { video, audio }: Worth) -> ServerMessage {
    ServerMessage::Uplink(message::Uplink {
        video: video.map(|video| UplinkVideo {
            width: video.size.width(),
            height: video.size.height(),
            fps: video.fps,
            kbps: video.kbps,
        }),
        audio: UplinkAudio {
            kbps: audio.bitrate_kbps(),
            packet_ms: audio.packet_time().ms(),
        },
    })
}

/// To a tenth, and without one where it is whole.
fn fps(pace: Pace) -> Number {
    let tenths = (VIDEO_CLOCK_HZ * 10 + pace.interval() / 2) / pace.interval().max(1);
    if tenths.is_multiple_of(10) {
        return Number::from(tenths / 10);
    }
    Number::from_f64(f64::from(tenths) / 10.0).unwrap_or_else(|| Number::from(tenths / 10))
}

#[cfg(test)]
mod tests {
    use mixer::audio::{AudioRung, PacketTime};
    use mixer::ladder::VideoChoice;

    use super::*;

    fn ladder() -> Ladder {
        Ladder::usual(PictureSize::new(1280, 720).unwrap(), 30, 1_500).unwrap()
    }

    fn sight(index: usize, kbps: u32) -> Sight {
        Sight {
            layout: Some(Layout::empty(PictureSize::new(320, 180).unwrap())),
            seen_as: None,
            allocation: Allocation {
                audio: AudioRung::new(16, PacketTime::Ms60).unwrap(),
                video: VideoChoice::Rung { index, kbps },
                why: Why::Bandwidth,
                next_kbps: Some(132),
            },
            worth: Some(Worth {
                video: None,
                audio: AudioRung::new(32, PacketTime::Ms20).unwrap(),
            }),
        }
    }

    #[test]
    fn only_what_is_new_is_said() {
        let said = |sight: &Sight, before: Option<&Sight>| -> Vec<ServerMessage> {
            sight.messages(before, &ladder()).collect()
        };
        let (first, slower, lower) = (sight(1, 40), sight(1, 35), sight(0, 20));

        assert_eq!(said(&first, None).len(), 3);
        assert_eq!(said(&slower, Some(&first)), []);
        let [ServerMessage::Quality(quality)] = &said(&lower, Some(&slower))[..] else {
            panic!("the picture is where it was");
        };
        assert_eq!(quality.video, VideoState::Stills);
    }

    #[test]
    fn who_is_not_seen_any_more_is_told_nothing_else() {
        let seen = Sight {
            worth: None,
            ..sight(1, 40)
        };

        let said: Vec<_> = sight(1, 40).messages(Some(&seen), &ladder()).collect();

        let [ServerMessage::Uplink(uplink)] = &said[..] else {
            panic!("{said:?}");
        };
        assert_eq!(uplink.video, None);
    }

    #[test]
    fn a_rate_is_told_to_a_tenth() {
        let rungs = ladder();
        let told = rungs.rungs().iter().map(|rung| fps(rung.pace).to_string());

        let expected = ["0.7", "10", "15", "30", "30"];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
