//! Whose pages may connect (RFC 6454). A browser says whose page it is that asks; what is no
//! browser says nothing, and needs no such protection.
//!
//! A page of the server itself may, whatever the server is called from outside: its origin is
//! compared with the name that it was asked under. Beyond that, origins are listed.

use std::net::IpAddr;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, VARY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// Which pages may connect beside the server's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origins {
    listed: Vec<AllowedOrigin>,
}

/// An origin that may, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// Any.
    Any,
    /// This one: scheme, host, and port where it is not the scheme's own.
    One(String),
}

/// What the server is called by whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Site {
    /// Host and maybe port, as asked for; empty if nothing was said.
    pub(super) host: String,
    /// `http` or `https`, where somebody who is trusted has said so.
    pub(super) scheme: Option<String>,
}

impl AllowedOrigin {
    /// Reads `https://example.org`, `http://example.org:8080`, `null` or `*`.
    ///
    /// # Errors
    ///
    /// What is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let split = text.split_once("://");
        let is_origin = split.is_some_and(|(scheme, host)| {
            let scheme = scheme.to_ascii_lowercase();
            let known = scheme == "http" || scheme == "https";
            known && !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '*'])
        });
        if is_origin || text == "null" {
            Ok(Self::One(usual(text)))
        } else {
            Err("expected an origin such as https://example.org, without a path, or *".to_owned())
        }
    }
}

impl Origins {
    pub(crate) fn new(listed: Vec<AllowedOrigin>) -> Self {
        Self { listed }
    }

    /// Whether a page of `origin` may connect to a server that was asked for as `site`.
    pub(super) fn allow(&self, origin: &str, site: &Site) -> bool {
        let origin = usual(origin);
        site.is_origin(&origin)
            || self.listed.iter().any(|allowed| match allowed {
                AllowedOrigin::Any => true,
                AllowedOrigin::One(one) => *one == origin,
            })
    }
}

impl Site {
    fn is_origin(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else {
            return false;
        };
        // Where nobody who is trusted says how it was asked, TLS may end at a proxy.
        if self
            .scheme
            .as_ref()
            .is_some_and(|ours| !ours.eq_ignore_ascii_case(scheme))
        {
            return false;
        }
        let ours = usual(&format!("{scheme}://{}", self.host));
        !host.is_empty() && ours == origin
    }

    /// Whether it is asked for by a name that always means this machine (RFC 6761 §6.3).
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
            _ => &host,
        };
        let ip = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || name.ends_with(".localhost")
            || ip.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// An origin in small letters, without the port that its scheme has anyway.
fn usual(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let port = if origin.starts_with("https://") {
        ":443"
    } else {
        ":80"
    };
    origin
        .strip_suffix(port)
        .map_or_else(|| origin.clone(), str::to_owned)
}

/// The answer to a browser that asks what a page may send (Fetch, CORS-preflight): what there is to
/// say of the address anyway, or nothing, and what may be sent.
pub(super) fn preflight(mut answer: Response) -> Response {
    if !answer.status().is_success() {
        answer = StatusCode::NO_CONTENT.into_response();
    }
    for (name, value) in [
        (
            ACCESS_CONTROL_ALLOW_METHODS,
            "GET, POST, PATCH, DELETE, OPTIONS",
        ),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "Authorization, Content-Type, If-Match, Last-Event-ID",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        let headers = answer.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// The same answer, for the page of this origin to read.
pub(super) fn readable(mut answer: Response, origin: HeaderValue) -> Response {
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("Origin"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "Location, ETag, Link, Retry-After, Accept-Patch, WWW-Authenticate",
        ),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(host: &str, scheme: Option<&str>) -> Site {
        Site {
            host: host.to_owned(),
            scheme: scheme.map(str::to_owned),
        }
    }

    #[test]
    fn pages_of_the_server_itself_may_connect_and_others_only_if_listed() {
        let none = Origins::default();
        let listed = Origins::new(vec![
            AllowedOrigin::parse("https://App.example.org:443").unwrap(),
        ]);
        let rows = [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
            ("https://mosaic.example", "mosaic.example", true),
            ("https://mosaic.example", "mosaic.example:443", true),
            ("https://Mosaic.Example", "mosaic.example", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://127.0.0.1:8081", "127.0.0.1:8080", false),
            ("https://evil.example", "mosaic.example", false),
            (
                "https://mosaic.example.evil.example",
                "mosaic.example",
                false,
            ),
            (
                "https://evil.example/mosaic.example",
                "mosaic.example",
                false,
            ),
            ("null", "mosaic.example", false),
            ("", "", false),
            ("https://", "", false),
            ("mosaic.example", "mosaic.example", false),
        ];
        for (origin, host, may) in rows {
            assert_eq!(
                none.allow(origin, &site(host, None)),
                may,
                "{origin} {host}"
            );
        }
        assert!(listed.allow("https://app.example.org", &site("mosaic.example", None)));
        assert!(!listed.allow("http://app.example.org", &site("mosaic.example", None)));
        assert!(!listed.allow("null", &site("mosaic.example", None)));
        let any = Origins::new(vec![AllowedOrigin::Any]);
        assert!(any.allow("null", &site("mosaic.example", None)));
    }

    #[test]
    fn where_the_scheme_is_known_it_counts() {
        let none = Origins::default();

        assert!(none.allow("https://a.example", &site("a.example", Some("https"))));
        assert!(!none.allow("http://a.example", &site("a.example", Some("https"))));
    }

    #[test]
    fn origins_have_no_path() {
        for good in ["*", "null", "http://a", "https://a:1", "https://[::1]:1"] {
            assert!(AllowedOrigin::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "https://",
            "https://a/",
            "https://a/b",
            "ftp://a",
            "https://*.a",
        ] {
            assert!(AllowedOrigin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_of_this_machine_are_known() {
        for name in [
            "localhost",
            "LOCALHOST:80",
            "a.localhost:1",
            "127.0.0.1",
            "127.1.2.3:8",
            "[::1]:8",
            "[::1]",
        ] {
            assert!(site(name, None).is_loopback(), "{name}");
        }
        for name in [
            "",
            "evil.example",
            "localhost.evil.example:80",
            "192.0.2.7:80",
            "[2001:db8::1]",
        ] {
            assert!(!site(name, None).is_loopback(), "{name}");
        }
    }
}
