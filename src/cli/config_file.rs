//! The configuration file of `serve`: TOML, whose keys are the flags by their long names.
//!
//! ```toml
//! listen = "0.0.0.0:443"
//! announce = "203.0.113.7"
//! keys = "/etc/mosaicd/keys.json"
//! origin = ["https://app.example"]
//!
//! [limits]
//! sessions-per-address = 100
//! ```
//!
//! A flag that is given goes before the key of the same name. There is one list of settings, that of
//! the flags: each key becomes a flag, and is judged as one. At most [`MAX_FILE_BYTES`].

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;

use clap::parser::ValueSource;
use toml::{Table, Value};

use crate::from_file::text_of;

/// The longest configuration file.
const MAX_FILE_BYTES: usize = 256 * 1024;

/// The command whose flags the keys are.
const COMMAND: &str = "serve";

/// The table whose keys are limits, and the flag that sets one.
const LIMITS: (&str, &str) = ("limits", "limit");

/// Why a configuration file makes no sense.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigFileError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("not TOML: {0}")]
    NotToml(String),
    #[error("there is no setting {0}")]
    Unknown(String),
    #[error("{key} is {found}, expected {expected}")]
    Kind {
        key: String,
        found: &'static str,
        expected: &'static str,
    },
    /// As a flag it makes no sense.
    #[error("{0}")]
    Flags(String),
}

/// The command line with what `file` says put before what `flags` say.
///
/// # Errors
///
/// [`ConfigFileError`].
pub(super) fn merge(
    file: &Path,
    flags: Vec<OsString>,
    cli: &clap::Command,
) -> Result<Vec<OsString>, ConfigFileError> {
    let table: Table = text_of(File::open(file)?, MAX_FILE_BYTES)?
        .parse()
        .map_err(|error: toml::de::Error| ConfigFileError::NotToml(error.message().to_owned()))?;
    let matches = cli.clone().get_matches_from(flags.clone());
    let given = matches.subcommand_matches(COMMAND);
    let is_given = |id: &str| {
        given.is_some_and(|given| given.value_source(id) == Some(ValueSource::CommandLine))
    };
    let serve = cli.find_subcommand(COMMAND);

    let mut merged: Vec<OsString> = flags.iter().take(2).cloned().collect();
    for (key, value) in &table {
        if key == LIMITS.0 {
            merged.extend(limits(value)?);
            continue;
        }
        let mut known = serve.into_iter().flat_map(clap::Command::get_arguments);
        let flag = known.find(|arg| arg.get_long() == Some(key));
        let Some(flag) = flag.filter(|_| !["config", "help", LIMITS.1].contains(&key.as_str()))
        else {
            return Err(ConfigFileError::Unknown(key.clone()));
        };
        if !is_given(flag.get_id().as_str()) {
            merged.extend(settings(key, value, flag.get_action().takes_values())?);
        }
    }
    // Limits of the command line come later, and the later one counts.
    merged.extend(flags.into_iter().skip(2));
    Ok(merged)
}

fn settings(key: &str, value: &Value, takes_value: bool) -> Result<Vec<OsString>, ConfigFileError> {
    let wrong = |expected| ConfigFileError::Kind {
        key: key.to_owned(),
        found: value.type_str(),
        expected,
    };
    if !takes_value {
        return match value {
            Value::Boolean(true) => Ok(vec![format!("--{key}").into()]),
            Value::Boolean(false) => Ok(Vec::new()),
            _ => Err(wrong("true or false")),
        };
    }
    let items = match value {
        Value::Array(items) => items.iter().collect(),
        single => vec![single],
    };
    items
        .into_iter()
        .map(|item| {
            let text = plain(item).ok_or_else(|| wrong("text, a number, or a list of them"))?;
            Ok(format!("--{key}={text}").into())
        })
        .collect()
}

fn limits(value: &Value) -> Result<Vec<OsString>, ConfigFileError> {
    let wrong = |key: &str, found: &Value, expected| ConfigFileError::Kind {
        key: key.to_owned(),
        found: found.type_str(),
        expected,
    };
    let Value::Table(limits) = value else {
        return Err(wrong(LIMITS.0, value, "a table"));
    };
    limits
        .iter()
        .map(|(name, value)| {
            let text = plain(value).ok_or_else(|| wrong(name, value, "a number"))?;
            Ok(format!("--{}={name}={text}", LIMITS.1).into())
        })
        .collect()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// What clap has to say, without the usage: somebody who wrote a file did not type flags.
pub(super) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let line = first.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_start_matches("error: ").to_owned()
}
