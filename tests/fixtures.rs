//! The committed fixtures are the ones their README describes, and show and say what it says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codecs::audio::{AudioDecoder, Channels, TICK_SAMPLES};
use codecs::opus::OpusDecoder;
use codecs::video::{Decoded, I420, PictureSize, Scaler, VideoDecodeError, VideoDecoder};
use codecs::vp8::{Vp8Decoder, Vp8DecoderLimits};
use codecs::webm::{Block, ReadError, Reader, Track};
use codecs::yuv::YuvScaler;
use marks::{Area, Color, read_color, read_counter};
use sha2::{Digest, Sha256};

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

#[test]
fn every_frame_shows_its_color_and_its_number_also_at_a_quarter_of_its_size() {
    for (color, width, height, fps) in [
        (Color::Red, 640, 360, 30),
        (Color::Orange, 360, 640, 30),
        (Color::Yellow, 640, 360, 15),
        (Color::Green, 640, 360, 30),
        (Color::Cyan, 320, 180, 30),
        (Color::Blue, 640, 360, 30),
    ] {
        let mut decoder = Vp8Decoder::new(Vp8DecoderLimits::default()).unwrap();
        let mut picture = I420::black(PictureSize::new(2, 2).unwrap());
        let mut scaler = YuvScaler::new();
        let mut small = I420::black(PictureSize::new(width / 4, height / 4).unwrap());
        let mut number = 0_u16;

        for block in blocks(color, Track::Video) {
            let decoded = decoder.decode(&block.data, &mut picture);

            assert_eq!(decoded, Ok(Decoded::Picture));
            assert_eq!(picture.size(), PictureSize::new(width, height).unwrap());
            scaler.scale(picture.view(), small.view_mut());
            for picture in [picture.view(), small.view()] {
                let area = Area::whole(picture.size());
                assert_eq!(read_counter(picture, area), Some(number), "{color:?}");
                assert_eq!(read_color(picture, area), Some(color), "at {number}");
            }
            let due_ms = 1_000 * u64::from(number) / fps;
            assert_eq!(block.time, Duration::from_millis(due_ms), "{color:?}");
            assert_eq!(
                block.keyframe,
                u64::from(number) % (2 * fps) == 0,
                "{color:?}"
            );
            number += 1;
        }

        assert_eq!(u64::from(number), 10 * fps, "{color:?}");
    }
}

#[test]
fn everybody_but_cyan_speaks_for_a_while_at_the_usual_level_and_is_quiet_otherwise() {
    for color in Color::ALL {
        let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
        let mut levels_dbfs = Vec::new();

        for block in blocks(color, Track::Audio) {
            let mut pcm = Vec::new();
            assert_eq!(decoder.decode(&block.data, &mut pcm), Ok(TICK_SAMPLES));
            levels_dbfs.push(level_dbfs(&pcm));
        }

        if color == Color::Cyan {
            assert!(levels_dbfs.is_empty());
            continue;
        }
        assert_eq!(levels_dbfs.len(), 500, "{color:?}");
        let spoken = levels_dbfs.iter().filter(|level| **level > -45.0);
        let quiet = levels_dbfs.iter().filter(|level| **level < -60.0).count();
        let power: f64 = spoken.clone().map(|level| 10_f64.powf(level / 10.0)).sum();
        let active_dbfs = 10.0 * (power / spoken.clone().count() as f64).log10();
        // The generator aims at -23 over the ticks it counts as speech, which are not quite these.
        assert!((active_dbfs + 23.0).abs() < 1.5, "{color:?}: {active_dbfs}");
        // Every part has at least one second of speech, and five of listening.
        assert!(spoken.count() > 50, "{color:?}");
        assert!(quiet > 250, "{color:?}");
    }
}

#[test]
fn bad_files_are_bad_in_the_way_the_readme_says() {
    let open = |name: &str| Reader::new(fs::File::open(folder().join("bad").join(name)).unwrap());

    assert!(matches!(
        open("h264-aac.mp4"),
        Err(ReadError::NotWebm { .. })
    ));
    assert!(matches!(
        open("h264-aac.mkv"),
        Err(ReadError::UnsupportedCodec { .. })
    ));
    let frame = open("huge-keyframe.webm").unwrap().next().unwrap().unwrap();
    let mut decoder = Vp8Decoder::new(Vp8DecoderLimits::default()).unwrap();
    let mut picture = I420::black(PictureSize::new(2, 2).unwrap());
    let decoded = decoder.decode(&frame.data, &mut picture);
    assert!(
        matches!(
            decoded,
            Err(VideoDecodeError::TooLarge {
                width: 16_383,
                height: 16_383,
                ..
            })
        ),
        "{decoded:?}"
    );
}

fn blocks(color: Color, track: Track) -> impl Iterator<Item = Block> {
    let path = folder().join(color.name()).with_extension("webm");
    let blocks = Reader::new(fs::File::open(path).unwrap()).unwrap();
    blocks
        .map(Result::unwrap)
        .filter(move |block| block.track == track)
}

/// RMS relative to full scale.
fn level_dbfs(pcm: &[i16]) -> f64 {
    let power: f64 = pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    10.0 * (power / pcm.len() as f64 / 32_768_f64.powi(2) + 1e-12).log10()
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
    for subfolder in ["", "bad", "estimates"] {
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
