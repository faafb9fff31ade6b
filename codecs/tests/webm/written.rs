//! What the writer writes, read again by our reader and by another; and what it refuses.

use std::io::{self, Cursor, ErrorKind, Seek, SeekFrom, Write};
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::Channels;
use codecs::webm::{
    AudioTrack, Block, Reader, Track, Tracks, VideoTrack, WriteError, Writer, WriterTracks,
};
use proptest::prelude::*;
use webm_iterable::WebmIterator;
use webm_iterable::matroska_spec::{MatroskaSpec, SimpleBlock};

use crate::blocks::{audio, conversation, of, read, size, video, written};

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
}
