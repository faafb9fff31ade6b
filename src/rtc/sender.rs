//! Sends what the room leaves on the link, as RTP with headers of our own (RFC 3550 §5.1).
//!
//! Audio goes first: it is looked for again after every video packet, so no frame, however large,
//! stands in its way.

use std::sync::Arc;

use bytes::Bytes;
use rtc::rtp::header::Header;
use tokio::sync::watch;
use tracing::debug;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

use super::transport::TransportState;
use crate::link::Link;

/// One of our tracks, ready to send: sequence numbers and timestamps start anywhere and are
/// continuous from there on.
pub(super) struct OutgoingTrack {
    track: Arc<TrackLocalStaticRTP>,
    ssrc: u32,
    payload_type: u8,
    next_seq: u16,
    timestamp_offset: u32,
}

/// Whether a packet ends its frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marker {
    Last,
    NotLast,
}

impl OutgoingTrack {
    pub(super) fn new(track: Arc<TrackLocalStaticRTP>, ssrc: u32, payload_type: u8) -> Self {
        let (next_seq, timestamp_offset) = (rand::random(), rand::random());
        Self {
            track,
            ssrc,
            payload_type,
            next_seq,
            timestamp_offset,
        }
    }

    async fn send(&mut self, timestamp: u32, marker: Marker, payload: Bytes) {
        let header = Header {
            version: 2,
            marker: marker == Marker::Last,
            payload_type: self.payload_type,
            sequence_number: self.next_seq,
            timestamp: self.timestamp_offset.wrapping_add(timestamp),
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
pub(super) struct Sender {
    /// Absent where the participant does not want to hear.
    pub(super) audio: Option<OutgoingTrack>,
    /// Absent where the participant does not want to see.
    pub(super) video: Option<OutgoingTrack>,
    pub(super) link: Arc<Link>,
    pub(super) states: watch::Receiver<TransportState>,
}

impl Sender {
    /// Runs until the transport is gone.
    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                changed = self.states.changed() => match changed {
                    Ok(()) => self.follow(),
                    Err(_) => return,
                },
                () = self.link.outgoing() => self.drain().await,
            }
        }
    }

    fn follow(&self) {
        if *self.states.borrow() == TransportState::Connected {
            self.link.want_keyframe();
        }
    }

    /// Sends all there is, or throws it away while nobody has consented to receive it (RFC 7675).
    async fn drain(&mut self) {
        if *self.states.borrow() != TransportState::Connected {
            while self.link.next_audio_out().is_some() {}
            while self.link.next_video_out().is_some() {}
            return;
        }
        let Self {
            audio, video, link, ..
        } = self;
        drain_audio(link, audio.as_mut()).await;
        while let Some(frame) = link.next_video_out() {
            let Some(video) = video else { continue };
            let count = frame.payloads.len();
            for (n, payload) in frame.payloads.iter().enumerate() {
                let marker = if n + 1 == count {
                    Marker::Last
                } else {
                    Marker::NotLast
                };
                video.send(frame.timestamp, marker, payload.clone()).await;
                drain_audio(link, audio.as_mut()).await;
            }
        }
    }
}

async fn drain_audio(link: &Link, mut audio: Option<&mut OutgoingTrack>) {
    while let Some(tick) = link.next_audio_out() {
        if let Some(audio) = &mut audio {
            audio
                .send(tick.timestamp, Marker::NotLast, tick.payload)
                .await;
        }
    }
}
