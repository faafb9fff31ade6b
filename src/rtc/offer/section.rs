//! One section of an offer: what it is of, which way it goes, and what of it we take.
//!
//! Only what we know is read, and all that is given back is either numbers or words that the
//! description's own grammar has bounded.

use rtc::sdp::SessionDescription;
use rtc::sdp::description::media::MediaDescription;
use rtc::sdp::extmap::TRANSPORT_CC_URI;

use super::OneWay;
use crate::rtc::engine::OPUS_PARAMETERS;
use crate::rtc::orientation;

/// What a section is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Video,
    /// Nothing that we serve.
    Other,
}

/// Which way media goes, as the other side sees it (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) struct Flow {
    pub(in crate::rtc) sends: bool,
    pub(in crate::rtc) takes: bool,
}

/// A section as it came, and what of it we take.
#[derive(Clone, Debug)]
pub(in crate::rtc) struct Section {
    kind: Kind,
    /// `audio`, `video`, `application` …
    media: String,
    proto: String,
    formats: Vec<String>,
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
    attributes: Vec<(String, String)>,
    codec: Vec<String>,
    payload_type: u8,
}

/// Formats of a section that are looked at: there are no more payload types (RFC 3550 §5.1). Each is
/// looked for among all of the section's attributes.
const MAX_FORMATS: usize = 128;

/// The header extensions that we take up.
const EXTENSIONS: [&str; 2] = [TRANSPORT_CC_URI, orientation::URI];

impl Flow {
    pub(in crate::rtc) const NEITHER: Self = Self {
        sends: false,
        takes: false,
    };

    /// From the name of an attribute.
    pub(in crate::rtc) fn named(name: &str) -> Option<Self> {
        let (sends, takes) = match name {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Self { sends, takes })
    }

