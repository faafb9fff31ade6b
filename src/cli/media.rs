//! Where `serve` takes media: flags that only make sense together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use clap::Args;

use super::wrong;
use crate::serve::{Announce, MediaAddress, MediaPorts};

/// Where media comes to unless told otherwise: what other conference servers use, too, and so what
/// people expect to open in a firewall.
const MEDIA_PORT: u16 = 10_000;

#[derive(Debug, Args)]
pub(super) struct MediaArgs {
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
}

impl MediaArgs {
    /// Where media comes to on a server that listens on `listen`.
    ///
    /// # Errors
    ///
    /// As clap says it.
    pub(super) fn check(&self, listen: IpAddr) -> Result<MediaAddress, clap::Error> {
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
            (None, None) if listen.is_loopback() => listen,
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_range_of_ports_goes_up() {
        for bad in ["", "1", "2-1", "0-1", "1-65536", "a-b", "1-2-3"] {
            assert!(parse_ports(bad).is_err(), "{bad}");
        }
    }
}
