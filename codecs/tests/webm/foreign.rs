//! Files that others wrote: what of them is read, and what is refused by its name.

use std::time::Duration;

use codecs::audio::Channels;
use codecs::webm::{AudioTrack, ReadError, Reader};

use crate::blocks::HYBRID_20_MS;
use crate::ebml::{element, id, live_file, open_element, track, unsigned, vp8_track};

fn opus_track(codec_private: &[u8]) -> Vec<u8> {
    let extra = [
        element(id::CODEC_PRIVATE, codec_private),
        element(id::CODEC_DELAY, &unsigned(6_500_000)),
        element(id::AUDIO, &element(id::CHANNELS, &[1])),
    ];
    element(id::TRACKS, &track(1, 2, "A_OPUS", &extra.concat()))
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
