//! The two media threads of a room: started with its first transport, ended with the room.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use codecs::audio::{AudioDecoder, AudioEncoder, Channels};
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use codecs::yuv::YuvScaler;
use crossbeam_channel::{SendError, Sender, unbounded};
use mixer::ParticipantId;
use mixer::audio::Muted;
use mixer::ladder::{Ladder, Wish};
use mixer::video::{Camera, Fit, Presence};
use tokio::sync::watch;
use tracing::{Span, error};

use super::audio_thread::{self, AudioControl};
use super::sight::Sights;
use super::video_thread::{self, VideoControl};
use crate::link::Link;
use crate::rtc::Direction;
use crate::signaling::message::Participant;

/// What a room mixes.
#[derive(Clone, Debug)]
pub(crate) struct MediaConfig {
    /// The pictures that are offered.
    pub(crate) ladder: Arc<Ladder>,
    /// The most that each one's audio gets.
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
    /// What is true of everybody's picture now.
    Sights(Sights),
}

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

    /// Starts the threads if they do not run yet, with a tile for each of `everybody`.
    pub(super) fn start(&mut self, everybody: &[ParticipantId]) {
        if self.threads.is_some() {
            return;
        }
        match self.spawn() {
            Ok(threads) => {
                self.threads = Some(threads);
                for participant in everybody {
                    self.join(*participant);
                }
            }
            // The room goes on without media; the next transport tries again.
            Err(error) => error!(%error, "the media threads could not be started"),
        }
    }

    fn spawn(&self) -> std::io::Result<Threads> {
        // None of these may be lost; how many there can be is bounded by what sessions may say.
        let (audio, audio_controls) = unbounded();
        let (video, video_controls) = unbounded();
        let (tell_speaker, speaker) = watch::channel(None);
        let (tell_sights, sights) = watch::channel(Sights::new());
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
                video_thread::run(room_start, &config, pool, &video_controls, &tell_sights);
            })?;
        Ok(Threads {
            audio,
            video,
            speaker,
            sights,
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

    /// Mixes what comes over `link`, and sends the mix there as far as it is wanted.
    pub(super) fn attach(
        &self,
        participant: ParticipantId,
        link: Arc<Link>,
        hears: Direction,
        wish: Wish,
    ) {
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

    /// Resolves with what the threads find out next; never without threads.
    pub(super) async fn news(&mut self) -> News {
        let Some(threads) = &mut self.threads else {
            return std::future::pending().await;
        };
        tokio::select! {
            Ok(()) = threads.speaker.changed() => {
                News::Speaker(*threads.speaker.borrow_and_update())
            }
            Ok(()) = threads.sights.changed() => {
                News::Sights(threads.sights.borrow_and_update().clone())
            }
            else => std::future::pending().await,
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
