//! What we offer to speak: Opus and VP8 with their feedback, and the chain that handles RTCP.

use rtc::interceptor::{Registry, Slot};
use rtc::peer_connection::configuration::interceptor_registry::{
    configure_nack, configure_rtcp_reports, configure_twcc_receiver_only,
};
use rtc::peer_connection::configuration::media_engine::{
    MIME_TYPE_OPUS, MIME_TYPE_VP8, MediaEngine,
};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RtpCodecKind,
};

use super::tap::KeyframeTap;

/// Our preferred payload types; the offer's are used where it has others.
const OPUS_PAYLOAD_TYPE: u8 = 111;
const VP8_PAYLOAD_TYPE: u8 = 96;
const RTX_PAYLOAD_TYPE: u8 = 97;

/// Opus with in-band FEC and packets down to 10 ms (RFC 7587 §6.1).
const OPUS_PARAMETERS: &str = "minptime=10;useinbandfec=1";

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
    let feedback = |typ: &str, parameter: &str| RTCPFeedback {
        typ: typ.into(),
        parameter: parameter.into(),
    };
    RTCRtpCodec {
        mime_type: MIME_TYPE_VP8.to_owned(),
        clock_rate: codecs::video::VIDEO_CLOCK_HZ,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: vec![feedback("ccm", "fir")],
    }
}

/// The media engine and the interceptor chain of one transport. Keyframe requests that arrive go
/// to `tap`.
///
/// The chain has the crate's NACK both ways (video), RTCP reports and transport-wide feedback for
/// the uplink. Its congestion controller and pacer are left out on purpose: measured on thin links,
/// they starved the audio.
pub(super) fn engine(
    tap: KeyframeTap,
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

    let registry = configure_nack(Registry::new(), &mut engine);
    let registry = configure_rtcp_reports(registry);
    let registry = configure_twcc_receiver_only(registry, &mut engine)?;
    // Next to the wire: it only looks, and should see each packet as it came.
    let registry = registry.with(Slot::from(500), tap);
    Ok((engine, registry))
}

fn parameters(codec: RTCRtpCodec, payload_type: u8) -> RTCRtpCodecParameters {
    RTCRtpCodecParameters {
        rtp_codec: codec,
        payload_type,
    }
}
