//! One section of an offer: what it is of, which way it goes, and what of it we take.
//!
//! Only what we know is read, and all that is given back is either numbers or words that the
//! description's own grammar has bounded.

use rtc::sdp::SessionDescription;
use rtc::sdp::description::media::MediaDescription;

use super::lines::Lines;
use super::{Flow, OneWay};
use crate::rtc::engine::OPUS_PARAMETERS;

/// What a section is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Video,
    /// Nothing that we serve.
    Other,
}

/// A section as it came, and what of it we take.
#[derive(Clone, Debug)]
pub(in crate::rtc) struct Section {
    kind: Kind,
    /// `audio`, `video`, `application` …
    media: String,
    proto: String,
    mid: Option<String>,
    /// The mid, or what stands for it in what the crate is told.
    name: String,
    offered: bool,
    served: bool,
    flow: Flow,
    rtcp_mux: bool,
    rtcp_rsize: bool,
    setup: Option<String>,
    max_packet_ms: Option<u32>,
    lines: Lines,
    codec: Vec<String>,
    payload_type: u8,
}

impl Section {
    /// Reads section number `index` of `session`.
    pub(super) fn read(
        index: usize,
        media: &MediaDescription,
        session: &SessionDescription,
    ) -> Self {
        let value = |key: &str| media.attribute(key).flatten().map(str::to_owned);
        let inherited = |key: &str| value(key).or_else(|| session.attribute(key).cloned());
        let said = media.attributes.iter().chain(&session.attributes);
        let flow = said.filter_map(|it| Flow::named(&it.key)).next();
        let is_token = |it: &String| !it.is_empty() && !it.contains(char::is_whitespace);
        let mid = value("mid").filter(is_token);
        let kind = match media.media_name.media.as_str() {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => Kind::Other,
        };
        Self {
            kind,
            media: media.media_name.media.clone(),
            proto: media.media_name.protos.join("/"),
            name: mid.clone().unwrap_or_else(|| format!("section-{index}")),
            mid,
            // A section of port 0 is withdrawn (RFC 3264 §8.2), unless it is only to be had in a
            // bundle (RFC 9143 §6).
            offered: media.media_name.port.value != 0 || media.has_attribute("bundle-only"),
            served: false,
            flow: flow.unwrap_or(Flow {
                sends: true,
                takes: true,
            }),
            rtcp_mux: media.has_attribute("rtcp-mux"),
            rtcp_rsize: media.has_attribute("rtcp-rsize"),
            setup: inherited("setup"),
            max_packet_ms: value("maxptime").and_then(|ms| ms.trim().parse().ok()),
            lines: Lines::of(media),
            codec: Vec::new(),
            payload_type: 0,
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is there at all, and not only holds a place.
    pub(super) const fn is_offered(&self) -> bool {
        self.offered
    }

    pub(in crate::rtc::description) const fn is_served(&self) -> bool {
        self.served
    }

    pub(in crate::rtc::description) const fn flow(&self) -> Flow {
        self.flow
    }

    pub(in crate::rtc::description) fn mid(&self) -> Option<&str> {
        self.mid.as_deref()
    }

    /// The mid, or what stands for it.
    pub(in crate::rtc::description) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::rtc::description) fn proto(&self) -> &str {
        &self.proto
    }

    pub(in crate::rtc::description) const fn has_rtcp_mux(&self) -> bool {
        self.rtcp_mux
    }

    pub(in crate::rtc::description) const fn has_rtcp_rsize(&self) -> bool {
        self.rtcp_rsize
    }

    pub(super) fn setup(&self) -> Option<&str> {
        self.setup.as_deref()
    }

    pub(super) const fn max_packet_ms(&self) -> Option<u32> {
        self.max_packet_ms
    }

    /// How an answer declines it (RFC 3264 §6).
    pub(in crate::rtc::description) fn declined(&self) -> String {
        let formats = self.lines.formats();
        let mut lines = format!("m={} 0 {} {formats}\r\n", self.media, self.proto);
        lines.push_str("c=IN IP4 0.0.0.0\r\n");
        if let Some(mid) = &self.mid {
            lines.push_str(&format!("a=mid:{mid}\r\n"));
        }
        lines.push_str("a=inactive\r\n");
        lines
    }

    /// Takes the section up, with our codec; `None` if it does not have that.
    pub(super) fn serve(&mut self) -> Option<()> {
        let (name, rtpmap) = match self.kind {
            Kind::Audio => ("opus/48000/2", "opus/48000"),
            Kind::Video => ("VP8/90000", "vp8/90000"),
            Kind::Other => return None,
        };
        let payload_type = self.lines.payload_type(rtpmap)?;
        let mut codec = vec![format!("a=rtpmap:{payload_type} {name}")];
        codec.extend(self.lines.feedback(payload_type));
        if self.kind == Kind::Audio {
            // Ours whatever theirs are: in the answer they say what we like to get.
            codec.push(format!("a=fmtp:{payload_type} {OPUS_PARAMETERS}"));
        }
        let mut formats = payload_type.to_string();
        // Resends of a stream that is not announced could not be told to be of it: they are to
        // come in the stream itself.
        let resends = self.lines.resends_of(payload_type);
        if let Some(resends) = resends.filter(|_| self.is_announced()) {
            formats.push_str(&format!(" {resends}"));
            codec.push(format!("a=rtpmap:{resends} rtx/90000"));
            codec.push(format!("a=fmtp:{resends} apt={payload_type}"));
        }
        codec.insert(0, format!("m={} 9 UDP/TLS/RTP/SAVPF {formats}", self.media));
        self.codec = codec;
        self.payload_type = payload_type;
        self.served = true;
        Some(())
    }

    /// Takes that back.
    pub(super) const fn decline(&mut self) {
        self.served = false;
    }

    /// Stops what goes the other way.
    pub(super) const fn go(&mut self, way: OneWay) {
        match way {
            OneWay::ToUs => self.flow.takes = false,
            OneWay::FromUs => self.flow.sends = false,
        }
    }

    /// The one of our codec; 0 if the section is not served.
    pub(super) const fn payload_type_of_ours(&self) -> u8 {
        self.payload_type
    }

    /// Whether it is known which stream comes, if one does.
    pub(super) fn is_announced(&self) -> bool {
        !self.flow.sends || self.lines.streams().is_some()
    }

    /// What it says of its formats and streams.
    pub(super) const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Its first lines for the crate: our codec, under their payload types.
    pub(super) fn codec_lines(&self) -> &[String] {
        &self.codec
    }
}
