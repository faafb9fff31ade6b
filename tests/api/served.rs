//! A daemon with the operators' interface, and a program that has the key.

use anyhow::Context;
use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::http::{Answer, ask};

const KEY: &str = "a-key-of-an-operator";

/// The header that shows it.
pub(crate) const BEARER: (&str, &str) = ("authorization", "Bearer a-key-of-an-operator");

/// A daemon that takes the key.
pub(crate) struct Served {
    pub(crate) daemon: Daemon,
    _folder: TempDir,
}

impl Served {
    pub(crate) fn start(flags: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("key");
        std::fs::write(&file, KEY.to_owned() + "\n")?;
        let file = file.display().to_string();
        let daemon = Daemon::start(&[&["--api-key-file", &file], flags].concat())?;
        Ok(Self {
            daemon,
            _folder: folder,
        })
    }

    pub(crate) fn address(&self) -> &str {
        &self.daemon.address
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Answer> {
        let path = format!("/api/v1{path}");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        ask(self.address(), (method, &path), &[BEARER], body.into()).await
    }

    /// The answer, which has to have this status; null if it is empty.
    pub(crate) async fn done(
        &self,
        (method, path): (&str, &str),
        body: Option<Value>,
        status: u16,
    ) -> anyhow::Result<Value> {
        let answer = self.ask(method, path, body).await?;
        let found = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(found == status, "{method} {path}: {found} {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_str(&text)?)
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.done(("GET", path), None, 200).await
    }
}

/// The code of a refusal.
pub(crate) async fn code(answer: Answer) -> anyhow::Result<String> {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let status = answer.status();
    let problem: Value = serde_json::from_str(&answer.text().await?)?;
    assert_eq!(problem["status"], status.as_u16());
    Ok(problem["code"].as_str().context("no code")?.to_owned())
}
