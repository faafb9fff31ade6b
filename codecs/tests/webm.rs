//! The WebM reader and writer, beside each other and beside `webm-iterable`.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "synthetic/ebml.rs"]
mod ebml;

use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::Channels;
use codecs::video::PictureSize;
use codecs::webm::{
    AudioTrack, Block, MAX_BLOCK_BYTES, ReadError, Reader, Track, Tracks, VideoTrack, WriteError,
    Writer, WriterTracks,
};
use ebml::{element, id, open_element, track, unsigned};
use proptest::prelude::*;
use webm_iterable::WebmIterator;
use webm_iterable::matroska_spec::{MatroskaSpec, SimpleBlock};

const HYBRID_20_MS: u8 = 15 << 3;

fn size() -> PictureSize {
    PictureSize::new(640, 360).unwrap()
}

fn video(time_ms: u64, keyframe: bool) -> Block {
    let tag = u8::from(!keyframe);
    let data = Bytes::copy_from_slice(&[tag, time_ms.to_le_bytes()[0], 3, 4]);
    Block {
        track: Track::Video,
        time: Duration::from_millis(time_ms),
        keyframe,
        data,
    }
}

fn audio(time_ms: u64) -> Block {
    let data = Bytes::copy_from_slice(&[HYBRID_20_MS, time_ms.to_le_bytes()[0]]);
    Block {
        track: Track::Audio,
        time: Duration::from_millis(time_ms),
        keyframe: true,
        data,
    }
}

/// Both tracks for `seconds`: 25 frames a second with a keyframe every two, 50 packets a second.
fn conversation(seconds: u64) -> Vec<Block> {
    (0..seconds * 50)
        .flat_map(|tick| {
            let time_ms = tick * 20;
            let frame = tick
                .is_multiple_of(2)
                .then(|| video(time_ms, tick.is_multiple_of(100)));
            [Some(audio(time_ms)), frame].into_iter().flatten()
        })
        .collect()
}

fn written(blocks: &[Block]) -> Vec<u8> {
    let tracks = WriterTracks {
        video: Some(size()),
        audio: Some(Channels::Mono),
    };
    let mut writer = Writer::new(Cursor::new(Vec::new()), tracks).unwrap();
    for block in blocks {
        writer.write(block).unwrap();
    }
    let duration = blocks.last().unwrap().time + Duration::from_millis(20);
    writer.finish(duration).unwrap().into_inner()
}

/// Per track, for libwebm may put a frame before a packet that is due at the same time.
fn of(track: Track, blocks: &[Block]) -> Vec<Block> {
    blocks
        .iter()
        .filter(|block| block.track == track)
        .cloned()
        .collect()
}

fn read(file: &[u8]) -> Vec<Block> {
    Reader::new(file).unwrap().map(Result::unwrap).collect()
}

/// A header, a segment of unknown size, and what is given.
fn live_file(parts: &[&[u8]]) -> Vec<u8> {
    [
        &element(id::EBML, &[])[..],
        &open_element(id::SEGMENT),
        &parts.concat(),
    ]
    .concat()
}

fn vp8_track() -> Vec<u8> {
    let sides = [
        element(id::PIXEL_WIDTH, &[2, 128]),
        element(id::PIXEL_HEIGHT, &[1, 104]),
    ];
    element(
        id::TRACKS,
        &track(7, 1, "V_VP8", &element(id::VIDEO, &sides.concat())),
    )
}

fn opus_track(codec_private: &[u8]) -> Vec<u8> {
    let extra = [
        element(id::CODEC_PRIVATE, codec_private),
        element(id::CODEC_DELAY, &unsigned(6_500_000)),
        element(id::AUDIO, &element(id::CHANNELS, &[1])),
    ];
    element(id::TRACKS, &track(1, 2, "A_OPUS", &extra.concat()))
}

#[test]
fn what_was_written_is_read_back() {
    let blocks = conversation(7);

    let file = written(&blocks);

    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(
        reader.tracks(),
        Tracks {
            video: Some(VideoTrack { size: size() }),
            audio: Some(AudioTrack {
                channels: Channels::Mono,
                pre_skip_samples: 0,
                codec_delay: Duration::ZERO
            }),
        }
    );
    assert_eq!(reader.duration(), Some(Duration::from_secs(7)));
    let read: Vec<Block> = reader.by_ref().map(Result::unwrap).collect();
    assert!(!reader.truncated());
    for track in [Track::Video, Track::Audio] {
        assert_eq!(of(track, &read), of(track, &blocks));
    }
    assert!(read.is_sorted_by_key(|block| block.time));
}

