//! The one binary.

use std::process::ExitCode;

use mosaicd::cli::{self, Task};
use mosaicd::{log, mix, serve};

/// The data was bad, or something could not be done.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let task = cli::parse();
    log::to_stderr(match task {
        // The WebRTC crates warn of every packet that is a duplicate, early or not decipherable, so
        // anybody could fill the log.
        Task::Serve(_) => "info,rtc=error,webrtc=error",
        Task::Mix(_) => "warn",
    });
    let done = match task {
        Task::Serve(config) => serve::run(config),
        Task::Mix(config) => mix::run(&config).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one line a person sees")]
            {
                eprintln!("mosaicd: {error:#}");
            }
            ExitCode::from(FAILED)
        }
    }
}
