//! The keys in a file: which are good, which of them checks a token, and how they change.

use super::*;

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
