//! What a participant got: packets counted, keyframes noted, nothing decoded.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use codecs::rtp::vp8::{Descriptor, PictureId};
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
    stream: Mutex<VideoStream>,
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

    /// Height of the picture that came last, in pixels; 0 before the first.
    pub(crate) fn height(&self) -> u32 {
        let stream = self.stream.lock();
        stream.unwrap_or_else(PoisonError::into_inner).height
    }

    /// Video packets that do not go on from the one before them, the first ones in words.
    pub(crate) fn breaks(&self) -> Vec<String> {
        let stream = self.stream.lock();
        stream
            .unwrap_or_else(PoisonError::into_inner)
            .breaks
            .clone()
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
        let stream = self.stream.lock();
        stream
            .unwrap_or_else(PoisonError::into_inner)
            .follow(packet);
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

/// Breaks that are kept.
const MOST_BREAKS: usize = 8;

/// The incoming video as one stream: what its last packet was.
#[derive(Default)]
struct VideoStream {
    last: Option<LastPacket>,
    height: u32,
    breaks: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LastPacket {
    ssrc: u32,
    seq: u16,
    timestamp: u32,
    picture_id: u16,
    tl0_pic_idx: u8,
}

impl VideoStream {
    fn follow(&mut self, packet: &rtc::rtp::Packet) {
        // What resends bring, and padding, is not what this is about.
        let Ok((descriptor, frame)) = Descriptor::parse(&packet.payload) else {
            return;
        };
        let (Some(PictureId::Long(picture_id)), Some(tl0_pic_idx)) =
            (descriptor.picture_id, descriptor.tl0_pic_idx)
        else {
            return;
        };
        // A keyframe states its size after its tag and start code (RFC 6386 §9.1).
        if descriptor.starts_frame()
            && let Some([tag, _, _, _, _, _, _, _, low, high]) = frame.first_chunk()
            && tag & DELTA_BIT == 0
        {
            self.height = u32::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
        }
        let now = LastPacket {
            ssrc: packet.header.ssrc,
            seq: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            picture_id,
            tl0_pic_idx,
        };
        if let Some(last) = self.last
            && !last.continues_with(now)
            && self.breaks.len() < MOST_BREAKS
        {
            self.breaks.push(format!("{last:?}, then {now:?}"));
        }
        self.last = Some(now);
    }
}

impl LastPacket {
    fn continues_with(self, next: Self) -> bool {
        let same_frame = next.timestamp == self.timestamp;
        let later = next.timestamp.wrapping_sub(self.timestamp) < u32::MAX / 2;
        let step = u16::from(!same_frame);
        next.ssrc == self.ssrc
            && next.seq == self.seq.wrapping_add(1)
            && later
            && next.picture_id == self.picture_id.wrapping_add(step) & 0x7fff
            && u16::from(next.tl0_pic_idx) == (u16::from(self.tl0_pic_idx) + step) & 0xff
    }
}