#[test]
fn another_reader_finds_the_same_blocks_and_a_cue_for_every_keyframe() {
    let blocks = conversation(7);
    let file = written(&blocks);

    let (mut found, mut cues, mut cluster) = (Vec::new(), 0, 0);
    for tag in WebmIterator::new(&file[..], &[]) {
        match tag.unwrap() {
            MatroskaSpec::Timestamp(timestamp) => cluster = timestamp,
            MatroskaSpec::SimpleBlock(content) => {
                let block = SimpleBlock::try_from(&content[..]).unwrap();
                let time_ms = cluster.saturating_add_signed(block.timestamp.into());
                found.push((time_ms, block.keyframe, block.raw_frame_data().to_vec()));
            }
            MatroskaSpec::CueTime(_) => cues += 1,
            _ => {}
        }
    }

    let ours: Vec<_> = read(&file)
        .into_iter()
        .map(|block| {
            (
                u64::try_from(block.time.as_millis()).unwrap(),
                block.keyframe,
                block.data.to_vec(),
            )
        })
        .collect();
    assert_eq!(found, ours);
    let keyframes = blocks
        .iter()
        .filter(|b| b.track == Track::Video && b.keyframe)
        .count();
    assert_eq!(cues, keyframes);
}

#[test]
fn either_track_may_be_missing() {
    for (tracks, block) in [
        (
            WriterTracks {
                video: Some(size()),
                audio: None,
            },
            video(0, true),
        ),
        (
            WriterTracks {
                video: None,
                audio: Some(Channels::Stereo),
            },
            audio(0),
        ),
    ] {
        let mut writer = Writer::new(Cursor::new(Vec::new()), tracks).unwrap();
        writer.write(&block).unwrap();
        let file = writer
            .finish(Duration::from_millis(40))
            .unwrap()
            .into_inner();

        let reader = Reader::new(&file[..]).unwrap();
        assert_eq!(reader.tracks().video.is_some(), tracks.video.is_some());
        assert_eq!(
            reader.tracks().audio.map(|track| track.channels),
            tracks.audio
        );
        assert_eq!(reader.map(Result::unwrap).collect::<Vec<_>>(), [block]);
    }
}

#[test]
fn what_cannot_be_written_is_refused() {
    let none = Writer::new(Cursor::new(Vec::new()), WriterTracks::default());
    assert!(matches!(none, Err(WriteError::NoTracks)));

    let tracks = WriterTracks {
        video: Some(size()),
        audio: None,
    };
    let mut writer = Writer::new(Cursor::new(Vec::new()), tracks).unwrap();
    assert!(matches!(
        writer.write(&audio(0)),
        Err(WriteError::NoSuchTrack(Track::Audio))
    ));
    let empty = Block {
        data: Bytes::new(),
        ..video(0, true)
    };
    assert!(matches!(writer.write(&empty), Err(WriteError::Nothing)));
    writer.write(&video(40, true)).unwrap();
    assert!(matches!(
        writer.write(&video(39, false)),
        Err(WriteError::OutOfOrder { .. })
    ));
    writer.write(&video(40, false)).unwrap();

    let untouched = Writer::new(Cursor::new(Vec::new()), tracks).unwrap();
    assert!(matches!(
        untouched.finish(Duration::ZERO),
        Err(WriteError::Nothing)
    ));
}

/// A disk with room for a few bytes.
struct SmallDisk(Cursor<Vec<u8>>);

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.get_ref().len() + bytes.len() > 1_000_000 {
            return Err(ErrorKind::StorageFull.into());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_told_by_its_own_error() {
    let tracks = WriterTracks {
        video: Some(size()),
        audio: None,
    };
    let mut writer = Writer::new(SmallDisk(Cursor::new(Vec::new())), tracks).unwrap();
    let frame = Bytes::from(vec![0; 100_000]);

    let failed = (0..20).find_map(|index| {
        let block = Block {
            data: frame.clone(),
            ..video(index * 40, true)
        };
        writer.write(&block).err()
    });

    assert!(
        matches!(&failed, Some(WriteError::Io(error)) if error.kind() == ErrorKind::StorageFull),
        "{failed:?}"
    );
}

#[test]
fn a_recording_of_a_browser_with_clusters_of_unknown_size_is_read() {
    let cluster = |timestamp: u64, blocks: &[&[u8]]| {
        let timestamp = element(id::TIMESTAMP, &unsigned(timestamp));
        [&open_element(id::CLUSTER)[..], &timestamp, &blocks.concat()].concat()
    };
    let file = live_file(&[
        &element(0xec, &[0; 100]),
        &element(
            id::INFO,
            &element(id::TIMESTAMP_SCALE, &unsigned(1_000_000)),
        ),
        &vp8_track(),
        &cluster(
            1_000,
            &[
                &element(id::SIMPLE_BLOCK, &[0x87, 0, 0, 0x80, 0x00, 1]),
                &element(id::SIMPLE_BLOCK, &[0x87, 0, 33, 0x00, 0x01, 2]),
                // A track that nobody described, and a block from before the cluster.
                &element(id::SIMPLE_BLOCK, &[0x83, 0, 34, 0x00, 0x01, 9]),
                &element(id::SIMPLE_BLOCK, &[0x87, 0xff, 0xff, 0x00, 0x01, 3]),
            ],
        ),
        &cluster(
            2_000,
            &[&element(id::SIMPLE_BLOCK, &[0x87, 0, 5, 0x00, 0x01, 4])],
        ),
    ]);

    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.duration(), None);
    let blocks: Vec<(u128, bool, u8)> = reader
        .by_ref()
        .map(Result::unwrap)
        .map(|block| (block.time.as_millis(), block.keyframe, block.data[1]))
        .collect();

    assert_eq!(
        blocks,
        [
            (1_000, true, 1),
            (1_033, false, 2),
            (999, false, 3),
            (2_005, false, 4)
        ]
    );
    assert!(!reader.truncated());
}

