//! `mosaicd serve`: its flags.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use mixer::ladder::Ladder;

use super::access::{AccessArgs, Checked, IceArgs, TlsArgs};
use super::media::MediaArgs;
use super::operators::OperatorArgs;
use super::picture::PictureArgs;
use super::rooms::RoomArgs;
use super::values::{count, seconds};
use super::wrong;
use crate::ladder_text;
use crate::serve::ServeConfig;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Read settings from this file, TOML, whose keys are the flags; flags go before it
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where to serve the page and the signaling
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    media: MediaArgs,
    #[command(flatten)]
    picture: PictureArgs,
    /// The pictures that rooms offer, as JSON (OPERATING.md), instead of what --size, --fps and --video-kbps make
    #[arg(long, value_name = "FILE", conflicts_with_all = ["size", "fps", "video_kbps"])]
    ladder: Option<PathBuf>,
    /// The most that each one's mixed audio gets
    #[arg(long, value_name = "KBPS", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(6..=256))]
    audio_kbps: u32,
    /// How long the seat of somebody who vanished is held
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds(1..=3600))]
    seat_seconds: Duration,
    /// The most participants in a room
    #[arg(long, value_name = "N", default_value = "49", value_parser = count(1..=49))]
    max_participants: usize,
    /// The most rooms at a time
    #[arg(long, value_name = "N", default_value = "100", value_parser = count(1..=65_535))]
    max_rooms: usize,
    #[command(flatten)]
    rooms: RoomArgs,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    ice: IceArgs,
    #[command(flatten)]
    operators: OperatorArgs,
}

impl ServeArgs {
    /// Whether the flags make sense together.
    ///
    /// # Errors
    ///
    /// As clap says it.
    pub(super) fn check(self) -> Result<ServeConfig, clap::Error> {
        let ladder = self.ladder()?;
        let media = self.media.check(self.listen.ip())?;
        let Checked {
            access,
            openness,
            origins,
            trusted_proxies,
            limits,
        } = self.access.check(self.listen.ip())?;
        Ok(ServeConfig {
            listen: self.listen,
            media,
            ladder,
            audio_kbps: self.audio_kbps,
            seat_hold: self.seat_seconds,
            max_participants: self.max_participants,
            max_rooms: self.max_rooms,
            fit: self.picture.fit.into(),
            house: self.rooms.house(),
            rooms: self.rooms.listed()?,
            access,
            openness,
            origins,
            trusted_proxies,
            limits,
            tls: self.tls.into(),
            ice_servers: self.ice.check()?,
            operators: self.operators.check()?,
        })
    }

    fn ladder(&self) -> Result<Ladder, clap::Error> {
        let PictureArgs {
            size,
            fps,
            video_kbps,
            ..
        } = self.picture;
        match &self.ladder {
            Some(file) => ladder_text::read(file)
                .map_err(|error| wrong("serve", format!("--ladder {}: {error}", file.display()))),
            None => Ladder::usual(size, fps, video_kbps).map_err(|error| wrong("serve", error)),
        }
    }
}

#[cfg(test)]
mod tests;
