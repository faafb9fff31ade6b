//! What a tile shows of somebody who is not seen: head and shoulders on a color of their own.

use codecs::video::{PictureSize, PictureViewMut};

use super::draw::{Bounds, Color, Point, paint, rgb};
use crate::ParticipantId;

/// Ground, badge and figure of one participant's placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Palette {
    ground: Color,
    badge: Color,
    figure: Color,
}

/// Muted, all about equally dark, neighbors far apart in hue.
const PALETTES: [Palette; 10] = [
    palette(0x2B, 0x33, 0x48, 0x4C, 0x6E, 0xB5),
    palette(0x45, 0x30, 0x28, 0xB0, 0x6A, 0x48),
    palette(0x26, 0x3F, 0x35, 0x3F, 0x94, 0x73),
    palette(0x3D, 0x2B, 0x45, 0x8C, 0x5C, 0xA8),
    palette(0x44, 0x3B, 0x22, 0xA8, 0x8A, 0x3A),
    palette(0x22, 0x3D, 0x44, 0x38, 0x8F, 0xA3),
    palette(0x47, 0x2A, 0x34, 0xB3, 0x57, 0x76),
    palette(0x34, 0x3F, 0x26, 0x76, 0x93, 0x45),
    palette(0x30, 0x2E, 0x49, 0x6A, 0x62, 0xBA),
    palette(0x46, 0x2C, 0x2A, 0xB5, 0x5A, 0x52),
];

const fn palette(red: u8, green: u8, blue: u8, r: u8, g: u8, b: u8) -> Palette {
    Palette {
        ground: rgb(red, green, blue),
        badge: rgb(r, g, b),
        figure: rgb(0xF2, 0xF2, 0xF2),
    }
}

/// Fills `tile` with the placeholder of `participant`.
pub(crate) fn draw(tile: &mut PictureViewMut<'_>, participant: ParticipantId) {
    let Palette {
        ground,
        badge,
        figure,
    } = palette_of(participant);
    let center = Point::center_of(tile.size());
    let radius = badge_radius(tile.size());
    let bounds = Bounds {
        center,
        reach: radius,
    };

    tile.fill(ground);
    paint(tile, bounds, badge, |point| point.in_disc(center, radius));
    paint(tile, bounds, figure, |point| {
        point.in_disc(center, radius) && is_figure(point, center, radius)
    });
}

/// Where a sign can be put that does not hide the figure: on the badge's lower right.
pub(crate) fn sign_place(size: PictureSize) -> Point {
    let aside = badge_radius(size) * 3 / 4;
    Point::center_of(size).offset(aside, aside)
}

/// Everything is in proportion to the badge, and the badge to the tile's shorter side.
fn badge_radius(size: PictureSize) -> i64 {
    let Point { x, y } = Point::center_of(size);
    x.min(y) * 5 / 8
}

fn is_figure(point: Point, center: Point, radius: i64) -> bool {
    let head = center.offset(0, -radius / 4);
    let shoulders = center.offset(0, radius * 61 / 64);
    point.in_disc(head, radius * 23 / 64) || point.in_disc(shoulders, radius * 45 / 64)
}

fn palette_of(participant: ParticipantId) -> Palette {
    let count = u32::try_from(PALETTES.len()).unwrap_or(1);
    let index = usize::try_from(participant.0 % count).unwrap_or(0);
    PALETTES[index]
}

#[cfg(test)]
mod tests {
    use codecs::video::I420;

    use super::*;

    fn placeholder(id: u32, width: u32, height: u32) -> I420 {
        let mut tile = I420::black(PictureSize::new(width, height).unwrap());
        draw(&mut tile.view_mut(), ParticipantId(id));
        tile
    }

    #[test]
    fn neighbors_have_placeholders_of_their_own() {
        for id in 0..20 {
            let own = placeholder(id, 320, 180);
            assert_ne!(own, placeholder(id + 1, 320, 180));
            assert_ne!(own, placeholder(id + 2, 320, 180));
        }
    }

    #[test]
    fn a_figure_stands_in_the_middle_of_the_ground() {
        let tile = placeholder(0, 320, 180);
        let Palette { ground, figure, .. } = palette_of(ParticipantId(0));

        let view = tile.view();

        assert_eq!(view.y()[0], ground[0]);
        assert_eq!(view.y()[70 * 320 + 160], figure[0]);
        assert_eq!(view.u()[35 * 160 + 80], figure[1]);
    }

    #[test]
    fn every_shape_of_tile_can_be_drawn() {
        for (width, height) in [(2, 2), (2, 400), (400, 2), (180, 320), (16, 14)] {
            placeholder(3, width, height);
        }
    }
}
