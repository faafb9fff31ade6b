//! The address of an endpoint, checked.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// The longest address, in bytes.
const MAX_BYTES: usize = 2_048;

/// Where events are posted to: `https:`, or `http:` on this machine unless more is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// No address at all, or too long.
    #[error("expected an address such as https://app.example/hook, of at most {MAX_BYTES} bytes")]
    NotUrl,
    /// A password would be sent, and logged.
    #[error("there is a user or password in it, and events are signed instead")]
    Credentials,
    /// Whoever is on the way could read it.
    #[error(
        "http:// goes over the network in the clear: https://, or --webhook-plain if that is meant"
    )]
    Plain,
}

/// Whether what can be read on the way may leave this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// `http:` to this machine only.
    AtHome,
    /// `http:` to anywhere.
    Anywhere,
}

impl Endpoint {
    /// # Errors
    ///
    /// [`EndpointError`].
    pub fn parse(text: &str, plain: Plain) -> Result<Self, EndpointError> {
        let short = Some(text).filter(|text| text.len() <= MAX_BYTES);
        let parsed = short.and_then(|text| text.parse::<Uri>().ok());
        let uri = parsed.ok_or(EndpointError::NotUrl)?;
        let authority = uri.authority().ok_or(EndpointError::NotUrl)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::Credentials);
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if plain == Plain::Anywhere || is_here(authority.host()) => {}
            Some("http") => return Err(EndpointError::Plain),
            _ => return Err(EndpointError::NotUrl),
        }
        Ok(Self(uri))
    }

    /// All of it.
    pub(super) const fn uri(&self) -> &Uri {
        &self.0
    }

    /// Whether it is reached over TLS.
    pub(super) fn is_private(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }
}

fn is_here(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']');
    let ip: Option<IpAddr> = ip.parse().ok();
    host.eq_ignore_ascii_case("localhost") || ip.is_some_and(|ip| ip.is_loopback())
}

/// Without what follows a `?`: that is where secrets are put.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.0.authority().map_or("", |it| it.as_str());
        let scheme = self.0.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{authority}{}", self.0.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_told_in_the_clear_unless_more_is_allowed() {
        for (text, at_home, anywhere) in [
            ("https://app.example/hook", Ok(()), Ok(())),
            ("https://192.0.2.7:8443/?key=1", Ok(()), Ok(())),
            ("http://127.0.0.1:3000/hook", Ok(()), Ok(())),
            ("http://[::1]/hook", Ok(()), Ok(())),
            ("http://localhost/hook", Ok(()), Ok(())),
            ("http://app:3000/hook", Err(EndpointError::Plain), Ok(())),
            (
                "http://localhost.example/",
                Err(EndpointError::Plain),
                Ok(()),
            ),
            ("http://192.0.2.7/", Err(EndpointError::Plain), Ok(())),
        ] {
            let parse = |plain| Endpoint::parse(text, plain).map(|_| ());
            assert_eq!(parse(Plain::AtHome), at_home, "{text}");
            assert_eq!(parse(Plain::Anywhere), anywhere, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("https://app.example/{}", "x".repeat(MAX_BYTES));
        for text in [
            "",
            "hook",
            "/hook",
            "app.example",
            "ftp://a/",
            "https://",
            &long,
        ] {
            let parsed = Endpoint::parse(text, Plain::Anywhere);
            assert_eq!(parsed, Err(EndpointError::NotUrl), "{text}");
        }
        let parsed = Endpoint::parse("https://ann:secret@app.example/", Plain::Anywhere);
        assert_eq!(parsed, Err(EndpointError::Credentials));
    }

    #[test]
    fn what_is_secret_in_an_address_is_not_said() {
        let text = "https://app.example:8443/hook?key=secret";
        let endpoint = Endpoint::parse(text, Plain::AtHome).unwrap();

        assert_eq!(endpoint.to_string(), "https://app.example:8443/hook");
    }
}
