//! What reads credentials, for fuzz targets and property tests: any bytes, no panic, nobody let in.

use std::sync::LazyLock;

use serde_json::json;

use super::claims::{Capabilities, Claims};
use super::keys::{JwkSet, KeyRing};
use crate::signaling::RoomName;

/// One key of each algorithm, the secret one first. Published ones (RFC 7515, RFC 8037), but for
/// the secret, which no input knows.
static KEYS: LazyLock<Option<KeyRing>> = LazyLock::new(|| {
    let set = json!({"keys": [
        {"kty": "oct", "k": "5tVd1hKJm0q3Cw8aXz2Yt7Rb4Nf6Lp9Gs1Hj3Ke5MoQ"},
        {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    ]});
    let set: JwkSet = serde_json::from_value(set).ok()?;
    KeyRing::new(&set, "keys.json".as_ref()).ok()
});

/// A text that is shown as a token: it lets nobody in.
pub fn token(input: &[u8]) {
    let keys = KEYS.as_ref().expect("they are keys");
    let text = String::from_utf8_lossy(input);
    assert!(keys.open::<Claims>(&text).is_err(), "let in: {text}");
}

/// What a token may say that is signed as it should be: a grant that the room can show, or none.
pub fn claims(input: &[u8]) {
    let Ok(claims) = serde_json::from_slice::<Claims>(input) else {
        return;
    };
    let (can, room) = (claims.can.is_some(), claims.room.clone());
    let asked = RoomName::parse("demo").expect("it is a name");
    if let Ok(grant) = claims.grant(&asked) {
        assert!(room == "demo" || room == "*", "let into {room}");
        assert!(can || grant.can == Capabilities::ALL);
        assert!(grant.identity.is_none_or(|it| it.chars().count() <= 128));
    }
}

/// A keys file: keys that sign what they check, or none.
pub fn keys(input: &[u8]) {
    let Ok(set) = serde_json::from_slice::<JwkSet>(input) else {
        return;
    };
    let Ok(ring) = KeyRing::new(&set, "keys.json".as_ref()) else {
        return;
    };
    let Some(signer) = ring.signer(None) else {
        return;
    };
    let claims = json!({"room": "demo", "exp": 1});
    // A pair whose halves do not belong together signs nothing.
    if let Ok(token) = signer.sign(&claims) {
        assert!(ring.open::<Claims>(&token).is_ok(), "not its own: {token}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes(input in prop::collection::vec(any::<u8>(), 0..300)) {
            token(&input);
            claims(&input);
            keys(&input);
        }

        #[test]
        fn almost_claims(
            room in "demo|[*]|[a-z]{0,70}",
            sub in ".{0,200}",
            exp in any::<f64>(),
            can in prop::option::of(prop::collection::vec("chat|subscribe|[a-z_]{0,9}", 0..5)),
        ) {
            let text = json!({"room": room, "sub": sub, "exp": exp, "can": can}).to_string();
            claims(text.as_bytes());
        }

        #[test]
        fn almost_keys(
            kty in "oct|EC|OKP",
            crv in "P-256|Ed25519",
            k in "[A-Za-z0-9_-]{40,50}",
            x in "[A-Za-z0-9_-]{43}",
            d in "[A-Za-z0-9_-]{43}",
        ) {
            let key = json!({"kty": kty, "crv": crv, "k": k, "x": x, "y": x, "d": d});
            keys(json!({ "keys": [key] }).to_string().as_bytes());
        }
    }
}
