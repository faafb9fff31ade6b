//! The command line: flags in, checked settings out.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use codecs::video::PictureSize;
use mixer::video::Fit;

use crate::mix::MixConfig;
use crate::serve::ServeConfig;

/// The largest canvas: what VP8 hardware and browsers take.
const MAX_CANVAS_SIDE_PX: u32 = 4096;

/// A conference server that mixes: one audio and one video stream for each participant.
#[derive(Debug, Parser)]
#[command(name = "mosaicd", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve conferences to browsers
    Serve(ServeArgs),
    /// Mix recorded WebM files into one
    Mix(MixArgs),
}

/// What was asked for.
#[derive(Debug)]
pub enum Task {
    /// `mosaicd serve`
    Serve(ServeConfig),
    /// `mosaicd mix`
    Mix(MixConfig),
}

/// What both commands draw.
#[derive(Debug, Args)]
struct PictureArgs {
    /// Size of the mixed picture in pixels, both even
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = parse_size)]
    size: PictureSize,
    /// Pictures per second
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// Bitrate of the mixed video
    #[arg(long, value_name = "KBPS", default_value_t = 1500,
          value_parser = clap::value_parser!(u32).range(50..=20_000))]
    video_kbps: u32,
    /// How pictures meet tiles of another shape: fit shows all of them, fill covers all of the tile
    #[arg(long, value_enum, default_value_t = FitArg::Fit)]
    fit: FitArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FitArg {
    Fit,
    Fill,
}

impl From<FitArg> for Fit {
    fn from(fit: FitArg) -> Self {
        match fit {
            FitArg::Fit => Self::Fit,
            FitArg::Fill => Self::Fill,
        }
    }
}

#[derive(Debug, Args)]
struct ServeArgs {
    /// Where to serve the page and the signaling
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where participants send media to; needed when --listen is not a loopback address
    #[arg(long, value_name = "IP")]
    media_ip: Option<IpAddr>,
    #[command(flatten)]
    picture: PictureArgs,
    /// Bitrate of the mixed audio
    #[arg(long, value_name = "KBPS", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(6..=256))]
    audio_kbps: u32,
    /// How long the seat of somebody who vanished is held
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    seat_seconds: u64,
    /// The most participants in a room
    #[arg(long, value_name = "N", default_value_t = 49,
          value_parser = clap::value_parser!(u16).range(1..=49))]
    max_participants: u16,
    /// The most rooms at a time
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u16).range(1..))]
    max_rooms: u16,
}

#[derive(Debug, Args)]
struct MixArgs {
    /// WebM files with VP8 and Opus, either may be missing
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// The WebM file to write
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    picture: PictureArgs,
    /// Bitrate of the mixed audio
    #[arg(long, value_name = "KBPS", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(6..=256))]
    audio_kbps: u32,
    /// Also write a still of the mixed picture
    #[arg(long, value_name = "PNG")]
    poster: Option<PathBuf>,
}

/// Reads the command line. Ends the process with code 2 where it makes no sense, and with 0 after
/// `--help`.
#[must_use]
pub fn parse() -> Task {
    match Cli::parse().command {
        Command::Serve(args) => Task::Serve(args.check().unwrap_or_else(|error| error.exit())),
        Command::Mix(args) => Task::Mix(args.check().unwrap_or_else(|error| error.exit())),
    }
}

impl ServeArgs {
    fn check(self) -> Result<ServeConfig, clap::Error> {
        let media_ip = match self.media_ip {
            Some(ip) if ip.is_unspecified() => {
                return Err(wrong(
                    "serve",
                    "--media-ip must be an address that participants can reach",
                ));
            }
            Some(ip) => ip,
            None if self.listen.ip().is_loopback() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            None => {
                let message = "--listen serves a network, so --media-ip must say which address of \
                               this machine participants can reach";
                return Err(wrong("serve", message));
            }
        };
        Ok(ServeConfig {
            listen: self.listen,
            media_ip,
            size: self.picture.size,
            fps: self.picture.fps,
            video_kbps: self.picture.video_kbps,
            audio_kbps: self.audio_kbps,
            seat_hold: Duration::from_secs(self.seat_seconds),
            max_participants: self.max_participants.into(),
            max_rooms: self.max_rooms.into(),
            fit: self.picture.fit.into(),
        })
    }
}

impl MixArgs {
    fn check(self) -> Result<MixConfig, clap::Error> {
        if self.inputs.len() > mixer::video::MAX_TILES {
            let message = format!(
                "{} files, at most {} fit a grid",
                self.inputs.len(),
                mixer::video::MAX_TILES
            );
            return Err(wrong("mix", message));
        }
        if self.inputs.contains(&self.output) {
            return Err(wrong("mix", "--output is one of the inputs"));
        }
        Ok(MixConfig {
            inputs: self.inputs,
            output: self.output,
            poster: self.poster,
            size: self.picture.size,
            fps: self.picture.fps,
            video_kbps: self.picture.video_kbps,
            audio_kbps: self.audio_kbps,
            fit: self.picture.fit.into(),
        })
    }
}

/// An error as clap itself would say it, with the usage of `command`.
fn wrong(command: &str, message: impl std::fmt::Display) -> clap::Error {
    let mut cli = Cli::command();
    cli.build();
    match cli.find_subcommand_mut(command) {
        Some(command) => command.error(ErrorKind::ValueValidation, message),
        None => cli.error(ErrorKind::ValueValidation, message),
    }
}

fn parse_size(text: &str) -> Result<PictureSize, String> {
    let expected = || format!("expected WIDTHxHEIGHT, both even and 64 to {MAX_CANVAS_SIDE_PX}");
    let (width, height) = text.split_once('x').ok_or_else(expected)?;
    let side = |text: &str| {
        let side: u32 = text.parse().map_err(|_| expected())?;
        let valid = (64..=MAX_CANVAS_SIDE_PX).contains(&side) && side.is_multiple_of(2);
        if valid { Ok(side) } else { Err(expected()) }
    };
    PictureSize::new(side(width)?, side(height)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(flags: &[&str]) -> Result<ServeConfig, clap::Error> {
        let cli = Cli::try_parse_from(["mosaicd", "serve"].iter().chain(flags))?;
        match cli.command {
            Command::Serve(args) => args.check(),
            Command::Mix(_) => unreachable!("serve was asked for"),
        }
    }

    #[test]
    fn loopback_needs_no_media_address() {
        assert!(serve(&[]).unwrap().media_ip.is_loopback());
        assert!(serve(&["--listen", "[::1]:0"]).is_ok());
    }

    #[test]
    fn a_network_address_needs_a_media_address_to_go_with_it() {
        assert!(serve(&["--listen", "0.0.0.0:80"]).is_err());
        assert!(serve(&["--listen", "0.0.0.0:80", "--media-ip", "0.0.0.0"]).is_err());
        let served = serve(&["--listen", "0.0.0.0:80", "--media-ip", "192.0.2.7"]).unwrap();
        assert_eq!(served.media_ip.to_string(), "192.0.2.7");
    }

    #[test]
    fn sizes_are_even_and_bounded() {
        for good in ["1280x720", "64x64", "4096x4096"] {
            assert!(parse_size(good).is_ok(), "{good}");
        }
        for bad in [
            "", "1280", "1280x", "1281x720", "0x0", "4098x720", "-2x2", "1e3x720",
        ] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
