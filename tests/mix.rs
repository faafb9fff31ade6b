//! `mosaicd mix`: what comes out of it, what it refuses, and that threads change nothing.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use codecs::audio::{AudioDecoder, Channels};
use codecs::opus::OpusDecoder;
use codecs::video::{I420, PictureSize};
use codecs::webm::{Reader, Track};
use marks::{Area, Color, read_color, read_counter};
use mixer::video::{Fit, GridStyle, Layout};
use mixer::{ParticipantId, RoomTime};
use mosaicd::mix::{MixConfig, Mixed, Verdict, mix};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const SIZE: (u32, u32) = (1280, 720);
const FPS: u32 = 30;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

fn config(folder: &TempDir, inputs: &[&str]) -> MixConfig {
    MixConfig {
        inputs: inputs.iter().map(|name| fixture(name)).collect(),
        output: folder.path().join("out.webm"),
        poster: None,
        size: PictureSize::new(SIZE.0, SIZE.1).unwrap(),
        fps: FPS,
        video_kbps: 1500,
        audio_kbps: 64,
        fit: Fit::Fit,
    }
}

/// Mixes on `threads` threads and shows every canvas to `look`.
fn mix_on(threads: usize, config: &MixConfig, mut look: impl FnMut(RoomTime, &I420)) -> Mixed {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    mix(config, Arc::new(pool), |moment| {
        look(moment.time, moment.canvas);
        Verdict::GoOn
    })
    .unwrap()
}

fn mosaicd(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mosaicd"))
        .arg("mix")
        .args(arguments)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All samples of a file's audio, mono.
fn sound(path: &Path) -> Vec<i16> {
    let mut decoder = OpusDecoder::new(Channels::Mono).unwrap();
    let mut samples = Vec::new();
    for block in Reader::new(File::open(path).unwrap())
        .unwrap()
        .map(Result::unwrap)
    {
        if block.track == Track::Audio {
            decoder.decode(&block.data, &mut samples).unwrap();
        }
    }
    samples
}

/// Energy in each 5 ms.
fn envelope(samples: &[i16]) -> Vec<f64> {
    let energy = |part: &[i16]| {
        part.iter()
            .map(|s| f64::from(*s).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    samples.chunks_exact(240).map(energy).collect()
}

#[test]
fn the_same_files_give_the_same_canvases_on_one_thread_and_on_two() {
    let folder = TempDir::new().unwrap();
    let config = config(
        &folder,
        &["red.webm", "orange.webm", "violet.webm", "cyan.webm"],
    );
    let hashes = |threads| {
        let mut hash = Sha256::new();
        mix_on(threads, &config, |_, canvas| hash.update(canvas.as_bytes()));
        hash.finalize()
    };

    assert_eq!(hashes(1), hashes(2));
}

#[test]
fn every_tile_shows_its_own_file_at_its_own_time() {
    let folder = TempDir::new().unwrap();
    let people = [Color::Red, Color::Green, Color::Blue];
    let config = config(&folder, &["red.webm", "green.webm", "blue.webm"]);
    let ids: Vec<ParticipantId> = (1..=3).map(ParticipantId).collect();
    let layout = Layout::grid(config.size, &ids, GridStyle::default());

    let mut seen = 0;
    let mixed = mix_on(2, &config, |time, canvas| {
        let due = time.since_start().as_millis() * u128::from(FPS) / 1000;
        for (color, id) in people.iter().zip(&ids) {
            let region = layout.region(*id).unwrap();
            let tile = canvas
                .view()
                .crop(region.left(), region.top(), region.size())
                .unwrap();
            let area = Area::whole(region.size());
            assert_eq!(read_color(tile, area), Some(*color), "at {time:?}");
            let Some(shown) = read_counter(tile, area) else {
                panic!("no counter in {color:?}'s tile at {time:?}");
            };
            // WebM rounds to a millisecond, so a frame may come one tick late.
            let age = due.abs_diff(u128::from(shown));
            assert!(age <= 1, "{color:?} shows frame {shown} at {time:?}");
        }
        seen += 1;
    });

    assert_eq!(seen, 300);
    assert_eq!(mixed.frames, 300);
}

#[test]
fn the_file_has_both_tracks_in_full_and_in_sync() {
    let folder = TempDir::new().unwrap();
    let config = config(&folder, &["red.webm"]);

    mix_on(1, &config, |_, _| {});

    let blocks: Vec<_> = Reader::new(File::open(&config.output).unwrap())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let of = |track| blocks.iter().filter(move |block| block.track == track);
    assert_eq!(of(Track::Video).count(), 300);
    assert!((499..=501).contains(&of(Track::Audio).count()));
    let keyframes: Vec<_> = of(Track::Video).filter(|block| block.keyframe).collect();
    assert_eq!(keyframes.len(), 3, "one every four seconds");
    // The loudness over time of what comes out is that of what went in, at the same time: the
    // best fit is found within one step of 5 ms plus the encoder's lookahead of 6.5 ms.
    let (before, after) = (
        envelope(&sound(&fixture("red.webm"))),
        envelope(&sound(&config.output)),
    );
    let fit = |lag: usize| -> f64 { before.iter().zip(&after[lag..]).map(|(a, b)| a * b).sum() };
    let best = (0..20).max_by(|a, b| fit(*a).total_cmp(&fit(*b))).unwrap();
    assert!(best <= 3, "sound is {} ms late", best * 5);
    let (loud_before, loud_after): (f64, f64) = (before.iter().sum(), after.iter().sum());
    assert!(
        (0.9..1.1).contains(&(loud_after / loud_before)),
        "{loud_before} {loud_after}"
    );
}

#[test]
fn a_poster_is_a_still_of_the_canvas() {
    let folder = TempDir::new().unwrap();
    let poster = folder.path().join("poster.png");
    let config = MixConfig {
        poster: Some(poster.clone()),
        ..config(&folder, &["green.webm"])
    };

    mix_on(1, &config, |_, _| {});

    let picture = image::open(poster).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), SIZE);
    let [red, green, blue] = picture.get_pixel(100, 250).0;
    assert!(
        green > red && green > blue,
        "the wall behind green is {red} {green} {blue}"
    );
}

#[test]
fn a_truncated_file_is_mixed_up_to_where_it_ends_with_a_warning() {
    let folder = TempDir::new().unwrap();
    let cut = folder.path().join("cut.webm");
    let whole = fs::read(fixture("green.webm")).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let out = folder.path().join("out.webm");

    let output = mosaicd(&[&cut, Path::new("--output"), &out]);

    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("cut off"), "{}", stderr(&output));
    let length = Reader::new(File::open(&out).unwrap())
        .unwrap()
        .duration()
        .unwrap();
    assert!(
        (Duration::from_secs(3)..Duration::from_secs(7)).contains(&length),
        "{length:?}"
    );
}

