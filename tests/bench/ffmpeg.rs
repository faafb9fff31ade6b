//! ffmpeg doing the same work: xstack for the picture, amix for the sound.
//!
//! One thread per codec and for the filters, real-time settings of the encoder. It decodes with its
//! own decoders, which is what it does unasked, and scales bilinearly, as we do.

use std::path::Path;
use std::process::{Command, Stdio};

use codecs::video::PictureSize;

use crate::clip::{FRAMES_PER_SECOND, usual_paths};
use crate::proof::regions;
use crate::{AUDIO_KBPS, FRAMES_PER_KEYFRAME, PARTICIPANTS, VIDEO_KBPS};

/// Whether there is one with the encoders that are needed.
pub(crate) fn is_installed() -> bool {
    let encoders = Command::new("ffmpeg")
        .args(["-hide_banner", "-encoders"])
        .stderr(Stdio::null())
        .output();
    encoders.is_ok_and(|output| {
        let list = String::from_utf8_lossy(&output.stdout).into_owned();
        list.contains("libvpx ") && list.contains("libopus")
    })
}

/// The whole command line.
pub(crate) fn command(canvas: PictureSize, output: &Path) -> anyhow::Result<Command> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"]);
    ffmpeg.args(["-filter_threads", "1", "-filter_complex_threads", "1"]);
    for path in usual_paths(PARTICIPANTS) {
        ffmpeg.args(["-threads", "1", "-i"]).arg(path);
    }
    ffmpeg.arg("-filter_complex").arg(filters(canvas)?);
    ffmpeg.args(["-map", "[picture]", "-map", "[sound]"]);
    ffmpeg.args(words(&format!(
        "-c:v libvpx -threads:v 1 -deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0 \
         -error-resilient 1 -static-thresh 1 -qmin 2 -qmax 56 \
         -b:v {VIDEO_KBPS}k -minrate {VIDEO_KBPS}k -maxrate {VIDEO_KBPS}k -bufsize {VIDEO_KBPS}k \
         -g {FRAMES_PER_KEYFRAME} -r {FRAMES_PER_SECOND}"
    )));
    ffmpeg.args(words(&format!(
        "-c:a libopus -threads:a 1 -application voip -compression_level 5 -b:a {AUDIO_KBPS}k -ac 1"
    )));
    ffmpeg.arg(output);
    Ok(ffmpeg)
}

/// Every picture at the size and in the place that our layout gives it.
fn filters(canvas: PictureSize) -> anyhow::Result<String> {
    let regions = regions(canvas);
    let first = regions[0];
    let scale = regions.iter().enumerate().map(|(n, region)| {
        let (width, height) = (region.size().width(), region.size().height());
        format!("[{n}:v]scale={width}:{height}:flags=bilinear[v{n}];")
    });
    let places = regions.iter().map(|region| {
        format!(
            "{}_{}",
            region.left() - first.left(),
            region.top() - first.top()
        )
    });
    let all = |kind: &str| {
        (0..PARTICIPANTS)
            .map(|n| format!("[{kind}{n}]"))
            .collect::<String>()
    };
    let sounds: String = (0..PARTICIPANTS).map(|n| format!("[{n}:a]")).collect();
    Ok(format!(
        "{}{}xstack=inputs={PARTICIPANTS}:layout={},pad={}:{}:{}:{}[picture];\
         {sounds}amix=inputs={PARTICIPANTS}:normalize=0[sound]",
        scale.collect::<String>(),
        all("v"),
        places.collect::<Vec<_>>().join("|"),
        canvas.width(),
        canvas.height(),
        first.left(),
        first.top(),
    ))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}
