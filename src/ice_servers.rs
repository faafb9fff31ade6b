//! The STUN and TURN servers that participants are told of, with credentials that do not last.
//!
//! The scheme is the one coturn calls `use-auth-secret`: the user name is the time of expiry and a
//! name, the password its HMAC-SHA1 under a secret that both servers know. Nothing is kept of what
//! was issued. Time is an argument.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::from_file::{FromFile, text_of};
use crate::signaling::message::IceServer;

/// The longest address of a server.
const MAX_URL_BYTES: usize = 256;

/// The longest secret that is read from a file, in bytes.
const MAX_SECRET_BYTES: usize = 4096;

/// What participants are told.
#[derive(Clone, Debug, Default)]
pub struct IceServers {
    /// `stun:` and `stuns:` addresses.
    pub stun: Vec<ServerUrl>,
    /// `turn:` and `turns:` addresses, and how to get in there.
    pub turn: Option<Turn>,
}

/// Relays that share a secret with us.
#[derive(Clone)]
pub struct Turn {
    /// Their addresses: at least one.
    pub urls: Vec<ServerUrl>,
    /// What coturn has as `static-auth-secret`.
    pub secret: Arc<TurnSecretFile>,
    /// How long a credential is good: as long as a call may last, since a relay asks again. 1 s or
    /// more.
    pub lifetime: Duration,
}

/// The secret, as it is in a file.
pub type TurnSecretFile = FromFile<String, TurnSecretError>;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum TurnSecretError {
    /// The file cannot be read as text.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// There is nothing in it.
    #[error("it is empty, expected a secret")]
    Empty,
}

/// The address of a server (RFC 7064, RFC 7065).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(String);

/// What kind of server is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// Says what address one has.
    Stun,
    /// Passes media on.
    Turn,
}

impl ServerUrl {
    /// # Errors
    ///
    /// What is expected, if `text` is no address of a server of that kind.
    pub fn parse(text: &str, kind: ServerKind) -> Result<Self, String> {
        let (schemes, expected) = match kind {
            ServerKind::Stun => (["stun:", "stuns:"], "such as stun:192.0.2.7:3478"),
            ServerKind::Turn => (
                ["turn:", "turns:"],
                "such as turn:192.0.2.7:3478?transport=udp",
            ),
        };
        let host = schemes.iter().find_map(|it| text.strip_prefix(it));
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:[]?=".contains(c);
        let fits = host.is_some_and(|host| !host.is_empty() && host.chars().all(allowed));
        if fits && text.len() <= MAX_URL_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("expected an address {expected}"))
        }
    }
}

impl IceServers {
    /// What one participant is told at `now`.
    pub(crate) fn issue(&self, participant: &str, now: SystemTime) -> Vec<IceServer> {
        let texts = |urls: &[ServerUrl]| urls.iter().map(|url| url.0.clone()).collect();
        let mut servers = Vec::new();
        if !self.stun.is_empty() {
            servers.push(IceServer {
                urls: texts(&self.stun),
                username: None,
                credential: None,
            });
        }
        if let Some(turn) = &self.turn {
            let (username, credential) = turn.credential(participant, now);
            servers.push(IceServer {
                urls: texts(&turn.urls),
                username: Some(username),
                credential: Some(credential),
            });
        }
        servers
    }
}

/// Reads the secret in `file`, without white space around it.
///
/// # Errors
///
/// [`TurnSecretError`].
pub(crate) fn read_secret(file: &Path) -> Result<String, TurnSecretError> {
    let text = text_of(File::open(file)?, MAX_SECRET_BYTES)?;
    match text.trim() {
        "" => Err(TurnSecretError::Empty),
        secret => Ok(secret.to_owned()),
    }
}

impl Turn {
    fn credential(&self, participant: &str, now: SystemTime) -> (String, String) {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let expiry = (since_epoch + self.lifetime).as_secs();
        let username = format!("{expiry}:{participant}");
        // What relays expect; as a keyed hash SHA-1 is not broken.
        let secret = self.secret.get();
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes());
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        (username, credential)
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn")
            .field("urls", &self.urls)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn() -> Turn {
        let url = ServerUrl::parse("turn:192.0.2.7:3478?transport=udp", ServerKind::Turn);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "north\n").unwrap();
        let secret = TurnSecretFile::new("TURN secrets", &file, read_secret);
        Turn {
            urls: vec![url.unwrap()],
            secret: Arc::new(secret.unwrap()),
            lifetime: Duration::from_secs(3600),
        }
    }

    #[test]
    fn a_relay_is_told_with_a_credential_that_ends() {
        let servers = IceServers {
            stun: vec![ServerUrl::parse("stun:192.0.2.7", ServerKind::Stun).unwrap()],
            turn: Some(turn()),
        };

        let issued = servers.issue("p3", UNIX_EPOCH + Duration::from_secs(1_000));

        // printf 4600:p3 | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(
            issued,
            [
                IceServer {
                    urls: vec!["stun:192.0.2.7".to_owned()],
                    username: None,
                    credential: None,
                },
                IceServer {
                    urls: vec!["turn:192.0.2.7:3478?transport=udp".to_owned()],
                    username: Some("4600:p3".to_owned()),
                    credential: Some("H/48+MQVLjjYJk+MiATuZrwJCEg=".to_owned()),
                },
            ]
        );
    }

    #[test]
    fn without_servers_nothing_is_told() {
        assert!(IceServers::default().issue("p1", UNIX_EPOCH).is_empty());
    }

    #[test]
    fn addresses_are_of_their_kind() {
        for good in [
            "turn:a",
            "turns:a.b:5349?transport=tcp",
            "turn:[2001:db8::7]:1",
        ] {
            assert!(ServerUrl::parse(good, ServerKind::Turn).is_ok(), "{good}");
            assert!(ServerUrl::parse(good, ServerKind::Stun).is_err(), "{good}");
        }
        for bad in [
            "", "turn:", "a", "http://a", "turn:a b", "turn:a\"", "turn:a/b",
        ] {
            assert!(ServerUrl::parse(bad, ServerKind::Turn).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_secret_is_not_in_the_log() {
        assert!(!format!("{:?}", turn()).contains("north"));
    }
}
