//! The one binary.

use std::process::ExitCode;
use std::time::SystemTime;

use mosaicd::access::token;
use mosaicd::cli::{self, CliError, Task};
use mosaicd::{log, mix, serve};

/// The data was bad, or something could not be done.
const FAILED: u8 = 1;

/// The configuration makes no sense (`EX_USAGE` of sysexits.h).
const BAD_CONFIGURATION: u8 = 64;

fn main() -> ExitCode {
    let task = match cli::parse() {
        Ok(task) => task,
        Err(CliError::Flags(error)) => error.exit(),
        Err(CliError::File(line)) => {
            say(&format!("mosaicd: {line}"));
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    log::to_stderr(match task {
        // The WebRTC crates warn of every packet that is a duplicate, early or not decipherable, so
        // anybody could fill the log.
        Task::Serve(_) => "info,rtc=error,webrtc=error",
        Task::Mix(_) | Task::Token(_) | Task::Keys(_) => "warn",
    });
    let done = match task {
        Task::Serve(config) => serve::run(*config),
        Task::Mix(config) => mix::run(&config).map_err(Into::into),
        Task::Token(config) => token::make(&config, SystemTime::now())
            .map(|token| print(&token))
            .map_err(Into::into),
        Task::Keys(config) => token::add_key(&config)
            .map(|kid| say(&format!("added key {kid} to {}", config.file.display())))
            .map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("mosaicd: {error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one line a person sees")]
fn say(line: &str) {
    eprintln!("{line}");
}

#[expect(clippy::print_stdout, reason = "what was asked for, to be passed on")]
fn print(line: &str) {
    println!("{line}");
}
