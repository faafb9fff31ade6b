//! An offer as the WebRTC crate is told it: the same meaning, always said in one way.
//!
//! Everything is in one bundle, each section has a name and a direction, our codec is the only one,
//! streams have names of their own, and of the transport's credentials there is one set: an offer of
//! several legs is told as one offer for each. What the crate would refuse the whole offer for, though
//! we have no use for it, is left out.

use std::collections::BTreeSet;
use std::fmt;

use rtc::ice::candidate::unmarshal_candidate;
use rtc::sdp::SessionDescription;

use super::Flow;
use super::bundle::Bundle;
use super::section::Section;
use crate::rtc::mux::Stream;

/// Candidates of an offer or a fragment that are looked at; more are passed over. Whoever has so many has
/// sent those that help first (RFC 8445 §5.1.2).
pub(crate) const MAX_CANDIDATES: usize = 64;

/// The longest candidate, in bytes: real ones have a tenth of that.
pub(in crate::rtc) const MAX_CANDIDATE_BYTES: usize = 1_024;

/// The only fingerprints that the crate compares; every endpoint must have one (RFC 8827 §6.5).
const FINGERPRINT: &str = "sha-256";

/// The attribute of an endpoint that only answers (RFC 8839 §5.3).
const LITE: &str = "ice-lite";

/// What an offerer wants to be in the DTLS handshake (RFC 8842 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) enum Setup {
    /// Its client.
    Active,
    /// Its server.
    Passive,
    /// What we leave to it.
    Either,
}

/// The offer, in parts.
#[derive(Clone, Debug)]
pub(in crate::rtc) struct Plain {
    origin: (u64, u64),
    /// Session attributes that stay as they are.
    flags: Vec<&'static str>,
    fingerprint: Option<String>,
    ufrag: Option<String>,
    password: Option<String>,
    setup: Setup,
    candidates: Vec<String>,
    sections: Vec<PlainSection>,
}

#[derive(Clone, Debug)]
struct PlainSection {
    name: String,
    flow: Flow,
    payload_type: u8,
    is_announced: bool,
    head: Vec<String>,
    rest: Vec<String>,
}

impl Plain {
    /// Of the sections of `bundle` that are served. The transport's parameters are those of the first
    /// of its tags that has them. Of candidates it has its share, as one of so many `legs`.
    pub(super) fn new(
        description: &SessionDescription,
        sections: &[Section],
        bundle: &Bundle,
        legs: usize,
    ) -> Self {
        let Bundle { served, tags, .. } = bundle;
        let of_transport = |key: &str| {
            let of_sections = tags
                .iter()
                .find_map(|tag| sections[*tag].lines().values(key).next());
            let value = of_sections.map(str::to_owned);
            value.or_else(|| description.attribute(key).cloned())
        };
        let of_session = description.attributes.iter();
        let fingerprints = tags
            .iter()
            .flat_map(|tag| sections[*tag].lines().values("fingerprint"))
            .chain(of_session.filter_map(|it| {
                (it.key == "fingerprint").then_some(it.value.as_deref().unwrap_or_default())
            }));
        let setup = tags.iter().find_map(|tag| sections[*tag].setup());
        let flags = [LITE, "extmap-allow-mixed"];
        let alone = served.len() == 1;
        Self {
            origin: (
                description.origin.session_id,
                description.origin.session_version,
            ),
            flags: flags
                .into_iter()
                .filter(|flag| description.has_attribute(flag))
                .collect(),
            fingerprint: fingerprints.filter_map(sha_256).next(),
            ufrag: of_transport("ice-ufrag"),
            password: of_transport("ice-pwd"),
            setup: match setup {
                Some("active") => Setup::Active,
                Some("passive") => Setup::Passive,
                _ => Setup::Either,
            },
            candidates: candidates(
                tags.iter()
                    .flat_map(|tag| sections[*tag].lines().values("candidate")),
                MAX_CANDIDATES / legs.max(1),
            ),
            sections: served
                .iter()
                .map(|index| PlainSection::new(&sections[*index], alone))
                .collect(),
        }
    }

    /// Whether the other side answers checks and makes none (RFC 8445 §2.5).
    pub(in crate::rtc) fn is_lite(&self) -> bool {
        self.flags.contains(&LITE)
    }

    pub(in crate::rtc) const fn setup(&self) -> Setup {
        self.setup
    }

    pub(super) fn ufrag(&self) -> Option<&str> {
        self.ufrag.as_deref()
    }

    /// Has the sections go where they go now; and says whether their streams are announced.
    pub(super) fn redirect(&mut self, flows: &[(Flow, bool)]) {
        for (plain, (flow, is_announced)) in self.sections.iter_mut().zip(flows) {
            plain.flow = *flow;
            plain.is_announced |= is_announced;
        }
    }

    /// The payload types of those sections whose streams must be found out, since there are several
    /// sections and they are not announced.
    pub(in crate::rtc) fn unannounced(&self) -> Vec<u8> {
        let unannounced = self.sections.iter().filter(|it| !it.is_announced);
        unannounced.map(|it| it.payload_type).collect()
    }

