//! Who asks, when a proxy asks for them.
//!
//! What a request says of where it came from is believed only of proxies that are trusted: read
//! from the right, the first address that is not one of theirs is the client. `X-Forwarded-For`
//! counts, or where there is none `Forwarded` (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{FORWARDED, HOST};
use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use super::origin::Site;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// How many hops are looked at: there are never so many.
const MAX_HOPS: usize = 32;

/// The proxies that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    networks: Vec<IpNet>,
}

/// Reads an address, or a network such as `10.0.0.0/8`.
///
/// # Errors
///
/// What is expected.
pub(crate) fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "expected an address or a network such as 10.0.0.0/8".to_owned())
}

/// Whether a proxy says that it asks for somebody else.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    [X_FORWARDED_FOR, FORWARDED]
        .iter()
        .any(|name| headers.contains_key(name))
}

impl Proxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self { networks }
    }

    /// Whether this is the address of one.
    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.networks.iter().any(|network| network.contains(&ip))
    }

    /// Who asks, of whom `peer` is the other end of the connection.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let mut client = peer;
        for hop in hops(headers).into_iter().rev().take(MAX_HOPS) {
            // What cannot be read was not written by one of ours: the last that could is who asks.
            let Some(ip) = hop else { break };
            client = ip.to_canonical();
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// What the server was asked for as.
    pub(super) fn site(&self, peer: IpAddr, headers: &HeaderMap) -> Site {
        let text = |name: &HeaderName| {
            let value = headers.get(name)?.to_str().ok()?;
            // Of several proxies, the first is the one that was asked.
            value.split(',').next().map(|first| first.trim().to_owned())
        };
        let host = text(&HOST).unwrap_or_default();
        if !self.trusts(peer) {
            return Site { host, scheme: None };
        }
        Site {
            host: text(&X_FORWARDED_HOST).unwrap_or(host),
            scheme: text(&X_FORWARDED_PROTO),
        }
    }
}

/// The addresses a request has passed, the client's first. `None` is one that is not known, hidden,
/// or nonsense.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let listed = |name: &HeaderName| -> Vec<String> {
        let values = headers.get_all(name).into_iter();
        let texts = values.map(|value| value.to_str().unwrap_or_default());
        texts
            .flat_map(|text| text.split(','))
            .map(|item| item.trim().to_owned())
            .collect()
    };
    let plain = listed(&X_FORWARDED_FOR);
    if !plain.is_empty() {
        return plain.iter().map(|text| address(text)).collect();
    }
    let elements = listed(&FORWARDED);
    elements.iter().map(|text| node(text)).collect()
}

/// The `for` of one element of `Forwarded` (RFC 7239 §4, §6).
fn node(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut of_for = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    of_for
        .next()
        .and_then(|(_, value)| address(value.trim().trim_matches('"')))
}

/// An address, with or without a port, with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(ip);
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Some(socket.ip());
    }
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    inner.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    fn proxies(networks: &[&str]) -> Proxies {
        Proxies::new(
            networks
                .iter()
                .map(|it| parse_network(it).unwrap())
                .collect(),
        )
    }

    fn client(trusted: &[&str], peer: &str, pairs: &[(&'static str, &str)]) -> String {
        let peer = peer.parse().unwrap();
        proxies(trusted).client(peer, &headers(pairs)).to_string()
    }

    #[test]
    fn who_is_not_trusted_speaks_for_themselves() {
        let said = [("x-forwarded-for", "192.0.2.1")];

        assert_eq!(client(&[], "198.51.100.1", &said), "198.51.100.1");
        assert_eq!(
            client(&["10.0.0.0/8"], "198.51.100.1", &said),
            "198.51.100.1"
        );
    }

    #[test]
    fn of_trusted_ones_the_first_from_the_right_that_is_not_counts() {
        let trusted = ["10.0.0.0/8", "::1"];
        let rows: [(&[(&str, &str)], &str); 12] = [
            (&[], "10.0.0.1"),
            (&[("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
            (
                &[("x-forwarded-for", "203.0.113.9, 192.0.2.1")],
                "192.0.2.1",
            ),
            (&[("x-forwarded-for", "192.0.2.1, 10.0.0.2")], "192.0.2.1"),
            (
                &[
                    ("x-forwarded-for", "192.0.2.1"),
                    ("x-forwarded-for", "10.0.0.2"),
                ],
                "192.0.2.1",
            ),
            (&[("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
            (&[("x-forwarded-for", "192.0.2.1:4711")], "192.0.2.1"),
            (&[("x-forwarded-for", "192.0.2.1, junk")], "10.0.0.1"),
            (
                &[("x-forwarded-for", "192.0.2.1, junk, 10.0.0.2")],
                "10.0.0.2",
            ),
            (
                &[(
                    "forwarded",
                    "for=\"[2001:db8::1]:4711\";proto=https, for=10.0.0.2",
                )],
                "2001:db8::1",
            ),
            (&[("forwarded", "For=192.0.2.1;by=10.0.0.1")], "192.0.2.1"),
            (&[("forwarded", "for=_hidden")], "10.0.0.1"),
        ];
        for (pairs, expected) in rows {
            let named: Vec<(&'static str, &str)> = pairs.to_vec();
            assert_eq!(client(&trusted, "10.0.0.1", &named), expected, "{pairs:?}");
        }
        let mapped = client(
            &trusted,
            "::ffff:10.0.0.1",
            &[("x-forwarded-for", "192.0.2.1")],
        );
        assert_eq!(
            mapped, "192.0.2.1",
            "an IPv4 address is one on a socket of both kinds, too"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_said_makes_somebody_of_a_proxy_that_is_not_trusted(
            said in "[ -~]{0,100}",
            listed in "([0-9a-f.:_x\"\\[\\];=, for]{0,20}[,;]){0,8}",
        ) {
            for name in ["x-forwarded-for", "forwarded"] {
                for value in [&said, &listed] {
                    let pairs = [(name, value.as_str())];
                    prop_assert_eq!(client(&[], "198.51.100.1", &pairs), "198.51.100.1");
                    // And of one that is trusted, an address in any case.
                    client(&["10.0.0.0/8"], "10.0.0.1", &pairs);
                }
            }
        }
    }

    #[test]
    fn the_name_asked_for_is_the_proxys_word_where_it_is_trusted() {
        let pairs = [
            ("host", "127.0.0.1:8080"),
            ("x-forwarded-host", "mosaic.example"),
            ("x-forwarded-proto", "https"),
        ];
        let of = |trusted: &[&str]| {
            let site = proxies(trusted).site("10.0.0.1".parse().unwrap(), &headers(&pairs));
            (site.host, site.scheme)
        };

        assert_eq!(of(&[]), ("127.0.0.1:8080".to_owned(), None));
        let known = ("mosaic.example".to_owned(), Some("https".to_owned()));
        assert_eq!(of(&["10.0.0.1"]), known);
    }
}
