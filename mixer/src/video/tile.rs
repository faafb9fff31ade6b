//! Sources drawn to the size of their regions.

use codecs::video::{I420, PictureSize};

use super::config::VideoConfig;
use super::draw::Point;
use super::fit::Placement;
use super::input::{Presence, RungId};
use super::marks::{self, Outline};
use super::orientation::Orientation;
use super::placeholder;
use super::source::{Content, Life, Seen, Source};
use crate::{ParticipantId, RoomTime};

/// One source drawn for one rung. Drawn anew only when it would look different.
#[derive(Debug)]
pub(crate) struct Tile {
    rung: RungId,
    outline: Outline,
    picture: I420,
    /// The source at its size in the tile, not turned yet. Only of use where it is to be.
    lying: Option<I420>,
    drawn: Option<(Content, Outline)>,
    change: Change,
}

/// A tile's place, as far as drawing it is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) size: PictureSize,
    pub(crate) outline: Outline,
}

/// Whether the last [`Tiles::draw`] made a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The tile has to be copied to the canvas.
    Redrawn,
    /// It is there already.
    None,
}

/// All tiles of one participant: at most one per rung.
#[derive(Debug)]
pub(crate) struct Tiles {
    pub(crate) participant: ParticipantId,
    tiles: Vec<Tile>,
}

impl Tiles {
    /// No tiles yet.
    pub(crate) const fn new(participant: ParticipantId) -> Self {
        Self {
            participant,
            tiles: Vec::new(),
        }
    }

    /// Gives the participant a tile on `rung`, or takes it away.
    pub(crate) fn seat(&mut self, rung: RungId, seat: Option<Seat>) {
        let Some(Seat { size, outline }) = seat else {
            self.tiles.retain(|tile| tile.rung != rung);
            return;
        };
        let Some(tile) = self.tiles.iter_mut().find(|tile| tile.rung == rung) else {
            self.tiles.push(Tile {
                rung,
                outline,
                picture: I420::black(size),
                lying: None,
                drawn: None,
                change: Change::None,
            });
            return;
        };
        tile.outline = outline;
        if tile.picture.size() != size {
            tile.picture.resize(size);
            tile.drawn = None;
        }
    }

    /// Whether there is any.
    pub(crate) const fn seen(&self) -> Seen {
        if self.tiles.is_empty() {
            Seen::Nowhere
        } else {
            Seen::Somewhere
        }
    }

    /// Brings the tiles of the rungs in `due` up to what `source` is to show at `now`.
    pub(crate) fn draw(
        &mut self,
        source: &mut Source,
        now: RoomTime,
        due: &[RungId],
        config: &VideoConfig,
    ) {
        let content = source.content(now, config.stale_after);
        for tile in self
            .tiles
            .iter_mut()
            .filter(|tile| due.contains(&tile.rung))
        {
            let wanted = (content, tile.outline);
            if tile.drawn == Some(wanted) {
                tile.change = Change::None;
                continue;
            }
            tile.draw(content, source, config);
            tile.drawn = Some(wanted);
            tile.change = Change::Redrawn;
        }
    }

    /// The tile for `rung`, and whether it is another than last time.
    pub(crate) fn on(&self, rung: RungId) -> Option<(&I420, Change)> {
        let tile = self.tiles.iter().find(|tile| tile.rung == rung)?;
        Some((&tile.picture, tile.change))
    }
}

impl Tile {
    fn draw(&mut self, content: Content, source: &mut Source, config: &VideoConfig) {
        let size = self.picture.size();
        match content {
            Content::Placeholder(presence) => {
                placeholder::draw(&mut self.picture.view_mut(), source.participant);
                if presence == Presence::Absent {
                    marks::absent(&mut self.picture.view_mut(), placeholder::sign_place(size));
                }
            }
            Content::Picture { life, .. } => {
                self.scale(source, config);
                match life {
                    Life::Live => {}
                    Life::Stale => marks::stale(&mut self.picture.view_mut()),
                    Life::Gone => {
                        marks::absent(&mut self.picture.view_mut(), Point::center_of(size))
                    }
                }
            }
        }
        marks::outline(&mut self.picture.view_mut(), self.outline);
    }

    fn scale(&mut self, source: &mut Source, config: &VideoConfig) {
        let Some((picture, orientation, scaler)) = source.picture() else {
            return;
        };
        // Placed as if the region lay on its side like the picture; so both are turned together.
        let region = orientation.turned(self.picture.size());
        let Placement { from, to } = Placement::new(picture.size(), region, config.fit);
        if to.size != region {
            self.picture.fill(config.background);
        }
        let (left_px, top_px) = orientation.turned_corner(to.left_px, to.top_px);
        let mut tile = self.picture.view_mut();
        let from = picture.view().crop(from.left_px, from.top_px, from.size);
        let upright = tile.crop(left_px, top_px, orientation.turned(to.size));
        let (Some(from), Some(upright)) = (from, upright) else {
            return;
        };
        if orientation == Orientation::UPRIGHT {
            scaler.scale(from, upright);
            return;
        }
        let lying = self.lying.get_or_insert_with(|| I420::black(to.size));
        lying.resize(to.size);
        scaler.scale(from, lying.view_mut());
        orientation.turn(lying, upright);
    }
}
