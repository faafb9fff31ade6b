//! What reads ladders, for fuzz targets and property tests: any bytes, no panic, and what is a ladder
//! can be shown and given again.

use codecs::video::VIDEO_CLOCK_HZ;
use mixer::ladder::MAX_RUNGS;

use super::{TICKS_PER_MS, parse, rungs};

/// A file of an operator's, or what they send: a ladder within its bounds, the same once it was shown
/// and given again, or none.
///
/// # Panics
///
/// If that does not hold.
pub fn ladder(input: &[u8]) {
    let Ok(made) = parse(&String::from_utf8_lossy(input)) else {
        return;
    };
    assert!((1..=MAX_RUNGS).contains(&made.rungs().len()), "{made:?}");
    for rung in made.rungs() {
        let (width, height) = (rung.size.width(), rung.size.height());
        assert!(
            width.is_multiple_of(2) && height.is_multiple_of(2),
            "{rung:?}"
        );
        let slowest = 10_000 * TICKS_PER_MS;
        let fastest = VIDEO_CLOCK_HZ / 60;
        assert!(
            (fastest..=slowest).contains(&rung.pace.interval()),
            "{rung:?}"
        );
        assert!(!rung.kbps.is_empty(), "{rung:?}");
    }
    let shown = serde_json::to_string(&rungs(&made)).expect("plain data with text keys");
    assert_eq!(parse(&shown).ok().as_ref(), Some(&made), "{shown}");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mangled::mangled;

    /// One with a rung of each pace and arrangement, to be mangled.
    const LADDERS: [&str; 2] = [
        r#"[{"name":"s","size":"320x180","every_ms":1500,"min_kbps":10,"max_kbps":40,
            "arrangement":"speaker_alone","payload_bytes":480},
            {"name":"m","size":"640x360","fps":7.5,"min_kbps":40,"max_kbps":300,"arrangement":"speaker_large"}]"#,
        r#"[{"name":"a","size":"64x64","fps":30,"min_kbps":99,"max_kbps":999}]"#,
    ];

    proptest! {
        #[test]
        fn any_bytes_are_a_ladder_or_refused(input in prop::collection::vec(any::<u8>(), 0..300)) {
            ladder(&input);
        }

        #[test]
        fn what_is_almost_a_ladder_is_one_or_refused(input in mangled(&LADDERS)) {
            ladder(&input);
        }
    }

    #[test]
    fn what_is_mangled_are_ladders() {
        for text in LADDERS {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
