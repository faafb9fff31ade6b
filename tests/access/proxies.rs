//! Pages of elsewhere, strangers at a server for its own machine, and proxies that are trusted or
//! not.

use mosaicd::access::token::KeyKind;
use mosaicd::signaling::message::ErrorCode;

use crate::daemon::Daemon;
use crate::http::{get, refused};
use crate::keys::Keys;
use crate::requests::ask;
use crate::socket::{Conversation, Socket};

#[tokio::test]
async fn pages_of_the_server_and_of_listed_origins_may_connect_and_no_others() -> anyhow::Result<()>
{
    let daemon = Daemon::start(&["--origin", "https://app.example"])?;
    let own = format!("http://{}", daemon.address);

    for origin in [own.as_str(), "https://app.example"] {
        Socket::open_with(&daemon.address, &[("origin", origin)]).await?;
    }
    Socket::open(&daemon.address).await?.ping().await?;

    for origin in ["https://evil.example", "http://app.example", "null"] {
        let answer = refused(&daemon.address, &[("origin", origin)]).await?;
        assert_eq!(answer.status, 403, "{origin}");
        assert_eq!(answer.error()?.code, ErrorCode::WrongOrigin);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    for (method, path) in [("POST", "/sessions"), ("GET", "/sessions/x/poll")] {
        let from = [("origin", "https://evil.example")];
        let answer = ask(&daemon.address, (method, path), &from, Vec::new()).await?;
        assert_eq!(answer.status(), 403, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    let page = get(
        &daemon.address,
        "/mosaic.js",
        &[("origin", "https://a.example")],
    )
    .await?;
    assert_eq!(page.status, 200, "the client is for everybody to import");
    Ok(())
}

#[tokio::test]
async fn a_listed_page_may_read_the_answers_to_its_requests_and_ask_before_them()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&["--origin", "https://app.example"])?;
    let from = [("origin", "https://app.example")];
    let join = r#"{"type":"join","version":1,"room":"demo"}"#;

    let before = ask(&daemon.address, ("OPTIONS", "/sessions"), &from, Vec::new()).await?;
    let begun = ask(&daemon.address, ("POST", "/sessions"), &from, join.into()).await?;

    assert_eq!(before.status(), 204);
    let methods = before.header("access-control-allow-methods");
    assert!(methods.contains("POST"));
    let headers = before.header("access-control-allow-headers");
    assert!(headers.contains("Authorization") && headers.contains("Content-Type"));
    assert_eq!(begun.status(), 201);
    for answer in [&before, &begun] {
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "https://app.example"
        );
        assert_eq!(answer.header("vary"), "Origin");
        let readable = answer.header("access-control-expose-headers");
        assert!(readable.contains("Location") && readable.contains("Retry-After"));
    }
    let path = format!("/{}", begun.header("location"));
    let stranger = [("origin", "https://evil.example")];
    let refused = ask(&daemon.address, ("DELETE", &path), &stranger, Vec::new()).await?;
    assert_eq!(refused.status(), 403);
    let left = ask(&daemon.address, ("DELETE", &path), &from, Vec::new()).await?;
    assert_eq!(left.status(), 204);
    Ok(())
}

#[tokio::test]
async fn a_server_without_keys_serves_its_own_machine_and_nobody_through_a_proxy()
-> anyhow::Result<()> {
    let daemon = Daemon::start(&[])?;
    let trusting = Daemon::start(&["--trusted-proxy", "127.0.0.1"])?;
    let told = Daemon::start(&["--open"])?;
    let elsewhere = ("x-forwarded-for", "192.0.2.1");

    // As a browser asks, whose name for evil.example was made to lead here.
    let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
    for headers in [
        &rebound[..],
        &[elsewhere],
        &[("forwarded", "for=192.0.2.1")],
    ] {
        let answer = refused(&daemon.address, headers).await?;
        assert_eq!(answer.status, 401, "{headers:?}");
        assert_eq!(answer.error()?.code, ErrorCode::AuthRequired);
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    daemon.lines_with("a proxy passes requests on", 1).await?;
    assert_eq!(refused(&trusting.address, &[elsewhere]).await?.status, 401);
    Socket::open_with(&trusting.address, &[("x-forwarded-for", "127.0.0.1")]).await?;
    Socket::open_with(&told.address, &[elsewhere]).await?;
    Ok(())
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_asks() -> anyhow::Result<()> {
    let keys = Keys::new(KeyKind::Secret)?;
    let path = keys.path();
    let flags = ["--keys", &path, "--limit", "sessions-per-address=1"];
    let trusting = Daemon::start(&[&flags[..], &["--trusted-proxy", "127.0.0.1"]].concat())?;
    let wary = Daemon::start(&flags)?;
    let (ann, bob) = (
        [("x-forwarded-for", "203.0.113.9, 192.0.2.1")],
        [("x-forwarded-for", "203.0.113.9, 192.0.2.2")],
    );

    let begin = async |address, from| {
        let mut socket = Socket::open_with(address, from).await?;
        socket.ping().await.map(|()| socket)
    };
    let refuse = async |address, from| {
        let ping = r#"{"type":"ping"}"#;
        ask(address, ("POST", "/sessions"), from, ping.into()).await
    };

    let _one = begin(&trusting.address, &ann).await?;
    let _other = begin(&trusting.address, &bob).await?;
    assert_eq!(refuse(&trusting.address, &ann).await?.status(), 429);

    let _one = begin(&wary.address, &ann).await?;
    assert_eq!(refuse(&wary.address, &bob).await?.status(), 429);
    Ok(())
}

#[tokio::test]
async fn the_name_and_scheme_a_trusted_proxy_was_asked_for_make_the_origin() -> anyhow::Result<()> {
    let daemon = Daemon::start(&["--open", "--trusted-proxy", "127.0.0.1"])?;
    let asked = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-host", "mosaic.example"),
        ("x-forwarded-proto", "https"),
    ];
    let of = |origin| [&asked[..], &[("origin", origin)]].concat();

    Socket::open_with(&daemon.address, &of("https://mosaic.example")).await?;
    for other in ["http://mosaic.example", "https://evil.example"] {
        assert_eq!(refused(&daemon.address, &of(other)).await?.status, 403);
    }
    Ok(())
}
