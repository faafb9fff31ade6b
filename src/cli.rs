//! The command line: flags in, checked settings out.

mod rooms;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};
use codecs::video::PictureSize;
use mixer::ladder::Ladder;
use mixer::video::Fit;

use self::rooms::RoomArgs;
use crate::ladder_file;
use crate::mix::MixConfig;
use crate::serve::{Announce, MediaAddress, MediaPorts, ServeConfig};

/// The largest canvas: what VP8 hardware and browsers take.
const MAX_CANVAS_SIDE_PX: u32 = 4096;

/// Where media comes to unless told otherwise: what other conference servers use, too, and so what
/// people expect to open in a firewall.
const MEDIA_PORT: u16 = 10_000;

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
    /// Size of the mixed picture in pixels, both even; `serve` offers smaller ones below it
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = parse_size)]
    size: PictureSize,
    /// Pictures per second
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: u32,
    /// Bitrate of the mixed video, at most
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
    /// Which address of this machine to take media on; needed, or --announce, when --listen is not
    /// a loopback address [default: 127.0.0.1, or with --announce all]
    #[arg(long, value_name = "IP")]
    media_ip: Option<IpAddr>,
    /// The one UDP port for everybody's media, 0 for any free one [default: 10000, or any free one
    /// of a loopback address]
    #[arg(long, value_name = "PORT")]
    media_port: Option<u16>,
    /// A UDP port of its own for each participant instead, out of these
    #[arg(long, value_name = "FIRST-LAST", value_parser = parse_ports, conflicts_with = "media_port")]
    media_ports: Option<RangeInclusive<u16>>,
    /// What participants are told to send media to, when that is not what is bound here: the
    /// outside of a NAT
    #[arg(long, value_name = "IP[:PORT]", value_parser = parse_announce)]
    announce: Option<Announce>,
    #[command(flatten)]
    picture: PictureArgs,
    /// The pictures that are offered, as JSON, instead of what --size, --fps and --video-kbps make
    #[arg(long, value_name = "FILE", conflicts_with_all = ["size", "fps", "video_kbps"])]
    ladder: Option<PathBuf>,
    /// The most that each one's mixed audio gets
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
    /// The most signaling sessions at a time
    #[arg(long, value_name = "N", default_value_t = 5000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_sessions: u32,
    #[command(flatten)]
    rooms: RoomArgs,
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
        let media = self.media()?;
        let ladder = self.ladder()?;
        Ok(ServeConfig {
            listen: self.listen,
            media,
            ladder,
            audio_kbps: self.audio_kbps,
            seat_hold: Duration::from_secs(self.seat_seconds),
            max_participants: self.max_participants.into(),
            max_rooms: self.max_rooms.into(),
            max_sessions: usize::try_from(self.max_sessions).unwrap_or(usize::MAX),
            fit: self.picture.fit.into(),
            house: self.rooms.house(),
            rooms: self.rooms.names,
        })
    }
}

impl ServeArgs {
    fn ladder(&self) -> Result<Ladder, clap::Error> {
        let PictureArgs {
            size,
            fps,
            video_kbps,
            ..
        } = self.picture;
        match &self.ladder {
            Some(file) => ladder_file::read(file)
                .map_err(|error| wrong("serve", format!("--ladder {}: {error}", file.display()))),
            None => Ladder::usual(size, fps, video_kbps).map_err(|error| wrong("serve", error)),
        }
    }

