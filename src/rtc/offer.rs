//! What an offer must hold before it reaches the WebRTC crate (RFC 8866, RFC 8829 §5.8).

use std::io::Cursor;

use rtc::sdp::SessionDescription;
use rtc::sdp::description::media::MediaDescription;

use crate::access::Capabilities;

/// The longest offer that is looked at, in bytes. A browser's with one audio and one video section
/// has 4 to 8 kB.
pub(crate) const MAX_OFFER_BYTES: usize = 48 * 1024;

/// Why an offer is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("the offer is not a session description: {0}")]
    NotSdp(String),
    #[error("the offer has an audio section without opus/48000")]
    NoOpus,
    #[error("the offer has a video section without VP8/90000")]
    NoVp8,
    #[error("the offer could not be answered: {0}")]
    Refused(String),
    #[error("no transport could be made: {0}")]
    Internal(String),
}

/// A checked offer.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) sdp: String,
    /// The session id of the origin line: the same in all offers of one connection, another in
    /// those of the next (RFC 8829 §5.2.2).
    pub(crate) origin: u64,
    /// Whether the other side wants to hear.
    pub(crate) audio: Direction,
    /// Whether the other side wants to see.
    pub(crate) video: Direction,
}

/// Whether the other side takes media of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// We send it.
    Wanted,
    /// We do not.
    Unwanted,
}

impl Offer {
    /// Checks `sdp`. An absent section is fine, one without our codec is not.
    ///
    /// # Errors
    ///
    /// Any [`OfferError`] but `Refused` and `Internal`.
    pub(crate) fn parse(sdp: String) -> Result<Self, OfferError> {
        if sdp.len() > MAX_OFFER_BYTES {
            let message = format!("{} bytes, expected at most {MAX_OFFER_BYTES}", sdp.len());
            return Err(OfferError::NotSdp(message));
        }
        let description = SessionDescription::unmarshal(&mut Cursor::new(sdp.as_bytes()))
            .map_err(|error| OfferError::NotSdp(error.to_string()))?;
        let sections = &description.media_descriptions;
        if sections.is_empty() {
            return Err(OfferError::NotSdp("it has no media section".to_owned()));
        }
        // What we do not serve would still be taken in by the crate: data channels, say, and what
        // is sent over them.
        for section in sections {
            let kind = section.media_name.media.as_str();
            if kind != "audio" && kind != "video" {
                let message = format!("a section is of {kind}, expected audio or video");
                return Err(OfferError::NotSdp(message));
            }
            if sections
                .iter()
                .filter(|other| other.media_name.media == kind)
                .count()
                > 1
            {
                return Err(OfferError::NotSdp(format!(
                    "more than one section is of {kind}"
                )));
            }
        }

        let audio = first(sections, "audio");
        let video = first(sections, "video");
        if audio.is_some_and(|section| !offers(section, "opus/48000")) {
            return Err(OfferError::NoOpus);
        }
        if video.is_some_and(|section| !offers(section, "vp8/90000")) {
            return Err(OfferError::NoVp8);
        }

        let (audio, video) = (receives(audio), receives(video));
        let origin = description.origin.session_id;
        Ok(Self {
            sdp,
            origin,
            audio,
            video,
        })
    }
}

impl Offer {
    /// The offer of somebody who may do so much: who may not hear and see is sent nothing.
    pub(crate) fn within(mut self, can: Capabilities) -> Self {
        if !can.subscribe {
            self.audio = Direction::Unwanted;
            self.video = Direction::Unwanted;
        }
        self
    }
}

fn first<'a>(sections: &'a [MediaDescription], kind: &str) -> Option<&'a MediaDescription> {
    sections
        .iter()
        .find(|section| section.media_name.media == kind)
}

fn offers(section: &MediaDescription, codec: &str) -> bool {
    section
        .attributes
        .iter()
        .filter(|attribute| attribute.key == "rtpmap")
        .any(|attribute| {
            let value = attribute.value.as_deref().unwrap_or_default();
            let name = value.split_whitespace().nth(1).unwrap_or_default();
            name.to_ascii_lowercase().starts_with(codec)
        })
}

fn receives(section: Option<&MediaDescription>) -> Direction {
    match section {
        Some(section)
            if !section.has_attribute("sendonly") && !section.has_attribute("inactive") =>
        {
            Direction::Wanted
        }
        _ => Direction::Unwanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    const OPUS: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
                        a=rtpmap:111 opus/48000/2\r\na=sendrecv\r\n";
    const VP8: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n\
                       a=rtpmap:96 VP8/90000\r\na=sendonly\r\n";

    fn parse(sections: &[&str]) -> Result<Offer, OfferError> {
        Offer::parse(format!("{HEAD}{}", sections.concat()))
    }

    #[test]
    fn directions_say_what_the_other_side_takes() {
        let offer = parse(&[OPUS, VP8]).unwrap();

        assert_eq!(
            (offer.audio, offer.video),
            (Direction::Wanted, Direction::Unwanted)
        );
    }

    #[test]
    fn an_absent_section_is_fine() {
        let offer = parse(&[OPUS]).unwrap();

        assert_eq!(
            (offer.audio, offer.video),
            (Direction::Wanted, Direction::Unwanted)
        );
    }

    #[test]
    fn a_section_without_our_codec_is_refused_by_name() {
        let pcmu = OPUS.replace("opus/48000/2", "PCMU/8000");
        let h264 = VP8.replace("VP8", "H264");

        assert!(matches!(parse(&[&pcmu, VP8]), Err(OfferError::NoOpus)));
        assert!(matches!(parse(&[OPUS, &h264]), Err(OfferError::NoVp8)));
    }

    #[test]
    fn sections_that_are_neither_or_come_twice_are_refused() {
        let channels = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n";

        for sections in [[OPUS, channels], [OPUS, OPUS], [VP8, VP8]] {
            assert!(matches!(parse(&sections), Err(OfferError::NotSdp(_))));
        }
    }

    #[test]
    fn what_is_not_sdp_is_refused() {
        for text in ["", "hello", "v=0", "{}", "v=0\r\nv=0\r\n"] {
            assert!(
                matches!(Offer::parse(text.to_owned()), Err(OfferError::NotSdp(_))),
                "{text}"
            );
        }
        assert!(matches!(parse(&[]), Err(OfferError::NotSdp(_))));
        let long = "x".repeat(MAX_OFFER_BYTES + 1);
        assert!(matches!(Offer::parse(long), Err(OfferError::NotSdp(_))));
    }
}
