//! The keys file: a JSON Web Key Set (RFC 7517 §5), as other tools make and read it.
//!
//! ```json
//! {"keys": [
//!   {"kty": "oct", "kid": "a", "alg": "HS256", "k": "..."},
//!   {"kty": "EC", "kid": "b", "alg": "ES256", "crv": "P-256", "x": "...", "y": "..."},
//!   {"kty": "OKP", "kid": "c", "alg": "EdDSA", "crv": "Ed25519", "x": "...", "d": "..."}
//! ]}
//! ```
//!
//! Several keys at a time are how keys are changed: the new one is added, tokens of both are good,
//! the old one is taken out. A token that names a key (`kid`) is checked against that one; one that
//! names none against all of its algorithm. Checking needs the secret, or `x` and `y`; signing also
//! `d`. At most [`MAX_KEYS`] keys, in at most [`MAX_FILE_BYTES`].

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode_header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::{Denied, seal};
use crate::from_file::text_of;

/// The most keys there may be.
const MAX_KEYS: usize = 32;

/// The longest keys file.
const MAX_FILE_BYTES: usize = 64 * 1024;

/// The shortest secret (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read or written.
    #[error("{file}: {source}")]
    File {
        /// Which.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It is no set of keys.
    #[error("{file}: not a JSON Web Key Set: {source}")]
    NotKeys {
        /// Which.
        file: String,
        /// Why.
        source: serde_json::Error,
    },
    /// One of the keys is no good.
    #[error("{file}: key {number}: {problem}")]
    Key {
        /// Which file.
        file: String,
        /// Which of its keys, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// None, or too many.
    #[error("{file}: {count} keys, expected 1 to {MAX_KEYS}")]
    Count {
        /// Which file.
        file: String,
        /// How many.
        count: usize,
    },
    /// There is nothing to sign with.
    #[error("{file}: no key that signs{of_name}")]
    NoneSigns {
        /// Which file.
        file: String,
        /// The name that was asked for, to be read after the rest.
        of_name: String,
    },
    /// The system gives no randomness, or refuses to sign.
    #[error("cannot {doing}")]
    Crypto {
        /// What was tried.
        doing: &'static str,
    },
}

/// The keys that are good at the moment.
pub(super) struct KeyRing {
    keys: Vec<Key>,
}

/// One key, checked.
pub(super) struct Key {
    kid: Option<String>,
    algorithm: Algorithm,
    checks: DecodingKey,
    signs: Option<EncodingKey>,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct JwkSet {
    pub(super) keys: Vec<Jwk>,
}

/// One key as it is written. Members that are not listed are ignored.
#[derive(Serialize, Deserialize)]
pub(super) struct Jwk {
    pub(super) kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) crv: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) k: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) d: Option<String>,
}

impl KeyRing {
    /// Reads a keys file.
    ///
    /// # Errors
    ///
    /// Any [`KeysError`] but `NoneSigns` and `Crypto`.
    pub(super) fn read(path: &Path) -> Result<Self, KeysError> {
        Self::new(&JwkSet::read(path)?, path)
    }

    /// The keys of `set`; `path` is where it is from, for errors.
    ///
    /// # Errors
    ///
    /// [`KeysError::Key`] and [`KeysError::Count`].
    pub(super) fn new(set: &JwkSet, path: &Path) -> Result<Self, KeysError> {
        seal::install();
        let file = || path.display().to_string();
        if !(1..=MAX_KEYS).contains(&set.keys.len()) {
            return Err(KeysError::Count {
                file: file(),
                count: set.keys.len(),
            });
        }
        let keys = set.keys.iter().enumerate().map(|(n, jwk)| {
            Key::parse(jwk).map_err(|problem| KeysError::Key {
                file: file(),
                number: n + 1,
                problem,
            })
        });
        let keys = keys.collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }
    /// What a token says, if one of the keys has signed it. Times are not looked at.
    ///
    /// # Errors
    ///
    /// [`Denied::Bad`].
    pub(super) fn open<T: DeserializeOwned>(&self, token: &str) -> Result<T, Denied> {
        // An algorithm that is not known, `none` among them, does not get past this.
        let header = decode_header(token).map_err(|_| Denied::Bad("it is no JSON Web Token"))?;
        if header.crit.is_some() {
            // RFC 7515 §4.1.11: who does not know an extension that is critical must refuse.
            return Err(Denied::Bad("it names extensions that are not known here"));
        }
        let fits = |key: &&Key| {
            key.algorithm == header.alg && (header.kid.is_none() || header.kid == key.kid)
        };
        let mut tried = false;
        for key in self.keys.iter().filter(fits) {
            tried = true;
            match jsonwebtoken::decode::<T>(token, &key.checks, &validation(key.algorithm)) {
                Ok(opened) => return Ok(opened.claims),
                Err(error) if is_content(&error) => {
                    return Err(Denied::Bad("a claim is missing or of the wrong kind"));
                }
                Err(_) => {}
            }
        }
        Err(Denied::Bad(if tried {
            "its signature is not by a key of this server"
        } else {
            "there is no such key here (alg, kid)"
        }))
    }

