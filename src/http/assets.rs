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

const ASSETS: &[Asset] = &[
    Asset {
        path: "/",
        content_type: HTML,
        body: include_str!("../web/index.html"),
    },
    Asset {
        path: "/app.js",
        content_type: SCRIPT,
        body: include_str!("../web/app.js"),
    },
    Asset {
        path: "/carriers.js",
        content_type: SCRIPT,
        body: include_str!("../web/carriers.js"),
    },
    Asset {
        path: "/chat.js",
        content_type: SCRIPT,
        body: include_str!("../web/chat.js"),
    },
    Asset {
        path: "/devices.js",
        content_type: SCRIPT,
        body: include_str!("../web/devices.js"),
    },
    Asset {
        path: "/errors.js",
        content_type: SCRIPT,
        body: include_str!("../web/errors.js"),
    },
    Asset {
        path: "/host.js",
        content_type: SCRIPT,
        body: include_str!("../web/host.js"),
    },
    Asset {
        path: "/icon.svg",
        content_type: SVG,
        body: include_str!("../web/icon.svg"),
    },
    Asset {
        path: "/icons.svg",
        content_type: SVG,
        body: include_str!("../web/icons.svg"),
    },
    Asset {
        path: "/lobby.js",
        content_type: SCRIPT,
        body: include_str!("../web/lobby.js"),
    },
    Asset {
        path: "/memory.js",
        content_type: SCRIPT,
        body: include_str!("../web/memory.js"),
    },
    Asset {
        path: "/menu.js",
        content_type: SCRIPT,
        body: include_str!("../web/menu.js"),
    },
    Asset {
        path: "/menus.js",
        content_type: SCRIPT,
        body: include_str!("../web/menus.js"),
    },
    Asset {
        path: "/messages.schema.json",
        content_type: JSON_SCHEMA,
        body: include_str!("../web/messages.schema.json"),
    },
    Asset {
        path: "/mosaic.d.ts",
        content_type: TYPESCRIPT,
        body: include_str!("../web/mosaic.d.ts"),
    },
    Asset {
        path: "/mosaic.js",
        content_type: SCRIPT,
        body: include_str!("../web/mosaic.js"),
    },
    Asset {
        path: "/news.js",
        content_type: SCRIPT,
        body: include_str!("../web/news.js"),
    },
    Asset {
        path: "/own.js",
        content_type: SCRIPT,
        body: include_str!("../web/own.js"),
    },
    Asset {
        path: "/panels.js",
        content_type: SCRIPT,
        body: include_str!("../web/panels.js"),
    },
    Asset {
        path: "/people.js",
        content_type: SCRIPT,
        body: include_str!("../web/people.js"),
    },
    Asset {
        path: "/say.js",
        content_type: SCRIPT,
        body: include_str!("../web/say.js"),
    },
    Asset {
        path: "/session.js",
        content_type: SCRIPT,
        body: include_str!("../web/session.js"),
    },
    Asset {
        path: "/stage.js",
        content_type: SCRIPT,
        body: include_str!("../web/stage.js"),
    },
    Asset {
        path: "/style.css",
        content_type: CSS,
        body: include_str!("../web/style.css"),
    },
    Asset {
        path: "/view.js",
        content_type: SCRIPT,
        body: include_str!("../web/view.js"),
    },
    Asset {
        path: "/words.js",
        content_type: SCRIPT,
        body: include_str!("../web/words.js"),
    },
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