#[test]
fn a_keyframe_of_absurd_size_disturbs_nobody() {
    let folder = TempDir::new().unwrap();
    let config = config(&folder, &["bad/huge-keyframe.webm", "red.webm"]);
    let ids = [ParticipantId(1), ParticipantId(2)];
    let region = Layout::grid(config.size, &ids, GridStyle::default())
        .region(ids[1])
        .unwrap();

    let mut red_at_the_start = false;
    mix_on(1, &config, |time, canvas| {
        if time == RoomTime::START {
            let tile = canvas
                .view()
                .crop(region.left(), region.top(), region.size())
                .unwrap();
            red_at_the_start = read_color(tile, Area::whole(region.size())) == Some(Color::Red);
        }
    });

    assert!(red_at_the_start);
}

#[test]
fn a_bad_file_is_one_clear_line_and_no_output() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let rows = [
        (folder.path().join("missing.webm"), "No such file"),
        (folder.path().to_owned(), "directory"),
        (place("empty.webm", b""), "empty"),
        (
            place("text.webm", b"hello, this is not a video at all"),
            "not a WebM file",
        ),
        (fixture("bad/h264-aac.mp4"), "MP4"),
        (fixture("bad/h264-aac.mkv"), "H.264"),
    ];
    let out = place("out.webm", b"what was here before");

    for (path, reason) in rows {
        let output = mosaicd(&[&fixture("red.webm"), &path, Path::new("--output"), &out]);

        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{path:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.contains(path.to_str().unwrap()) && said.contains(reason),
            "{said}"
        );
        assert_eq!(fs::read(&out).unwrap(), b"what was here before");
    }
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    assert_eq!(left.len(), 3, "temporary files were left: {left:?}");
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_code_two() {
    let red = fixture("red.webm");
    let same = fixture("../fixtures/./red.webm");
    let rows: [&[&Path]; 7] = [
        &[],
        &[&red],
        &[Path::new("--output"), Path::new("x.webm")],
        &[
            &red,
            Path::new("--output"),
            Path::new("x.webm"),
            Path::new("--size"),
            Path::new("7x7"),
        ],
        &[&red, Path::new("--output"), &red],
        &[&red, Path::new("--output"), &same],
        &[
            &red,
            Path::new("--output"),
            Path::new("x.webm"),
            Path::new("--poster"),
            &same,
        ],
    ];

    for arguments in rows {
        let output = mosaicd(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn an_output_that_cannot_be_written_is_said_before_anything_is_read() {
    let nowhere = Path::new("/nowhere/out.webm");

    let output = mosaicd(&[&fixture("red.webm"), Path::new("--output"), nowhere]);

    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("/nowhere/out.webm"),
        "{}",
        stderr(&output)
    );
}