    /// The key to sign with: the one of that name, or else the last in the file that can.
    pub(super) fn signer(&self, kid: Option<&str>) -> Option<&Key> {
        let mut keys = self.keys.iter().rev();
        keys.find(|key| key.signs.is_some() && (kid.is_none() || key.kid.as_deref() == kid))
    }
}

/// Whether what is wrong is inside a token that is signed as it should be.
fn is_content(error: &jsonwebtoken::errors::Error) -> bool {
    use jsonwebtoken::errors::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_)
    )
}

/// The signature alone: times and audience are for whoever knows what is asked for.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

impl Key {
    fn parse(jwk: &Jwk) -> Result<Self, &'static str> {
        let (algorithm, checks, signs) = match jwk.kty.as_str() {
            "oct" => {
                let secret = bytes(jwk.k.as_ref())?.ok_or("a secret (k) is missing")?;
                if secret.len() < MIN_SECRET_BYTES {
                    return Err("the secret (k) is shorter than 32 bytes");
                }
                (
                    Algorithm::HS256,
                    DecodingKey::from_secret(&secret),
                    Some(EncodingKey::from_secret(&secret)),
                )
            }
            "EC" => {
                curve(jwk, "P-256", "its curve (crv) is not P-256")?;
                let mut public = vec![4];
                for half in [&jwk.x, &jwk.y] {
                    public.extend(exactly_32(half.as_ref())?.ok_or("x or y is missing")?);
                }
                let signs = exactly_32(jwk.d.as_ref())?
                    .map(|private| EncodingKey::from_ec_der(&[private, public.clone()].concat()));
                (Algorithm::ES256, DecodingKey::from_ec_der(&public), signs)
            }
            "OKP" => {
                curve(jwk, "Ed25519", "its curve (crv) is not Ed25519")?;
                let public = exactly_32(jwk.x.as_ref())?.ok_or("x is missing")?;
                let signs = exactly_32(jwk.d.as_ref())?
                    .map(|seed| EncodingKey::from_ed_der(&[seed, public.clone()].concat()));
                (Algorithm::EdDSA, DecodingKey::from_ed_der(&public), signs)
            }
            _ => return Err("its kind (kty) is none of oct, EC, OKP"),
        };
        let fits = match jwk.alg.as_deref() {
            None => true,
            // RFC 9864 §2.2 gives EdDSA with this curve a name of its own.
            Some("EdDSA" | "Ed25519") => algorithm == Algorithm::EdDSA,
            Some("HS256") => algorithm == Algorithm::HS256,
            Some("ES256") => algorithm == Algorithm::ES256,
            Some(_) => false,
        };
        if !fits {
            return Err("its algorithm (alg) is not the HS256, ES256 or EdDSA of its kind (kty)");
        }
        Ok(Self {
            kid: jwk.kid.clone(),
            algorithm,
            checks,
            signs,
        })
    }

    /// A token with these claims.
    ///
    /// # Errors
    ///
    /// [`KeysError::Crypto`] if the key's halves do not belong together.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, KeysError> {
        let failed = KeysError::Crypto {
            doing: "sign with this key",
        };
        let Some(signs) = &self.signs else {
            return Err(failed);
        };
        let mut header = Header::new(self.algorithm);
        header.kid.clone_from(&self.kid);
        jsonwebtoken::encode(&header, claims, signs).map_err(|_| failed)
    }
}

fn curve(jwk: &Jwk, expected: &str, problem: &'static str) -> Result<(), &'static str> {
    if jwk.crv.as_deref() == Some(expected) {
        Ok(())
    } else {
        Err(problem)
    }
}

fn bytes(text: Option<&String>) -> Result<Option<Vec<u8>>, &'static str> {
    let decode = |text: &String| {
        let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
        decoded.map_err(|_| "a value is not base64url")
    };
    text.map(decode).transpose()
}

fn exactly_32(text: Option<&String>) -> Result<Option<Vec<u8>>, &'static str> {
    match bytes(text)? {
        Some(bytes) if bytes.len() != seal::PRIVATE_BYTES => Err("a value is not of 32 bytes"),
        bytes => Ok(bytes),
    }
}

impl JwkSet {
    /// Reads a keys file, and warns where others can, too.
    ///
    /// # Errors
    ///
    /// [`KeysError::File`] and [`KeysError::NotKeys`].
    pub(super) fn read(path: &Path) -> Result<Self, KeysError> {
        let named = || path.display().to_string();
        let failed = |source| KeysError::File {
            file: named(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o004 != 0 {
            warn!(file = %path.display(), "anybody on this machine can read the keys: chmod o= it");
        }
        let text = text_of(file, MAX_FILE_BYTES).map_err(failed)?;
        serde_json::from_str(&text).map_err(|source| KeysError::NotKeys {
            file: named(),
            source,
        })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.keys.iter().map(|key| (&key.kid, key.algorithm));
        f.debug_list().entries(names).finish()
    }
}
