//! The result for a person to read, and the verdict for the caller.

use std::process::ExitCode;
use std::time::Duration;

use crate::process::Cost;

/// The highest ratios of CPU time that will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) to_floor: f64,
    pub(crate) to_ffmpeg: f64,
}

/// One contestant's runs, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    cpu: Spread,
    wall: Spread,
}

/// Median and extremes.
#[derive(Clone, Copy, Debug)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Row {
    /// `None` without runs.
    pub(crate) fn of(costs: Vec<Cost>) -> Option<Self> {
        Some(Self {
            cpu: Spread::of(costs.iter().map(|cost| cost.cpu))?,
            wall: Spread::of(costs.iter().map(|cost| cost.wall))?,
        })
    }
}

impl Spread {
    fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<f64> = times.map(|time| time.as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        let middle = times.len() / 2;
        let median = if times.len().is_multiple_of(2) {
            f64::midpoint(*times.get(middle.checked_sub(1)?)?, times[middle])
        } else {
            times[middle]
        };
        Some(Self {
            median,
            least: *times.first()?,
            most: *times.last()?,
        })
    }
}

/// Prints everything; fails if we are over `budget`.
pub(crate) fn print(
    mix: Option<Row>,
    floor: Option<Row>,
    ffmpeg: Option<Row>,
    budget: Budget,
) -> ExitCode {
    println!("{:<14} {:>24} {:>24}", "", "CPU s", "wall s");
    for (name, row) in [
        ("mosaicd mix", mix),
        ("codec floor", floor),
        ("ffmpeg", ffmpeg),
    ] {
        match row {
            Some(row) => println!("{name:<14} {} {}", cell(row.cpu), cell(row.wall)),
            None => println!("{name:<14} not installed"),
        }
    }
    let mut verdict = ExitCode::SUCCESS;
    for (name, other, most) in [
        ("codec floor", floor, budget.to_floor),
        ("ffmpeg", ffmpeg, budget.to_ffmpeg),
    ] {
        let (Some(mix), Some(other)) = (mix, other) else {
            continue;
        };
        let ratio = mix.cpu.median / other.cpu.median;
        let kept = ratio <= most;
        if !kept {
            verdict = ExitCode::FAILURE;
        }
        let kept = if kept { "kept" } else { "OVER BUDGET" };
        println!("CPU of mosaicd mix to {name}: {ratio:.2} (budget {most:.2}, {kept})");
    }
    verdict
}

fn cell(spread: Spread) -> String {
    let range = format!("[{:.2}..{:.2}]", spread.least, spread.most);
    format!("{:>8.2} {range:>15}", spread.median)
}
