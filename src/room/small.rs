//! A room in which nothing costs time, for tests and fuzz targets.

use std::sync::Arc;
use std::time::Duration;

use codecs::video::PictureSize;
use mixer::ladder::Ladder;
use mixer::video::Fit;
use rayon::ThreadPool;

use super::{Events, HouseRules, MediaConfig, RoomConfig};

impl RoomConfig {
    /// Nine seats, held for 30 s, a picture of 64x64, and a hundred events kept.
    pub(crate) fn small(house: HouseRules) -> Self {
        let size = PictureSize::new(64, 64).expect("even and small");
        let ladder = Ladder::usual(size, 30, 200).expect("such a ladder is usual");
        Self {
            seat_hold: Duration::from_secs(30),
            max_participants: 9,
            ice_servers: Arc::default(),
            media: MediaConfig {
                ladder: Arc::new(ladder),
                audio_kbps: 32,
                fit: Fit::Fit,
            },
            house,
            events: Events::new(100),
            counters: Arc::default(),
        }
    }
}

/// For the pictures of such rooms.
pub(crate) fn one_thread() -> Arc<ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    Arc::new(pool.expect("a thread can be started"))
}
