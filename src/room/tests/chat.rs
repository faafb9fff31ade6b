//! What is written, to whom, and what is not.

use super::people::*;
use super::*;
use crate::signaling::message::ChatMessage;

#[tokio::test]
async fn chat_reaches_everybody_and_those_who_come_later() {
    let mut room = room();
    let ann = sit(&mut room, "Ann");
    let mut bob = sit(&mut room, "Bob");

    for text in ["one", "two"] {
        room.say(ann.seat, text.to_owned(), Moment::now()).unwrap();
    }

    let texts = |chat: &[ChatMessage]| -> Vec<(u64, String, String)> {
        let all = chat.iter();
        all.map(|it| (it.number, it.name.clone(), it.text.clone()))
            .collect()
    };
    let told: Vec<ChatMessage> = bob
        .heard()
        .await
        .into_iter()
        .filter_map(|message| match message {
            ServerMessage::Chat(chat) => Some(chat),
            _ => None,
        })
        .collect();
    let expected = [(1, "one"), (2, "two")];
    let expected = expected.map(|(number, text)| (number, "Ann".to_owned(), text.to_owned()));
    assert_eq!(texts(&told), expected);
    let mut cid = sit(&mut room, "Cid");
    let Some(ServerMessage::Joined(joined)) = cid.heard().await.into_iter().next() else {
        panic!("joined comes first");
    };
    assert_eq!(texts(&joined.chat), expected);
}

#[tokio::test]
async fn too_many_or_bad_texts_are_refused_and_told_to_nobody() {
    let mut room = room();
    let mut ann = sit(&mut room, "Ann");
    ann.heard().await;
    let moment = Moment::now();

    let bad = room.say(ann.seat, "x".repeat(2_001), moment);
    assert_eq!(bad, Err(ActError::BadText));
    for _ in 0..5 {
        room.say(ann.seat, "hello".to_owned(), moment).unwrap();
    }
    let fast = room.say(ann.seat, "hello".to_owned(), moment);

    assert_eq!(fast, Err(ActError::TooFast(Duration::from_secs(1))));
    assert_eq!(ann.heard().await.len(), 5);
}
