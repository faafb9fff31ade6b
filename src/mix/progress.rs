//! What a person at a terminal sees: a bar while it runs, a line at the end.

use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{MixConfig, Mixed, Moment};

/// A bar over the bytes of all inputs. Without a terminal it shows nothing.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar as long as the inputs together.
    pub(super) fn new(inputs: &[PathBuf]) -> Self {
        let length = |path: &PathBuf| path.metadata().map_or(0, |file| file.len());
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(inputs.iter().map(length).sum()).with_style(style);
        Self { bar }
    }

    /// Follows the mix.
    pub(super) fn follow(&self, moment: &Moment<'_>) {
        self.bar.set_position(moment.bytes_read);
        self.bar.set_message(seconds(moment.time.since_start()));
    }

    /// Takes the bar away and says what was made.
    pub(super) fn finish(self, config: &MixConfig, mixed: Mixed, took: Duration) {
        self.bar.finish_and_clear();
        let length = mixed.length.since_start();
        let speed = length.as_secs_f64() / took.as_secs_f64().max(f64::MIN_POSITIVE);
        #[expect(clippy::print_stdout, reason = "the summary is the command's result")]
        {
            println!(
                "{}: {} of {} at {} fps from {} files, {} frames, {} kB, in {} ({speed:.1} times real time)",
                config.output.display(),
                seconds(length),
                config.size,
                config.fps,
                config.inputs.len(),
                mixed.frames,
                mixed.bytes / 1000,
                seconds(took),
            );
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
