//! Who is drawn where.

use super::VideoMixer;
use super::config::SpeakerBorder;
use super::input::Arrangement;
use super::layout::{Layout, MAX_SMALL, MAX_TILES};
use super::marks::Outline;
use super::region::Region;
use super::rung::Rung;
use super::tile::Seat;
use crate::ParticipantId;

/// Whether everybody still has the place they ought to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seating {
    Settled,
    /// Somebody came, left or spoke, or a rung is new.
    Outdated,
}

impl VideoMixer {
    /// Gives everybody the place they ought to have on every rung.
    pub(super) fn seat_everybody(&mut self) {
        self.layout_changed.clear();
        if self.seating == Seating::Settled {
            return;
        }
        self.seating = Seating::Settled;
        let shown = self.shown();
        let large = |rung: &Rung| self.focus(rung.focus());
        let large: Vec<Option<ParticipantId>> = self.rungs.iter().map(large).collect();
        for (rung, large) in self.rungs.iter_mut().zip(large) {
            let canvas = rung.layout().canvas();
            let layout = match (rung.arrangement(), large) {
                (Arrangement::Grid, _) | (_, None) => {
                    Layout::grid(canvas, &shown, self.config.grid)
                }
                (Arrangement::SpeakerLarge, Some(large)) => {
                    let shown = beside(large, &shown, self.active_speaker);
                    Layout::speaker(canvas, large, &shown, self.config.grid)
                }
                (Arrangement::SpeakerAlone, Some(large)) => {
                    Layout::grid(canvas, &[large], self.config.grid)
                }
            };
            if layout != *rung.layout() {
                rung.set_layout(layout.clone());
                self.layout_changed.push((rung.id(), layout));
            }
            let layout = rung.layout();
            let speaker = match self.config.speaker_border {
                SpeakerBorder::Shown => self.active_speaker,
                SpeakerBorder::Hidden => None,
            };
            for tiles in &mut self.tiles {
                let outline = match layout.tiles() {
                    [_] => Outline::None,
                    _ if speaker == Some(tiles.participant) => Outline::Speaking,
                    _ => Outline::Edge,
                };
                let region = layout.region(tiles.participant);
                let size = region.map(Region::size);
                tiles.seat(rung.id(), size.map(|size| Seat { size, outline }));
            }
        }
    }

    /// Who has a tile: the first to come, and whoever speaks.
    fn shown(&self) -> Vec<ParticipantId> {
        let everybody = self.sources.iter().map(|source| source.participant);
        let mut shown: Vec<ParticipantId> = everybody.take(MAX_TILES).collect();
        if let (Some(speaker), Some(last)) = (self.active_speaker, shown.last_mut())
            && *last < speaker
            && self.seat_of(speaker).is_some()
        {
            *last = speaker;
        }
        shown
    }
}

/// Who is to be drawn beside somebody `large`: whoever speaks is among those for whom there is a
/// place, in that of the last.
fn beside(
    large: ParticipantId,
    shown: &[ParticipantId],
    speaker: Option<ParticipantId>,
) -> Vec<ParticipantId> {
    let others = shown.iter().filter(|other| **other != large);
    let mut others: Vec<ParticipantId> = others.copied().collect();
    let place = others.iter().position(|other| Some(*other) == speaker);
    if let Some(place) = place.filter(|place| *place >= MAX_SMALL) {
        others.swap(place, MAX_SMALL - 1);
    }
    others
}
