//! What our session descriptions and candidates say of where we are.
//!
//! The connection believes in a placeholder (`mux`), and behind a NAT or a relay what is bound is
//! of no use either: each host candidate is rewritten to the one address and port that participants
//! can reach, and candidates of any other type are left out, since they would give away another.

use std::net::SocketAddr;

use crate::rtc::mux::Credentials;

/// Rewrites a `candidate:` line (RFC 8839 §5.1), the value of `a=candidate` without `a=`. `None` if
/// it is not to be said at all. An empty line, the end of candidates, stays as it is.
pub(in crate::rtc) fn candidate(line: &str, address: SocketAddr) -> Option<String> {
    if line.is_empty() {
        return Some(String::new());
    }
    let mut fields: Vec<&str> = line.split_whitespace().collect();
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let host_over_udp =
        fields.get(2)?.eq_ignore_ascii_case("udp") && fields.get(7) == Some(&"host");
    if !host_over_udp {
        return None;
    }
    fields[4] = &ip;
    fields[5] = &port;
    Some(fields.join(" "))
}

/// Rewrites the candidates of a session description; all else stays as it is.
pub(in crate::rtc) fn description(sdp: &str, address: SocketAddr) -> String {
    let mut rewritten = String::with_capacity(sdp.len());
    for line in sdp.split_inclusive('\n') {
        let Some(value) = line.trim_end().strip_prefix("a=candidate:") else {
            rewritten.push_str(line);
            continue;
        };
        if let Some(candidate) = candidate(&format!("candidate:{value}"), address) {
            rewritten.push_str("a=");
            rewritten.push_str(&candidate);
            rewritten.push_str("\r\n");
        }
    }
    rewritten
}

/// The ICE credentials of a session description, the same in all sections (RFC 9143 §7.3.1 bundles
/// them).
pub(in crate::rtc) fn credentials(sdp: &str) -> Option<Credentials> {
    let value = |prefix: &str| {
        sdp.lines()
            .find_map(|line| line.strip_prefix(prefix))
            .map(|value| value.trim_end().to_owned())
    };
    Some(Credentials {
        ufrag: value("a=ice-ufrag:")?,
        password: value("a=ice-pwd:")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside() -> SocketAddr {
        SocketAddr::from(([203, 0, 113, 7], 10_000))
    }

    #[test]
    fn a_host_candidate_says_where_we_are_reached() {
        let line = "candidate:842163049 1 udp 2130706431 127.0.0.1 40217 typ host ufrag abcd";

        assert_eq!(
            candidate(line, outside()).as_deref(),
            Some("candidate:842163049 1 udp 2130706431 203.0.113.7 10000 typ host ufrag abcd")
        );
    }

    #[test]
    fn an_ipv6_address_has_no_brackets() {
        let line = "candidate:1 1 udp 1 ::1 40217 typ host";

        assert_eq!(
            candidate(line, "[2001:db8::7]:9".parse().unwrap()).as_deref(),
            Some("candidate:1 1 udp 1 2001:db8::7 9 typ host")
        );
    }

    #[test]
    fn no_other_candidate_is_said() {
        for line in [
            "candidate:1 1 udp 1 192.0.2.1 5 typ srflx raddr 10.0.0.1 rport 5",
            "candidate:1 1 udp 1 192.0.2.1 5 typ relay raddr 10.0.0.1 rport 5",
            "candidate:1 1 tcp 1 10.0.0.1 9 typ host tcptype passive",
            "candidate:1 1 udp",
            "candidate",
        ] {
            assert_eq!(candidate(line, outside()), None, "{line}");
        }
        assert_eq!(candidate("", outside()).as_deref(), Some(""));
    }

    #[test]
    fn a_description_keeps_all_but_its_candidates() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
                   a=candidate:1 1 udp 1 127.0.0.1 4 typ host\r\n\
                   a=candidate:2 1 udp 1 10.0.0.1 4 typ srflx raddr 10.0.0.1 rport 4\r\n\
                   a=end-of-candidates\r\n";

        let rewritten = description(sdp, outside());

        assert_eq!(
            rewritten,
            "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:ours\r\na=ice-pwd:secret\r\n\
             a=candidate:1 1 udp 1 203.0.113.7 10000 typ host\r\n\
             a=end-of-candidates\r\n"
        );
        let Credentials { ufrag, password } = credentials(&rewritten).unwrap();
        assert_eq!((ufrag.as_str(), password.as_str()), ("ours", "secret"));
        assert_eq!(credentials("v=0\r\n"), None);
    }
}
