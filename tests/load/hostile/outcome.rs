//! What an attack came to, as a row of a table, and whether that is within the budgets.

use std::fmt;
use std::time::Duration;

use super::sitting::Time;
use crate::attacks::Tally;

/// What an attack may leave behind in resident memory, in MB: pages of which something small lives on.
/// A second wave of the same finds them again.
const BUDGET_LEFT_MB: f64 = 32.0;

/// What it may take while it goes on, beyond what the room of nine takes by itself, in MB.
const BUDGET_PEAK_MB: f64 = 256.0;

/// p99 of the lateness of ticks, in ms: half the time from one tick of audio to the next, which
/// buffers hold many times over. The attackers have the same cores to run on.
const BUDGET_LATE_MS: f64 = 10.0;

/// The head of the table whose rows [`Outcome`]s are.
pub(super) const HEAD: &str = "\
| attack | before | peak | after | took | audio late | video late | skipped | answers |
|---|---|---|---|---|---|---|---|---|";

/// What one attack did. Memory is resident, in MB.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) name: &'static str,
    /// With nobody there.
    pub(super) before_mb: f64,
    /// With the room of nine, and those who attack.
    pub(super) peak_mb: f64,
    /// With nobody there any more.
    pub(super) after_mb: f64,
    pub(super) took: Duration,
    /// Of the room of nine.
    pub(super) time: Time,
    pub(super) answers: Tally,
}

impl Outcome {
    /// What is over budget, with a room to compare with in which nothing was done; nothing if all is
    /// kept.
    pub(super) fn excesses(&self, quiet: &Self) -> Vec<String> {
        let skipped = self.time.skipped.saturating_sub(quiet.time.skipped);
        let figures = [
            ("MB left", self.after_mb - self.before_mb, BUDGET_LEFT_MB),
            (
                "MB more at the peak",
                self.peak_mb - quiet.peak_mb,
                BUDGET_PEAK_MB,
            ),
            (
                "ms late, audio",
                self.time.audio_us / 1_000.0,
                BUDGET_LATE_MS,
            ),
            (
                "ms late, video",
                self.time.video_us / 1_000.0,
                BUDGET_LATE_MS,
            ),
            ("ticks skipped more", skipped as f64, 0.0),
        ];
        let over = figures.iter().filter(|(_, figure, budget)| figure > budget);
        let over = over.map(|(what, figure, budget)| {
            format!("{}: {figure:.1} {what}, budget {budget:.1}", self.name)
        });
        over.collect()
    }
}

/// A row of the table.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers = self
            .answers
            .iter()
            .map(|(code, count)| format!("`{code}` {count}"));
        write!(
            f,
            "| {} | {:.0} MB | {:.0} MB | {:.0} MB | {:.1} s | {:.1} ms | {:.1} ms | {} | {} |",
            self.name,
            self.before_mb,
            self.peak_mb,
            self.after_mb,
            self.took.as_secs_f64(),
            self.time.audio_us / 1_000.0,
            self.time.video_us / 1_000.0,
            self.time.skipped,
            answers.collect::<Vec<_>>().join(", ")
        )
    }
}

/// The budgets, in words.
pub(super) fn budgets() -> String {
    format!(
        "{BUDGET_LEFT_MB:.0} MB left, {BUDGET_PEAK_MB:.0} MB more at the peak than the quiet room, no \
         tick skipped more, 99 % of ticks less than {BUDGET_LATE_MS:.0} ms late"
    )
}
