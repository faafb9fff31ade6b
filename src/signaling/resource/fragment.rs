//! A piece of a session description that says only what concerns ICE: credentials and candidates
//! (`application/trickle-ice-sdpfrag`, RFC 8840 §4.4 and §9).
//!
//! Credentials before the first section are those of all sections that have none of their own; where
//! sections are not bundled, each may have its own (RFC 8839 §5.4).
//!
//! Unknown lines of a known form are passed over. Holds at most [`MAX_CANDIDATES`] candidates, and as
//! many credentials; more are refused, so that nobody believes to have said them.

use std::mem;

use crate::rtc::{Candidate, IceCredentials, MAX_CANDIDATES};

/// How long a username fragment and a password may be, in characters (RFC 8839 §5.4).
const UFRAG_CHARS: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 22..=256;

/// Lines of both descriptions and fragments.
const UFRAG: &str = "a=ice-ufrag:";
const PASSWORD: &str = "a=ice-pwd:";

/// What the other side says of its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Of the session, of single sections, or none.
    pub(crate) credentials: Vec<IceCredentials>,
    pub(crate) candidates: Vec<Candidate>,
}

/// Why a text is no such fragment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FragmentError {
    #[error("line {0} is not of the form x=...")]
    NotALine(usize),
    #[error("{0} is not an ICE username fragment or password")]
    BadCredential(&'static str),
    #[error("one of username fragment and password is missing, or said in two ways")]
    Unsure,
    #[error("more than {MAX_CANDIDATES} candidates, or sections with credentials")]
    TooMany,
}

/// What is said before the first section or in one of them, each once or several times alike.
#[derive(Default)]
struct Said<'a> {
    mid: Option<&'a str>,
    /// Whether an `m=` line has begun it, behind which its name is to come.
    is_section: bool,
    ufrag: Option<&'a str>,
    password: Option<&'a str>,
}

impl Fragment {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// See [`FragmentError`].
    pub(crate) fn parse(text: &str) -> Result<Self, FragmentError> {
        let mut fragment = Self::default();
        let mut said = Said::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            if line.starts_with("m=") {
                let section = Said {
                    is_section: true,
                    ..Said::default()
                };
                fragment.note(mem::replace(&mut said, section))?;
                continue;
            }
            let (kind, value) = line
                .split_once('=')
                .ok_or(FragmentError::NotALine(index + 1))?;
            if kind.len() != 1 || !kind.is_ascii() {
                return Err(FragmentError::NotALine(index + 1));
            }
            match value.split_once(':') {
                // Some leave the line of the section out, and begin it with its name.
                Some(("mid", mid)) => {
                    if said.mid.is_some() || !said.is_section {
                        fragment.note(mem::take(&mut said))?;
                    }
                    said.mid = Some(mid);
                }
                Some(("ice-ufrag", value)) => once(&mut said.ufrag, value)?,
                Some(("ice-pwd", value)) => once(&mut said.password, value)?,
                Some(("candidate", _)) if fragment.candidates.len() == MAX_CANDIDATES => {
                    return Err(FragmentError::TooMany);
                }
                Some(("candidate", _)) => fragment.candidates.push(Candidate {
                    candidate: value.to_owned(),
                    sdp_mid: said.mid.map(str::to_owned),
                    sdp_m_line_index: None,
                }),
                _ => {}
            }
        }
        fragment.note(said)?;
        Ok(fragment)
    }

    fn note(&mut self, said: Said<'_>) -> Result<(), FragmentError> {
        let Some(credentials) = said.credentials()? else {
            return Ok(());
        };
        let mut others = self.credentials.iter();
        match others.find(|it| it.mid == credentials.mid) {
            Some(other) if *other != credentials => return Err(FragmentError::Unsure),
            Some(_) => return Ok(()),
            None => {}
        }
        if self.credentials.len() == MAX_CANDIDATES {
            return Err(FragmentError::TooMany);
        }
        self.credentials.push(credentials);
        Ok(())
    }

    /// Our side of an ICE session, as our whole answer says it: the credentials, and the section that
    /// has the candidates. Where sections have credentials of their own, so in each.
    pub(crate) fn of_answer(answer: &str) -> String {
        let sections = answer.split("\r\nm=").skip(1);
        let taken = sections.filter(|it| it.split(' ').nth(1) != Some("0"));
        let mut firsts = Vec::<(Option<&str>, &str)>::with_capacity(2);
        for section in taken {
            let ufrag = section.lines().find(|it| it.starts_with(UFRAG));
            // Sections of one bundle have the same, and the first of them has the candidates.
            if firsts.iter().all(|(other, _)| *other != ufrag) {
                firsts.push((ufrag, section));
            }
        }
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line);
            text.push_str("\r\n");
        };
        let [of_session, of_section]: [&[&str]; 2] = match firsts.len() {
            0 | 1 => [&[UFRAG, PASSWORD], &[]],
            _ => [&[], &[UFRAG, PASSWORD]],
        };
        for prefix in of_session {
            let mut lines = answer.lines().filter(|it| it.starts_with(prefix));
            lines.next().into_iter().for_each(&mut push);
        }
        for (_, section) in firsts {
            let mut lines = section.lines();
            if let Some(media) = lines.next() {
                push(&format!("m={media}"));
            }
            let wanted = ["a=mid:", "a=candidate:", "a=end-of-candidates"];
            lines
                .filter(|line| {
                    let mut wanted = wanted.iter().chain(of_section);
                    wanted.any(|it| line.starts_with(it))
                })
                .for_each(&mut push);
        }
        text
    }
}

