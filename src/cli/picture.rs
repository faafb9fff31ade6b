//! What `serve` and `mix` both draw.

use clap::{Args, ValueEnum};
use codecs::video::PictureSize;
use mixer::video::Fit;

/// The largest canvas: what VP8 hardware and browsers take.
const MAX_CANVAS_SIDE_PX: u32 = 4096;

/// What both commands draw.
#[derive(Debug, Args)]
pub(super) struct PictureArgs {
    /// Size of the mixed picture in pixels, both even; `serve` offers smaller ones below it
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = parse_size)]
    pub(super) size: PictureSize,
    /// Pictures per second
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(super) fps: u32,
    /// Bitrate of the mixed video, at most
    #[arg(long, value_name = "KBPS", default_value_t = 1500,
          value_parser = clap::value_parser!(u32).range(50..=20_000))]
    pub(super) video_kbps: u32,
    /// How pictures meet tiles of another shape: fit shows all of them, fill covers all of the tile
    #[arg(long, value_enum, default_value_t = FitArg::Fit)]
    pub(super) fit: FitArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FitArg {
    Fit,
    Fill,
}

impl From<FitArg> for Fit {
    fn from(fit: FitArg) -> Self {
        match fit {
            FitArg::Fit => Self::Fit,
            FitArg::Fill => Self::Fill,
        }
    }
}

fn parse_size(text: &str) -> Result<PictureSize, String> {
    let expected = || format!("expected WIDTHxHEIGHT, both even and 64 to {MAX_CANVAS_SIDE_PX}");
    let (width, height) = text.split_once('x').ok_or_else(expected)?;
    let side = |text: &str| {
        let side: u32 = text.parse().map_err(|_| expected())?;
        let valid = (64..=MAX_CANVAS_SIDE_PX).contains(&side) && side.is_multiple_of(2);
        if valid { Ok(side) } else { Err(expected()) }
    };
    PictureSize::new(side(width)?, side(height)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_even_and_bounded() {
        for good in ["1280x720", "64x64", "4096x4096"] {
            assert!(parse_size(good).is_ok(), "{good}");
        }
        for bad in [
            "", "1280", "1280x", "1281x720", "0x0", "4098x720", "-2x2", "1e3x720",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
