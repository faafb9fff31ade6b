//! What the daemon refuses to begin with, and the commands that make keys and tokens.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use crate::daemon::{Daemon, binary};
use crate::keys::join;
use crate::socket::{Conversation, Socket};
use mosaicd::signaling::message::{ErrorCode, ServerMessage};

fn run(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(binary()?).args(arguments).output()?)
}

#[test]
fn a_network_is_not_served_to_everybody_by_mistake() -> anyhow::Result<()> {
    let served = run(&["serve", "--listen", "0.0.0.0:0", "--media-ip", "127.0.0.1"])?;

    assert_eq!(served.status.code(), Some(2));
    let said = String::from_utf8(served.stderr)?;
    assert!(said.contains("--keys") && said.contains("--open"), "{said}");
    Ok(())
}

#[test]
fn a_bad_configuration_file_ends_with_64_and_one_line() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mosaicd.toml");
    std::fs::write(&file, "[limits]\nconnections = 0\n")?;
    let path = file.display().to_string();

    let served = run(&["serve", "--config", &path])?;

    assert_eq!(served.status.code(), Some(64));
    let said = String::from_utf8(served.stderr)?;
    assert_eq!(
        said,
        format!("mosaicd: {path}: --limit: connections is 0, expected 1 to 1000000\n")
    );
    Ok(())
}

#[test]
fn keys_that_are_none_are_told_before_anything_is_served() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("keys.json");
    std::fs::write(&file, r#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#)?;
    let path = file.display().to_string();

    let served = run(&["serve", "--listen", "127.0.0.1:0", "--keys", &path])?;

    assert_eq!(served.status.code(), Some(1));
    let said = String::from_utf8(served.stderr)?;
    assert!(said.contains("key 1: the secret (k) is shorter"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_key_and_a_token_made_on_the_command_line_let_somebody_in() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("keys.json");
    let path = file.display().to_string();
    let made = run(&["keys", &path, "--algorithm", "EdDSA"])?;
    assert!(made.status.success(), "{made:?}");
    assert_eq!(
        std::fs::metadata(&file)?.permissions().mode() & 0o777,
        0o600
    );
    let daemon = Daemon::start(&["--keys", &path])?;

    let flags = [
        "token",
        "--keys",
        &path,
        "--room",
        "demo",
        "--identity",
        "ann",
        "--name",
        "Ann",
    ];
    let more = [
        "--role",
        "moderator",
        "--can",
        "subscribe,chat",
        "--valid",
        "2h",
    ];
    let token = run(&[&flags[..], &more].concat())?;
    let token = String::from_utf8(token.stdout)?;
    let mut ann = Socket::open(&daemon.address).await?;
    ann.say(&join(token.trim())).await?;

    let ServerMessage::Joined(joined) = ann.hear().await? else {
        anyhow::bail!("not joined");
    };
    assert_eq!(joined.participants[0].name, "Ann");
    let other = run(&["token", "--keys", &path, "--room", "b"])?;
    let other = String::from_utf8(other.stdout)?;
    let mut bob = Socket::open(&daemon.address).await?;
    let code = bob.refusal_code(&join(other.trim())).await?;
    assert_eq!(code, ErrorCode::NotThisRoom);
    Ok(())
}

#[test]
fn a_token_that_no_server_would_take_is_not_made() -> anyhow::Result<()> {
    for flags in [["--room", "a b"], ["--room", ""]] {
        let made = run(&[&["token", "--keys", "keys.json"], &flags[..]].concat())?;
        assert_eq!(made.status.code(), Some(2), "{flags:?}");
    }
    let made = run(&["token", "--keys", "/nowhere/keys.json", "--room", "a"])?;
    assert_eq!(made.status.code(), Some(1));
    Ok(())
}
