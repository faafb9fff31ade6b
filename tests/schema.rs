//! Types, schema, TypeScript and PROTOCOL.md say the same.
//!
//! `make schema` writes `src/web/messages.schema.json` and the generated part of
//! `src/web/mosaic.d.ts` anew; without it, these tests fail where they differ from the types.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "schema/json.rs"]
mod json;
#[path = "schema/protocol.rs"]
mod protocol;
#[path = "schema/typescript.rs"]
mod typescript;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use jsonschema::Validator;
use serde_json::{Value, json};

/// Where the generated part of `mosaic.d.ts` begins: an open namespace, which ends with the file.
const GENERATED: &str = "export namespace Wire {\n";

const SCHEMA: &str = "src/web/messages.schema.json";
const TYPES: &str = "src/web/mosaic.d.ts";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares a committed file with what it ought to be, or makes it so where that is asked for.
fn agree(name: &str, expected: &str) {
    if env::var_os("WRITE_SCHEMA").is_some() {
        fs::write(path(name), expected).unwrap();
        return;
    }
    let same = fs::read_to_string(path(name)).is_ok_and(|committed| committed == expected);
    assert!(same, "{name} is not what the types say: run `make schema`");
}

/// What a message of one side has to be.
fn validator(side: &str) -> Validator {
    let mut schema = json::schema();
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["$ref"] = json!(format!("#/$defs/{side}"));
    jsonschema::draft202012::new(&schema).unwrap()
}

/// The words that a field, or an enumeration, may hold.
fn words(definition: &Value) -> BTreeSet<String> {
    let choices = definition["oneOf"].as_array().unwrap();
    let words = choices.iter().flat_map(|choice| {
        let several = choice["enum"].as_array().cloned().unwrap_or_default();
        several.into_iter().chain([choice["const"].clone()])
    });
    words
        .filter_map(|word| word.as_str().map(str::to_owned))
        .collect()
}

/// What a tag of a message may be.
fn tags(definition: &Value, tag: &str) -> BTreeSet<String> {
    let choices = definition["oneOf"].as_array().unwrap();
    let tags = choices
        .iter()
        .map(|choice| choice["properties"][tag]["const"].as_str().unwrap());
    tags.map(str::to_owned).collect()
}

/// Both chapters, with what the schema calls their messages.
const CHAPTERS: [(&str, &str); 2] = [
    ("From the client", "ClientMessage"),
    ("From the server", "ServerMessage"),
];

#[test]
fn the_schema_served_is_that_of_the_types() {
    let schema = serde_json::to_string_pretty(&json::schema()).unwrap();

    agree(SCHEMA, &format!("{schema}\n"));
}

#[test]
fn the_typescript_served_is_that_of_the_types() {
    let committed = read(TYPES);
    let (by_hand, _) = committed.split_once(GENERATED).unwrap();
    let types = typescript::types(&json::schema());

    agree(TYPES, &format!("{by_hand}{GENERATED}{types}}}\n"));
}

#[test]
fn every_message_has_its_section_with_an_example_and_no_section_is_of_none() {
    let protocol = read("PROTOCOL.md");
    let schema = json::schema();
    for (chapter, side) in CHAPTERS {
        let sections = protocol::sections(&protocol, chapter);

        let headings = sections.iter().flat_map(|section| section.types.clone());
        let examples = sections.iter().flat_map(|section| &section.examples);
        let shown = examples.map(|example| example["type"].as_str().unwrap().to_owned());

        let known = tags(&schema["$defs"][side], "type");
        assert_eq!(headings.collect::<BTreeSet<_>>(), known, "{chapter}");
        assert_eq!(shown.collect::<BTreeSet<_>>(), known, "{chapter}");
    }
}

#[test]
fn every_example_is_valid_by_the_schema() {
    let protocol = read("PROTOCOL.md");
    for (chapter, side) in CHAPTERS {
        let validator = validator(side);
        for section in protocol::sections(&protocol, chapter) {
            for example in section.examples {
                if let Err(error) = validator.validate(&example) {
                    panic!("{error}:\n{example}");
                }
            }
        }
    }
}

#[test]
fn the_schema_refuses_what_the_types_refuse() {
    let client = validator("ClientMessage");
    let refused = [
        json!({"type": "join", "version": 1}),
        json!({"type": "join", "version": "1", "room": "demo"}),
        json!({"type": "join", "version": 1, "room": "demo", "id": 1.5}),
        json!({"type": "prefer", "layout": "circle"}),
        json!({"type": "moderate", "act": "mute", "how": "gently"}),
        json!({"type": "moderate", "act": "remove"}),
        json!({"type": "candidate", "candidate": {}}),
        json!({"type": "dance"}),
        json!({"room": "demo"}),
        json!([]),
    ];
    for message in refused {
        let parsed =
            serde_json::from_value::<mosaicd::signaling::message::ClientMessage>(message.clone());

        assert!(parsed.is_err(), "{message}");
        assert!(!client.is_valid(&message), "{message}");
    }
}

