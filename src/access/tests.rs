use std::fs;
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::keys::JwkSet;
use super::token::{KeyKind, KeysConfig, TokenConfig, add_key, make};
use super::*;

/// RFC 7515 §A.3.1.
const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const P256_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

/// RFC 8037 §A.1 and §A.4: a signature over text that is no token of ours.
const ED25519_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED25519_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCj\
                           P0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

/// RFC 7515 §A.1.
const HS256_K: &str =
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

const NOW_S: u64 = 2_000_000_000;

struct KeysFile {
    folder: TempDir,
}

fn keys(set: &Value) -> KeysFile {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("keys.json"), set.to_string()).unwrap();
    KeysFile { folder }
}

fn hs256(kid: &str, first: u8) -> Value {
    let secret = URL_SAFE_NO_PAD.encode([first; 32]);
    json!({"kty": "oct", "kid": kid, "alg": "HS256", "k": secret})
}

impl KeysFile {
    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn checked(&self, change: impl FnOnce(&mut AccessConfig)) -> Keys {
        let mut config = AccessConfig {
            keys: Some(self.path()),
            ..AccessConfig::default()
        };
        change(&mut config);
        Access::new(&config, Arc::default()).unwrap().keys.unwrap()
    }

    fn judge(&self, token: &str) -> Result<Grant, Denied> {
        judge(&self.checked(|_| {}), token, NOW_S, Visit::First)
    }

    fn token(&self, change: impl FnOnce(&mut TokenConfig)) -> String {
        let mut config = TokenConfig {
            keys: self.path(),
            kid: None,
            room: "demo".to_owned(),
            identity: Some("ann".to_owned()),
            name: Some("Ann".to_owned()),
            role: Some(Role::Moderator),
            can: None,
            valid: Duration::from_secs(60),
            issuer: None,
            audience: None,
        };
        change(&mut config);
        make(&config, at(NOW_S)).unwrap()
    }