    fn media(&self) -> Result<MediaAddress, clap::Error> {
        let ip = match (self.media_ip, self.announce.map(|announce| announce.ip)) {
            (Some(ip), None) if ip.is_unspecified() => {
                return Err(wrong(
                    "serve",
                    "--media-ip must be an address that participants can reach, or --announce one",
                ));
            }
            (Some(ip), _) => ip,
            (None, Some(outside)) if outside.is_loopback() => outside,
            (None, Some(IpAddr::V4(_))) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            (None, Some(IpAddr::V6(_))) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
            (None, None) if self.listen.ip().is_loopback() => self.listen.ip(),
            (None, None) => {
                let message = "--listen serves a network, so --media-ip must say which address of \
                               this machine participants can reach, or --announce which other";
                return Err(wrong("serve", message));
            }
        };
        let ports = match (&self.media_ports, self.media_port) {
            (Some(range), _) => MediaPorts::Each(range.clone()),
            (None, Some(port)) => MediaPorts::Shared(port),
            (None, None) if ip.is_loopback() => MediaPorts::Shared(0),
            (None, None) => MediaPorts::Shared(MEDIA_PORT),
        };
        let one_outside = self
            .announce
            .is_some_and(|announce| announce.port.is_some());
        if one_outside && self.media_ports.is_some() {
            return Err(wrong(
                "serve",
                "--announce with a port needs one port for everybody, not --media-ports",
            ));
        }
        Ok(MediaAddress {
            ip,
            ports,
            announce: self.announce,
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
        let written = || std::iter::once(&self.output).chain(&self.poster);
        let place = |path: &PathBuf| real_place(path);
        if let Some(path) =
            written().find(|it| self.inputs.iter().any(|input| place(input) == place(it)))
        {
            let message = format!("{} would be written over an input", path.display());
            return Err(wrong("mix", message));
        }
        if self.poster.as_ref().map(place) == Some(place(&self.output)) {
            return Err(wrong("mix", "--poster and --output are the same file"));
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

/// Where a path leads, whatever it is called; it need not exist yet.
fn real_place(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.file_name()
        .map_or_else(|| folder.clone(), |name| folder.join(name))
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

fn parse_ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let expected = || "expected FIRST-LAST, from 1 to 65535, such as 10000-10999".to_owned();
    let (first, last) = text.split_once('-').ok_or_else(expected)?;
    let first: u16 = first.parse().map_err(|_| expected())?;
    let last: u16 = last.parse().map_err(|_| expected())?;
    if first == 0 || first > last {
        return Err(expected());
    }
    Ok(first..=last)
}

fn parse_announce(text: &str) -> Result<Announce, String> {
    let expected = "expected an address that participants can reach, with or without a port, such \
                    as 203.0.113.7, 203.0.113.7:10000 or [2001:db8::7]:10000";
    let announce = match (text.parse(), text.parse::<SocketAddr>()) {
        (Ok(ip), _) => Announce { ip, port: None },
        (_, Ok(address)) => Announce {
            ip: address.ip(),
            port: Some(address.port()),
        },
        _ => return Err(expected.to_owned()),
    };
    if announce.ip.is_unspecified() || announce.port == Some(0) {
        return Err(expected.to_owned());
    }
    Ok(announce)
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
    fn loopback_needs_no_media_address_and_takes_any_port() {
        let media = serve(&[]).unwrap().media;
        assert!(media.ip.is_loopback());
        assert_eq!(media.ports, MediaPorts::Shared(0));
        let media = serve(&["--listen", "[::1]:0"]).unwrap().media;
        assert!(media.ip.is_ipv6());
    }

    #[test]
    fn a_network_address_needs_a_media_address_to_go_with_it() {
        assert!(serve(&["--listen", "0.0.0.0:80"]).is_err());
        assert!(serve(&["--listen", "0.0.0.0:80", "--media-ip", "0.0.0.0"]).is_err());
        let media = serve(&["--listen", "0.0.0.0:80", "--media-ip", "192.0.2.7"])
            .unwrap()
            .media;
        assert_eq!(media.ip.to_string(), "192.0.2.7");
        assert_eq!(media.ports, MediaPorts::Shared(10_000));
        let media = serve(&["--media-ip", "192.0.2.7"]).unwrap().media;
        assert_eq!(media.ports, MediaPorts::Shared(10_000));
    }

    #[test]
    fn an_announced_address_is_what_participants_reach() {
        for listen in ["0.0.0.0:80", "127.0.0.1:80"] {
            let served = serve(&["--listen", listen, "--announce", "203.0.113.7:9"]);
            let media = served.unwrap().media;
            assert!(media.ip.is_unspecified(), "the outside leads to any inside");
            assert_eq!(media.ports, MediaPorts::Shared(10_000));
            let announce = media.announce.unwrap();
            assert_eq!(announce.ip.to_string(), "203.0.113.7");
            assert_eq!(announce.port, Some(9));
        }
        let media = serve(&["--announce", "127.0.0.1:9"]).unwrap().media;
        assert!(media.ip.is_loopback());
        assert_eq!(media.ports, MediaPorts::Shared(0));
    }

    #[test]
    fn only_an_address_that_can_be_reached_is_announced() {
        for good in ["203.0.113.7", "2001:db8::7", "[2001:db8::7]:9"] {
            assert!(parse_announce(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "0.0.0.0",
            "[::]:9",
            "203.0.113.7:0",
            "203.0.113.7:70000",
            "example.org",
        ] {
            assert!(parse_announce(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_range_gives_each_participant_a_port_and_excludes_a_shared_one() {
        let media = serve(&["--media-ports", "10000-10999"]).unwrap().media;
        assert_eq!(media.ports, MediaPorts::Each(10_000..=10_999));

        assert!(serve(&["--media-ports", "1-2", "--media-port", "1"]).is_err());
        assert!(serve(&["--media-ports", "1-2", "--announce", "192.0.2.7:1"]).is_err());
        assert!(serve(&["--media-ports", "1-2", "--announce", "192.0.2.7"]).is_ok());
        for bad in ["", "1", "2-1", "0-1", "1-65536", "a-b", "1-2-3"] {
            assert!(parse_ports(bad).is_err(), "{bad}");
        }
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