#[test]
fn block_groups_and_laces_are_read() {
    const XIPH_LACE: u8 = 0b010;
    let lace = [
        &[0x81, 0, 10, XIPH_LACE, 2, 2, 2][..],
        &[HYBRID_20_MS, 1].repeat(3),
    ]
    .concat();
    let group = [element(0x9b, &[60]), element(id::BLOCK, &lace)].concat();
    let head = b"OpusHead\x01\x02\x38\x01\0\0\0\0\0\0\0";
    let file = live_file(&[
        &opus_track(head),
        &element(id::CLUSTER, &element(id::BLOCK_GROUP, &group)),
    ]);

    let reader = Reader::new(&file[..]).unwrap();

    let expected = AudioTrack {
        channels: Channels::Stereo,
        pre_skip_samples: 312,
        codec_delay: Duration::from_micros(6_500),
    };
    assert_eq!(reader.tracks().audio, Some(expected));
    let times: Vec<u128> = reader
        .map(|block| block.unwrap().time.as_millis())
        .collect();
    assert_eq!(times, [10, 30, 50]);
}

#[test]
fn other_codecs_are_named_unless_a_readable_track_of_their_kind_is_there() {
    let rows = [
        (1, "V_MPEG4/ISO/AVC", "H.264"),
        (1, "V_VP9", "VP9"),
        (2, "A_AAC/MPEG4/LC", "AAC"),
        (2, "A_VORBIS", "Vorbis"),
        (1, "V_\u{1b}[31m", "V_\\u{1b}[31m"),
    ];
    for (kind, codec_id, name) in rows {
        let tracks = element(id::TRACKS, &track(1, kind, codec_id, &[]));
        match Reader::new(&live_file(&[&tracks])[..]) {
            Err(ReadError::UnsupportedCodec { codec }) => assert_eq!(codec, name),
            other => panic!("{codec_id}: {other:?}"),
        }
    }

    let sides = [
        element(id::PIXEL_WIDTH, &[16]),
        element(id::PIXEL_HEIGHT, &[16]),
    ];
    let both = [
        track(1, 1, "V_VP9", &[]),
        track(2, 1, "V_VP8", &element(id::VIDEO, &sides.concat())),
        track(3, 17, "S_TEXT/UTF8", &[]),
    ];
    let file = live_file(&[&element(id::TRACKS, &both.concat())]);
    assert!(Reader::new(&file[..]).unwrap().tracks().video.is_some());
}

#[test]
fn compressed_and_encrypted_tracks_are_refused() {
    let tracks = element(
        id::TRACKS,
        &track(1, 1, "V_VP8", &element(id::CONTENT_ENCODINGS, &[])),
    );

    let refused = Reader::new(&live_file(&[&tracks])[..]).unwrap_err();

    assert!(
        refused.to_string().contains("VP8 compressed or encrypted"),
        "{refused}"
    );
}

