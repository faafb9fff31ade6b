//! Somebody who plays a clip into a small room.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Media;
use crate::clip::{Clip, usual_clips};
use crate::player::Player;

/// A small canvas: these tests are about packets and transports.
pub(crate) const SMALL: [&str; 4] = ["--size", "320x180", "--fps", "30"];

/// Somebody who sends a clip until told to stop.
pub(crate) struct Playing {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Playing {
    pub(crate) fn start(clip: Clip, media: Media) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let player = Player::new(clip, media)?;
        let task = tokio::spawn(player.play(async { drop(stopped.await) }));
        Ok(Self { stop, task })
    }

    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.task.await?
    }
}

/// Of somebody before a red wall.
pub(crate) fn one_clip() -> anyhow::Result<Clip> {
    Ok(usual_clips(1)?.remove(0))
}
