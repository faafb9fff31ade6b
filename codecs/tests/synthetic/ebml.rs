//! EBML elements byte by byte, for files that no library would write.

/// Ids of RFC 8794 and RFC 9559.
pub(crate) mod id {
    pub(crate) const EBML: u32 = 0x1a45_dfa3;
    pub(crate) const SEGMENT: u32 = 0x1853_8067;
    pub(crate) const INFO: u32 = 0x1549_a966;
    pub(crate) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub(crate) const TRACKS: u32 = 0x1654_ae6b;
    pub(crate) const TRACK_ENTRY: u32 = 0xae;
    pub(crate) const TRACK_NUMBER: u32 = 0xd7;
    pub(crate) const TRACK_TYPE: u32 = 0x83;
    pub(crate) const CODEC_ID: u32 = 0x86;
    pub(crate) const CODEC_PRIVATE: u32 = 0x63a2;
    pub(crate) const CODEC_DELAY: u32 = 0x56aa;
    pub(crate) const CONTENT_ENCODINGS: u32 = 0x6d80;
    pub(crate) const VIDEO: u32 = 0xe0;
    pub(crate) const PIXEL_WIDTH: u32 = 0xb0;
    pub(crate) const PIXEL_HEIGHT: u32 = 0xba;
    pub(crate) const AUDIO: u32 = 0xe1;
    pub(crate) const CHANNELS: u32 = 0x9f;
    pub(crate) const CLUSTER: u32 = 0x1f43_b675;
    pub(crate) const TIMESTAMP: u32 = 0xe7;
    pub(crate) const SIMPLE_BLOCK: u32 = 0xa3;
    pub(crate) const BLOCK_GROUP: u32 = 0xa0;
    pub(crate) const BLOCK: u32 = 0xa1;
}

/// An element with its size, in eight bytes.
pub(crate) fn element(id: u32, content: &[u8]) -> Vec<u8> {
    let mut size = (content.len() as u64).to_be_bytes();
    size[0] = 1;
    [&head(id)[..], &size, content].concat()
}

/// The head of an element of unknown size.
pub(crate) fn open_element(id: u32) -> Vec<u8> {
    [&head(id)[..], &[0x01], &[0xff; 7]].concat()
}

/// An unsigned integer's content.
pub(crate) fn unsigned(value: u64) -> [u8; 8] {
    value.to_be_bytes()
}

/// A TrackEntry: `kind` is 1 for video, 2 for audio.
pub(crate) fn track(number: u8, kind: u8, codec_id: &str, extra: &[u8]) -> Vec<u8> {
    let content = [
        element(id::TRACK_NUMBER, &[number]),
        element(id::TRACK_TYPE, &[kind]),
        element(id::CODEC_ID, codec_id.as_bytes()),
        extra.to_vec(),
    ];
    element(id::TRACK_ENTRY, &content.concat())
}

/// A header, a segment of unknown size, and what is given.
pub(crate) fn live_file(parts: &[&[u8]]) -> Vec<u8> {
    [
        &element(id::EBML, &[])[..],
        &open_element(id::SEGMENT),
        &parts.concat(),
    ]
    .concat()
}

/// The tracks of a file with one of VP8, number 7, 640 by 360.
pub(crate) fn vp8_track() -> Vec<u8> {
    let sides = [
        element(id::PIXEL_WIDTH, &[2, 128]),
        element(id::PIXEL_HEIGHT, &[1, 104]),
    ];
    element(
        id::TRACKS,
        &track(7, 1, "V_VP8", &element(id::VIDEO, &sides.concat())),
    )
}

fn head(id: u32) -> Vec<u8> {
    id.to_be_bytes()
        .into_iter()
        .skip_while(|byte| *byte == 0)
        .collect()
}
