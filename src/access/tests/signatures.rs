//! Whose signature it is: what the standards give as examples is taken, and nothing forged.

use proptest::prelude::*;

use super::*;
use crate::access::keys::JwkSet;

/// RFC 8037 §A.4: a signature over text that is no token of ours.
const ED25519_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCj\
                           P0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// A token with another header or content, and the signature it had.
fn forged(token: &str, header: Option<&Value>, claims: Option<&Value>) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    for (part, value) in parts.iter_mut().zip([header, claims]) {
        if let Some(value) = value {
            *part = URL_SAFE_NO_PAD.encode(value.to_string());
        }
    }
    parts.join(".")
}

#[test]
fn signatures_of_others_are_checked_as_the_standards_have_it() {
    let ring = |key: Value| {
        let set: JwkSet = serde_json::from_value(json!({ "keys": [key] })).unwrap();
        KeyRing::new(&set, "keys.json".as_ref()).unwrap()
    };
    // RFC 7515 §A.1.1; its claims are none of ours, so that any JSON is asked for.
    let hs256 = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkz\
                 ODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU\
                 1p1r_wW1gFWFOEjXk";
    let es256 = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9l\
                 eGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCg\
                 fTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    let opened = ring(json!({"kty": "oct", "k": HS256_K})).open::<Value>(hs256);
    assert_eq!(opened.unwrap()["iss"], "joe");
    let es256_key = json!({"kty": "EC", "crv": "P-256", "x": P256_X, "y": P256_Y});
    assert_eq!(ring(es256_key).open::<Value>(es256).unwrap()["iss"], "joe");
    let ed25519 = ring(json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519_X}));
    assert_eq!(
        ed25519.open::<Value>(ED25519_JWS),
        Err(Denied::Bad("a claim is missing or of the wrong kind")),
        "well signed, but the content is no JSON"
    );
    let other = ED25519_JWS.replace(".hgyY", ".hgyZ");
    assert_eq!(
        ed25519.open::<Value>(&other),
        Err(Denied::Bad("its signature is not by a key of this server"))
    );
}

#[test]
fn the_key_says_which_algorithm_it_is_and_no_token_does() {
    let ec =
        json!({"kty": "EC", "kid": "a", "crv": "P-256", "x": P256_X, "y": P256_Y, "d": P256_D});
    let pair = keys(&json!({ "keys": [ec] }));
    let token = pair.token(|_| {});
    // The public key is no secret: whoever takes it for one signs with it.
    let x = URL_SAFE_NO_PAD.decode(P256_X).unwrap();
    let y = URL_SAFE_NO_PAD.decode(P256_Y).unwrap();
    let public = URL_SAFE_NO_PAD.encode([vec![4], x, y].concat());
    let confuser = keys(&json!({"keys": [{"kty": "oct", "kid": "a", "k": public}]}));

    let no_key = Err(Denied::Bad("there is no such key here (alg, kid)"));
    assert_eq!(pair.judge(&confuser.token(|_| {})), no_key);
    let no_token = Err(Denied::Bad("it is no JSON Web Token"));
    for algorithm in ["none", "None", "HS1", ""] {
        let header = json!({"alg": algorithm, "kid": "a"});
        assert_eq!(pair.judge(&forged(&token, Some(&header), None)), no_token);
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        let unsigned = forged(&format!("{unsigned}."), Some(&header), None);
        assert_eq!(pair.judge(&unsigned), no_token);
    }
    for algorithm in ["HS256", "HS512", "EdDSA", "RS256", "ES384"] {
        let header = json!({"alg": algorithm, "kid": "a"});
        assert_eq!(pair.judge(&forged(&token, Some(&header), None)), no_key);
    }
}

#[test]
fn what_is_forged_cut_off_or_no_token_at_all_is_refused() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let token = keys.token(|_| {});
    let claims = json!({"room": "demo", "exp": NOW_S + 1_000_000});
    let critical = json!({"alg": "HS256", "kid": "a", "crit": ["exp"]});
    let long = "x".repeat(MAX_CREDENTIAL_BYTES + 1);

    for bad in [
        "",
        ".",
        "..",
        "...",
        "token",
        "\u{0}.ü.🙂",
        &token[..token.len() - 1],
        &format!("{token}."),
        &forged(&token, None, Some(&claims)),
        &forged(&token, Some(&json!({"alg": "HS256", "kid": "b"})), None),
        &forged(&token, Some(&critical), None),
        &long,
    ] {
        assert!(matches!(keys.judge(bad), Err(Denied::Bad(_))), "{bad}");
    }
    let checked = keys.checked(|_| {});
    let missing = checked.judge(None, &room("demo"), Visit::First, at(NOW_S));
    assert_eq!(missing, Err(Denied::Missing));
}

proptest! {
    #[test]
    fn no_text_whatever_lets_anybody_in(text in ".{0,200}", parts in "[A-Za-z0-9_-]{0,40}([.][A-Za-z0-9_-]{0,40}){2}") {
        let keys = keys(&json!({ "keys": [hs256("a", 1)] }));

        for token in [text, parts] {
            prop_assert!(matches!(keys.judge(&token), Err(Denied::Bad(_))));
        }
    }

    #[test]
    fn no_letter_of_a_token_can_be_another(at in 0_usize..1000, letter in "[A-Za-z0-9_.-]") {
        let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
        let token = keys.token(|_| {});
        let at = at % token.len();
        let mut changed = token.clone();
        changed.replace_range(at..=at, &letter);
        prop_assume!(changed != token);

        prop_assert!(matches!(keys.judge(&changed), Err(Denied::Bad(_))));
    }
}
