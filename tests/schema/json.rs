//! The JSON Schema (2020-12) of the messages, from the types themselves.

use mosaicd::signaling::message::{ClientMessage, ServerMessage};
use schemars::generate::{Contract, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// Used on both ways, with fields that a client may leave out and the server never does: the
/// client's form holds, which accepts the server's as well.
const LOOSENED: [&str; 1] = ["Candidate"];

/// The schema of all messages. Under `$defs`: `ClientMessage`, `ServerMessage`, `Event` and what
/// these are made of.
pub(crate) fn schema() -> Value {
    let mut defs = definitions::<ServerMessage>(Contract::Serialize, "ServerMessage");
    for (name, definition) in definitions::<ClientMessage>(Contract::Deserialize, "ClientMessage") {
        let before = defs.insert(name.clone(), definition.clone());
        let same = before.is_none_or(|before| before == definition);
        assert!(
            same || LOOSENED.contains(&name.as_str()),
            "{name} differs between what is said and what is heard"
        );
    }
    defs.insert("Event".to_owned(), event());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The signaling protocol of mosaicd, version 1",
        "description": "Generated from the server's types. PROTOCOL.md says what they mean. Fields that are not \
                        listed are ignored by both sides.",
        "anyOf": [{"$ref": "#/$defs/ClientMessage"}, {"$ref": "#/$defs/ServerMessage"}],
        "$defs": defs,
    })
}

/// The type and all that it is made of, by name.
fn definitions<T: JsonSchema>(contract: Contract, name: &str) -> Map<String, Value> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.meta_schema = None;
    let mut root: Schema = settings.into_generator().into_root_schema_for::<T>();
    root.remove("title");
    let mut definitions = match root.remove("$defs") {
        Some(Value::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    definitions.insert(name.to_owned(), root.to_value());
    definitions
}

/// As `Event` is serialized: the message with one field more.
fn event() -> Value {
    json!({
        "description": "What a session says, numbered.",
        "type": "object",
        "properties": {
            "seq": {
                "description": "Counts from 1 in each session.",
                "type": "integer",
                "format": "uint64",
                "minimum": 1
            }
        },
        "required": ["seq"],
        "$ref": "#/$defs/ServerMessage"
    })
}
