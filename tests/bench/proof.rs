//! Whether a contestant did the work: all of the length, all of the tiles, each the right one.

use std::path::Path;

use anyhow::{Context, ensure};
use codecs::video::{I420, PictureSize, VideoDecoder};
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use marks::{Area, Color};
use mixer::ParticipantId;
use mixer::video::{GridStyle, Layout, Region};

use crate::PARTICIPANTS;
use crate::clip::{CLIP_SECONDS, Clip, FRAMES_PER_SECOND, TICKS_PER_SECOND};

/// Frames and packets by which a right length may be off: where the first and the last one fall is
/// a matter of rounding.
const SLACK: usize = 3;

/// The colors of the usual participants, in turn.
const COLORS: [Color; 3] = [Color::Red, Color::Green, Color::Blue];

/// Where our layout puts each participant.
pub(crate) fn regions(canvas: PictureSize) -> Vec<Region> {
    let everybody: Vec<ParticipantId> = (1..).map(ParticipantId).take(PARTICIPANTS).collect();
    let layout = Layout::grid(canvas, &everybody, GridStyle::default());
    layout.tiles().iter().map(|(_, region)| *region).collect()
}

/// Fails unless `path` holds ten seconds in which every tile shows its participant to the end.
pub(crate) fn of_nine_tiles(path: &Path, canvas: PictureSize) -> anyhow::Result<()> {
    let name = path.display();
    let clip = Clip::read(path)?;
    for (what, got, per_second) in [
        ("frames", clip.frames.len(), FRAMES_PER_SECOND),
        ("packets", clip.packets.len(), TICKS_PER_SECOND),
    ] {
        let expected = (CLIP_SECONDS * per_second) as usize;
        ensure!(
            got.abs_diff(expected) <= SLACK,
            "{name} has {got} {what}, expected {expected}"
        );
    }

    let mut decoder = Vp8Decoder::new(Vp8DecoderLimits::default())?;
    let mut picture = I420::black(canvas);
    for (number, frame) in clip.frames.iter().enumerate() {
        decoder.decode(frame, &mut picture)?;
        let last = number + 1 + SLACK >= clip.frames.len();
        // Every second one looks; at the very end somebody may have left already.
        if number % FRAMES_PER_SECOND as usize == 15 && !last {
            check(&picture, canvas).with_context(|| format!("{name}, frame {number}"))?;
        }
    }
    Ok(())
}

fn check(picture: &I420, canvas: PictureSize) -> anyhow::Result<()> {
    ensure!(
        picture.size() == canvas,
        "the picture is {}",
        picture.size()
    );
    for (n, region) in regions(canvas).into_iter().enumerate() {
        let area = Area {
            left_px: i32::try_from(region.left())?,
            top_px: i32::try_from(region.top())?,
            width_px: u32::try_from(region.size().width())?,
            height_px: u32::try_from(region.size().height())?,
        };
        let (seen, expected) = (
            marks::read_color(picture.view(), area),
            COLORS[n % COLORS.len()],
        );
        ensure!(
            seen == Some(expected),
            "tile {n} is {seen:?}, expected {expected:?}"
        );
    }
    Ok(())
}
