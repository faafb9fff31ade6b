//! The two media threads of a room: started with its first transport, ended with the room.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use codecs::audio::{AudioDecoder, AudioEncoder, Channels};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::video::PictureSize;
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use codecs::yuv::YuvScaler;
use crossbeam_channel::{SendError, Sender, unbounded};
use mixer::ParticipantId;
use mixer::audio::Muted;
use mixer::video::{Camera, Fit, Layout, Presence};
use tokio::sync::{mpsc, watch};
use tracing::{Span, error};

use super::audio_thread::{self, AudioControl};
use super::seats::Wiring;
use super::video_thread::{self, VideoControl, VideoNews};
use crate::rtc::Direction;
use crate::signaling::message::Participant;

/// What a room mixes. One rung: everybody gets the same picture.
#[derive(Clone, Debug)]
pub(crate) struct MediaConfig {
    /// The canvas.
    pub(crate) size: PictureSize,
    /// Pictures per second, 1 to 60.
    pub(crate) fps: u32,
    /// Video bitrate.
    pub(crate) video_kbps: u32,
    /// Audio bitrate, each.
    pub(crate) audio_kbps: u32,
    /// How pictures meet regions of another aspect.
    pub(crate) fit: Fit,
}

/// What a track needs, and an output if there is one.
type AudioCodecs = (Box<dyn AudioDecoder>, Option<Box<dyn AudioEncoder>>);

/// What the threads found out.
#[derive(Clone, Debug)]
pub(super) enum News {
    Speaker(Option<ParticipantId>),
    Layout(Layout),
    /// Somebody sends more than is taken, and is to be told.
    Thinned(ParticipantId),
    /// One of them has ended by itself, which only a fault of ours makes it do.
    Ended,
}

/// Participants to be told that they are thinned. Beyond that the newest are told ten seconds later.
const THINNED: usize = 64;

/// The room's hold on its threads. Dropping it ends them at their next tick.
#[derive(Debug)]
pub(super) struct Media {
    config: MediaConfig,
    room_start: Instant,
    pool: Arc<rayon::ThreadPool>,
    threads: Option<Threads>,
}

#[derive(Debug)]
struct Threads {
    audio: Sender<AudioControl>,
    video: Sender<VideoControl>,
    speaker: watch::Receiver<Option<ParticipantId>>,
    layout: watch::Receiver<Option<Layout>>,
    thinned: mpsc::Receiver<ParticipantId>,
}

/// What became of an attempt to start the threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    /// They run, and know of nobody yet.
    Now,
    /// They ran already.
    Before,
    /// They could not be started. The room goes on without media until the next attempt.
    Failed,
}

impl Media {
    pub(super) fn new(
        config: MediaConfig,
        room_start: Instant,
        pool: Arc<rayon::ThreadPool>,
    ) -> Self {
        Self {
            config,
            room_start,
            pool,
            threads: None,
        }
    }

    /// Starts the threads if they do not run yet.
    pub(super) fn start(&mut self) -> Started {
        if self.threads.is_some() {
            return Started::Before;
        }
        match self.spawn() {
            Ok(threads) => {
                self.threads = Some(threads);
                Started::Now
            }
            Err(error) => {
                error!(%error, "the media threads could not be started");
                Started::Failed
            }
        }
    }

    /// Whether there are threads.
    pub(super) const fn is_running(&self) -> bool {
        self.threads.is_some()
    }

    /// Lets go of the threads: one that still runs ends at its next tick.
    pub(super) fn stop(&mut self) {
        self.threads = None;
    }

    fn spawn(&self) -> std::io::Result<Threads> {
        // None of these may be lost; how many there can be is bounded by what sessions may say.
        let (audio, audio_controls) = unbounded();
        let (video, video_controls) = unbounded();
        let (tell_speaker, speaker) = watch::channel(None);
        let (tell_layout, layout) = watch::channel(None);
        let (tell_thinned, thinned) = mpsc::channel(THINNED);
        let told = VideoNews {
            layout: tell_layout,
            thinned: tell_thinned,
        };
        let span = Span::current();
        let room_start = self.room_start;
        let to_video = video.clone();
        thread::Builder::new()
            .name("room-audio".to_owned())
            .spawn({
                let span = span.clone();
                move || {
                    let _in_room = span.enter();
                    audio_thread::run(room_start, &audio_controls, &tell_speaker, &to_video);
                }
            })?;
        let (config, pool) = (self.config.clone(), Arc::clone(&self.pool));
        thread::Builder::new()
            .name("room-video".to_owned())
            .spawn(move || {
                let _in_room = span.enter();
                video_thread::run(room_start, &config, pool, &video_controls, &told);
            })?;
        Ok(Threads {
            audio,
            video,
            speaker,
            layout,
            thinned,
        })
    }

    /// Gives a participant a tile.
    pub(super) fn join(&self, participant: ParticipantId) {
        self.tell_video(VideoControl::Join { participant });
    }

