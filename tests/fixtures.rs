//! The committed fixtures are the ones their README describes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All fixtures together stay below this, so that a clone stays quick.
const MAX_TOTAL_BYTES: usize = 3_000_000;

#[test]
fn every_fixture_has_the_size_and_digest_that_the_readme_states() {
    let stated = stated_in_readme();

    let found: BTreeMap<String, Stated> = files()
        .into_iter()
        .map(|(name, bytes)| (name, Stated::of(&bytes)))
        .collect();

    assert_eq!(found, stated);
}

#[test]
fn all_fixtures_together_are_small() {
    let total: usize = files().values().map(Vec::len).sum();

    assert!(total < MAX_TOTAL_BYTES, "{total} bytes");
}

#[derive(Debug, PartialEq, Eq)]
struct Stated {
    bytes: usize,
    sha256: String,
}

impl Stated {
    fn of(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        Self {
            bytes: bytes.len(),
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// The rows of the README's table of digests: name, size, SHA-256.
fn stated_in_readme() -> BTreeMap<String, Stated> {
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows = readme.lines().filter_map(|line| {
        let cells: Vec<&str> = line
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [_, name, bytes, sha256, _] = cells[..] else {
            return None;
        };
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
        is_digest.then(|| {
            let (bytes, sha256) = (bytes.parse().unwrap(), sha256.to_owned());
            (name.to_owned(), Stated { bytes, sha256 })
        })
    });
    rows.collect()
}

/// Every fixture by its path below the folder, with its content. Source is not a fixture.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for subfolder in ["", "bad"] {
        let entries = fs::read_dir(folder().join(subfolder)).unwrap();
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_file() && path.extension().is_none_or(|extension| extension != "md") {
                let name = path.strip_prefix(folder()).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}
