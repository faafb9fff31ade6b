use std::collections::BTreeSet;

use serde_json::Value;

use super::{PREFIX, openapi, operations};

/// Everything that a value refers to by `$ref`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(to)) = fields.get("$ref") {
                found.insert(to.clone());
            }
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_description_refers_only_to_what_is_in_it() {
    let document = openapi::document();
    let mut found = BTreeSet::new();

    references(&document, &mut found);

    assert!(found.contains("#/components/schemas/RoomDescription"));
    let told = "/webhooks/event/post/requestBody/content/application~1json/schema/$ref";
    assert_eq!(
        document.pointer(told),
        Some(&"#/components/schemas/ServerEvent".into())
    );
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference}");
    }
}

#[test]
fn each_operation_has_a_method_a_name_and_a_summary_of_its_own() {
    let all = operations::all();

    let places: BTreeSet<_> = all.iter().map(|it| (it.method, it.path)).collect();
    let ids: BTreeSet<_> = all.iter().map(|it| it.id).collect();
    let summaries: BTreeSet<_> = all.iter().map(|it| it.summary).collect();

    assert_eq!(places.len(), all.len());
    assert_eq!(ids.len(), all.len());
    assert_eq!(summaries.len(), all.len());
}

#[test]
fn the_document_for_people_lists_what_there_is_and_nothing_else() {
    let text = include_str!("../../../OPERATING.md");
    let in_code: BTreeSet<String> = operations::all()
        .iter()
        .map(|it| format!("{} {PREFIX}{}", it.method.to_uppercase(), it.path))
        .collect();

    let rows = text.lines().filter_map(|line| {
        let (operation, _) = line.strip_prefix("| `")?.split_once('`')?;
        let operation = operation.split('?').next()?;
        operation.contains(PREFIX).then(|| operation.to_owned())
    });

    assert_eq!(rows.collect::<BTreeSet<_>>(), in_code);
}