    pub(in crate::rtc) const fn name(self) -> &'static str {
        match (self.sends, self.takes) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        }
    }

    /// The same from the other end.
    pub(in crate::rtc) const fn mirrored(self) -> Self {
        Self {
            sends: self.takes,
            takes: self.sends,
        }
    }

    /// What both allow.
    pub(in crate::rtc) const fn and(self, other: Self) -> Self {
        Self {
            sends: self.sends && other.sends,
            takes: self.takes && other.takes,
        }
    }
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
            formats: media.media_name.formats.clone(),
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
            attributes: media
                .attributes
                .iter()
                .map(|it| (it.key.clone(), it.value.clone().unwrap_or_default()))
                .collect(),
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

    pub(in crate::rtc) const fn is_served(&self) -> bool {
        self.served
    }

    pub(in crate::rtc) const fn flow(&self) -> Flow {
        self.flow
    }

    pub(in crate::rtc) fn mid(&self) -> Option<&str> {
        self.mid.as_deref()
    }

    /// The mid, or what stands for it.
    pub(in crate::rtc) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::rtc) fn proto(&self) -> &str {
        &self.proto
    }

    pub(in crate::rtc) const fn has_rtcp_mux(&self) -> bool {
        self.rtcp_mux
    }

    pub(in crate::rtc) const fn has_rtcp_rsize(&self) -> bool {
        self.rtcp_rsize
    }

    pub(super) fn setup(&self) -> Option<&str> {
        self.setup.as_deref()
    }

    pub(super) const fn max_packet_ms(&self) -> Option<u32> {
        self.max_packet_ms
    }

    /// How an answer declines it (RFC 3264 §6).
    pub(in crate::rtc) fn declined(&self) -> String {
        let formats = self.formats.join(" ");
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
        let payload_type = self.payload_type(rtpmap)?;
        let mut codec = vec![format!("a=rtpmap:{payload_type} {name}")];
        codec.extend(self.feedback(payload_type));
        if self.kind == Kind::Audio {
            // Ours whatever theirs are: in the answer they say what we like to get.
            codec.push(format!("a=fmtp:{payload_type} {OPUS_PARAMETERS}"));
        }
        let mut formats = payload_type.to_string();
        // Resends of a stream that is not announced could not be told to be of it: they are to
        // come in the stream itself.
        let resends = self.resends_of(payload_type);
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
        !self.flow.sends || self.streams().is_some()
    }

    /// Its first lines for the crate: our codec, under their payload types.
    pub(super) fn codec_lines(&self) -> &[String] {
        &self.codec
    }

    /// The header extensions that we take up, as lines.
    pub(super) fn extension_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for value in self.values("extmap") {
            let mut words = value.split_whitespace();
            let number = words.next().and_then(|it| it.split('/').next());
            let number: Option<u8> = number.and_then(|it| it.parse().ok());
            if let (Some(number @ 1..), Some(uri)) = (number, words.next())
                && EXTENSIONS.contains(&uri)
            {
                lines.push(format!("a=extmap:{number} {uri}"));
            }
        }
        lines
    }

    /// The stream that the section announces, and the one of its resends (RFC 5576). Of several
    /// streams, such as layers, the first.
    pub(super) fn streams(&self) -> Option<(u32, Option<u32>)> {
        let number = |word: Option<&str>| word.and_then(|it| it.parse::<u32>().ok());
        let groups = |semantics: &'static str| {
            self.values("ssrc-group").filter_map(move |value| {
                let mut words = value.split_whitespace();
                (words.next() == Some(semantics)).then_some(words)
            })
        };
        let declared = self.values("ssrc");
        let mut declared = declared.filter_map(|value| number(value.split_whitespace().next()));
        let first = groups("SIM")
            .chain(groups("FID"))
            .find_map(|mut words| number(words.next()))
            .or_else(|| declared.next())?;
        let resends = groups("FID").find_map(|mut words| {
            (number(words.next()) == Some(first)).then_some(number(words.next())?)
        });
        Some((first, resends))
    }

    /// The values of one attribute.
    pub(super) fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let of_key = self.attributes.iter().filter(move |(it, _)| it == key);
        of_key.map(|(_, value)| value.as_str())
    }

    /// The first payload type of the section with a codec whose name, in small letters, begins so.
    fn payload_type(&self, codec: &str) -> Option<u8> {
        self.payload_types().find(|it| {
            self.codec_name(*it)
                .is_some_and(|name| name.starts_with(codec))
        })
    }

    /// The payload type of resends (RFC 4588 §8.6).
    fn resends_of(&self, payload_type: u8) -> Option<u8> {
        let apt = format!("apt={payload_type}");
        self.payload_types().find(|it| {
            let is_rtx = self
                .codec_name(*it)
                .is_some_and(|name| name.starts_with("rtx/"));
            let mut parameters = self
                .values("fmtp")
                .filter_map(|value| value.split_once(' '));
            let number = it.to_string();
            is_rtx
                && parameters.any(|(of, parameters)| {
                    of == number && parameters.split(';').any(|it| it.trim() == apt)
                })
        })
    }

    /// The feedback that is offered for a payload type, by its number or for all (RFC 4585 §4.2).
    fn feedback(&self, payload_type: u8) -> Vec<String> {
        let number = payload_type.to_string();
        let of_it = self.values("rtcp-fb").filter_map(|value| {
            let (of, feedback) = value.split_once(' ')?;
            (of == number || of == "*").then_some(feedback.trim())
        });
        of_it
            .map(|feedback| format!("a=rtcp-fb:{number} {feedback}"))
            .collect()
    }

    fn payload_types(&self) -> impl Iterator<Item = u8> {
        let formats = self.formats.iter().take(MAX_FORMATS);
        formats.filter_map(|format| format.parse().ok())
    }

    /// In small letters.
    fn codec_name(&self, payload_type: u8) -> Option<String> {
        let number = payload_type.to_string();
        self.values("rtpmap").find_map(|value| {
            let mut words = value.split_whitespace();
            (words.next() == Some(&number)).then_some(words.next()?.to_ascii_lowercase())
        })
    }
}
