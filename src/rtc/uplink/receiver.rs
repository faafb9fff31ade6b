//! Files what arrives on one of the participant's tracks, stamped with its arrival.
//!
//! Nothing is decoded or reordered here: the crate drops packets when its reader is slow.

use std::sync::Arc;
use std::time::Instant;

use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::audio::AudioPacket;
use mixer::video::{Marker, VideoPacket};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{
    TransportLayerNack, nack_pairs_from_sequence_numbers,
};
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use tracing::debug;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use crate::link::Link;
use crate::rtc::orientation;

/// Runs until the track ends.
pub(in crate::rtc) async fn receive(track: Arc<dyn TrackRemote>, link: Arc<Link>) {
    let kind = track.kind().await;
    debug!(%kind, "track opened");
    loop {
        tokio::select! {
            event = track.poll() => match event {
                Some(TrackRemoteEvent::OnRtpPacket(packet)) => file(&link, kind, packet),
                Some(TrackRemoteEvent::OnEnded) | None => return,
                Some(_) => {}
            },
            () = link.source_owes_keyframe(), if kind == RtpCodecKind::Video => {
                request_keyframe(track.as_ref()).await;
            }
            owed = link.source_owes_audio(), if kind == RtpCodecKind::Audio => {
                link.path.count_requested(owed.len());
                request_packets(track.as_ref(), &owed).await;
            }
        }
    }
}

fn file(link: &Link, kind: RtpCodecKind, packet: rtc::rtp::Packet) {
    let arrival = link.room_time(Instant::now());
    let seq = SeqNo(packet.header.sequence_number);
    let timestamp = RtpTimestamp(packet.header.timestamp);
    match kind {
        RtpCodecKind::Audio => {
            link.audio_in.push(AudioPacket {
                seq,
                timestamp,
                arrival,
                payload: packet.payload,
            });
        }
        RtpCodecKind::Video => {
            let marker = if packet.header.marker {
                Marker::Last
            } else {
                Marker::NotLast
            };
            link.video_in.push(VideoPacket {
                seq,
                timestamp,
                marker,
                arrival,
                orientation: orientation::of(&packet.header, link.orientation_extension()),
                payload: packet.payload,
            });
        }
        _ => {}
    }
}

async fn request_keyframe(track: &dyn TrackRemote) {
    for media_ssrc in track.ssrcs().await {
        let request = PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc,
        };
        if let Err(error) = track.write_rtcp(vec![Box::new(request)]).await {
            debug!(%error, "keyframe request not sent");
        }
    }
}

async fn request_packets(track: &dyn TrackRemote, seqs: &[u16]) {
    for media_ssrc in track.ssrcs().await {
        let request = TransportLayerNack {
            sender_ssrc: 0,
            media_ssrc,
            nacks: nack_pairs_from_sequence_numbers(seqs),
        };
        if let Err(error) = track.write_rtcp(vec![Box::new(request)]).await {
            debug!(%error, "request for packets not sent");
        }
    }
}