    /// Signs whatever it is.
    fn sign(&self, claims: &Value) -> String {
        let ring = KeyRing::read(&self.path()).unwrap();
        ring.signer(None).unwrap().sign(claims).unwrap()
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn judge(keys: &Keys, token: &str, now_s: u64, visit: Visit) -> Result<Grant, Denied> {
    keys.judge(Some(token), &room("demo"), visit, at(now_s))
}

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
fn a_token_of_each_algorithm_grants_what_it_says() {
    let kinds = [
        hs256("a", 1),
        json!({"kty": "EC", "kid": "a", "crv": "P-256", "x": P256_X, "y": P256_Y, "d": P256_D}),
        json!({"kty": "OKP", "kid": "a", "crv": "Ed25519",
               "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
               "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}),
    ];
    for key in kinds {
        let keys = keys(&json!({ "keys": [key] }));

        let grant = keys.judge(&keys.token(|_| {})).unwrap();

        assert_eq!(
            grant,
            Grant {
                identity: Some("ann".to_owned()),
                name: DisplayName::parse("Ann"),
                role: Some(Role::Moderator),
                can: Capabilities::ALL,
                until: Some(at(NOW_S + 60)),
            }
        );
    }
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
fn while_keys_change_both_are_good_and_then_only_the_new_one() {
    let old = keys(&json!({ "keys": [hs256("old", 1)] }));
    let both = keys(&json!({ "keys": [hs256("old", 1), hs256("new", 2)] }));
    let new = keys(&json!({ "keys": [hs256("new", 2)] }));
    let (by_old, by_new) = (old.token(|_| {}), both.token(|_| {}));

    assert!(both.judge(&by_old).is_ok());
    assert!(both.judge(&by_new).is_ok());
    assert!(new.judge(&by_new).is_ok(), "the last key in the file signs");
    assert_eq!(
        new.judge(&by_old),
        Err(Denied::Bad("there is no such key here (alg, kid)"))
    );
}

#[test]
fn the_file_is_read_again_and_one_that_is_no_good_changes_nothing() {
    let keys = keys(&json!({ "keys": [hs256("old", 1)] }));
    let token = keys.token(|_| {});
    let config = AccessConfig {
        keys: Some(keys.path()),
        ..AccessConfig::default()
    };
    let access = Access::new(&config, Arc::default()).unwrap();
    let is_good = || access.judge(Some(&token), &room("demo"), Visit::Again);

    fs::write(keys.path(), "{").unwrap();
    access.file().unwrap().read_again();
    assert!(is_good().is_ok());

    fs::write(
        keys.path(),
        json!({"keys": [hs256("a", 3), hs256("b", 4)]}).to_string(),
    )
    .unwrap();
    access.file().unwrap().read_again();
    assert!(is_good().is_err());
}

#[test]
fn a_token_that_names_no_key_is_tried_with_all_of_its_algorithm() {
    let nameless = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode([2; 32])});
    let signer = keys(&json!({ "keys": [nameless] }));
    let server = keys(&json!({ "keys": [hs256("a", 1), hs256("b", 2), hs256("c", 3)] }));

    assert!(server.judge(&signer.token(|_| {})).is_ok());
    let stranger = keys(&json!({"keys": [{"kty": "oct", "k": URL_SAFE_NO_PAD.encode([9; 32])}]}));
    assert_eq!(
        server.judge(&stranger.token(|_| {})),
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

#[test]
fn a_token_is_good_from_its_beginning_to_its_end_by_clocks_that_differ_a_little() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let token = keys.sign(&json!({"room": "demo", "nbf": NOW_S, "exp": NOW_S + 100}));
    let checked = keys.checked(|_| {});
    let first = |now_s| judge(&checked, &token, now_s, Visit::First);

    let wait = Duration::from_secs(31);
    assert_eq!(first(NOW_S - 31), Err(Denied::TooEarly { wait }));
    assert!(first(NOW_S - 30).is_ok());
    assert!(first(NOW_S + 129).is_ok());
    let ago = Duration::from_secs(30);
    assert_eq!(first(NOW_S + 130), Err(Denied::Expired { ago }));
    let again = judge(&checked, &token, NOW_S + 1_000_000, Visit::Again);
    assert!(again.is_ok(), "who was in may come back");
}

#[test]
fn times_are_numbers_of_any_kind_and_nothing_else() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let with = |exp: Value| keys.judge(&keys.sign(&json!({"room": "demo", "exp": exp})));

    assert!(with(json!(NOW_S + 1)).is_ok());
    assert!(with(json!(2_000_000_000.75)).is_ok());
    for bad in [
        json!("2000000001"),
        json!(-1),
        json!(1e300),
        json!(null),
        json!([]),
    ] {
        assert!(matches!(with(bad), Err(Denied::Bad(_))));
    }
    let endless = keys.sign(&json!({"room": "demo"}));
    assert!(matches!(keys.judge(&endless), Err(Denied::Bad(_))));
    let text = keys.sign(&json!({"room": "demo", "exp": NOW_S + 1, "nbf": "tomorrow"}));
    assert!(matches!(keys.judge(&text), Err(Denied::Bad(_))));
}

#[test]
fn a_token_is_for_its_room_or_with_a_star_for_any() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let with = |room: &str| keys.judge(&keys.token(|token| token.room = room.to_owned()));

    assert!(with("demo").is_ok());
    assert!(with("*").is_ok());
    for other in ["Demo", "dem", "demo2", "dem*", ""] {
        assert_eq!(with(other), Err(Denied::OtherRoom), "{other}");
    }
}

#[test]
fn issuer_and_audience_are_asked_for_where_the_configuration_does() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let checked = keys.checked(|config| {
        config.issuer = Some("app".to_owned());
        config.audience = Some("mosaic".to_owned());
    });
    let with = |iss: Option<&str>, aud: Value| {
        let claims = json!({"room": "demo", "exp": NOW_S + 1, "iss": iss, "aud": aud});
        judge(&checked, &keys.sign(&claims), NOW_S, Visit::First).is_ok()
    };

    assert!(with(Some("app"), json!("mosaic")));
    assert!(with(Some("app"), json!(["other", "mosaic"])));
    assert!(!with(Some("other"), json!("mosaic")));
    assert!(!with(None, json!("mosaic")));
    assert!(!with(Some("app"), json!("other")));
    assert!(!with(Some("app"), json!([])));
    assert!(!with(Some("app"), json!(null)));
}

#[test]
fn capabilities_are_those_named_and_all_where_none_are() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let with = |can: Value| {
        let token = keys.sign(&json!({"room": "demo", "exp": NOW_S + 1, "can": can}));
        keys.judge(&token).map(|grant| grant.can)
    };
    let none = Capabilities {
        publish_audio: false,
        publish_video: false,
        subscribe: false,
        chat: false,
    };

