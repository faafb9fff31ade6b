//! `mosaicd token` and `mosaicd keys`: makes a token, and keys to make tokens with.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::claims::{ANY_ROOM, Audience, Claims, MAX_IDENTITY_CHARS, NumericDate};
use super::keys::{JwkSet, KeyRing, KeysError};
use super::{Capability, Role, seal};
use crate::signaling::{DisplayName, RoomName};

/// What a token is to say.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// The keys file.
    pub keys: PathBuf,
    /// Which key signs; `None`: the last in the file that can.
    pub kid: Option<String>,
    /// The room's name, or `*`.
    pub room: String,
    /// Who it is for, to whoever makes it.
    pub identity: Option<String>,
    /// What the others see.
    pub name: Option<String>,
    /// `None`: for the room to say.
    pub role: Option<Role>,
    /// `None`: all.
    pub can: Option<Vec<Capability>>,
    /// How long it is good.
    pub valid: Duration,
    /// Who makes it.
    pub issuer: Option<String>,
    /// Which server it is for.
    pub audience: Option<String>,
}

/// Which kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// HS256: one secret that signs and checks.
    Secret,
    /// EdDSA: a pair; who has the public half can check and not sign.
    Pair,
}

/// A key to be made.
#[derive(Clone, Debug)]
pub struct KeysConfig {
    /// The keys file, made if it is not there.
    pub file: PathBuf,
    /// What kind.
    pub kind: KeyKind,
}

impl TokenConfig {
    /// Whether the server would take what it says.
    ///
    /// # Errors
    ///
    /// A sentence for whoever asked.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.room != ANY_ROOM && RoomName::parse(&self.room).is_none() {
            return Err("a room's name is 1 to 64 of A-Z a-z 0-9 . _ -, or * for any room");
        }
        let bad_name = |name: &String| DisplayName::parse(name).is_none();
        if self.name.as_ref().is_some_and(bad_name) {
            return Err("a name is at most 64 characters, none of them control");
        }
        let is_long = |it: &String| it.chars().count() > MAX_IDENTITY_CHARS;
        if self.identity.as_ref().is_some_and(is_long) {
            return Err("an identity is at most 128 characters");
        }
        Ok(())
    }
}

/// Makes a token that is good from `now` on.
///
/// # Errors
///
/// [`KeysError`] if there is nothing to sign with.
pub fn make(config: &TokenConfig, now: SystemTime) -> Result<String, KeysError> {
    let ring = KeyRing::read(&config.keys)?;
    let key = ring
        .signer(config.kid.as_deref())
        .ok_or_else(|| KeysError::NoneSigns {
            file: config.keys.display().to_string(),
            of_name: config
                .kid
                .as_ref()
                .map_or_else(String::new, |kid| format!(", of the name {kid}")),
        })?;
    let ends = now.duration_since(UNIX_EPOCH).unwrap_or_default() + config.valid;
    let names = |can: &Vec<Capability>| can.iter().map(|it| it.name().to_owned()).collect();
    key.sign(&Claims {
        room: config.room.clone(),
        sub: config.identity.clone(),
        name: config.name.clone(),
        role: config.role,
        can: config.can.as_ref().map(names),
        exp: NumericDate(ends.as_secs()),
        nbf: None,
        iss: config.issuer.clone(),
        aud: config.audience.clone().map(Audience::One),
    })
}

/// Adds a key to a keys file, which only its owner can read if it is new: the key's name.
///
/// # Errors
///
/// [`KeysError`] if the file is no keys file, or cannot be written.
pub fn add_key(config: &KeysConfig) -> Result<String, KeysError> {
    let path = &config.file;
    let failed = |source| KeysError::File {
        file: path.display().to_string(),
        source,
    };
    let not_keys = |source| KeysError::NotKeys {
        file: path.display().to_string(),
        source,
    };
    // As they are written, so that nothing is lost of what other tools have put there.
    let mut set: Value = if path.exists() {
        let text = fs::read_to_string(path).map_err(failed)?;
        serde_json::from_str(&text).map_err(not_keys)?
    } else {
        json!({"keys": []})
    };
    let (kid, key) = new_key(config.kind)?;
    match set.get_mut("keys").and_then(Value::as_array_mut) {
        Some(keys) => keys.push(key),
        None => set = json!({"keys": [key]}),
    }
    let parsed: JwkSet = serde_json::from_value(set.clone()).map_err(not_keys)?;
    KeyRing::new(&parsed, path)?;
    let text = serde_json::to_string_pretty(&set).map_err(not_keys)?;
    replace(path, &text).map_err(failed)?;
    Ok(kid)
}

fn new_key(kind: KeyKind) -> Result<(String, Value), KeysError> {
    let no_luck = |_| KeysError::Crypto {
        doing: "get random numbers from the system",
    };
    let name: [u8; 6] = seal::random().map_err(no_luck)?;
    let secret: [u8; seal::PRIVATE_BYTES] = seal::random().map_err(no_luck)?;
    // Nothing that a command line would take for a flag.
    let kid: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret_text = URL_SAFE_NO_PAD.encode(secret);
    let key = match kind {
        KeyKind::Secret => json!({"kty": "oct", "kid": kid, "alg": "HS256", "k": secret_text}),
        KeyKind::Pair => {
            let public = seal::ed25519_public(&secret).map_err(|_| KeysError::Crypto {
                doing: "make a pair of keys",
            })?;
            let public = URL_SAFE_NO_PAD.encode(public);
            json!({"kty": "OKP", "kid": kid, "alg": "EdDSA", "crv": "Ed25519", "x": public,
                   "d": secret_text})
        }
    };
    Ok((kid, key))
}

/// Writes a file as a whole, so that whoever reads it meanwhile reads the one or the other.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    // A new file is for its owner alone; one that is there stays as open as it was made.
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_keys_file_is_for_its_owner_and_keeps_what_others_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        let add = |kind| {
            let file = file.clone();
            add_key(&KeysConfig { file, kind }).unwrap()
        };

        let first = add(KeyKind::Secret);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let mut set: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        set["keys"][0]["use"] = json!("sig");
        fs::write(&file, set.to_string()).unwrap();
        let second = add(KeyKind::Pair);

        let set: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(set["keys"][0]["use"], "sig");
        assert_eq!(set["keys"][0]["kid"], first);
        assert_eq!(set["keys"][1]["kid"], second);
        assert_ne!(first, second);
    }

    #[test]
    fn what_is_no_keys_file_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter.txt");
        fs::write(&file, "Dear Ann").unwrap();

        let kind = KeyKind::Secret;
        let added = add_key(&KeysConfig {
            file: file.clone(),
            kind,
        });

        assert!(matches!(added, Err(KeysError::NotKeys { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), "Dear Ann");
    }
}
