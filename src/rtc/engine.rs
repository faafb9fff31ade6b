//! What we offer to speak: Opus and VP8 with their feedback, and the chain that handles RTCP.

use std::sync::Arc;
use std::time::Instant;

use crossbeam_queue::ArrayQueue;
use rtc::interceptor::{ReceiverReportBuilder, Registry, Slot};
use rtc::peer_connection::configuration::interceptor_registry::configure_twcc_receiver_only;
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::rtp_transceiver::RTCRtpTransceiverDirection;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::time::SystemInstant;

use super::downlink::{Carries, DownlinkMeter, Resender, SenderReports};
use super::orientation;
use super::stage::Staged;
use super::tap::RtcpTap;
use super::uplink::{Asker, UplinkCap, UplinkFeedback};
use crate::link::Link;

/// Our preferred payload types; the offer's are used where it has others.
const OPUS_PAYLOAD_TYPE: u8 = 111;
const VP8_PAYLOAD_TYPE: u8 = 96;
const RTX_PAYLOAD_TYPE: u8 = 97;

/// Before the first slot of the crate's.
const NEXT_TO_WIRE: Slot = Slot::Custom(500);

/// Among the others that make RTCP of their own.
const UPLINK_CAP: Slot = Slot::Custom(8_500);

/// Opus with in-band FEC and packets down to 10 ms (RFC 7587 §6.1).
pub(super) const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=1";

/// The codec of the audio track.
pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_OPUS.to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: OPUS_PARAMETERS.to_owned(),
        rtcp_feedback: vec![],
    }
}

/// The codec of the video track.
pub(super) fn vp8() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: codecs::video::VIDEO_CLOCK_HZ,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![feedback("ccm", "fir"), feedback("goog-remb", "")],
    }
}

/// The media engine and the interceptor chain of one leg, which `carries` so much of our media;
/// `cname` is our canonical name in RTCP. What the chain finds out is left on the link.
///
/// Of the crate's interceptors the chain has receiver reports and transport-wide feedback for the
/// uplink, the latter at a pace of ours. Its congestion controller and pacer are left out on purpose: measured on thin links,
/// they starved the audio; the downlink is estimated by ours. Neither is its NACK used: its responder resends without limit, and its
/// generator never learns of what came by RTX. Nor are its sender reports: they pair the wall clock
/// with when a frame was sent, not with its media time.
pub(super) fn engine(
    link: &Arc<Link>,
    carries: Carries,
    cname: &'static str,
) -> Result<(MediaEngine, Registry), rtc::shared::error::Error> {
    let mut engine = MediaEngine::default();
    engine.register_codec(parameters(opus(), OPUS_PAYLOAD_TYPE), RtpCodecKind::Audio)?;
    engine.register_codec(parameters(vp8(), VP8_PAYLOAD_TYPE), RtpCodecKind::Video)?;
    let rtx = RTCRtpCodec {
        mime_type: "video/rtx".to_owned(),
        clock_rate: codecs::video::VIDEO_CLOCK_HZ,
        sdp_fmtp_line: format!("apt={VP8_PAYLOAD_TYPE}"),
        ..RTCRtpCodec::default()
    };
    engine.register_codec(parameters(rtx, RTX_PAYLOAD_TYPE), RtpCodecKind::Video)?;

    engine.register_feedback(feedback("nack", ""), RtpCodecKind::Audio);
    engine.register_feedback(feedback("nack", ""), RtpCodecKind::Video);
    engine.register_feedback(feedback("nack", "pli"), RtpCodecKind::Video);

    engine.register_header_extension(
        RTCRtpHeaderExtensionCapability {
            uri: orientation::URI.to_owned(),
        },
        RtpCodecKind::Video,
        Some(RTCRtpTransceiverDirection::Recvonly),
    )?;

    // For what it negotiates: feedback itself is made by the stage of ours around it.
    configure_twcc_receiver_only(Registry::new(), &mut engine)?;
    let start = Instant::now();
    let wall = SystemInstant::now(start);
    let probes = Arc::new(ArrayQueue::new(1));
    let downlink = DownlinkMeter::new(Arc::clone(link), start, Arc::clone(&probes), carries);
    let resender = Resender::new(Arc::clone(link), probes);
    let sender_reports = SenderReports::new(Arc::clone(link), wall, cname);
    let registry = Registry::new()
        // Next to the wire: it should see each packet as it came, and reports when they leave.
        .with(NEXT_TO_WIRE, Staged::new(RtcpTap::new(Arc::clone(link))))
        .with(Slot::CongestionControl, Staged::new(downlink))
        .with(Slot::NackResponder, Staged::new(resender))
        .with(Slot::NackGenerator, Staged::new(Asker::new(Arc::clone(link))))
        .with(Slot::TwccReceiver, UplinkFeedback::new(Arc::clone(link)))
        .with(UPLINK_CAP, Staged::new(UplinkCap::new(Arc::clone(link), rand::random())))
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
        .with(Slot::SenderReport, Staged::new(sender_reports));
    Ok((engine, registry))
}

fn feedback(typ: &str, parameter: &str) -> RTCPFeedback {
    RTCPFeedback {
        typ: typ.into(),
        parameter: parameter.into(),
    }
}

fn parameters(codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: codec,
        payload_type,
    }
}
