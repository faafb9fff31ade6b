//! What a section says of its formats, extensions and streams.
//!
//! All that is given back is either numbers or words that the description's own grammar has bounded.

use rtc::sdp::description::media::MediaDescription;
use rtc::sdp::extmap::TRANSPORT_CC_URI;

use crate::rtc::orientation;

/// Formats of a section that are looked at: there are no more payload types (RFC 3550 §5.1). Each is
/// looked for among all of the section's attributes.
const MAX_FORMATS: usize = 128;

/// The header extensions that we take up.
const EXTENSIONS: [&str; 2] = [TRANSPORT_CC_URI, orientation::URI];

/// The formats and attributes of a section.
#[derive(Clone, Debug)]
pub(in crate::rtc::description) struct Lines {
    formats: Vec<String>,
    attributes: Vec<(String, String)>,
}

impl Lines {
    pub(super) fn of(media: &MediaDescription) -> Self {
        Self {
            formats: media.media_name.formats.clone(),
            attributes: media
                .attributes
                .iter()
                .map(|it| (it.key.clone(), it.value.clone().unwrap_or_default()))
                .collect(),
        }
    }

    /// As its first line has them.
    pub(super) fn formats(&self) -> String {
        self.formats.join(" ")
    }

    /// The header extensions that we take up, as lines.
    pub(super) fn extensions(&self) -> Vec<String> {
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
    pub(super) fn payload_type(&self, codec: &str) -> Option<u8> {
        self.payload_types().find(|it| {
            self.codec_name(*it)
                .is_some_and(|name| name.starts_with(codec))
        })
    }

    /// The payload type of resends (RFC 4588 §8.6).
    pub(super) fn resends_of(&self, payload_type: u8) -> Option<u8> {
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
    pub(super) fn feedback(&self, payload_type: u8) -> Vec<String> {
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