#[test]
fn what_is_not_webm_is_named() {
    let rows: [(&[u8], &str); 6] = [
        (b"", "file is empty"),
        (b"\0\0\0\x20ftypisom", "not a WebM file, but MP4"),
        (b"OggS\0\x02", "not a WebM file, but Ogg"),
        (b"RIFF\0\0\0\0WAVEfmt ", "not a WebM file, but WAV"),
        (b"hello", "not a WebM file, but something unknown"),
        (
            b"\x1a\x45\xdf\xa3",
            "file has neither a VP8 nor an Opus track",
        ),
    ];
    for (file, message) in rows {
        assert_eq!(Reader::new(file).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_truncated_file_gives_everything_up_to_the_cut() {
    let blocks = conversation(3);
    let file = written(&blocks);
    let whole = read(&file);
    // libwebm writes the cues last: only a cut before them loses blocks.
    let mut most = 0;
    for length in (0..file.len()).step_by(7) {
        let Ok(mut reader) = Reader::new(&file[..length]) else {
            assert!(
                length < 500,
                "the tracks are within the first bytes, refused {length}"
            );
            continue;
        };
        let given: Vec<Block> = reader.by_ref().map(Result::unwrap).collect();

        assert!(reader.truncated(), "cut at {length}");
        assert_eq!(given, whole[..given.len()]);
        assert!(given.len() >= most);
        most = given.len();
    }
    assert_eq!(most, whole.len());
}

#[test]
fn an_element_of_any_claimed_size_costs_no_more_than_what_is_there() {
    let huge = [0x01, 0x00, 0xff, 0, 0, 0, 0, 0];
    let claim = |id: &[u8]| [id, &huge].concat();

    let file = live_file(&[
        &vp8_track(),
        &open_element(id::CLUSTER),
        &claim(&[0xa3]),
        &[0; 50],
    ]);
    let block = Reader::new(&file[..]).unwrap().next();
    assert!(
        matches!(block, Some(Err(ReadError::Corrupt { .. }))),
        "{block:?}"
    );

    let file = live_file(&[&claim(&[0x16, 0x54, 0xae, 0x6b])]);
    let tracks = Reader::new(&file[..]);
    assert!(matches!(tracks, Err(ReadError::Corrupt { .. })));

    let void = live_file(&[
        &vp8_track(),
        &open_element(id::CLUSTER),
        &claim(&[0xec]),
        &[0; 50],
    ]);
    let mut reader = Reader::new(&void[..]).unwrap();
    assert!(reader.next().is_none());
    assert!(reader.truncated());
}

#[test]
fn blocks_up_to_the_bound_are_read_and_longer_ones_are_corrupt() {
    let most = usize::try_from(MAX_BLOCK_BYTES).unwrap();
    for (bytes, is_read) in [(most, true), (most + 1, false)] {
        let mut block = vec![0; bytes];
        block[..4].copy_from_slice(&[0x87, 0, 0, 0x80]);
        let cluster = element(id::CLUSTER, &element(id::SIMPLE_BLOCK, &block));
        let file = live_file(&[&vp8_track(), &cluster]);

        let mut reader = Reader::new(&file[..]).unwrap();

        assert_eq!(reader.next().unwrap().is_ok(), is_read);
        assert!(reader.next().is_none());
    }
}

/// A file that fails in the middle.
struct BadSector<'a>(&'a [u8]);

impl Read for BadSector<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to) {
            Ok(0) => Err(io::Error::other("bad sector")),
            read => read,
        }
    }
}

#[test]
fn a_failing_file_is_an_error_and_not_an_end() {
    let file = written(&conversation(1));

    let last = Reader::new(BadSector(&file[..700])).unwrap().last();

    assert!(matches!(last, Some(Err(ReadError::Io(_)))), "{last:?}");
}

/// Reads what there is, which must come to an end and stay there.
fn exhaust(file: &[u8]) -> Result<(), TestCaseError> {
    if let Ok(mut reader) = Reader::new(file) {
        let blocks = reader.by_ref().filter_map(Result::ok).count();
        prop_assert!(blocks <= file.len());
        prop_assert!(reader.next().is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn any_blocks_survive_writing_and_reading(
        specs in prop::collection::vec(
            (any::<bool>(), 0..400u64, any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)),
            1..60),
    ) {
        let mut time_ms = 0;
        let mut blocks = vec![video(0, true)];
        for (is_video, gap_ms, keyframe, content) in specs {
            time_ms += gap_ms;
            let block = if is_video { video(time_ms, keyframe) } else { audio(time_ms) };
            let data = [&block.data[..], &content].concat().into();
            blocks.push(Block { data, ..block });
        }

        let read = read(&written(&blocks));

        for track in [Track::Video, Track::Audio] {
            prop_assert_eq!(of(track, &read), of(track, &blocks));
        }
    }

    #[test]
    fn mutated_and_truncated_files_come_to_an_end(
        mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut file = written(&conversation(1));
        for (at, value) in mutations {
            let at = at.index(file.len());
            file[at] = value;
        }
        exhaust(&file)?;
        exhaust(&file[..cut.index(file.len())])?;
    }

    #[test]
    fn arbitrary_bytes_come_to_an_end(rest in prop::collection::vec(any::<u8>(), 0..500)) {
        exhaust(&rest)?;
        exhaust(&[&[0x1a, 0x45, 0xdf, 0xa3, 0x80][..], &rest].concat())?;
        exhaust(&live_file(&[&vp8_track(), &open_element(id::CLUSTER), &rest]))?;
    }
}
