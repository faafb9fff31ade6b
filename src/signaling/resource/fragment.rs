//! A piece of a session description that says only what concerns ICE: credentials and candidates
//! (`application/trickle-ice-sdpfrag`, RFC 8840 §4.4 and §9).
//!
//! Unknown lines of a known form are passed over. Holds at most [`MAX_CANDIDATES`] candidates; more
//! are refused, so that nobody believes to have said them.

use crate::rtc::{Candidate, MAX_CANDIDATES};

/// How long a username fragment and a password may be, in characters (RFC 8839 §5.4).
const UFRAG_CHARS: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 22..=256;

/// What the other side says of its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fragment {
    /// Username fragment and password.
    pub(crate) credentials: Option<(String, String)>,
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
    #[error("more than {MAX_CANDIDATES} candidates")]
    TooMany,
}

/// What is said once, or several times alike.
#[derive(Default)]
struct Said<'a> {
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
        let mut said = Said::default();
        let mut candidates = Vec::new();
        let mut mid: Option<String> = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            if line.starts_with("m=") {
                mid = None;
                continue;
            }
            let (kind, value) = line
                .split_once('=')
                .ok_or(FragmentError::NotALine(index + 1))?;
            if kind.len() != 1 || !kind.is_ascii() {
                return Err(FragmentError::NotALine(index + 1));
            }
            match value.split_once(':') {
                Some(("mid", value)) => mid = Some(value.to_owned()),
                Some(("ice-ufrag", value)) => once(&mut said.ufrag, value)?,
                Some(("ice-pwd", value)) => once(&mut said.password, value)?,
                Some(("candidate", _)) if candidates.len() == MAX_CANDIDATES => {
                    return Err(FragmentError::TooMany);
                }
                Some(("candidate", _)) => candidates.push(Candidate {
                    candidate: value.to_owned(),
                    sdp_mid: mid.clone(),
                    sdp_m_line_index: None,
                }),
                _ => {}
            }
        }
        Ok(Self {
            credentials: said.credentials()?,
            candidates,
        })
    }

    /// Our side of an ICE session, as our whole answer says it.
    pub(crate) fn of_answer(answer: &str) -> String {
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line);
            text.push_str("\r\n");
        };
        let with = |prefix: &'static str| answer.lines().filter(move |it| it.starts_with(prefix));
        for prefix in ["a=ice-ufrag:", "a=ice-pwd:"] {
            with(prefix).take(1).for_each(&mut push);
        }
        // The section that has the candidates: the first that is not declined.
        let sections = answer.split("\r\nm=").skip(1);
        let mut taken = sections.filter(|it| it.split(' ').nth(1) != Some("0"));
        if let Some(section) = taken.next() {
            let mut lines = section.lines();
            if let Some(media) = lines.next() {
                push(&format!("m={media}"));
            }
            let wanted = ["a=mid:", "a=candidate:", "a=end-of-candidates"];
            lines
                .filter(|line| wanted.iter().any(|it| line.starts_with(it)))
                .for_each(push);
        }
        text
    }
}

impl Said<'_> {
    fn credentials(self) -> Result<Option<(String, String)>, FragmentError> {
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
                Ok(Some((ufrag.to_owned(), password.to_owned())))
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

    #[test]
    fn credentials_and_candidates_are_read_and_all_else_is_passed_over() {
        let fragment = Fragment::parse(FRAGMENT).unwrap();

        let (ufrag, password) = fragment.credentials.unwrap();
        assert_eq!((ufrag.as_str(), password.len()), ("EsAw", 24));
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
        assert_eq!(fragment.credentials, None);
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
