//! Signing and checking with `ring`, for the crate that knows the shape of a token.
//!
//! HS256 (RFC 7518 §3.2), ES256 (§3.4) and EdDSA with Ed25519 (RFC 8037), nothing else. Keys are
//! handed through that crate as bytes, which mean what [`Secret`] and [`Public`] say.

use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result, new_error};
use jsonwebtoken::signature::{Error, Signer, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, UnparsedPublicKey,
};
use ring::{hmac, rand};

/// The length of a private key of P-256 and of one of Ed25519, which is followed by its public one.
pub(super) const PRIVATE_BYTES: usize = 32;

/// Makes the crate use this module. Any number of times.
pub(super) fn install() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| Ok(Box::new(Secret::new(*algorithm, key)?)),
        verifier_factory: |algorithm, key| Ok(Box::new(Public::new(*algorithm, key)?)),
        // For keys of theirs; ours are read in `keys`.
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error would mean that there is one already: there is no other place that installs one.
        let _ = PROVIDER.install_default();
    });
}

/// What signs.
enum Secret {
    /// The key is the secret itself.
    Hs256(hmac::Key),
    /// The key is the private scalar, then the public point, uncompressed.
    Es256(EcdsaKeyPair),
    /// The key is the seed, then the public key.
    EdDsa(Ed25519KeyPair),
}

/// What checks.
struct Public {
    algorithm: Algorithm,
    /// The secret; the public point, uncompressed; the public key.
    key: Vec<u8>,
}

impl Secret {
    fn new(algorithm: Algorithm, key: &EncodingKey) -> Result<Self> {
        let bytes = key.as_bytes();
        if key.family() != algorithm.family() {
            return Err(new_error(ErrorKind::InvalidKeyFormat));
        }
        let halves = || {
            bytes
                .split_at_checked(PRIVATE_BYTES)
                .ok_or_else(|| new_error(ErrorKind::InvalidKeyFormat))
        };
        match algorithm {
            Algorithm::HS256 => Ok(Self::Hs256(hmac::Key::new(hmac::HMAC_SHA256, bytes))),
            Algorithm::ES256 => {
                let (private, public) = halves()?;
                EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    private,
                    public,
                    &SystemRandom::new(),
                )
                .map(Self::Es256)
                .map_err(|_| new_error(ErrorKind::InvalidEcdsaKey))
            }
            Algorithm::EdDSA => {
                let (seed, public) = halves()?;
                Ed25519KeyPair::from_seed_and_public_key(seed, public)
                    .map(Self::EdDsa)
                    .map_err(|_| new_error(ErrorKind::InvalidEddsaKey))
            }
            _ => Err(new_error(ErrorKind::UnsupportedAlgorithm)),
        }
    }
}

impl Signer<Vec<u8>> for Secret {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        match self {
            Self::Hs256(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Self::Es256(pair) => pair
                .sign(&SystemRandom::new(), message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| Error::new()),
            Self::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl JwtSigner for Secret {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::HS256,
            Self::Es256(_) => Algorithm::ES256,
            Self::EdDsa(_) => Algorithm::EdDSA,
        }
    }
}

impl Public {
    fn new(algorithm: Algorithm, key: &DecodingKey) -> Result<Self> {
        if key.family() != algorithm.family() {
            return Err(new_error(ErrorKind::InvalidKeyFormat));
        }
        let key = key.try_get_as_bytes()?.to_vec();
        Ok(Self { algorithm, key })
    }
}

impl Verifier<Vec<u8>> for Public {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match self.algorithm {
            Algorithm::HS256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.key);
                hmac::verify(&key, message, signature)
            }
            Algorithm::ES256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.key)
                .verify(message, signature),
            Algorithm::EdDSA => {
                UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature)
            }
            _ => return Err(Error::new()),
        };
        verified.map_err(|_| Error::new())
    }
}

impl JwtVerifier for Public {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// So many bytes that nobody can guess.
///
/// # Errors
///
/// If the system has none.
pub(super) fn random<const N: usize>() -> std::result::Result<[u8; N], ring::error::Unspecified> {
    let bytes = rand::generate::<[u8; N]>(&SystemRandom::new())?;
    Ok(bytes.expose())
}

/// The public key to a seed of Ed25519.
///
/// # Errors
///
/// If `seed` is none.
pub(super) fn ed25519_public(
    seed: &[u8],
) -> std::result::Result<Vec<u8>, ring::error::KeyRejected> {
    use ring::signature::KeyPair as _;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed)?;
    Ok(pair.public_key().as_ref().to_vec())
}
