//! `mosaicd mix`: recorded files in, one video out, through the mixers of a live room in virtual
//! time.
//!
//! Every file is a participant. Their frames and packets enter the mixers at their media times, so
//! there is no jitter buffer and no delay; a file that ends leaves, as a participant would. Same
//! files and settings, same canvases, whatever the number of threads.

mod mixers;
mod output;
mod poster;
mod progress;
mod recording;
mod timeline;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use codecs::audio::Channels;
use codecs::video::{I420, PictureSize};
use mixer::video::{Fit, VideoInput};
use mixer::{ParticipantId, RoomTime};

use mixers::Mixers;
use output::Output;
use poster::Poster;
use progress::Progress;
use recording::{Leaving, Recording};
use timeline::{Due, Media, Timeline};

/// What to mix, and how. Everything has been checked when this exists.
#[derive(Clone, Debug)]
pub struct MixConfig {
    /// WebM files, 1 to 49.
    pub inputs: Vec<PathBuf>,
    /// The WebM file to write.
    pub output: PathBuf,
    /// A PNG to write.
    pub poster: Option<PathBuf>,
    /// Size of the canvas.
    pub size: PictureSize,
    /// Pictures per second, 1 to 60.
    pub fps: u32,
    /// Bitrate of the video in kb/s.
    pub video_kbps: u32,
    /// Bitrate of the audio in kb/s.
    pub audio_kbps: u32,
    /// How pictures meet regions of another aspect.
    pub fit: Fit,
}

/// Why there is no output. With its sources after it, each is one line for a person.
#[derive(Debug, thiserror::Error)]
pub enum MixError {
    /// A file could not be opened.
    #[error("{}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what we mix.
    #[error("{}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: codecs::webm::ReadError,
    },
    /// The result could not be written.
    #[error("{}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A codec refused its settings.
    #[error("{0}")]
    Codec(String),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted, nothing was written")]
    Interrupted,
}

/// What was mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mixed {
    /// Length of the result.
    pub length: RoomTime,
    /// Video frames written.
    pub frames: u64,
    /// Size of the result in bytes.
    pub bytes: u64,
}

/// Mixes as the command does: with a progress bar on a terminal and a line at the end.
///
/// # Errors
///
/// Any [`MixError`]; the output is as it was before then.
pub fn run(config: &MixConfig) -> Result<(), MixError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&interrupted);
    // Without the handler an interrupt leaves a temporary file behind, nothing worse.
    let _ = ctrlc::set_handler(move || noted.store(true, Ordering::Relaxed));
    let began = Instant::now();
    let progress = Progress::new(&config.inputs);
    let pool = rayon::ThreadPoolBuilder::new()
        .build()
        .map_err(|error| MixError::Codec(error.to_string()))?;
    let mixed = mix(config, Arc::new(pool), |moment| {
        progress.follow(&moment);
        if interrupted.load(Ordering::Relaxed) {
            Verdict::Stop
        } else {
            Verdict::GoOn
        }
    })?;
    progress.finish(config, mixed, began.elapsed());
    Ok(())
}

/// What a caller of [`mix`] sees after each picture.
#[derive(Debug)]
pub struct Moment<'a> {
    /// The picture's time.
    pub time: RoomTime,
    /// The picture before it was encoded.
    pub canvas: &'a I420,
    /// Bytes read so far, of all files.
    pub bytes_read: u64,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    GoOn,
    /// No: [`MixError::Interrupted`].
    Stop,
}

/// Mixes, composing on `pool`, and shows each picture to `watch`.
///
/// # Errors
///
/// Any [`MixError`]; the output is as it was before then.
pub fn mix(
    config: &MixConfig,
    pool: Arc<rayon::ThreadPool>,
    mut watch: impl FnMut(Moment<'_>) -> Verdict,
) -> Result<Mixed, MixError> {
    let mut recordings = open_all(&config.inputs)?;
    let stereo = recordings
        .iter()
        .any(|it| it.channels() == Some(Channels::Stereo));
    let channels = if stereo {
        Channels::Stereo
    } else {
        Channels::Mono
    };
    let mut mixers = Mixers::new(config, channels, pool)?;
    for recording in &recordings {
        mixers.add(recording.participant())?;
    }
    let mut output = Output::create(config, channels)?;
    let mut poster = config.poster.clone().map(Poster::new);

    let mut timeline = Timeline::new(config.fps);
    let mut frames = 0;
    let length = loop {
        let Due { time, media } = timeline.next();
        for recording in &mut recordings {
            recording.feed(time, &mut mixers)?;
        }
        drop_ended(&mut recordings, time, &mut mixers);
        if recordings.iter().all(|recording| recording.is_over(time)) {
            break time;
        }
        match media {
            Media::Audio => {
                let tick = mixers.audio.tick(time);
                for packet in tick.packets() {
                    output.audio(time, packet.payload)?;
                }
                let speaker = VideoInput::ActiveSpeaker(tick.active_speaker);
                mixers.video.handle(speaker);
            }
            Media::Video => {
                for frame in mixers.video.tick(time).frames {
                    output.video(time, &frame.data, frame.kind)?;
                    frames += 1;
                }
                let Some(canvas) = mixers.canvas() else {
                    continue;
                };
                if let Some(poster) = &mut poster {
                    poster.follow(time, canvas);
                }
                let bytes_read = recordings.iter().map(Recording::bytes_read).sum();
                if watch(Moment {
                    time,
                    canvas,
                    bytes_read,
                }) == Verdict::Stop
                {
                    return Err(MixError::Interrupted);
                }
            }
        }
    };
    let bytes = output.finish(length)?;
    poster.map_or(Ok(()), Poster::write)?;
    Ok(Mixed {
        length,
        frames,
        bytes,
    })
}

/// All files, or the first that is not one of ours.
fn open_all(inputs: &[PathBuf]) -> Result<Vec<Recording>, MixError> {
    let numbered = (1..).map(ParticipantId).zip(inputs);
    numbered
        .map(|(participant, path)| Recording::open(participant, path))
        .collect()
}

/// Whoever's file is over leaves, as a participant would.
fn drop_ended(recordings: &mut [Recording], time: RoomTime, mixers: &mut Mixers) {
    for recording in recordings {
        if recording.is_over(time) && recording.leave() == Leaving::Now {
            mixers.remove(recording.participant());
        }
    }
}
