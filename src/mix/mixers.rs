//! The two mixers of an offline mix, with real codecs.

use std::sync::Arc;

use codecs::audio::Channels;
use codecs::opus::{OpusDecoder, OpusEncoder, OpusEncoderConfig};
use codecs::video::I420;
use codecs::vp8::{KeyframePolicy, Vp8Decoder, Vp8DecoderLimits, Vp8Encoder, Vp8EncoderConfig};
use codecs::yuv::YuvScaler;
use mixer::ParticipantId;
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioRung, PacketTime};
use mixer::video::{RungConfig, RungId, VideoConfig, VideoInput, VideoMixer};

use super::{MixConfig, MixError};

/// The one rung.
const RUNG: RungId = RungId(0);

/// Hears everybody: the file that is written.
const LISTENER: ParticipantId = ParticipantId(u32::MAX);

/// A player can seek to this many seconds.
const KEYFRAME_INTERVAL_S: u32 = 4;

/// Both mixers.
#[derive(Debug)]
pub(super) struct Mixers {
    pub(super) audio: AudioMixer,
    pub(super) video: VideoMixer,
    channels: Channels,
}

impl Mixers {
    /// Mixers with the one rung and the one output of a file.
    ///
    /// # Errors
    ///
    /// [`MixError::Codec`] if a codec refuses the settings.
    pub(super) fn new(
        config: &MixConfig,
        channels: Channels,
        pool: Arc<rayon::ThreadPool>,
    ) -> Result<Self, MixError> {
        let encoder = OpusEncoder::new(OpusEncoderConfig::new(channels, config.audio_kbps));
        let audio = AudioMixer::new(
            AudioConfig {
                channels,
                ..AudioConfig::default()
            },
            Box::new(encoder.map_err(codec)?),
        );
        let video = VideoMixer::new(
            VideoConfig {
                fit: config.fit,
                ..VideoConfig::default()
            },
            pool,
        );
        let mut mixers = Self {
            audio,
            video,
            channels,
        };
        mixers.add_outputs(config)?;
        Ok(mixers)
    }

    fn add_outputs(&mut self, config: &MixConfig) -> Result<(), MixError> {
        self.audio.handle(AudioInput::AddOutput {
            participant: LISTENER,
            rung: AudioRung::new(config.audio_kbps, PacketTime::Ms20).map_err(codec)?,
        });

        let encoder = Vp8Encoder::new(Vp8EncoderConfig {
            frame_rate_hz: config.fps,
            keyframes: KeyframePolicy::AtLeastEvery(KEYFRAME_INTERVAL_S * config.fps),
            ..Vp8EncoderConfig::new(config.size, config.video_kbps)
        });
        let encoder = Box::new(encoder.map_err(codec)?);
        let rung = RungConfig::grid(config.size, config.video_kbps);
        self.video.handle(VideoInput::AddRung {
            rung: RUNG,
            config: rung,
            encoder,
        });
        Ok(())
    }

    /// Somebody joins with an audio and a video track.
    ///
    /// # Errors
    ///
    /// [`MixError::Codec`] if there is no memory for decoders.
    pub(super) fn add(&mut self, participant: ParticipantId) -> Result<(), MixError> {
        let decoder = Box::new(OpusDecoder::new(self.channels).map_err(codec)?);
        self.audio.handle(AudioInput::AddTrack {
            participant,
            decoder,
        });
        let decoder = Box::new(Vp8Decoder::new(Vp8DecoderLimits::default()).map_err(codec)?);
        let scaler = Box::new(YuvScaler::new());
        self.video.handle(VideoInput::Join { participant });
        self.video.handle(VideoInput::AddTrack {
            participant,
            decoder,
            scaler,
        });
        Ok(())
    }

    /// Somebody leaves.
    pub(super) fn remove(&mut self, participant: ParticipantId) {
        self.audio.handle(AudioInput::RemoveTrack { participant });
        self.video.handle(VideoInput::Leave { participant });
    }

    /// The picture as it was composed last.
    pub(super) fn canvas(&self) -> Option<&I420> {
        self.video.canvas(RUNG)
    }
}

fn codec(error: impl ToString) -> MixError {
    MixError::Codec(error.to_string())
}
