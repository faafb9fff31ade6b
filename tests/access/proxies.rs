//! Pages of elsewhere, strangers at a server for its own machine, and proxies that are trusted or
//! not.

use mosaicd::access::token::KeyKind;
use mosaicd::signaling::message::ErrorCode;
use tokio::net::TcpStream;

use crate::daemon::Daemon;
use crate::http::{ask, get, refused};
use crate::keys::Keys;
use crate::socket::Socket;

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
async fn a_page_of_a_listed_origin_may_ask_with_a_token_and_read_the_answer() -> anyhow::Result<()>
{
    let limits = ["--limit", "sessions-per-address=1"];
    let daemon = Daemon::start(&[&limits[..], &["--origin", "https://app.example"]].concat())?;
    let preflight = async |origin| {
        let stream = TcpStream::connect(&daemon.address).await?;
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "GET"),
            ("access-control-request-headers", "authorization"),
        ];
        ask(stream, &daemon.address, ("OPTIONS", "/ws"), &headers).await
    };

    let ours = preflight("https://app.example").await?;
    let theirs = preflight("https://evil.example").await?;

    assert_eq!(ours.status, 204);
    let allowed = ours.header("access-control-allow-headers");
    assert!(allowed.is_some_and(|names| names.contains("Authorization")));
    assert_eq!(theirs.status, 403);
    let _ann = Socket::open(&daemon.address).await?;
    let refused = refused(&daemon.address, &[("origin", "https://app.example")]).await?;
    assert_eq!(refused.status, 429);
    let readable = refused.header("access-control-allow-origin");
    assert_eq!(readable, Some("https://app.example"));
    assert_eq!(refused.header("vary"), Some("Origin"));
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

    let _one = Socket::open_with(&trusting.address, &ann).await?;
    let _other = Socket::open_with(&trusting.address, &bob).await?;
    assert_eq!(refused(&trusting.address, &ann).await?.status, 429);

    let _one = Socket::open_with(&wary.address, &ann).await?;
    assert_eq!(refused(&wary.address, &bob).await?.status, 429);
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
