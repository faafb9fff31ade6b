//! What `mosaicd mix` costs beside the codecs alone and beside ffmpeg doing the same.
//!
//! Nine participants of 640x360 at 30 fps become one picture of 1280x720 at 30 fps and 1.5 Mb/s.
//! Every contestant is a process of its own, measured whole, in turns, so that what disturbs the
//! machine disturbs all of them. The verdict is on ratios within this run, never on times.

#![expect(clippy::print_stdout, reason = "the table is the result")]

#[path = "../support/clip.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod clip;
#[path = "../support/daemon.rs"]
#[expect(dead_code, reason = "shared with the load client")]
mod daemon;
mod ffmpeg;
#[path = "../support/floor.rs"]
#[expect(dead_code, reason = "shared with the load")]
mod floor;
#[path = "../support/process.rs"]
mod process;
mod proof;
mod table;

use std::process::{Command, ExitCode};

use anyhow::ensure;
use clap::{Parser, Subcommand};
use codecs::video::PictureSize;
use codecs::vp8::KeyframePolicy;

use floor::{Listeners, Settings};
use process::{Cost, measure};
use table::{Budget, Row};

/// Participants in the picture.
const PARTICIPANTS: usize = 9;

/// The picture, in pixels.
const SIZE: (u32, u32) = (1280, 720);

/// Its bitrate.
const VIDEO_KBPS: u32 = 1500;

/// The bitrate of the sound.
const AUDIO_KBPS: u32 = 64;

/// As `mosaicd mix` has it: every four seconds.
const FRAMES_PER_KEYFRAME: u32 = 4 * clip::FRAMES_PER_SECOND;

/// What the mixer may add to the codecs, and what it must save against ffmpeg.
const BUDGET: Budget = Budget {
    to_floor: 1.25,
    to_ffmpeg: 0.8,
};

/// CPU of `mosaicd mix` beside the codec floor and ffmpeg
#[derive(Debug, Parser)]
struct Cli {
    /// How often each runs; the medians count
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: u32,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The codec floor alone, as one of the contestants
    #[command(hide = true)]
    Floor,
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    match cli.part {
        Some(Part::Floor) => work_at_the_floor().map(|()| ExitCode::SUCCESS),
        None => compare(cli.repetitions),
    }
}

fn work_at_the_floor() -> anyhow::Result<()> {
    let paths = clip::usual_paths(PARTICIPANTS);
    let clips: Result<Vec<_>, _> = paths.iter().map(|path| clip::Clip::read(path)).collect();
    let settings = Settings {
        size: size()?,
        video_kbps: VIDEO_KBPS,
        audio_kbps: AUDIO_KBPS,
        keyframes: KeyframePolicy::AtLeastEvery(FRAMES_PER_KEYFRAME),
        listeners: Listeners::One,
    };
    floor::work(&clips?, settings, clip::CLIP_SECONDS)
}

fn compare(repetitions: u32) -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let (ours, theirs) = (
        folder.path().join("ours.webm"),
        folder.path().join("ffmpeg.webm"),
    );
    let mut mix = Command::new(daemon::binary()?);
    mix.arg("mix")
        .args(clip::usual_paths(PARTICIPANTS))
        .arg("--output")
        .arg(&ours);
    mix.args(["--video-kbps", &VIDEO_KBPS.to_string()]);
    mix.args(["--audio-kbps", &AUDIO_KBPS.to_string()]);
    let mut floor = Command::new(std::env::current_exe()?);
    floor.arg("floor");
    let mut ffmpeg = ffmpeg::is_installed()
        .then(|| ffmpeg::command(size()?, &theirs))
        .transpose()?;

    let mut costs: [Vec<Cost>; 3] = Default::default();
    for _ in 0..repetitions {
        costs[0].push(measure(&mut mix)?);
        costs[1].push(measure(&mut floor)?);
        if let Some(ffmpeg) = &mut ffmpeg {
            costs[2].push(measure(ffmpeg)?);
        }
    }

    proof::of_nine_tiles(&ours, size()?)?;
    if ffmpeg.is_some() {
        proof::of_nine_tiles(&theirs, size()?)?;
    }
    let [mix, floor, ffmpeg] = costs.map(Row::of);
    ensure!(mix.is_some() && floor.is_some(), "nothing was measured");
    println!(
        "{PARTICIPANTS} x 640x360@{fps} into {}x{}@{fps} at {VIDEO_KBPS} kb/s, {} s; whole processes, \
         {repetitions} times in turns",
        SIZE.0,
        SIZE.1,
        clip::CLIP_SECONDS,
        fps = clip::FRAMES_PER_SECOND,
    );
    Ok(table::print(mix, floor, ffmpeg, BUDGET))
}

fn size() -> anyhow::Result<PictureSize> {
    Ok(PictureSize::new(SIZE.0, SIZE.1)?)
}
