//! Who has no key, a wrong one, or one that is none: they learn nothing.

use crate::daemon::{Daemon, binary};
use crate::http::ask;
use crate::served::{BEARER, Served, code};

#[tokio::test]
async fn without_a_key_there_is_no_interface() -> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;

    for path in ["/api/v1/rooms", "/api/v1/openapi.json", "/api/v1"] {
        let answer = ask(&daemon.address, ("GET", path), &[BEARER], Vec::new()).await?;
        assert_eq!(answer.status(), 404, "{path}");
    }
    Ok(())
}

#[test]
fn a_key_that_can_be_guessed_is_refused_before_anything_is_served() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("key");
    std::fs::write(&file, "secret\n")?;
    let file = file.display().to_string();

    let flags = ["serve", "--listen", "127.0.0.1:0", "--api-key-file", &file];
    let served = std::process::Command::new(binary()?).args(flags).output()?;

    assert_eq!(served.status.code(), Some(2));
    let said = String::from_utf8(served.stderr)?;
    assert!(said.contains("the key has 6 bytes"), "{said}");
    Ok(())
}

#[tokio::test]
async fn whoever_has_no_key_learns_nothing() -> anyhow::Result<()> {
    let served = Served::start(&[])?;
    let wrong = [("authorization", "Bearer a-key-of-a-stranger")];
    let scheme = [("authorization", "Basic a-key-of-an-operator")];
    let address = served.address();

    for path in ["/api/v1/rooms", "/api/v1/nothing", "/api/v1/openapi.json"] {
        let answer = ask(address, ("GET", path), &[], Vec::new()).await?;
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(code(answer).await?, "key_required", "{path}");
        let answer = ask(address, ("GET", path), &wrong, Vec::new()).await?;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(code(answer).await?, "wrong_key", "{path}");
    }
    let answer = ask(address, ("GET", "/api/v1/rooms"), &scheme, Vec::new()).await?;
    assert_eq!(code(answer).await?, "key_required");
    let refused = served.get("/status").await?["refused"]["api_keys"].clone();
    assert_eq!(refused, 7);
    Ok(())
}

#[tokio::test]
async fn who_has_shown_too_many_wrong_keys_has_to_wait_even_with_the_right_one()
-> anyhow::Result<()> {
    let served = Served::start(&["--limit", "wrong-keys-per-minute=2"])?;
    let wrong = [("authorization", "Bearer a-key-of-a-stranger")];
    let status = ("GET", "/api/v1/status");

    for expected in [401, 401, 429] {
        let answer = ask(served.address(), status, &wrong, Vec::new()).await?;
        assert_eq!(answer.status(), expected);
    }

    let answer = served.ask("GET", "/status", None).await?;
    assert_eq!(answer.status(), 429);
    let wait: u64 = answer.header("retry-after").parse()?;
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(code(answer).await?, "rate_limited");
    Ok(())
}
