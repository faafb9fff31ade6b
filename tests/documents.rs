//! The documents say what is so: paths exist, messages parse, the import rules hold.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mosaicd::signaling::message::{ClientMessage, Event, ServerMessage};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every Rust file below `folder`, as a path from the root.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Text between backticks that looks like a path of this repository.
fn quoted_paths(document: &str) -> BTreeSet<String> {
    let quoted = document.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| {
        let folders = [
            "src/",
            "mixer/",
            "codecs/",
            "tests/",
            "fixtures/",
            "systemd/",
        ];
        folders.iter().any(|folder| text.starts_with(folder))
            && !text.contains(['*', '{', ' ', '<'])
    };
    quoted
        .filter(is_path)
        .map(|path| path.split("::").next().unwrap_or(path).to_owned())
        .collect()
}

#[test]
fn every_path_in_the_documents_exists() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "GLOSSARY.md",
        "NETWORK.md",
        "OPERATING.md",
    ] {
        for path in quoted_paths(&read(document)) {
            assert!(
                root().join(&path).exists(),
                "{document} names {path}, which is not there"
            );
        }
    }
}

#[test]
fn every_message_in_the_protocol_is_one_of_ours_to_the_last_field() {
    let protocol = read("PROTOCOL.md");
    let blocks: Vec<&str> = protocol
        .split("```json\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();

    for block in &blocks {
        let value: Value = serde_json::from_str(block).unwrap_or_else(|e| panic!("{e}:\n{block}"));
        let client = serde_json::from_value::<ClientMessage>(value.clone())
            .map(|message| serde_json::to_value(message).unwrap());
        let server = serde_json::from_value::<ServerMessage>(value.clone())
            .map(|message| serde_json::to_value(message).unwrap());
        // What a type does not know it ignores; so it must give back all that was there.
        let event = serde_json::from_value::<Event>(value.clone())
            .map(|event| serde_json::to_value(event).unwrap());
        let known = [client, server, event]
            .into_iter()
            .flatten()
            .any(|back| back == value);
        assert!(known, "no message of ours:\n{block}");
    }
}

#[test]
fn libraries_are_named_only_where_they_belong() {
    // What may not be named, and where it may be all the same.
    let rules: [(&[&str], &str, &str); 9] = [
        (&["webrtc::", "use rtc::"], "src", "src/rtc"),
        (&["axum"], "src", "src/http"),
        (&["rustls", "use hyper", "use tower"], "src", "src/http"),
        (&["jsonwebtoken"], "src", "src/access"),
        (
            &["tokio", "axum", "webrtc", "std::net", "Instant"],
            "mixer/src",
            "",
        ),
        (
            &["tokio", "axum", "webrtc", "std::net", "Instant", "rayon"],
            "codecs/src",
            "",
        ),
        (&["use mosaicd", "use mixer"], "codecs/src", ""),
        (&["use mosaicd"], "mixer/src", ""),
        (&["extern \"C\"", "use opus"], "src", ""),
    ];
    for (words, folder, allowed) in rules {
        for path in sources(folder) {
            let here = path.to_str().unwrap();
            if !allowed.is_empty() && here.starts_with(allowed) {
                continue;
            }
            for (number, line) in read(here).lines().enumerate() {
                let code = line.split("//").next().unwrap_or(line);
                for word in words {
                    assert!(!code.contains(word), "{here}:{} names {word}", number + 1);
                }
            }
        }
    }
}

#[test]
fn every_fuzz_target_is_in_its_manifest_and_among_the_tests() {
    let workspaces = [
        ("codecs/fuzz", "codecs/tests/fuzz_targets.rs"),
        ("mixer/fuzz", "mixer/tests/fuzz_targets.rs"),
        ("tests/fuzz", "src/fuzz_targets.rs"),
    ];
    for (workspace, tests) in workspaces {
        let (manifest, tests) = (read(&format!("{workspace}/Cargo.toml")), read(tests));
        let targets = sources(&format!("{workspace}/fuzz_targets"));
        for target in &targets {
            let name = target.file_stem().unwrap().to_str().unwrap();
            let entry = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
            assert!(manifest.contains(&entry), "{name} is not in the manifest");
            let tried = format!("{name}::target");
            assert!(tests.contains(&tried), "{name} is not tried");
        }
        assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
    }
}

#[test]
fn the_project_speaks_of_itself_only() {
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "PROTOCOL.md",
        "GLOSSARY.md",
        "CONTRIBUTING.md",
    ] {
        let document = read(name);
        for word in ["/tmp/", "/home/", "/root/", "/work/"] {
            assert!(
                !document.contains(word),
                "{name} has a path of one machine: {word}"
            );
        }
    }
}
