//! A fixture in memory: the frames and packets of one recorded participant, to be played in a
//! loop.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bytes::Bytes;
use codecs::webm::{Reader, Track};

/// The fixtures of 640x360 at 30 fps with speech.
const USUAL: [&str; 3] = ["red.webm", "green.webm", "blue.webm"];

/// How long each of them is.
pub(crate) const CLIP_SECONDS: u32 = 10;

/// Pictures per second of the usual fixtures, and of what is mixed from them.
pub(crate) const FRAMES_PER_SECOND: u32 = 30;

/// Packets per second of every fixture's sound.
pub(crate) const TICKS_PER_SECOND: u32 = 50;

/// One participant's media, encoded.
#[derive(Clone, Debug)]
pub(crate) struct Clip {
    /// One every 1/30 s; the first is a keyframe.
    pub(crate) frames: Vec<Bytes>,
    /// One every 20 ms.
    pub(crate) packets: Vec<Bytes>,
    /// Where playing may begin: the indices of the keyframes in `frames`.
    keyframes: Vec<usize>,
}

impl Clip {
    /// Reads a whole file.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let mut clip = Self {
            frames: Vec::new(),
            packets: Vec::new(),
            keyframes: Vec::new(),
        };
        for block in Reader::new(file)? {
            let block = block?;
            match block.track {
                Track::Video => {
                    if block.keyframe {
                        clip.keyframes.push(clip.frames.len());
                    }
                    clip.frames.push(block.data);
                }
                Track::Audio => clip.packets.push(block.data),
            }
        }
        ensure!(
            clip.keyframes.first() == Some(&0) && !clip.packets.is_empty(),
            "{} has no picture or no sound",
            path.display()
        );
        Ok(clip)
    }

    /// The same clip, begun at its `n`th keyframe and looped: what was before it comes at the end.
    pub(crate) fn begun_at_keyframe(mut self, n: usize) -> Self {
        let start = self.keyframes[n % self.keyframes.len()];
        let packets = self.packets.len() * start / self.frames.len();
        let frames = self.frames.len();
        self.frames.rotate_left(start);
        self.packets.rotate_left(packets);
        for keyframe in &mut self.keyframes {
            *keyframe = (*keyframe + frames - start) % frames;
        }
        self.keyframes.sort_unstable();
        self
    }
}

/// Paths of `count` usual fixtures: red, green, blue, red, and so on.
pub(crate) fn usual_paths(count: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let names = USUAL.iter().cycle().take(count);
    names.map(|name| folder.join(name)).collect()
}

/// `count` usual participants, no two of which show the same at the same time.
pub(crate) fn usual_clips(count: usize) -> anyhow::Result<Vec<Clip>> {
    let numbered = usual_paths(count).into_iter().enumerate();
    numbered
        .map(|(n, path)| Ok(Clip::read(&path)?.begun_at_keyframe(n / USUAL.len())))
        .collect()
}
