//! Sends what the room leaves on the link, as RTP with headers of our own (RFC 3550 §5.1).
//!
//! Audio goes first, as soon as it is there, and is looked for again after every video packet; the
//! packets of a frame are paced, and the next frame waits until they are through. So no frame, however large, stands in audio's way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mixer::ladder::overhead::audio_wire_kbps;
use rtc::rtp::header::Header;
use tokio::sync::watch;
use tokio::time::sleep_until;
use tracing::debug;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

use super::pacer::{Marker, Paced, Pacer};
use super::sender_reports::timestamp_offset;
use crate::link::Link;
use crate::rtc::state::LegStates;

/// How often what is known of the path goes to the log, at debug.
const PATH_LOGGED_EVERY: Duration = Duration::from_secs(5);

/// One of our tracks, ready to send: sequence numbers and timestamps start anywhere and are
/// continuous from there on.
pub(in crate::rtc) struct OutgoingTrack {
    track: Arc<TrackLocalStaticRTP>,
    leg: usize,
    ssrc: u32,
    payload_type: u8,
    next_seq: u16,
}

impl OutgoingTrack {
    /// Goes over `leg` of the transport.
    pub(in crate::rtc) fn new(
        track: Arc<TrackLocalStaticRTP>,
        leg: usize,
        ssrc: u32,
        payload_type: u8,
    ) -> Self {
        Self {
            track,
            leg,
            ssrc,
            payload_type,
            next_seq: rand::random(),
        }
    }

    async fn send(&mut self, timestamp: u32, marker: Marker, payload: Bytes) {
        let header = Header {
            version: 2,
            marker: marker == Marker::Last,
            payload_type: self.payload_type,
            sequence_number: self.next_seq,
            timestamp: timestamp_offset(self.ssrc).wrapping_add(timestamp),
            ssrc: self.ssrc,
            ..Header::default()
        };
        self.next_seq = self.next_seq.wrapping_add(1);
        if let Err(error) = self
            .track
            .write_rtp(rtc::rtp::Packet { header, payload })
            .await
        {
            debug!(%error, "packet not sent");
        }
    }
}

/// The one task that sends to a participant.
pub(in crate::rtc) struct Sender {
    /// Absent where the participant does not want to hear.
    pub(in crate::rtc) audio: Option<OutgoingTrack>,
    /// Absent where the participant does not want to see.
    pub(in crate::rtc) video: Option<OutgoingTrack>,
    pub(in crate::rtc) link: Arc<Link>,
    pub(in crate::rtc) states: watch::Receiver<LegStates>,
}

impl Sender {
    /// Runs until the transport is gone.
    pub(in crate::rtc) async fn run(mut self) {
        let mut pacer = Pacer::default();
        let mut log = tokio::time::interval(PATH_LOGGED_EVERY);
        loop {
            pacer.follow(self.room_bps());
            let next_send = pacer.next_send();
            let pause = async {
                match next_send {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.states.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => {
                        debug!(path = ?self.link.path.snapshot(), "transport ended");
                        return;
                    }
                },
                () = self.link.outgoing() => self.take_over(&mut pacer).await,
                () = pause => self.send_due(&mut pacer).await,
                _ = log.tick() => debug!(path = ?self.link.path.snapshot(), "path"),
            }
        }
    }

    fn follow(&self) {
        if self.reaches(self.video.as_ref()) {
            self.link.want_keyframe();
        }
    }

    fn reaches(&self, track: Option<&OutgoingTrack>) -> bool {
        track.is_some_and(|track| self.states.borrow().is_connected(track.leg))
    }

    /// Sends all audio there is and begins with the next frame, or throws away what nobody has
    /// consented to receive (RFC 7675).
    async fn take_over(&mut self, pacer: &mut Pacer) {
        self.send_audio().await;
        if self.reaches(self.video.as_ref()) {
            self.send_due(pacer).await;
            return;
        }
        while self.link.next_video_out().is_some() {}
        while pacer.rush().is_some() {}
    }

    async fn send_due(&mut self, pacer: &mut Pacer) {
        loop {
            while let Some(packet) = pacer.take(Instant::now()) {
                self.send_video(packet).await;
            }
            if !pacer.is_idle() {
                return;
            }
            let Some(frame) = self.link.next_video_out() else {
                return;
            };
            let waiting = self.link.video_out_waiting();
            let now = Instant::now();
            pacer.begin(frame, waiting, self.room_bps(), now);
        }
    }

    /// What the path carries beside the audio, if that is known.
    fn room_bps(&self) -> Option<u64> {
        let path = &self.link.path;
        let audio_kbps = path.audio_rung().map_or(0, audio_wire_kbps);
        let bps = path.downlink_bps()?;
        Some(bps.saturating_sub(u64::from(audio_kbps) * 1_000))
    }

    async fn send_video(&mut self, packet: Paced) {
        let Paced {
            timestamp,
            marker,
            payload,
        } = packet;
        if let Some(video) = &mut self.video {
            video.send(timestamp, marker, payload).await;
        }
        self.send_audio().await;
    }

    async fn send_audio(&mut self) {
        let reached = self.reaches(self.audio.as_ref());
        while let Some(packet) = self.link.next_audio_out() {
            if let Some(audio) = self.audio.as_mut().filter(|_| reached) {
                audio
                    .send(packet.timestamp, Marker::NotLast, packet.payload)
                    .await;
            }
        }
    }
}
