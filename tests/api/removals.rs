//! What an operator who removes somebody is told, and that it is so.

use mosaicd::access::token::KeyKind;
use mosaicd::signaling::message::{ErrorCode, ServerMessage};
use serde_json::{Value, json};

use crate::keys::{Keys, join};
use crate::served::Served;
use crate::socket::{Conversation, Socket};

/// Somebody who came with this token.
async fn enter(served: &Served, token: &str) -> anyhow::Result<Socket> {
    let mut socket = Socket::open(served.address()).await?;
    socket.say(&join(token)).await?;
    let joined = |message| matches!(message, ServerMessage::Joined(_)).then_some(());
    socket.hear_until(joined).await?;
    Ok(socket)
}

#[tokio::test]
async fn an_operator_is_told_whether_a_ban_keeps_anybody_out() -> anyhow::Result<()> {
    let keys = Keys::new(KeyKind::Pair)?;
    let served = Served::start(&["--keys", &keys.path()])?;
    let known = keys.token(|token| token.identity = Some("eve".to_owned()))?;
    let stranger = keys.token(|_| {})?;
    let _eve = enter(&served, &known).await?;
    let _mallory = enter(&served, &stranger).await?;

    let ban = |id| format!("/rooms/demo/participants/{id}?ban=true");
    let of_known = served.done(("DELETE", &ban("p1")), None, 200).await?;
    let of_stranger = served.done(("DELETE", &ban("p2")), None, 200).await?;

    assert_eq!(of_known, json!({"kept_out": true}));
    assert_eq!(of_stranger, json!({"kept_out": false}));
    let mut eve = Socket::open(served.address()).await?;
    let refused = eve.refusal_code(&join(&known)).await?;
    assert_eq!(refused, ErrorCode::Banned);
    enter(&served, &stranger).await?;
    Ok(())
}

#[tokio::test]
async fn an_act_says_the_same_and_nothing_where_nobody_was_to_be_kept_out() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let _ann = Socket::join(served.address(), "demo", "Ann").await?;
    let _bob = Socket::join(served.address(), "demo", "Bob").await?;
    let acts = ("POST", "/rooms/demo/acts");

    let remove = |id, ban| Some(json!({"act": "remove", "participant": id, "ban": ban}));
    let said = served.done(acts, remove("p1", true), 200).await?;
    let nothing = served.done(acts, remove("p2", false), 204).await?;

    assert_eq!(said, json!({"kept_out": false}));
    assert_eq!(nothing, Value::Null);
    Ok(())
}