    /// Announces a stream, where that is missing.
    pub(in crate::rtc) fn announce(&mut self, stream: Stream) {
        let missing =
            |it: &&mut PlainSection| !it.is_announced && it.payload_type == stream.payload_type;
        if let Some(section) = self.sections.iter_mut().find(missing) {
            section.is_announced = true;
            section.rest.push(msid(&section.name));
            section.rest.push(ssrc(stream.ssrc));
        }
    }

    /// Other credentials, and no candidates yet.
    pub(super) fn restart(&mut self, ufrag: &str, password: &str) {
        self.origin.1 = self.origin.1.wrapping_add(1);
        self.ufrag = Some(ufrag.to_owned());
        self.password = Some(password.to_owned());
        self.candidates.clear();
    }
}

impl PlainSection {
    fn new(section: &Section, alone: bool) -> Self {
        let name = section.name().to_owned();
        let mut rest = section.lines().extensions();
        let streams = section.lines().streams();
        // Without a stream the crate takes no name for one, unless there is only one section.
        if streams.is_some() || alone {
            rest.push(msid(&name));
        }
        if let Some((first, resends)) = streams {
            if let Some(resends) = resends {
                rest.push(format!("a=ssrc-group:FID {first} {resends}"));
            }
            let ssrcs = [Some(first), resends].into_iter().flatten();
            rest.extend(ssrcs.map(ssrc));
        }
        Self {
            name,
            flow: section.flow(),
            payload_type: section.payload_type_of_ours(),
            is_announced: alone || section.is_announced(),
            head: section.codec_lines().to_vec(),
            rest,
        }
    }
}

fn msid(name: &str) -> String {
    format!("a=msid:theirs {name}")
}

fn ssrc(ssrc: u32) -> String {
    format!("a=ssrc:{ssrc} cname:theirs")
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, version) = self.origin;
        write!(f, "v=0\r\no=- {id} {version} IN IP4 127.0.0.1\r\n")?;
        write!(f, "s=-\r\nt=0 0\r\na=group:BUNDLE")?;
        for section in &self.sections {
            write!(f, " {}", section.name)?;
        }
        f.write_str("\r\n")?;
        for flag in &self.flags {
            write!(f, "a={flag}\r\n")?;
        }
        let of_transport = [
            ("fingerprint", &self.fingerprint),
            ("ice-ufrag", &self.ufrag),
            ("ice-pwd", &self.password),
        ];
        for (key, value) in of_transport {
            if let Some(value) = value {
                write!(f, "a={key}:{value}\r\n")?;
            }
        }
        let setup = match self.setup {
            Setup::Active => "active",
            Setup::Passive => "passive",
            Setup::Either => "actpass",
        };
        for (index, section) in self.sections.iter().enumerate() {
            let mut head = section.head.iter();
            let media = head.next().map(String::as_str).unwrap_or_default();
            write!(f, "{media}\r\nc=IN IP4 0.0.0.0\r\n")?;
            write!(f, "a=mid:{}\r\na={}\r\n", section.name, section.flow.name())?;
            write!(f, "a=setup:{setup}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n")?;
            for line in head.chain(&section.rest) {
                write!(f, "{line}\r\n")?;
            }
            if index == 0 {
                for candidate in &self.candidates {
                    write!(f, "a=candidate:{candidate}\r\n")?;
                }
            }
        }
        Ok(())
    }
}

/// A fingerprint that the crate can compare.
fn sha_256(value: &str) -> Option<String> {
    let (algorithm, digest) = value.split_once(' ')?;
    let is_it = algorithm.eq_ignore_ascii_case(FINGERPRINT);
    is_it.then(|| format!("{FINGERPRINT} {}", digest.trim()))
}

/// Those that can be of use, each once and at most `max`: over UDP, with an address, for RTP.
fn candidates<'a>(said: impl Iterator<Item = &'a str>, max: usize) -> Vec<String> {
    let mut seen = BTreeSet::new();
    said.filter(|value| is_of_use(value) && seen.insert(*value))
        .take(max)
        .map(str::to_owned)
        .collect()
}

/// Whether a candidate, as `a=candidate` has it after the colon (RFC 8839 §5.1), may be passed on.
///
/// Over TCP it would have the crate connect to wherever it says.
pub(in crate::rtc) fn is_of_use(value: &str) -> bool {
    let mut words = value.split_whitespace().skip(1);
    let (component, protocol) = (words.next(), words.next());
    let address = words
        .nth(1)
        .and_then(|it| it.parse::<std::net::IpAddr>().ok());
    component == Some("1")
        && protocol.is_some_and(|it| it.eq_ignore_ascii_case("udp"))
        && address.is_some()
        && is_candidate(value)
}

/// Whether it is a candidate at all, of at most [`MAX_CANDIDATE_BYTES`].
pub(in crate::rtc) fn is_candidate(value: &str) -> bool {
    value.len() <= MAX_CANDIDATE_BYTES && unmarshal_candidate(value).is_ok()
}
