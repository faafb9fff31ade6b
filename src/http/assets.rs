//! The conference page, the client and what describes its messages, embedded in the binary.

use axum::Router;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::get;

use super::Doors;

/// Scripts, styles and connections from here only; nobody may frame the page, since it holds the
/// permission for the camera.
const SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; \
                               base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const JSON_SCHEMA: &str = "application/schema+json";
const SVG: &str = "image/svg+xml";
const TYPESCRIPT: &str = "text/plain; charset=utf-8";

/// One embedded file.
struct Asset {
    path: &'static str,
    content_type: &'static str,
    body: &'static str,
}

/// The file of this name in `src/web`, below the root.
macro_rules! asset {
    ($name:literal, $content_type:ident) => {
        Asset {
            path: concat!("/", $name),
            content_type: $content_type,
            body: include_str!(concat!("../web/", $name)),
        }
    };
}

const ASSETS: &[Asset] = &[
    Asset {
        path: "/",
        ..asset!("index.html", HTML)
    },
    asset!("app.js", SCRIPT),
    asset!("carriers.js", SCRIPT),
    asset!("chat.js", SCRIPT),
    asset!("devices.js", SCRIPT),
    asset!("errors.js", SCRIPT),
    asset!("host.js", SCRIPT),
    asset!("icon.svg", SVG),
    asset!("icons.svg", SVG),
    asset!("lobby.js", SCRIPT),
    asset!("memory.js", SCRIPT),
    asset!("menu.js", SCRIPT),
    asset!("menus.js", SCRIPT),
    asset!("messages.schema.json", JSON_SCHEMA),
    asset!("mosaic.d.ts", TYPESCRIPT),
    asset!("mosaic.js", SCRIPT),
    asset!("news.js", SCRIPT),
    asset!("own.js", SCRIPT),
    asset!("panels.js", SCRIPT),
    asset!("people.js", SCRIPT),
    asset!("say.js", SCRIPT),
    asset!("session.js", SCRIPT),
    asset!("stage.js", SCRIPT),
    asset!("style.css", CSS),
    asset!("view.js", SCRIPT),
    asset!("words.js", SCRIPT),
];

/// The routes of all embedded files.
pub(super) fn router() -> Router<Doors> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        let Asset {
            path,
            content_type,
            body,
        } = asset;
        router.route(path, get(|| async { respond(content_type, body) }))
    })
}

fn respond(content_type: &'static str, body: &'static str) -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-cache"),
        // A module imported into somebody else's page is refused without it; there is nothing
        // secret in these files.
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (CONTENT_SECURITY_POLICY, SECURITY_POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, body)
}
