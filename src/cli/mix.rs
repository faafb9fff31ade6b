//! `mosaicd mix`: its flags.

use std::path::{Path, PathBuf};

use clap::Args;

use super::picture::PictureArgs;
use super::wrong;
use crate::mix::MixConfig;

#[derive(Debug, Args)]
pub(super) struct MixArgs {
    /// WebM files with VP8 and Opus, either may be missing
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// The WebM file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    picture: PictureArgs,
    /// Bitrate of the mixed audio
    #[arg(long, value_name = "KBPS", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(6..=256))]
    audio_kbps: u32,
    /// Also write a still of the mixed picture
    #[arg(long, value_name = "PNG")]
    poster: Option<PathBuf>,
}

impl MixArgs {
    /// Whether the flags make sense together.
    ///
    /// # Errors
    ///
    /// As clap says it.
    pub(super) fn check(self) -> Result<MixConfig, clap::Error> {
        if self.inputs.len() > mixer::video::MAX_TILES {
            let message = format!(
                "{} files, at most {} fit a grid",
                self.inputs.len(),
                mixer::video::MAX_TILES
            );
            return Err(wrong("mix", message));
        }
        let written = || std::iter::once(&self.output).chain(&self.poster);
        let place = |path: &PathBuf| real_place(path);
        if let Some(path) =
            written().find(|it| self.inputs.iter().any(|input| place(input) == place(it)))
        {
            let message = format!("{} would be written over an input", path.display());
            return Err(wrong("mix", message));
        }
        if self.poster.as_ref().map(place) == Some(place(&self.output)) {
            return Err(wrong("mix", "--poster and --output are the same file"));
        }
        Ok(MixConfig {
            inputs: self.inputs,
            output: self.output,
            poster: self.poster,
            size: self.picture.size,
            fps: self.picture.fps,
            video_kbps: self.picture.video_kbps,
            audio_kbps: self.audio_kbps,
            fit: self.picture.fit.into(),
        })
    }
}

/// Where a path leads, whatever it is called; it need not exist yet.
fn real_place(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.file_name()
        .map_or_else(|| folder.clone(), |name| folder.join(name))
}
