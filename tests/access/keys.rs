//! A keys file, and tokens signed with it.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use mosaicd::access::token::{KeyKind, KeysConfig, TokenConfig, add_key, make};
use tempfile::TempDir;

/// A keys file of its own.
pub(crate) struct Keys {
    folder: TempDir,
}

impl Keys {
    /// With one key in it.
    pub(crate) fn new(kind: KeyKind) -> anyhow::Result<Self> {
        let keys = Self {
            folder: tempfile::tempdir()?,
        };
        let file = keys.file();
        add_key(&KeysConfig { file, kind })?;
        Ok(keys)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    pub(crate) fn path(&self) -> String {
        self.file().display().to_string()
    }

    /// A token that was made so long ago.
    pub(crate) fn token_of(
        &self,
        age: Duration,
        change: impl FnOnce(&mut TokenConfig),
    ) -> anyhow::Result<String> {
        let mut config = TokenConfig {
            keys: self.file(),
            kid: None,
            room: "demo".to_owned(),
            identity: None,
            name: None,
            role: None,
            can: None,
            valid: Duration::from_secs(600),
            issuer: None,
            audience: None,
        };
        change(&mut config);
        Ok(make(&config, SystemTime::now() - age)?)
    }

    /// A token that is good now.
    pub(crate) fn token(&self, change: impl FnOnce(&mut TokenConfig)) -> anyhow::Result<String> {
        self.token_of(Duration::ZERO, change)
    }
}

/// A `join` of the room `demo` with this token.
pub(crate) fn join(token: &str) -> String {
    serde_json::json!({"type": "join", "version": 1, "room": "demo", "name": "Me", "auth": token})
        .to_string()
}
