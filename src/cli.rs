//! The command line: flags in, checked settings out.

mod access;
mod config_file;
mod media;
mod mix;
mod operators;
mod picture;
mod rooms;
mod serve;
mod token;
mod values;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use crate::access::token::{KeysConfig, TokenConfig};
use crate::mix::MixConfig;
use crate::serve::ServeConfig;
use config_file::ConfigFileError;

/// A conference server that mixes: one audio and one video stream for each participant.
#[derive(Debug, Parser)]
#[command(name = "mosaicd", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve conferences to browsers
    Serve(Box<serve::ServeArgs>),
    /// Mix recorded WebM files into one
    Mix(mix::MixArgs),
    /// Make a token that lets somebody in
    Token(token::TokenArgs),
    /// Make a key to sign tokens with
    Keys(token::KeysArgs),
}

/// What was asked for.
#[derive(Debug)]
pub enum Task {
    /// `mosaicd serve`
    Serve(Box<ServeConfig>),
    /// `mosaicd mix`
    Mix(MixConfig),
    /// `mosaicd token`
    Token(TokenConfig),
    /// `mosaicd keys`
    Keys(KeysConfig),
}

/// Why there is nothing to do.
#[derive(Debug)]
pub enum CliError {
    /// The flags make no sense, or `--help` was among them.
    Flags(clap::Error),
    /// The configuration file makes no sense.
    File(String),
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        Self::Flags(error)
    }
}

/// Reads the command line, and the configuration file if it names one.
///
/// # Errors
///
/// [`CliError`], if they make no sense, or only help was asked for.
pub fn parse() -> Result<Task, CliError> {
    parse_from(std::env::args_os().collect())
}

fn parse_from(flags: Vec<OsString>) -> Result<Task, CliError> {
    match matched(flags.clone())? {
        Command::Serve(args) => match &args.config {
            None => Ok(Task::Serve(Box::new(args.check()?))),
            Some(file) => {
                let named =
                    |error: ConfigFileError| CliError::File(format!("{}: {error}", file.display()));
                let all = config_file::merge(file, flags, &Cli::command()).map_err(named)?;
                let of_file = |error: clap::Error| {
                    named(ConfigFileError::Flags(config_file::one_line(&error)))
                };
                let Command::Serve(merged) = matched(all).map_err(of_file)? else {
                    return Ok(Task::Serve(Box::new(args.check()?)));
                };
                Ok(Task::Serve(Box::new(merged.check().map_err(of_file)?)))
            }
        },
        Command::Mix(args) => Ok(Task::Mix(args.check()?)),
        Command::Token(args) => Ok(Task::Token(args.check()?)),
        Command::Keys(args) => Ok(Task::Keys(args.into())),
    }
}

fn matched(flags: Vec<OsString>) -> Result<Command, clap::Error> {
    let matches = Cli::command().try_get_matches_from(flags)?;
    Ok(Cli::from_arg_matches(&matches)?.command)
}

/// An error as clap itself would say it, with the usage of `command`.
fn wrong(command: &str, message: impl std::fmt::Display) -> clap::Error {
    let mut cli = Cli::command();
    cli.build();
    match cli.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ValueValidation, message),
        None => cli.error(ErrorKind::ValueValidation, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
