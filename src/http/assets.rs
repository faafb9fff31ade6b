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
    asset!("address.js", SCRIPT),
    asset!("app.js", SCRIPT),
    asset!("chat.js", SCRIPT),
    asset!("chooser.js", SCRIPT),
    asset!("controls.js", SCRIPT),
    asset!("devices.js", SCRIPT),
    asset!("host.js", SCRIPT),
    asset!("icon.svg", SVG),
    asset!("icons.svg", SVG),
    asset!("link.js", SCRIPT),
    asset!("lobby.js", SCRIPT),
    asset!("memory.js", SCRIPT),
    asset!("menu.js", SCRIPT),
    asset!("menus.js", SCRIPT),
    asset!("messages.schema.json", JSON_SCHEMA),
    asset!("mosaic.d.ts", TYPESCRIPT),
    asset!("mosaic.js", SCRIPT),
    asset!("mosaic/attempts.js", SCRIPT),
    asset!("mosaic/call.js", SCRIPT),
    asset!("mosaic/carriers.js", SCRIPT),
    asset!("mosaic/choice.js", SCRIPT),
    asset!("mosaic/claim.js", SCRIPT),
    asset!("mosaic/encoding.js", SCRIPT),
    asset!("mosaic/errors.js", SCRIPT),
    asset!("mosaic/farewell.js", SCRIPT),
    asset!("mosaic/life.js", SCRIPT),
    asset!("mosaic/media.js", SCRIPT),
    asset!("mosaic/pulse.js", SCRIPT),
    asset!("mosaic/requests.js", SCRIPT),
    asset!("mosaic/room.js", SCRIPT),
    asset!("mosaic/sdp.js", SCRIPT),
    asset!("mosaic/seat.js", SCRIPT),
    asset!("mosaic/sending.js", SCRIPT),
    asset!("mosaic/session.js", SCRIPT),
    asset!("mosaic/socket.js", SCRIPT),
    asset!("mosaic/statistics.js", SCRIPT),
    asset!("mosaic/transport.js", SCRIPT),
    asset!("mosaic/uplink.js", SCRIPT),
    asset!("news.js", SCRIPT),
    asset!("own.js", SCRIPT),
    asset!("panels.js", SCRIPT),
    asset!("people.js", SCRIPT),
    asset!("say.js", SCRIPT),
    asset!("screen.js", SCRIPT),
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What may be copied, or imported by somebody else's page.
    fn client() -> impl Iterator<Item = &'static Asset> {
        ASSETS
            .iter()
            .filter(|asset| asset.content_type == SCRIPT && asset.path.starts_with("/mosaic"))
    }

    #[test]
    fn all_there_is_of_the_page_is_served_and_scripts_as_such() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web");

        let files = ["", "mosaic"].into_iter().flat_map(|folder| {
            let entries = fs::read_dir(root.join(folder)).unwrap();
            let paths = entries.map(|entry| entry.unwrap().path());
            paths.filter(|path| path.is_file()).map(move |path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                Path::new("/").join(folder).join(name)
            })
        });
        let files: BTreeSet<_> = files.collect();
        let served = ASSETS.iter().map(|asset| match asset.path {
            "/" => Path::new("/index.html").to_owned(),
            path => path.into(),
        });

        assert_eq!(served.collect::<BTreeSet<_>>(), files);
        for asset in ASSETS {
            let is_script = asset.path.ends_with(".js");
            assert_eq!(asset.content_type == SCRIPT, is_script, "{}", asset.path);
        }
    }

    #[test]
    fn the_page_asks_for_the_whole_client_at_once() {
        let page = include_str!("../web/index.html");

        for asset in client() {
            let link = format!("rel=\"modulepreload\" href=\"{}\"", &asset.path[1..]);
            assert!(page.contains(&link), "{link}");
        }
    }

    #[test]
    fn the_client_imports_nothing_of_the_page() {
        for asset in client() {
            let (folder, _) = asset.path.rsplit_once('/').unwrap();
            let imports = asset.body.lines().filter(|line| {
                ["import ", "export "]
                    .iter()
                    .any(|word| line.starts_with(word))
            });
            for (_, rest) in imports.filter_map(|line| line.split_once(" from \"./")) {
                let path = format!("{folder}/{}", rest.trim_end_matches("\";"));
                let found = ASSETS.iter().any(|it| it.path == path);
                assert!(
                    found && path.starts_with("/mosaic/"),
                    "{} imports {path}",
                    asset.path
                );
            }
        }
    }
}
