//! What of this module reads what clients say, and keeps what they are told, for fuzz targets and
//! property tests: any input, no panic, and what must hold does.

use super::message::{ClientMessage, ErrorCode, RequestId};
use super::moderation::wish;
use super::names::{DisplayName, RoomName};
use super::reading::{MAX_ID_BYTES, parse};

pub use super::log::model::log;

/// A message of a client: one that means the same when it is said again, or a refusal that names the
/// request as far as it can be told which it was.
///
/// # Panics
///
/// If that does not hold.
pub fn message(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok();
    let id = match parse(&text) {
        Ok(message) => {
            let again = serde_json::to_string(&message).expect("plain data with text keys");
            assert_eq!(parse(&again).ok().as_ref(), Some(&message), "{again}");
            look_at(&message);
            message.id().cloned()
        }
        Err((id, refusal)) => {
            assert_eq!(refusal.code == ErrorCode::BadJson, !is_json, "{refusal:?}");
            assert!(
                matches!(
                    refusal.code,
                    ErrorCode::BadJson | ErrorCode::BadMessage | ErrorCode::UnknownType
                ),
                "{refusal:?}"
            );
            assert!(refusal.message.len() <= text.len() + 400, "{refusal:?}");
            id
        }
    };
    if let Some(RequestId::Text(id)) = id {
        assert!(id.len() <= MAX_ID_BYTES, "{id}");
    }
}

/// What is made of its parts.
fn look_at(message: &ClientMessage) {
    match message {
        ClientMessage::Join(join) => {
            if let Some(room) = RoomName::parse(&join.room) {
                assert_eq!(room.to_string(), join.room);
                assert!((1..=64).contains(&join.room.len()));
            }
            if let Some(name) = DisplayName::parse(&join.name) {
                let name = name.to_string();
                assert!(name.chars().count() <= 64 && !name.contains(char::is_control));
            }
        }
        ClientMessage::Prefer(prefer) => drop(wish(prefer)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mangled::mangled;

    /// One of each kind, to be mangled.
    const MESSAGES: [&str; 11] = [
        r#"{"type":"join","id":1,"version":1,"room":"demo","name":"Ann","auth":"a.b.c","token":"t"}"#,
        r#"{"type":"resume","id":"x","version":1,"session":"6f1d","after":17}"#,
        r#"{"type":"offer","id":2,"sdp":"v=0\r\n"}"#,
        r#"{"type":"candidate","candidate":{"candidate":"","sdpMid":"0","sdpMLineIndex":0}}"#,
        r#"{"type":"status","muted":true,"camera":false,"hand":true}"#,
        r#"{"type":"prefer","layout":"speaker","pin":"p2","max_kbps":300,"max_height":360,"video":true}"#,
        r#"{"type":"moderate","id":7,"act":"mute","participant":"p3","how":"hold"}"#,
        r#"{"type":"moderate","act":"role","participant":"p3","role":"moderator"}"#,
        r#"{"type":"chat","id":6,"text":"Can you hear me?"}"#,
        r#"{"type":"leave","id":3}"#,
        r#"{"type":"ping","id":18446744073709551615,"after":18446744073709551615}"#,
    ];

    proptest! {
        #[test]
        fn any_bytes_at_all_are_survived(input in prop::collection::vec(any::<u8>(), 0..300)) {
            message(&input);
        }

        #[test]
        fn what_is_almost_a_message_is_read_or_refused(input in mangled(&MESSAGES)) {
            message(&input);
        }

        #[test]
        fn a_log_keeps_what_is_to_be_said_in_order_without_a_gap_and_bounded(
            input in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            log(&input);
        }
    }

    #[test]
    fn a_log_that_makes_room_in_vain_is_full_and_has_lost_only_what_was_taken() {
        let (say, take, say_much) = ([0, 0, 0], [5, 0, 1], [3, 255, 255]);
        let operations = [&[say, take][..], &[say_much; 16]].concat();

        log(operations.as_flattened());
    }

    #[test]
    fn each_kind_of_message_is_taken_for_one() {
        for text in MESSAGES {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
