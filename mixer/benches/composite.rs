//! What compositing costs into 1280x720, apart from codecs: nothing is decoded or encoded.
//!
//! Two figures for each number of tiles, to be read beside each other:
//!
//! - `copies`: the tiles copied to the canvas in a bare loop, the least that can be done.
//! - `tick`: a whole tick whose sources send what their tiles show, so that scaling is a copy too:
//!   everything moves twice, from source to tile and from tile to canvas. Budget: 4 times `copies`,
//!   which is a thirtieth of what the encoder needs for the same canvas.
//!
//! All on one thread: more threads than free cores measure the machine, not the mixer.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codecs::video::{
    Decoded, FrameKind, I420, PictureSize, PictureView, PictureViewMut, Scaler, VideoDecodeError,
    VideoDecoder, VideoEncodeError, VideoEncoder,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use mixer::video::{
    GridStyle, Layout, RecordedFrame, RungConfig, RungId, VideoConfig, VideoInput, VideoMixer,
};
use mixer::{ParticipantId, RoomTime};

const RUNG: RungId = RungId(0);

fn size(width: u32, height: u32) -> PictureSize {
    PictureSize::new(width, height).expect("benches use sizes that exist")
}

/// Says that there is a new picture, which is the one there was.
#[derive(Debug)]
struct Camera(PictureSize);

impl VideoDecoder for Camera {
    fn decode(&mut self, _: &[u8], picture: &mut I420) -> Result<Decoded, VideoDecodeError> {
        if picture.size() != self.0 {
            picture.resize(self.0);
        }
        Ok(Decoded::Picture)
    }
}

#[derive(Debug)]
struct Copy;

impl Scaler for Copy {
    fn scale(&mut self, from: PictureView<'_>, mut to: PictureViewMut<'_>) {
        to.copy_from(from);
    }
}

#[derive(Debug)]
struct NoEncoder;

impl VideoEncoder for NoEncoder {
    fn encode(
        &mut self,
        picture: &I420,
        _: u64,
        wanted: FrameKind,
        _: &mut Vec<u8>,
    ) -> Result<FrameKind, VideoEncodeError> {
        black_box(picture);
        Ok(wanted)
    }

    fn set_bitrate(&mut self, _: u32) -> Result<(), VideoEncodeError> {
        Ok(())
    }
}

/// A room whose participants all have a new picture at each tick.
struct Room {
    mixer: VideoMixer,
    participants: Vec<ParticipantId>,
    now: RoomTime,
}

impl Room {
    fn new(participants: &[ParticipantId], camera: PictureSize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
        let pool = pool.build().expect("one thread can be had");
        let mut mixer = VideoMixer::new(VideoConfig::default(), Arc::new(pool));
        let config = RungConfig::grid(size(1280, 720), 0);
        let encoder = Box::new(NoEncoder);
        mixer.handle(VideoInput::AddRung {
            rung: RUNG,
            config,
            encoder,
        });
        for participant in participants.iter().copied() {
            mixer.handle(VideoInput::Join { participant });
            let decoder = Box::new(Camera(camera));
            let scaler = Box::new(Copy);
            mixer.handle(VideoInput::AddTrack {
                participant,
                decoder,
                scaler,
            });
        }
        Self {
            mixer,
            participants: participants.to_vec(),
            now: RoomTime::START,
        }
    }

    fn tick(&mut self) {
        self.now = self.now + Duration::from_micros(33_333);
        for participant in self.participants.iter().copied() {
            let frame = RecordedFrame {
                time: self.now,
                data: Bytes::from_static(&[0]),
            };
            self.mixer
                .handle(VideoInput::Recorded { participant, frame });
        }
        black_box(self.mixer.tick(self.now));
    }
}

fn composite(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("composite 1280x720");
    for count in [4, 9, 25] {
        let participants: Vec<ParticipantId> = (0..count).map(ParticipantId).collect();
        let layout = Layout::grid(size(1280, 720), &participants, GridStyle::default());
        let tile = layout.tiles()[0].1.size();

        group.bench_function(BenchmarkId::new("copies", count), |bencher| {
            let mut canvas = I420::black(size(1280, 720));
            let pictures = vec![I420::black(tile); participants.len()];
            bencher.iter(|| {
                for ((_, region), picture) in layout.tiles().iter().zip(&pictures) {
                    let mut canvas = canvas.view_mut();
                    let place = canvas.crop(region.left(), region.top(), region.size());
                    place.expect("regions are inside").copy_from(picture.view());
                }
                black_box(&mut canvas);
            });
        });
        group.bench_function(BenchmarkId::new("tick", count), |bencher| {
            let mut room = Room::new(&participants, tile);
            bencher.iter(|| room.tick());
        });
    }
    group.finish();
}

criterion_group!(benches, composite);
criterion_main!(benches);