impl Said<'_> {
    fn credentials(self) -> Result<Option<IceCredentials>, FragmentError> {
        match (self.ufrag, self.password) {
            (None, None) => Ok(None),
            (Some(ufrag), Some(password)) => {
                let good = |it: &str| it.chars().all(is_ice_char);
                if !good(ufrag) || !UFRAG_CHARS.contains(&ufrag.len()) {
                    return Err(FragmentError::BadCredential("ice-ufrag"));
                }
                if !good(password) || !PASSWORD_CHARS.contains(&password.len()) {
                    return Err(FragmentError::BadCredential("ice-pwd"));
                }
                Ok(Some(IceCredentials {
                    mid: self.mid.map(str::to_owned),
                    ufrag: ufrag.to_owned(),
                    password: password.to_owned(),
                }))
            }
            _ => Err(FragmentError::Unsure),
        }
    }
}

/// RFC 8839 §5.4.
const fn is_ice_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/')
}

fn once<'a>(said: &mut Option<&'a str>, value: &'a str) -> Result<(), FragmentError> {
    match said.replace(value) {
        Some(before) if before != value => Err(FragmentError::Unsure),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAGMENT: &str = "a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=ice-ufrag:EsAw\r\n\
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n\
        a=candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host\r\n\
        a=candidate:2 1 udp 1694498815 192.0.2.1 39133 typ srflx raddr 0.0.0.0 rport 0\r\n\
        a=end-of-candidates\r\n";

    fn said(fragment: &Fragment) -> Vec<(Option<&str>, &str)> {
        let credentials = fragment.credentials.iter();
        credentials
            .map(|it| (it.mid.as_deref(), it.ufrag.as_str()))
            .collect()
    }

    #[test]
    fn sections_that_are_not_bundled_say_each_its_own() {
        let password = "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1";
        let candidate = "a=candidate:1 1 udp 1 192.0.2.1 5 typ host";
        let text = format!(
            "a=ice-options:trickle\nm=audio 9 x 0\na=ice-ufrag:EsAw\n{password}\na=mid:a\n{candidate}\n\
             m=video 9 x 0\na=mid:v\n{candidate}\na=ice-ufrag:EsAv\n{password}\n"
        );
        let without_lines = text.replace("m=audio 9 x 0\n", "a=mid:a\n");
        let without_lines = without_lines.replace("m=video 9 x 0\n", "");

        let fragment = Fragment::parse(&text).unwrap();

        let expected = [(Some("a"), "EsAw"), (Some("v"), "EsAv")];
        assert_eq!(said(&fragment), expected);
        let mids = fragment.candidates.iter().map(|it| it.sdp_mid.as_deref());
        assert_eq!(mids.collect::<Vec<_>>(), [Some("a"), Some("v")]);
        let fragment = Fragment::parse(&without_lines).unwrap();
        assert_eq!(said(&fragment), expected);
    }

    #[test]
    fn credentials_and_candidates_are_read_and_all_else_is_passed_over() {
        let fragment = Fragment::parse(FRAGMENT).unwrap();

        assert_eq!(said(&fragment), [(None, "EsAw")]);
        assert_eq!(fragment.candidates.len(), 2);
        let first = &fragment.candidates[0];
        assert_eq!(first.sdp_mid.as_deref(), Some("0"));
        assert_eq!(
            first.candidate,
            "candidate:1 1 udp 2130706431 198.51.100.1 39132 typ host"
        );
    }

    #[test]
    fn candidates_come_without_credentials_and_lines_may_end_as_they_like() {
        let fragment = Fragment::parse("a=mid:a\n\na=candidate:1 1 udp 1 192.0.2.1 5 typ host \n");

        let fragment = fragment.unwrap();
        assert_eq!(fragment.credentials, []);
        assert_eq!(fragment.candidates.len(), 1);
        assert_eq!(Fragment::parse("").unwrap(), Fragment::default());
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let good = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n";
        let rows = [
            ("hello".to_owned(), FragmentError::NotALine(1)),
            ("a=x\r\n{}".to_owned(), FragmentError::NotALine(2)),
            ("ab=x".to_owned(), FragmentError::NotALine(1)),
            ("a=ice-ufrag:EsAw".to_owned(), FragmentError::Unsure),
            (format!("{good}a=ice-ufrag:EsAx"), FragmentError::Unsure),
            (
                good.replace("EsAw", "E w\u{e4}"),
                FragmentError::BadCredential("ice-ufrag"),
            ),
            (
                good.replace("P2uY", "P2uYP2uY".repeat(40).as_str()),
                FragmentError::BadCredential("ice-pwd"),
            ),
            (
                "a=candidate:1\r\n".repeat(MAX_CANDIDATES + 1),
                FragmentError::TooMany,
            ),
        ];

        for (text, error) in rows {
            let text = text.as_str();
            assert_eq!(Fragment::parse(text), Err(error), "{text:.60}");
        }
    }

    #[test]
    fn our_side_of_two_legs_is_said_in_a_section_of_each() {
        let section = |media: &str, ufrag: &str| {
            format!(
                "m={media} 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{media}\r\na=ice-ufrag:{ufrag}\r\n\
                 a=ice-pwd:secret\r\na=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\n"
            )
        };
        let sections = section("audio", "one") + &section("video", "two");
        let answer = format!("v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\n{sections}");

        assert_eq!(Fragment::of_answer(&answer), sections);
    }

    #[test]
    fn our_side_is_said_in_the_section_that_is_taken_up() {
        let answer = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
            a=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\na=end-of-candidates\r\n";

        assert_eq!(
            Fragment::of_answer(answer),
            "a=ice-ufrag:ours\r\na=ice-pwd:secret\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n\
             a=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\na=end-of-candidates\r\n"
        );
    }
}
