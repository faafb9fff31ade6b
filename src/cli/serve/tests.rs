use std::fs;

use tempfile::TempDir;

use super::super::{CliError, Task, parse_from};
use super::*;
use crate::serve::{MediaPorts, Openness, TlsConfig};

fn parse(flags: &[&str]) -> Result<ServeConfig, CliError> {
    let words = ["mosaicd", "serve"].iter().chain(flags);
    match parse_from(words.map(Into::into).collect())? {
        Task::Serve(config) => Ok(*config),
        other => panic!("serve was asked for, not {other:?}"),
    }
}

fn serve(flags: &[&str]) -> Result<ServeConfig, String> {
    parse(flags).map_err(|error| match error {
        CliError::Flags(error) => error.to_string(),
        CliError::File(error) => error,
    })
}

/// A file with this text, and its path.
fn file(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mosaicd.toml");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn loopback_needs_no_media_address_and_takes_any_port() {
    let media = serve(&[]).unwrap().media;
    assert!(media.ip.is_loopback());
    assert_eq!(media.ports, MediaPorts::Shared(0));
    let media = serve(&["--listen", "[::1]:0"]).unwrap().media;
    assert!(media.ip.is_ipv6());
}

#[test]
fn a_network_address_needs_a_media_address_to_go_with_it() {
    assert!(serve(&["--open", "--listen", "0.0.0.0:80"]).is_err());
    assert!(serve(&["--open", "--listen", "0.0.0.0:80", "--media-ip", "0.0.0.0"]).is_err());
    let media = serve(&[
        "--open",
        "--listen",
        "0.0.0.0:80",
        "--media-ip",
        "192.0.2.7",
    ])
    .unwrap()
    .media;
    assert_eq!(media.ip.to_string(), "192.0.2.7");
    assert_eq!(media.ports, MediaPorts::Shared(10_000));
    let media = serve(&["--media-ip", "192.0.2.7"]).unwrap().media;
    assert_eq!(media.ports, MediaPorts::Shared(10_000));
}

#[test]
fn an_announced_address_is_what_participants_reach() {
    for listen in ["0.0.0.0:80", "127.0.0.1:80"] {
        let served = serve(&["--open", "--listen", listen, "--announce", "203.0.113.7:9"]);
        let media = served.unwrap().media;
        assert!(media.ip.is_unspecified(), "the outside leads to any inside");
        assert_eq!(media.ports, MediaPorts::Shared(10_000));
        let announce = media.announce.unwrap();
        assert_eq!(announce.ip.to_string(), "203.0.113.7");
        assert_eq!(announce.port, Some(9));
    }
    let media = serve(&["--announce", "127.0.0.1:9"]).unwrap().media;
    assert!(media.ip.is_loopback());
    assert_eq!(media.ports, MediaPorts::Shared(0));
}

#[test]
fn a_range_gives_each_participant_a_port_and_excludes_a_shared_one() {
    let media = serve(&["--media-ports", "10000-10999"]).unwrap().media;
    assert_eq!(media.ports, MediaPorts::Each(10_000..=10_999));

    assert!(serve(&["--media-ports", "1-2", "--media-port", "1"]).is_err());
    assert!(serve(&["--media-ports", "1-2", "--announce", "192.0.2.7:1"]).is_err());
    assert!(serve(&["--media-ports", "1-2", "--announce", "192.0.2.7"]).is_ok());
}

#[test]
fn a_network_is_served_only_with_keys_or_when_told_that_it_is_open() {
    let network = ["--listen", "0.0.0.0:80", "--media-ip", "192.0.2.7"];
    let with = |more: &[&str]| serve(&[&network, more].concat());

    assert!(with(&[]).unwrap_err().contains("--open"));
    assert_eq!(with(&["--open"]).unwrap().openness, Openness::Everybody);
    let keyed = with(&["--keys", "keys.json"]).unwrap();
    assert_eq!(keyed.openness, Openness::Everybody);
    assert!(keyed.access.keys.is_some());
    assert!(with(&["--open", "--keys", "keys.json"]).is_err());
    assert_eq!(serve(&[]).unwrap().openness, Openness::Loopback);
    assert_eq!(serve(&["--open"]).unwrap().openness, Openness::Everybody);
}

#[test]
fn a_certificate_needs_its_key() {
    let tls = |flags: &[&str]| serve(flags).map(|config| config.tls);

    assert_eq!(tls(&[]), Ok(None));
    assert_eq!(
        tls(&["--tls", "self-signed"]),
        Ok(Some(TlsConfig::SelfSigned))
    );
    assert!(tls(&["--tls-cert", "a"]).is_err());
    assert!(tls(&["--tls-key", "b"]).is_err());
    assert!(
        tls(&["--tls-cert", "a", "--tls-key", "b"])
            .unwrap()
            .is_some()
    );
    assert!(tls(&["--tls", "self-signed", "--tls-cert", "a", "--tls-key", "b"]).is_err());
}

#[test]
fn a_relay_needs_its_secret() {
    let (_folder, secret) = file(" north \n");
    let (_other, empty) = file("\n");
    let turn = ["--turn", "turn:192.0.2.7"];
    let with = |more: &[&str]| serve(&[&turn, more].concat());

    assert!(with(&[]).is_err());
    assert!(
        with(&["--turn-secret-file", &empty])
            .unwrap_err()
            .contains("empty")
    );
    assert!(with(&["--turn-secret-file", "/nowhere"]).is_err());
    let turn = with(&["--turn-secret-file", &secret])
        .unwrap()
        .ice_servers
        .turn
        .unwrap();
    assert_eq!(
        (turn.secret.get().as_str(), turn.lifetime.as_secs()),
        ("north", 86_400)
    );
}