    /// Takes tile and media away.
    pub(super) fn leave(&self, participant: ParticipantId) {
        self.tell_audio(AudioControl::Detach { participant });
        self.tell_video(VideoControl::Leave { participant });
    }

    /// Mixes what comes over the link, and sends the mix there as far as it is wanted.
    pub(super) fn attach(&self, participant: ParticipantId, wiring: &Wiring) {
        let Wiring { link, hears, sees } = wiring.clone();
        match self.audio_codecs(hears) {
            Ok((decoder, encoder)) => self.tell_audio(AudioControl::Attach {
                participant,
                link: Arc::clone(&link),
                decoder,
                encoder,
            }),
            Err(error) => error!(%participant, %error, "no audio codec"),
        }
        match Vp8Decoder::new(Vp8DecoderLimits::default()) {
            Ok(decoder) => self.tell_video(VideoControl::Attach {
                participant,
                link,
                decoder: Box::new(decoder),
                scaler: Box::new(YuvScaler::new()),
                sees,
            }),
            Err(error) => error!(%participant, %error, "no video decoder"),
        }
    }

    /// Takes media away but leaves the tile.
    pub(super) fn detach(&self, participant: ParticipantId) {
        self.tell_audio(AudioControl::Detach { participant });
        self.tell_video(VideoControl::Detach { participant });
    }

    /// Follows what a participant says, and whether they can be reached.
    pub(super) fn status(&self, participant: ParticipantId, status: &Participant) {
        let muted = if status.muted { Muted::Yes } else { Muted::No };
        self.tell_audio(AudioControl::Mute { participant, muted });
        let camera = if status.camera {
            Camera::On
        } else {
            Camera::Off
        };
        self.tell_video(VideoControl::Camera {
            participant,
            camera,
        });
        let presence = if status.absent {
            Presence::Absent
        } else {
            Presence::Present
        };
        self.tell_video(VideoControl::Presence {
            participant,
            presence,
        });
    }

    /// Resolves with what the threads find out next; never without threads. [`News::Ended`] comes
    /// again and again until they are stopped.
    pub(super) async fn news(&mut self) -> News {
        let Some(threads) = &mut self.threads else {
            return std::future::pending().await;
        };
        loop {
            tokio::select! {
                changed = threads.speaker.changed() => {
                    if changed.is_err() {
                        return News::Ended;
                    }
                    return News::Speaker(*threads.speaker.borrow_and_update());
                }
                thinned = threads.thinned.recv() => {
                    return thinned.map_or(News::Ended, News::Thinned);
                }
                changed = threads.layout.changed() => {
                    if changed.is_err() {
                        return News::Ended;
                    }
                    if let Some(layout) = threads.layout.borrow_and_update().clone() {
                        return News::Layout(layout);
                    }
                }
            }
        }
    }

    /// What they found out so far.
    pub(super) fn latest(&self) -> Vec<News> {
        let Some(threads) = &self.threads else {
            return Vec::new();
        };
        let speaker = News::Speaker(*threads.speaker.borrow());
        let layout = threads.layout.borrow().clone().map(News::Layout);
        std::iter::once(speaker).chain(layout).collect()
    }

    fn audio_codecs(&self, hears: Direction) -> anyhow::Result<AudioCodecs> {
        let decoder = OpusDecoder::new(Channels::Mono)?;
        let encoder = match hears {
            Direction::Wanted => {
                let config = OpusEncoderConfig::new(Channels::Mono, self.config.audio_kbps);
                Some(Box::new(OpusEncoder::new(config)?) as _)
            }
            Direction::Unwanted => None,
        };
        Ok((Box::new(decoder), encoder))
    }

    fn tell_audio(&self, control: AudioControl) {
        if let Some(threads) = &self.threads {
            report(threads.audio.send(control));
        }
    }

    fn tell_video(&self, control: VideoControl) {
        if let Some(threads) = &self.threads {
            report(threads.video.send(control));
        }
    }
}

fn report<T>(sent: Result<(), SendError<T>>) {
    if sent.is_err() {
        error!("a media thread is gone");
    }
}

#[cfg(test)]
impl Media {
    /// Gives a participant a decoder that panics, as a fault of ours would.
    pub(super) fn sabotage(&self, participant: ParticipantId, wiring: &Wiring) {
        self.tell_video(VideoControl::Attach {
            participant,
            link: Arc::clone(&wiring.link),
            decoder: Box::new(PanickingDecoder),
            scaler: Box::new(YuvScaler::new()),
            sees: wiring.sees,
        });
    }
}

#[cfg(test)]
#[derive(Debug)]
struct PanickingDecoder;

#[cfg(test)]
impl codecs::video::VideoDecoder for PanickingDecoder {
    fn decode(
        &mut self,
        _frame: &[u8],
        _picture: &mut codecs::video::I420,
    ) -> Result<codecs::video::Decoded, codecs::video::VideoDecodeError> {
        panic!("told to");
    }
}