#[test]
fn an_event_is_a_message_with_its_number() {
    let event = validator("Event");

    assert!(event.is_valid(&json!({"type": "pong", "seq": 4})));
    assert!(!event.is_valid(&json!({"type": "pong"})));
    assert!(!event.is_valid(&json!({"type": "pong", "seq": 0})));
    assert!(!event.is_valid(&json!({"seq": 4})));
}

#[test]
fn every_code_has_its_row_and_no_row_is_of_none() {
    let protocol = read("PROTOCOL.md");
    let schema = json::schema();
    let sections = protocol::sections(&protocol, "From the server");
    let tables = [
        ("error", "ErrorCode"),
        ("notice", "NoticeCode"),
        ("bye", "ByeReason"),
    ];
    for (name, definition) in tables {
        let section = sections.iter().find(|section| section.types == [name]);

        let rows = protocol::rows(&section.unwrap().text);

        assert_eq!(rows, words(&schema["$defs"][definition]), "{name}");
    }
}

#[test]
fn every_act_of_a_moderator_has_its_row_and_no_row_is_of_none() {
    let protocol = read("PROTOCOL.md");
    let schema = json::schema();
    let sections = protocol::sections(&protocol, "From the client");
    let moderate = sections
        .iter()
        .find(|section| section.types == ["moderate"]);

    let rows = protocol::rows(&moderate.unwrap().text);

    assert_eq!(rows, tags(&schema["$defs"]["Moderate"], "act"));
}

#[test]
fn every_code_that_a_request_may_name_as_its_error_exists() {
    let protocol = read("PROTOCOL.md");
    let schema = json::schema();
    let mut known = words(&schema["$defs"]["ErrorCode"]);
    // Beside them stand the messages and fields that they have to do with.
    known.extend(tags(&schema["$defs"]["ClientMessage"], "type"));
    for section in protocol::sections(&protocol, "From the client") {
        for rest in section.text.split("Errors: ").skip(1) {
            let sentence = rest.split(['.', '\n']).next().unwrap();
            for code in protocol::quoted(sentence) {
                let own = code == "prefer" || known.contains(&code);
                assert!(own, "{:?} names the error {code}", section.types);
            }
        }
    }
    // And the statuses of requests. WHIP has codes of its own.
    let (_, rest) = protocol.split_once("\n## Over HTTP\n").unwrap();
    let chapter = rest.split("\n## ").next().unwrap();
    let statuses = chapter
        .lines()
        .filter(|line| line.starts_with("| 4") || line.starts_with("| 5"));
    for line in statuses {
        let codes = line.split('|').nth(2).unwrap();
        for code in protocol::quoted(codes) {
            assert!(known.contains(&code), "no such code: {code}");
        }
    }
}

#[test]
fn the_client_is_declared_with_all_that_it_has_and_no_more() {
    let script = read("src/web/mosaic/call.js");
    let modules = fs::read_dir(path("src/web/mosaic")).unwrap();
    let modules: Vec<_> = modules
        .map(|module| fs::read_to_string(module.unwrap().path()).unwrap())
        .collect();
    let types = read(TYPES);

    let members = |source: &str, head: &str| -> BTreeSet<String> {
        let (_, rest) = source.split_once(head).unwrap();
        let body = rest.split("\n}").next().unwrap();
        let lines = body.lines().filter_map(|line| {
            let line = line.strip_prefix("  ")?;
            let words = ["readonly ", "get ", "async "];
            let line = words
                .iter()
                .find_map(|word| line.strip_prefix(word))
                .unwrap_or(line);
            let end = line.find(|c: char| !c.is_ascii_alphanumeric())?;
            let named = end > 0 && line[end..].starts_with(['(', ':', '<']);
            named.then(|| line[..end].to_owned())
        });
        // What an `EventTarget` has already is declared for the sake of its types.
        let inherited = ["addEventListener", "removeEventListener"];
        lines
            .filter(|name| !inherited.contains(&name.as_str()))
            .collect()
    };
    let events = modules
        .iter()
        .flat_map(|module| module.split("emit(\"").skip(1));
    let events = events.map(|rest| rest.split('"').next().unwrap().to_owned());

    let class = "export class Call extends EventTarget {";
    assert_eq!(members(&script, class), members(&types, class));
    let declared = members(&types, "export interface CallEvents {");
    assert_eq!(events.collect::<BTreeSet<_>>(), declared);
}
