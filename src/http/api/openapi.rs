//! The description of the operators' interface, OpenAPI 3.1: made of the [`operations`] and of the
//! types that are sent, so that it cannot be behind them.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::response::Response;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::PREFIX;
use super::operations::{self, Answer, Operation};
use super::problem::Problem;
use crate::room::ServerEvent;

/// It does not change while the server runs.
static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Answers `GET /openapi.json`.
pub(super) async fn show() -> Response {
    super::json(StatusCode::OK, &*DOCUMENT)
}

/// The whole of it.
pub(super) fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    // Where OpenAPI has them (§4.8.7).
    settings.definitions_path = "/components/schemas".into();
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations::all() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = describe(&operation, &mut schemas);
    }
    let webhook = webhook(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "mosaicd, the operators' interface",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": PREFIX }],
        "security": [{ "key": [] }],
        "paths": paths,
        "webhooks": { "event": { "post": webhook } },
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// What is posted to webhooks.
fn webhook(schemas: &mut SchemaGenerator) -> Value {
    let headers = [
        ("webhook-id", "The id of the event: the same at each try"),
        (
            "webhook-timestamp",
            "When this try was, in seconds since 1970",
        ),
        (
            "webhook-signature",
            "v1, and the HMAC-SHA256 of id, timestamp and body; one for each secret, with spaces \
             between",
        ),
    ];
    let headers = headers.map(|(name, summary)| {
        json!({
            "name": name,
            "in": "header",
            "required": true,
            "description": summary,
            "schema": { "type": "string" },
        })
    });
    let event = schemas.subschema_for::<ServerEvent>();
    json!({
        "operationId": "tellEvent",
        "summary": "Something has happened; posted to each --webhook",
        "security": [],
        "parameters": headers,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": event } },
        },
        "responses": {
            "2XX": { "description": "It has arrived" },
            "410": { "description": "Nothing more is wanted" },
        },
    })
}

fn describe(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let (status, content) = match operation.answer {
        Answer::Json(status, of) => {
            let content = json!({ "application/json": { "schema": of(schemas) } });
            (status, Some(content))
        }
        Answer::Events(of) => {
            let content = json!({ "text/event-stream": { "schema": of(schemas) } });
            (StatusCode::OK, Some(content))
        }
        Answer::Picture => {
            let content = json!({ "image/jpeg": {}, "image/png": {} });
            (StatusCode::OK, Some(content))
        }
        Answer::Document => {
            let content = json!({ "application/json": { "schema": { "type": "object" } } });
            (StatusCode::OK, Some(content))
        }
        Answer::JsonOrNothing(of) => {
            let content = json!({ "application/json": { "schema": of(schemas) } });
            (StatusCode::OK, Some(content))
        }
        Answer::Nothing => (StatusCode::NO_CONTENT, None),
    };
    let mut done = json!({ "description": "Done" });
    if let Some(content) = content {
        done["content"] = content;
    }
    let problem = schemas.subschema_for::<Problem>();
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": {
            status.as_str(): done,
            "default": {
                "description": "It was not done",
                "content": { "application/problem+json": { "schema": problem } },
            },
        },
    });
    if let Answer::JsonOrNothing(_) = operation.answer {
        let nothing = json!({ "description": "Done, and there is nothing to say" });
        described["responses"][StatusCode::NO_CONTENT.as_str()] = nothing;
    }
    let parameters: Vec<Value> = in_path(operation.path).chain(in_query(operation)).collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(of) = operation.body {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": of(schemas) } },
        });
    }
    described
}

fn in_path(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?;
        name.strip_suffix('}')
    });
    names.map(|name| {
        json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
    })
}

fn in_query(operation: &Operation) -> impl Iterator<Item = Value> {
    operation.query.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "description": parameter.summary,
            "schema": { "type": parameter.kind },
        })
    })
}
