//! The two media threads of a room: started with its first transport, ended with the room.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use codecs::audio::Channels;
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::video::I420;
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use codecs::yuv::YuvScaler;
use crossbeam_channel::{SendError, Sender, unbounded};
use mixer::ParticipantId;
use mixer::audio::{AudioRung, Muted, PacketTime};
use mixer::ladder::{Ladder, Wish};
use mixer::video::{Camera, Fit, Presence};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{Span, error};

use super::audio_thread::{self, AudioControl, Encoding};
use super::seats::Wiring;
use super::sight::Sights;
use super::video_thread::{self, VideoControl, VideoNews};
use crate::signaling::message::Participant;

/// What a room mixes.
#[derive(Clone, Debug)]
pub(crate) struct MediaConfig {
    /// The pictures that are offered.
    pub(crate) ladder: Arc<Ladder>,
    /// The most that each one's audio gets, in kb/s, 6 to 510.
    pub(crate) audio_kbps: u32,
    /// How pictures meet regions of another aspect.
    pub(crate) fit: Fit,
}

/// What the threads found out.
#[derive(Clone, Debug)]
pub(super) enum News {
    Speaker(Option<ParticipantId>),
    /// What is true of everybody's picture now.
    Sights(Sights),
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
    sights: watch::Receiver<Sights>,
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
        let (tell_sights, sights) = watch::channel(Sights::new());
        let (tell_thinned, thinned) = mpsc::channel(THINNED);
        let told = VideoNews {
            sights: tell_sights,
            thinned: tell_thinned,
        };
        let span = Span::current();
        let room_start = self.room_start;
        let to_video = video.clone();
        let encoding = self.encoding().map_err(std::io::Error::other)?;
        thread::Builder::new()
            .name("room-audio".to_owned())
            .spawn({
                let span = span.clone();
                move || {
                    let _in_room = span.enter();
                    audio_thread::run(
                        room_start,
                        encoding,
                        &audio_controls,
                        &tell_speaker,
                        &to_video,
                    );
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
            sights,
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
    pub(super) fn attach(&self, participant: ParticipantId, wiring: &Wiring, wish: Wish) {
        let Wiring { link, hears, .. } = wiring.clone();
        match OpusDecoder::new(Channels::Mono) {
            Ok(decoder) => self.tell_audio(AudioControl::Attach {
                participant,
                link: Arc::clone(&link),
                decoder: Box::new(decoder),
                hears,
            }),
            Err(error) => error!(%participant, %error, "no audio decoder"),
        }
        match Vp8Decoder::new(Vp8DecoderLimits::default()) {
            Ok(decoder) => self.tell_video(VideoControl::Attach {
                participant,
                link,
                decoder: Box::new(decoder),
                scaler: Box::new(YuvScaler::new()),
                wish,
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
        tokio::select! {
            changed = threads.speaker.changed() => match changed {
                Ok(()) => News::Speaker(*threads.speaker.borrow_and_update()),
                Err(_) => News::Ended,
            },
            thinned = threads.thinned.recv() => thinned.map_or(News::Ended, News::Thinned),
            changed = threads.sights.changed() => match changed {
                Ok(()) => News::Sights(threads.sights.borrow_and_update().clone()),
                Err(_) => News::Ended,
            },
        }
    }

    /// What they found out so far of who speaks; `None` without threads.
    pub(super) fn speaker(&self) -> Option<Option<ParticipantId>> {
        let threads = self.threads.as_ref()?;
        Some(*threads.speaker.borrow())
    }

    /// Follows what a participant asks for.
    pub(super) fn wish(&self, participant: ParticipantId, wish: Wish) {
        self.tell_video(VideoControl::Wish { participant, wish });
    }

    /// Shows somebody large whoever speaks, or nobody.
    pub(super) fn pin(&self, pinned: Option<ParticipantId>) {
        self.tell_video(VideoControl::Pin(pinned));
    }

    /// Has the largest picture copied; drops `wanted` if there is none.
    pub(super) fn snapshot(&self, wanted: oneshot::Sender<I420>) {
        self.tell_video(VideoControl::Snapshot(wanted));
    }

    fn encoding(&self) -> anyhow::Result<Encoding> {
        let config = OpusEncoderConfig::new(Channels::Mono, self.config.audio_kbps);
        Ok(Encoding {
            encoder: Box::new(OpusEncoder::new(config)?),
            rung: AudioRung::new(self.config.audio_kbps, PacketTime::Ms20)?,
        })
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
            wish: Wish::default(),
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
        _picture: &mut I420,
    ) -> Result<codecs::video::Decoded, codecs::video::VideoDecodeError> {
        panic!("told to");
    }
}
