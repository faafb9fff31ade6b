//! Reads what a client says: one message of protocol version 1, or the refusal to answer it with.
//!
//! Any text is survived; its depth is bounded by the JSON reader, its length by the carrier and by
//! the session's allowance.

use serde_json::Value;

use super::message::{ClientMessage, ErrorCode, RequestId};
use super::refusal::{Refusal, refusal};

/// The longest text a request id may be, in bytes.
pub(super) const MAX_ID_BYTES: usize = 64;

/// Reads one message, with its id as far as it can be read even when the rest cannot.
pub(super) fn parse(text: &str) -> Result<ClientMessage, (Option<RequestId>, Refusal)> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| (None, refusal(ErrorCode::BadJson, error.to_string())))?;
    let id = value
        .get("id")
        .and_then(|id| serde_json::from_value::<RequestId>(id.clone()).ok());
    let id = match id {
        Some(RequestId::Text(text)) if text.len() > MAX_ID_BYTES => {
            let message = format!(
                "id has {} bytes, expected at most {MAX_ID_BYTES}",
                text.len()
            );
            return Err((None, refusal(ErrorCode::BadMessage, message)));
        }
        id => id,
    };
    let Some(kind) = value.get("type").and_then(Value::as_str) else {
        return Err((
            id,
            refusal(ErrorCode::BadMessage, "a message is an object with a type"),
        ));
    };
    if !TYPES.contains(&kind) {
        let message = format!("the type is unknown, expected one of {}", TYPES.join(", "));
        return Err((id, refusal(ErrorCode::UnknownType, message)));
    }
    serde_json::from_value(value)
        .map_err(|error| (id, refusal(ErrorCode::BadMessage, error.to_string())))
}

/// The types a client may send.
const TYPES: [&str; 10] = [
    "join",
    "resume",
    "offer",
    "candidate",
    "status",
    "prefer",
    "moderate",
    "chat",
    "leave",
    "ping",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_make_no_sense_are_refused_by_code() {
        let long_id = format!(r#"{{"type":"ping","id":"{}"}}"#, "x".repeat(65));
        let rows = [
            ("", ErrorCode::BadJson),
            ("hello", ErrorCode::BadJson),
            ("[]", ErrorCode::BadMessage),
            ("7", ErrorCode::BadMessage),
            (r#"{"id":1}"#, ErrorCode::BadMessage),
            (r#"{"type":"dance"}"#, ErrorCode::UnknownType),
            (r#"{"type":"join","version":1}"#, ErrorCode::BadMessage),
            (
                r#"{"type":"join","version":"1","room":"a"}"#,
                ErrorCode::BadMessage,
            ),
            (r#"{"type":"offer","sdp":7}"#, ErrorCode::BadMessage),
            (
                r#"{"type":"prefer","layout":"spiral"}"#,
                ErrorCode::BadMessage,
            ),
            (r#"{"type":"prefer","max_kbps":-1}"#, ErrorCode::BadMessage),
            (&long_id, ErrorCode::BadMessage),
            (&"[".repeat(10_000), ErrorCode::BadJson),
        ];

        for (text, code) in rows {
            let (_, refusal) = parse(text).unwrap_err();
            assert_eq!(refusal.code, code, "{}", &text[..text.len().min(60)]);
        }
    }

    #[test]
    fn a_message_that_cannot_be_read_still_gives_its_id_back() {
        let (id, _) = parse(r#"{"type":"join","id":7}"#).err().unwrap();
        assert_eq!(id, Some(RequestId::Number(7)));

        let (id, _) = parse(r#"{"type":"dance","id":"a"}"#).err().unwrap();
        assert_eq!(id, Some(RequestId::Text("a".to_owned())));
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let message = parse(r#"{"type":"ping","id":1,"later":{"x":[]}}"#);

        assert!(matches!(
            message,
            Ok(ClientMessage::Ping {
                id: Some(RequestId::Number(1)),
                after: None
            })
        ));
    }
}
