//! What flags take: counts and seconds within a range, and times with a unit.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::builder::{RangedU64ValueParser, TypedValueParser};

/// So many of something.
pub(super) fn count(range: RangeInclusive<u64>) -> impl TypedValueParser<Value = usize> {
    RangedU64ValueParser::<usize>::new().range(range)
}

/// A time in whole seconds.
pub(super) fn seconds(range: RangeInclusive<u64>) -> impl TypedValueParser<Value = Duration> {
    RangedU64ValueParser::<u64>::new()
        .range(range)
        .map(Duration::from_secs)
}

/// Reads `90s`, `15m`, `2h` or `7d`: 1 s to 10 years.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    const MAX_S: u64 = 10 * 365 * 86_400;
    let expected = || "expected a time such as 90s, 15m, 2h or 7d, at most 3650d".to_owned();
    let unit = text.chars().last().ok_or_else(expected)?;
    let unit_s = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(expected()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: u64 = number.parse().map_err(|_| expected())?;
    let seconds = number.checked_mul(unit_s).ok_or_else(expected)?;
    if (1..=MAX_S).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(expected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_an_end() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)] {
            assert_eq!(parse_duration(text).unwrap().as_secs(), seconds);
        }
        for bad in [
            "",
            "1",
            "h",
            "0s",
            "-1s",
            "1.5h",
            "1w",
            "3651d",
            "99999999999999999999s",
            "1ss",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
