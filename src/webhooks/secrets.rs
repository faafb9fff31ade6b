//! What shows a receiver that an event comes from here: the symmetric signature of the Standard
//! Webhooks specification, version 1.
//!
//! A file holds 1 to [`MAX_SECRETS`], one on each line, and every one of them signs. So a receiver
//! may know the old one or the new one while they are exchanged.

use std::fmt;
use std::fs::File;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac::{self, HMAC_SHA256};

use crate::from_file::text_of;

/// How a secret begins, where whoever made it wrote that down.
const PREFIX: &str = "whsec_";

/// The shortest secret, in bytes.
const MIN_BYTES: usize = 24;

/// The longest secret, in bytes.
const MAX_BYTES: usize = 64;

/// The most secrets.
const MAX_SECRETS: usize = 4;

/// The longest file.
const MAX_FILE_BYTES: usize = 4_096;

/// What signs.
pub struct Secrets(Vec<hmac::Key>);

/// Why there are no secrets.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file cannot be read as text.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// None, or too many.
    #[error("there are {0} secrets, expected 1 to {MAX_SECRETS}, one on each line")]
    Count(usize),
    /// Not written as one.
    #[error("a secret is not base64, which may follow {PREFIX}")]
    NotBase64,
    /// Too short to be secret, or too long to be one.
    #[error("a secret has {0} bytes, expected {MIN_BYTES} to {MAX_BYTES}")]
    Length(usize),
}

impl Secrets {
    /// Reads the secrets in `file`.
    ///
    /// # Errors
    ///
    /// [`SecretsError`].
    pub fn read(file: &Path) -> Result<Self, SecretsError> {
        Self::parse(&text_of(File::open(file)?, MAX_FILE_BYTES)?)
    }

    /// The secrets in this text.
    ///
    /// # Errors
    ///
    /// [`SecretsError`].
    pub fn parse(text: &str) -> Result<Self, SecretsError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.map(|line| {
            let encoded = line.strip_prefix(PREFIX).unwrap_or(line);
            let secret = STANDARD.decode(encoded);
            let secret = secret.map_err(|_| SecretsError::NotBase64)?;
            if !(MIN_BYTES..=MAX_BYTES).contains(&secret.len()) {
                return Err(SecretsError::Length(secret.len()));
            }
            Ok(hmac::Key::new(HMAC_SHA256, &secret))
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if !(1..=MAX_SECRETS).contains(&keys.len()) {
            return Err(SecretsError::Count(keys.len()));
        }
        Ok(Self(keys))
    }

    /// The header `webhook-signature` of an event: a signature for each secret, with spaces between.
    /// `timestamp` is that of the try, in seconds since 1970.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signatures = self.0.iter().map(|key| {
            let tag = hmac::sign(key, signed.as_bytes());
            format!("v1,{}", STANDARD.encode(tag))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

/// Without the secrets.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_specification() {
        // The secret, the message and what comes of them are those of the specification's own
        // libraries' tests.
        let secrets = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();

        let signature = secrets.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );

        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs_on_its_own() {
        let old = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let new = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
        let sign = |text: &str| Secrets::parse(text).unwrap().sign("a-1", 7, "{}");

        let both = sign(&format!("{new}\n\n  {old}\n"));

        assert_eq!(both, format!("{} {}", sign(new), sign(old)));
        assert_ne!(sign(new), sign(old));
    }

    #[test]
    fn a_secret_is_long_and_is_base64() {
        let five = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".repeat(5);
        let long = STANDARD.encode([7; 65]);
        for bad in [
            "",
            "\n",
            "whsec_",
            "whsec_c2hvcnQ=",
            "not base64!",
            &five,
            &long,
        ] {
            assert!(Secrets::parse(bad).is_err(), "{bad}");
        }
    }
}
