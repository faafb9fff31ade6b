use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// What OPERATING.md has under the heading about ladders.
fn chapter() -> &'static str {
    let text = include_str!("../../OPERATING.md");
    let (_, rest) = text.split_once("\n## Ladders\n").unwrap();
    rest.split("\n## ").next().unwrap()
}

#[test]
fn a_file_gives_its_rungs() {
    let ladder = parse(
        r#"[
          {"name": "stills", "size": "320x180", "every_ms": 1500, "min_kbps": 10,
           "max_kbps": 40, "arrangement": "speaker_alone", "payload_bytes": 480},
          {"name": "slow", "size": "320x180", "fps": 7.5, "min_kbps": 40, "max_kbps": 300}
        ]"#,
    )
    .unwrap();

    let [stills, slow] = ladder.rungs() else {
        panic!("two rungs were given");
    };
    assert_eq!(stills.pace, Pace::Stills { interval: 135_000 });
    assert_eq!(stills.arrangement, Arrangement::SpeakerAlone);
    assert_eq!(
        slow.pace,
        Pace::Moving {
            frame_interval: 12_000
        }
    );
    assert_eq!(
        (slow.arrangement, slow.payload_bytes),
        (Arrangement::Grid, 1_180)
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let rung =
        |fields: &str| format!(r#"[{{"name": "a", "min_kbps": 10, "max_kbps": 40, {fields}}}]"#);
    let rows = [
        ("{}".to_owned(), "not an array of rungs"),
        ("[]".to_owned(), "ladder has 0 rungs, expected 1 to 8"),
        (
            rung(r#""size": "64x64", "colour": 1"#),
            "unknown field `colour`",
        ),
        (
            rung(r#""size": "64", "fps": 30"#),
            "size of rung a is \"64\"",
        ),
        (
            rung(r#""size": "64x64""#),
            "rung a has fps and every_ms, or neither",
        ),
        (
            rung(r#""size": "64x64", "fps": 1, "every_ms": 5"#),
            "rung a has fps and every_ms, or neither",
        ),
        (
            rung(r#""size": "64x64", "fps": 0"#),
            "rung a is not of 1 to 60 fps",
        ),
        (
            rung(r#""size": "64x64", "fps": 61"#),
            "rung a is not of 1 to 60 fps",
        ),
        (
            rung(r#""size": "64x64", "every_ms": 20000"#),
            "a still every 10 s or less",
        ),
        (
            rung(r#""size": "64x64", "every_ms": 4000000000"#),
            "a still every 10 s or less",
        ),
        (rung(r#""size": "63x64", "fps": 30"#), "rung a is 63x64"),
        (
            format!("[{}]", " ".repeat(MAX_FILE_BYTES)),
            "more than 65536 bytes",
        ),
    ];

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ladder.json");
    for (text, reason) in rows {
        std::fs::write(&file, &text).unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains(reason), "{error:?} for {text}");
    }
}

#[test]
fn what_is_shown_of_a_ladder_gives_the_same_ladder() {
    let usual = Ladder::usual(PictureSize::new(1280, 720).unwrap(), 30, 1_500).unwrap();

    assert_eq!(ladder(rungs(&usual)).unwrap(), usual);

    let every_interval = VIDEO_CLOCK_HZ / 60..=VIDEO_CLOCK_HZ;
    for frame_interval in every_interval {
        let mut spec = usual.top().clone();
        spec.pace = Pace::Moving { frame_interval };
        let shown = serde_json::to_string(&RungText::of(&spec)).unwrap();
        let again: RungText = serde_json::from_str(&shown).unwrap();
        assert_eq!(again.spec().unwrap(), spec, "{shown}");
    }
}

#[test]
fn a_whole_rate_is_shown_without_a_point() {
    let top = Ladder::usual(PictureSize::new(64, 64).unwrap(), 30, 200).unwrap();

    let shown = serde_json::to_value(rungs(&top)).unwrap();

    let last = shown.as_array().and_then(|rungs| rungs.last()).unwrap();
    assert_eq!(last["fps"], json!(30));
    assert_eq!(last.get("every_ms"), None);
}

#[test]
fn the_example_in_the_document_is_a_ladder() {
    let (_, rest) = chapter().split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();

    let ladder = parse(example).unwrap();

    let given: Value = serde_json::from_str(example).unwrap();
    let schema = schemars::schema_for!(Vec<RungText>).to_value();
    assert!(jsonschema::draft202012::is_valid(&schema, &given));
    assert_eq!(ladder.rungs().len(), given.as_array().unwrap().len());
    assert_eq!(ladder.top().size.to_string(), given[2]["size"]);
}

#[test]
fn the_document_lists_every_field_of_a_rung_and_no_other() {
    let schema = schemars::schema_for!(RungText).to_value();
    let known: BTreeSet<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();

    let rows = chapter()
        .lines()
        .filter_map(|line| line.strip_prefix("| `"));
    let listed = rows.filter_map(|row| Some(row.split_once('`')?.0));

    assert_eq!(listed.collect::<BTreeSet<_>>(), known);
}

proptest! {
    #[test]
    fn whatever_is_given_is_a_ladder_that_can_be_shown_and_given_again_or_is_refused(
        rungs_given in prop::collection::vec(rung(), 0..10),
    ) {
        let schema = schemars::schema_for!(Vec<RungText>).to_value();
        let by_schema = jsonschema::draft202012::new(&schema).unwrap();
        if let Ok(made) = ladder(rungs_given) {
            prop_assert!(by_schema.is_valid(&serde_json::to_value(rungs(&made)).unwrap()));
            let shown = serde_json::to_string(&rungs(&made)).unwrap();
            prop_assert_eq!(parse(&shown).unwrap(), made);
        }
    }
}

/// A rung that is one more often than not.
fn rung() -> impl Strategy<Value = RungText> {
    let size = prop_oneof![
        3 => (32_u32..200, 32_u32..200).prop_map(|(w, h)| format!("{}x{}", w * 2, h * 2)),
        1 => ".{0,12}",
    ];
    let fps = prop::option::weighted(0.9, prop_oneof![9 => 1.0..=60.0, 1 => any::<f64>()]);
    let every_ms = prop::option::weighted(0.1, any::<u32>());
    let bitrates = (1_u32..51_000, 0_u32..51_000);
    let arrangement = prop_oneof![
        Just(ArrangementText::Grid),
        Just(ArrangementText::SpeakerLarge),
        Just(ArrangementText::SpeakerAlone),
    ];
    (
        ".{0,12}",
        size,
        fps,
        every_ms,
        bitrates,
        arrangement,
        190_usize..1_190,
    )
        .prop_map(
            |(name, size, fps, every_ms, (min_kbps, more), arrangement, payload_bytes)| RungText {
                name,
                size,
                fps,
                every_ms,
                min_kbps,
                max_kbps: min_kbps.saturating_add(more),
                arrangement,
                payload_bytes,
            },
        )
}
