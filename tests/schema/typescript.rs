//! TypeScript types of the messages, from their schema: what the schema says, no more.

use std::fmt::Write as _;

use serde_json::{Map, Value};

const INDENT: &str = "  ";

/// A type for each definition of the schema, in the order of their names.
///
/// # Panics
///
/// If the schema uses what is not known here: better than a type that says something else.
pub(crate) fn types(schema: &Value) -> String {
    let mut text = String::new();
    for (name, definition) in schema["$defs"].as_object().expect("definitions") {
        text.push('\n');
        comment(&mut text, definition, INDENT);
        let shape = shape(definition, INDENT);
        writeln!(text, "{INDENT}type {name} = {shape};").expect("a string takes everything");
    }
    text
}

fn comment(text: &mut String, schema: &Value, indent: &str) {
    let Some(description) = schema["description"].as_str() else {
        return;
    };
    let description = description.replace('\n', " ");
    writeln!(text, "{indent}/** {description} */").expect("a string takes everything");
}

/// All that the schema asks for at once.
fn shape(schema: &Value, indent: &str) -> String {
    let Some(object) = schema.as_object() else {
        return "unknown".to_owned();
    };
    let mut parts: Vec<String> = object
        .iter()
        .filter_map(|(keyword, value)| match keyword.as_str() {
            "$ref" => Some(named(value)),
            "const" => Some(value.to_string()),
            "enum" => Some(union(value, |literal| literal.to_string())),
            "oneOf" | "anyOf" => Some(union(value, |choice| shape(choice, indent))),
            "type" => primitive(value, object),
            "properties" => Some(fields(object, indent)),
            "items" => Some(format!("{}[]", grouped(&shape(value, indent)))),
            "required" | "description" | "format" | "minimum" | "maximum" | "default" => None,
            unknown => panic!("the keyword {unknown} has no TypeScript here"),
        })
        .collect();
    match parts.len() {
        0 => "object".to_owned(),
        1 => parts.remove(0),
        _ => parts
            .iter()
            .map(|part| grouped(part))
            .collect::<Vec<_>>()
            .join(" & "),
    }
}

fn named(reference: &Value) -> String {
    let reference = reference.as_str().expect("a reference is a string");
    reference.trim_start_matches("#/$defs/").to_owned()
}

fn union(choices: &Value, each: impl Fn(&Value) -> String) -> String {
    let choices = choices.as_array().expect("choices are an array");
    choices.iter().map(each).collect::<Vec<_>>().join(" | ")
}

/// In parentheses where it is a choice.
fn grouped(shape: &str) -> String {
    let mut depth = 0;
    let chosen = shape.chars().any(|c| {
        match c {
            '{' | '(' => depth += 1,
            '}' | ')' => depth -= 1,
            _ => {}
        }
        c == '|' && depth == 0
    });
    if chosen {
        format!("({shape})")
    } else {
        shape.to_owned()
    }
}

/// What `type` alone says; nothing where other keywords say more.
fn primitive(value: &Value, object: &Map<String, Value>) -> Option<String> {
    let said = ["const", "enum", "properties", "items"];
    if said.iter().any(|keyword| object.contains_key(*keyword)) && value.is_string() {
        return None;
    }
    let one = |name: &Value| match name.as_str() {
        Some("integer" | "number") => "number".to_owned(),
        Some(name @ ("string" | "boolean" | "null")) => name.to_owned(),
        other => panic!("the type {other:?} has no TypeScript here"),
    };
    match value {
        Value::Array(_) => Some(union(value, one)),
        Value::String(name) if name == "object" => None,
        _ => Some(one(value)),
    }
}

fn fields(object: &Map<String, Value>, indent: &str) -> String {
    let inner = format!("{indent}{INDENT}");
    let required = object.get("required").and_then(Value::as_array);
    let mut text = "{\n".to_owned();
    for (name, field) in object["properties"].as_object().expect("fields") {
        comment(&mut text, field, &inner);
        let must = required.is_some_and(|names| names.iter().any(|one| one == name.as_str()));
        let mark = if must { "" } else { "?" };
        let shape = shape(field, &inner);
        writeln!(text, "{inner}{name}{mark}: {shape};").expect("a string takes everything");
    }
    text + indent + "}"
}