#[test]
fn a_file_sets_what_flags_do_not() {
    let (_folder, path) = file(
        "max-rooms = 7\nmax-participants = 5\nopen = true\nfit = \"fill\"\n\
         origin = [\"https://a.example\", \"https://b.example\"]\n\
         [limits]\nconnections = 50\nmessage-burst = 9\n",
    );

    let config = serve(&["--config", &path]).unwrap();
    assert_eq!((config.max_rooms, config.max_participants), (7, 5));
    assert_eq!(config.openness, Openness::Everybody);
    assert_eq!(config.origins.len(), 2);
    assert_eq!(config.limits.connections, 50);

    let flags = [
        "--config",
        &path,
        "--max-rooms",
        "8",
        "--origin",
        "https://c.example",
    ];
    let limit = ["--limit", "connections=60"];
    let config = serve(&[&flags[..], &limit].concat()).unwrap();
    assert_eq!((config.max_rooms, config.max_participants), (8, 5));
    assert_eq!(config.origins.len(), 1);
    assert_eq!(
        (config.limits.connections, config.limits.message_burst),
        (60, 9)
    );
}

#[test]
fn a_listed_room_may_have_a_ladder_of_its_own_by_flag_and_by_a_file() {
    let (_folder, ladder) =
        file(r#"[{"name": "only", "size": "64x64", "fps": 30, "min_kbps": 10, "max_kbps": 40}]"#);
    let own = format!("thin={ladder}");
    let (_other, path) = file(&format!("room = [\"plain\", \"{own}\"]\n"));

    for flags in [
        ["--room", "plain", "--room", &own].as_slice(),
        &["--config", &path],
    ] {
        let rooms = serve(flags).unwrap().rooms;

        let [plain, thin] = rooms.as_slice() else {
            panic!("two rooms were given, not {rooms:?}");
        };
        assert_eq!((plain.name.as_str(), &plain.ladder), ("plain", &None));
        assert_eq!(thin.name, "thin");
        let ladder = thin.ladder.as_ref().unwrap();
        assert_eq!(ladder.top().name, "only");
    }
}

#[test]
fn webhooks_are_set_by_flags_and_by_a_file() {
    let (_folder, secret) = file("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let (_other, path) = file(&format!(
        "webhook = [\"https://a.example/\", \"http://b:80/\"]\nwebhook-plain = true\n\
         webhook-secret-file = \"{secret}\"\nwebhook-timeout = \"3s\"\nevents-kept = 7\n"
    ));

    let operators = serve(&["--config", &path]).unwrap().operators;
    let webhooks = operators.webhooks.unwrap();
    assert_eq!((operators.events_kept, webhooks.endpoints.len()), (7, 2));
    assert_eq!(
        (webhooks.answer_within.as_secs(), webhooks.keep.as_secs()),
        (3, 86_400)
    );

    let given = |urls: usize| {
        let flags = ["--webhook-secret-file", &secret];
        let urls = std::iter::repeat_n(["--webhook", "https://a.example/"], urls);
        serve(&[&flags[..], urls.flatten().collect::<Vec<_>>().as_slice()].concat())
    };
    assert!(given(0).unwrap_err().contains("--webhook"));
    assert_eq!(
        given(16)
            .unwrap()
            .operators
            .webhooks
            .unwrap()
            .endpoints
            .len(),
        16
    );
    assert!(given(17).unwrap_err().contains("at most 16"));
    assert!(serve(&["--webhook", "https://a.example/"]).is_err());
    assert!(serve(&["--events-kept", "0"]).is_err());
}

#[test]
fn a_file_that_makes_no_sense_is_one_clear_line() {
    let rows = [
        ("max-rooms = ", "not TOML"),
        ("max-roms = 7", "no setting max-roms"),
        ("config = \"other.toml\"", "no setting config"),
        (
            "max-rooms = true",
            "max-rooms is boolean, expected text, a number",
        ),
        ("open = 1", "open is integer, expected true or false"),
        ("max-rooms = \"many\"", "many"),
        ("max-rooms = 0", "--max-rooms"),
        ("[limits]\nwishes = 3", "wishes"),
        (
            "[limits]\nconnections = [1]",
            "connections is array, expected a number",
        ),
        ("limits = 3", "limits is integer, expected a table"),
        ("[listen]\nport = 1", "listen is table"),
        (
            "listen = \"0.0.0.0:80\"\nmedia-ip = \"192.0.2.7\"",
            "--open",
        ),
        (
            "media-port = 1\nmedia-ports = \"1-2\"",
            "cannot be used with",
        ),
    ];
    for (text, words) in rows {
        let (_folder, path) = file(text);

        let error = parse(&["--config", &path]);

        let Err(CliError::File(line)) = error else {
            panic!("{text}: {error:?}");
        };
        assert!(line.starts_with(&path) && line.contains(words), "{line}");
        assert!(!line.contains('\n'), "{line}");
    }
    assert!(serve(&["--config", "/nowhere/mosaicd.toml"]).is_err());
}
