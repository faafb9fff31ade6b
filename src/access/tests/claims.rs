//! What a token that is well signed says: when, where, whom by, and what it allows.

use super::*;

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