    assert_eq!(with(json!(null)), Ok(Capabilities::ALL));
    assert_eq!(with(json!([])), Ok(none));
    assert_eq!(with(json!(["fly"])), Ok(none));
    let listener = Capabilities {
        subscribe: true,
        ..none
    };
    assert_eq!(with(json!(["subscribe", "fly"])), Ok(listener));
    assert!(matches!(with(json!("subscribe")), Err(Denied::Bad(_))));
}

#[test]
fn claims_that_the_room_could_not_show_are_refused() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let with = |more: Value| {
        let mut claims = json!({"room": "demo", "exp": NOW_S + 1});
        claims
            .as_object_mut()
            .unwrap()
            .append(&mut more.as_object().unwrap().clone());
        keys.judge(&keys.sign(&claims))
    };

    for bad in [
        json!({"name": "x".repeat(65)}),
        json!({"name": "a\u{0}b"}),
        json!({"sub": "x".repeat(129)}),
        json!({"role": "owner"}),
        json!({"room": 7}),
    ] {
        assert!(matches!(with(bad.clone()), Err(Denied::Bad(_))), "{bad}");
    }
    assert!(with(json!({"email": "ann@example.org"})).is_ok());
}

#[test]
fn keys_that_are_none_are_named_by_their_number() {
    let rows = [
        (json!({"kty": "oct", "k": "c2hvcnQ"}), "shorter"),
        (json!({"kty": "oct"}), "missing"),
        (json!({"kty": "oct", "k": "!"}), "base64url"),
        (json!({"kty": "oct", "k": HS256_K, "alg": "HS512"}), "alg"),
        (json!({"kty": "oct", "k": HS256_K, "alg": "ES256"}), "alg"),
        (json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), "kty"),
        (
            json!({"kty": "EC", "crv": "P-384", "x": P256_X, "y": P256_Y}),
            "P-256",
        ),
        (json!({"kty": "EC", "crv": "P-256", "x": P256_X}), "missing"),
        (
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"}),
            "32 bytes",
        ),
        (
            json!({"kty": "OKP", "crv": "X25519", "x": ED25519_X}),
            "Ed25519",
        ),
    ];
    for (bad, word) in rows {
        let file = keys(&json!({ "keys": [hs256("a", 1), bad] }));

        let error = KeyRing::read(&file.path()).unwrap_err().to_string();

        assert!(error.contains("key 2: ") && error.contains(word), "{error}");
    }
    let none = keys(&json!({ "keys": [] }));
    assert!(matches!(
        KeyRing::read(&none.path()),
        Err(KeysError::Count { count: 0, .. })
    ));
}

#[test]
fn made_keys_sign_tokens_that_they_check_and_one_without_its_private_half_does_not() {
    for kind in [KeyKind::Secret, KeyKind::Pair] {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeysFile { folder };
        let file = keys.path();
        add_key(&KeysConfig { file, kind }).unwrap();
        let can = Some(vec![Capability::Subscribe]);

        let token = keys.token(|token| token.can = can);

        assert!(!keys.judge(&token).unwrap().can.publish_audio);
    }
    let public = keys(&json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": ED25519_X}]}));
    let ring = KeyRing::read(&public.path()).unwrap();
    assert!(ring.signer(None).is_none());
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

#[test]
fn without_keys_everybody_is_let_in_as_nobody() {
    let access = Access::default();

    assert_eq!(access.admit(None, &room("a")), Ok(Grant::anybody()));
    assert_eq!(access.admit(Some("junk"), &room("a")), Ok(Grant::anybody()));
}

#[test]
fn each_kind_of_refusal_is_counted() {
    let keys = keys(&json!({ "keys": [hs256("a", 1)] }));
    let counters = Arc::new(Counters::default());
    let config = AccessConfig {
        keys: Some(keys.path()),
        ..AccessConfig::default()
    };
    let access = Access::new(&config, Arc::clone(&counters)).unwrap();
    let expired = keys.sign(&json!({"room": "demo", "exp": 1}));
    let other = keys.sign(&json!({"room": "other", "exp": 4_000_000_000_u64}));

    for credential in [None, Some("junk"), Some(&expired), Some(&other)] {
        assert!(access.admit(credential, &room("demo")).is_err());
    }

    let snapshot = counters.snapshot();
    for name in ["auth_required", "bad_auth", "auth_expired", "not_this_room"] {
        assert_eq!(snapshot[name], 1, "{name}");
    }
}
