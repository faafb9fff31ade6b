//! The operators' interface and webhooks: flags.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::values::{count, parse_duration};
use super::wrong;
use crate::access::api_key::{ApiKeyFile, ApiKeys};
use crate::serve::OperatorsConfig;
use crate::webhooks::{Endpoint, MAX_WEBHOOKS, Plain, Secrets, SecretsFile, WebhooksConfig};

#[derive(Debug, Args)]
pub(super) struct OperatorArgs {
    /// Serve operators under /api/v1 who show a key in this file, one on each line, of at least 16
    /// bytes; SIGHUP has it read again
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// Post what happens in rooms to this address; may be given several times
    #[arg(long, value_name = "URL", requires = "webhook_secret_file")]
    webhook: Vec<String>,
    /// What signs that: 24 to 64 bytes in base64, one on each line; SIGHUP has it read again
    #[arg(long, value_name = "FILE", requires = "webhook")]
    webhook_secret_file: Option<PathBuf>,
    /// Let addresses of webhooks be http:// beyond this machine, for all on the way to read
    #[arg(long, requires = "webhook")]
    webhook_plain: bool,
    /// How long a webhook may take to answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    webhook_timeout: Duration,
    /// How old an event may become before a webhook is not told of it any more
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_duration)]
    webhook_keep: Duration,
    /// The most events kept for operators and webhooks that are behind
    #[arg(long, value_name = "N", default_value = "1000", value_parser = count(1..=100_000))]
    events_kept: usize,
}

impl OperatorArgs {
    /// # Errors
    ///
    /// If a file has no keys or secrets, or an address is none, as clap says it.
    pub(super) fn check(self) -> Result<OperatorsConfig, clap::Error> {
        let api_keys = match &self.api_key_file {
            None => None,
            Some(file) => {
                let read = ApiKeyFile::new("API keys", file, ApiKeys::read);
                Some(Arc::new(
                    read.map_err(|error| of_file("--api-key-file", file, &error))?,
                ))
            }
        };
        Ok(OperatorsConfig {
            api_keys,
            events_kept: self.events_kept,
            webhooks: self.webhooks()?,
        })
    }

    fn webhooks(&self) -> Result<Option<WebhooksConfig>, clap::Error> {
        let Some(file) = &self.webhook_secret_file else {
            return Ok(None);
        };
        if self.webhook.len() > MAX_WEBHOOKS {
            let count = self.webhook.len();
            let message = format!("--webhook {count} times, expected at most {MAX_WEBHOOKS}");
            return Err(wrong("serve", message));
        }
        let plain = match self.webhook_plain {
            true => Plain::Anywhere,
            false => Plain::AtHome,
        };
        let endpoint = |url: &String| {
            let parsed = Endpoint::parse(url, plain);
            parsed.map_err(|error| wrong("serve", format!("--webhook {url}: {error}")))
        };
        let secrets = SecretsFile::new("webhook secrets", file, Secrets::read);
        Ok(Some(WebhooksConfig {
            endpoints: self
                .webhook
                .iter()
                .map(endpoint)
                .collect::<Result<_, _>>()?,
            secrets: Arc::new(
                secrets.map_err(|error| of_file("--webhook-secret-file", file, &error))?,
            ),
            answer_within: self.webhook_timeout,
            keep: self.webhook_keep,
        }))
    }
}

fn of_file(flag: &str, file: &Path, error: &dyn Display) -> clap::Error {
    wrong("serve", format!("{flag} {}: {error}", file.display()))
}
