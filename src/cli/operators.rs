//! The operators' interface: flags.

use std::path::PathBuf;

use clap::Args;

use super::wrong;
use crate::access::api_key::ApiKey;

#[derive(Debug, Args)]
pub(super) struct OperatorArgs {
    /// Serve operators under /api/v1 who show the key in this file, at least 16 bytes
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

impl OperatorArgs {
    /// # Errors
    ///
    /// If the file has no key, as clap says it.
    pub(super) fn check(self) -> Result<Option<ApiKey>, clap::Error> {
        let Some(file) = self.api_key_file else {
            return Ok(None);
        };
        let key = ApiKey::read(&file).map_err(|error| {
            let file = file.display();
            wrong("serve", format!("--api-key-file {file}: {error}"))
        })?;
        Ok(Some(key))
    }
}
