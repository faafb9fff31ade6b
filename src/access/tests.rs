//! Whom a token lets in, and whom not.

use std::fs;
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::token::{KeyKind, KeysConfig, TokenConfig, add_key, make};
use super::*;

mod claims;
mod keys;
mod signatures;

/// RFC 7515 §A.3.1.
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const P256_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

/// RFC 8037 §A.1.
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// RFC 7515 §A.1.
const HS256_K: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

const NOW_S: u64 = 2_000_000_000;

struct KeysFile {
    folder: TempDir,
}

fn keys(set: &Value) -> KeysFile {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("keys.json"), set.to_string()).unwrap();
    KeysFile { folder }
}

fn hs256(kid: &str, first: u8) -> Value {
    let secret = URL_SAFE_NO_PAD.encode([first; 32]);
    json!({"kty": "oct", "kid": kid, "alg": "HS256", "k": secret})
}

impl KeysFile {
    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn checked(&self, change: impl FnOnce(&mut AccessConfig)) -> Keys {
        let mut config = AccessConfig {
            keys: Some(self.path()),
            ..AccessConfig::default()
        };
        change(&mut config);
        Access::new(&config, Arc::default()).unwrap().keys.unwrap()
    }

    fn judge(&self, token: &str) -> Result<Grant, Denied> {
        judge(&self.checked(|_| {}), token, NOW_S, Visit::First)
    }

    fn token(&self, change: impl FnOnce(&mut TokenConfig)) -> String {
        let mut config = TokenConfig {
            keys: self.path(),
            kid: None,
            room: "demo".to_owned(),
            identity: Some("ann".to_owned()),
            name: Some("Ann".to_owned()),
            role: Some(Role::Moderator),
            can: None,
            valid: Duration::from_secs(60),
            issuer: None,
            audience: None,
        };
        change(&mut config);
        make(&config, at(NOW_S)).unwrap()
    }

    /// Signs whatever it is.
    fn sign(&self, claims: &Value) -> String {
        let ring = KeyRing::read(&self.path()).unwrap();
        ring.signer(None).unwrap().sign(claims).unwrap()
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn judge(keys: &Keys, token: &str, now_s: u64, visit: Visit) -> Result<Grant, Denied> {
    keys.judge(Some(token), &room("demo"), visit, at(now_s))
}

#[test]
fn a_token_of_each_algorithm_grants_what_it_says() {
    let kinds = [
        hs256("a", 1),
        json!({"kty": "EC", "kid": "a", "crv": "P-256", "x": P256_X, "y": P256_Y, "d": P256_D}),
        json!({"kty": "OKP", "kid": "a", "crv": "Ed25519",
               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
               "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}),
    ];
    for key in kinds {
        let keys = keys(&json!({ "keys": [key] }));

        let grant = keys.judge(&keys.token(|_| {})).unwrap();

        assert_eq!(
            grant,
            Grant {
                identity: Some("ann".to_owned()),
                name: DisplayName::parse("Ann"),
                role: Some(Role::Moderator),
                can: Capabilities::ALL,
                until: Some(at(NOW_S + 60)),
            }
        );
    }
}

#[test]
fn without_keys_everybody_is_let_in_as_nobody() {
    let access = Access::default();

    assert_eq!(access.admit(None, &room("a")), Ok(Grant::anybody()));
    assert_eq!(access.admit(Some("junk"), &room("a")), Ok(Grant::anybody()));
}

#[test]
fn each_kind_of_refusal_is_counted() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let counters = Arc::new(Counters::default());
    let config = AccessConfig {
        keys: Some(keys.path()),
        ..AccessConfig::default()
    };
    let access = Access::new(&config, Arc::clone(&counters)).unwrap();
    let expired = keys.sign(&json!({"room": "demo", "exp": 1}));
    let other = keys.sign(&json!({"room": "other", "exp": 4_000_000_000_u64}));

    for credential in [None, Some("junk"), Some(&expired), Some(&other)] {
        assert!(access.admit(credential, &room("demo")).is_err());
    }

    let snapshot = counters.snapshot();
    for name in ["auth_required", "bad_auth", "auth_expired", "not_this_room"] {
        assert_eq!(snapshot[name], 1, "{name}");
    }
}
