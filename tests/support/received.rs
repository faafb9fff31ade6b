//! What a participant got: packets counted, keyframes noted, nothing decoded.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use codecs::rtp::vp8::Descriptor;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tokio::sync::Notify;
use webrtc::media_stream::track_remote::TrackRemote;

/// Nothing that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// In the first byte of a VP8 frame: 0 for a keyframe (RFC 6386 §9.1).
const DELTA_BIT: u8 = 1;

/// A packet and when it came.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) at: Instant,
    pub(crate) kind: RtpCodecKind,
    pub(crate) packet: rtc::rtp::Packet,
}

/// Counters of one participant's incoming packets.
#[derive(Default)]
pub(crate) struct Received {
    audio: AtomicU64,
    video: AtomicU64,
    frames: AtomicU64,
    /// RTP time of the newest frame.
    newest: AtomicU32,
    keyframes: Mutex<Vec<u32>>,
    video_track: OnceLock<Arc<dyn TrackRemote>>,
    counted: Notify,
    /// `None` while packets are only counted.
    kept: Mutex<Option<Vec<Kept>>>,
}

impl Received {
    /// Audio packets.
    pub(crate) fn audio(&self) -> u64 {
        self.audio.load(Ordering::Acquire)
    }

    /// Video packets.
    pub(crate) fn video(&self) -> u64 {
        self.video.load(Ordering::Acquire)
    }

    /// Ends of video frames.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Acquire)
    }

    /// RTP time of the frame that came last, in ticks of 90 kHz.
    pub(crate) fn newest_frame(&self) -> u32 {
        self.newest.load(Ordering::Acquire)
    }

    /// RTP times of all keyframes that began to come.
    pub(crate) fn keyframes(&self) -> Vec<u32> {
        let keyframes = self.keyframes.lock();
        keyframes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resolves once `enough` is.
    pub(crate) async fn until(
        &self,
        what: &str,
        enough: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let waiting = async {
            loop {
                let counted = self.counted.notified();
                if enough(self) {
                    return;
                }
                counted.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .with_context(|| {
                format!(
                    "waited in vain for {what}: {} audio and {} video packets, {} frames",
                    self.audio(),
                    self.video(),
                    self.frames()
                )
            })
    }

    /// Resolves once that many more frames and audio packets have come.
    pub(crate) async fn more(&self, frames: u64, audio: u64) -> anyhow::Result<()> {
        let (frames, audio) = (self.frames() + frames, self.audio() + audio);
        self.until("more frames and sound", |it| {
            it.frames() >= frames && it.audio() >= audio
        })
        .await
    }

    /// Asks the server for a keyframe (RFC 4585 §6.3.1).
    pub(crate) async fn ask_for_keyframe(&self) -> anyhow::Result<()> {
        let track = self.video_track.get().context("no video has come yet")?;
        for media_ssrc in track.ssrcs().await {
            let request = PictureLossIndication {
                sender_ssrc: 0,
                media_ssrc,
            };
            track.write_rtcp(vec![Box::new(request)]).await?;
        }
        Ok(())
    }

    pub(crate) fn opened(&self, video: &Arc<dyn TrackRemote>) {
        let _ = self.video_track.set(Arc::clone(video));
    }

    /// Keeps every packet from now on.
    pub(crate) fn keep(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// What was kept, and no more from now on.
    pub(crate) fn kept(&self) -> Vec<Kept> {
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        kept.unwrap_or_default()
    }

    fn keep_if_wanted(&self, kind: RtpCodecKind, packet: &rtc::rtp::Packet) {
        let at = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_mut() {
            let packet = packet.clone();
            kept.push(Kept { at, kind, packet });
        }
    }

    pub(crate) fn count_audio(&self, packet: &rtc::rtp::Packet) {
        self.keep_if_wanted(RtpCodecKind::Audio, packet);
        self.audio.fetch_add(1, Ordering::Release);
        self.counted.notify_waiters();
    }

    pub(crate) fn count_video(&self, packet: &rtc::rtp::Packet) {
        self.keep_if_wanted(RtpCodecKind::Video, packet);
        let timestamp = packet.header.timestamp;
        if let Ok((descriptor, frame)) = Descriptor::parse(&packet.payload)
            && descriptor.starts_frame()
            && frame.first().is_some_and(|byte| byte & DELTA_BIT == 0)
        {
            let keyframes = self.keyframes.lock();
            let mut keyframes = keyframes.unwrap_or_else(PoisonError::into_inner);
            if keyframes.last() != Some(&timestamp) {
                keyframes.push(timestamp);
            }
        }
        self.newest.store(timestamp, Ordering::Release);
        self.frames
            .fetch_add(u64::from(packet.header.marker), Ordering::Release);
        self.video.fetch_add(1, Ordering::Release);
        self.counted.notify_waiters();
    }
}
