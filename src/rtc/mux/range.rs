//! A range of UDP ports, one for each participant.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU16, Ordering};

use super::port::open;

/// Hands out the range's ports in turn, so that one just given back rests the longest.
#[derive(Debug)]
pub(super) struct PortRange {
    ip: IpAddr,
    range: RangeInclusive<u16>,
    turn: AtomicU16,
}

impl PortRange {
    pub(super) fn new(ip: IpAddr, range: RangeInclusive<u16>) -> Self {
        Self {
            ip,
            range,
            turn: AtomicU16::new(0),
        }
    }

    /// Binds the next free port.
    ///
    /// # Errors
    ///
    /// What is wrong with the last one tried, if none is free.
    pub(super) fn bind(&self) -> io::Result<UdpSocket> {
        let first = usize::from(self.turn.fetch_add(1, Ordering::Relaxed));
        let mut taken = io::Error::other("the range of media ports is empty");
        for port in once_around(self.range.clone(), first) {
            match open(SocketAddr::new(self.ip, port)) {
                Ok(socket) => return Ok(socket.into()),
                Err(error) => taken = error,
            }
        }
        Err(taken)
    }
}

/// The range once around, from its `first` on.
fn once_around(range: RangeInclusive<u16>, first: usize) -> impl Iterator<Item = u16> {
    let ports = range.clone().count();
    let skipped = first.checked_rem(ports).unwrap_or(0);
    range.cycle().skip(skipped).take(ports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn each_socket_has_a_port_of_its_own_until_none_is_left() {
        let free = open(SocketAddr::new(LOOPBACK, 0)).unwrap();
        let port = free.local_addr().unwrap().as_socket().unwrap().port();
        drop(free);
        let range = PortRange::new(LOOPBACK, port..=port);

        let only = range.bind().unwrap();
        assert_eq!(only.local_addr().unwrap().port(), port);
        assert_eq!(range.bind().unwrap_err().kind(), io::ErrorKind::AddrInUse);

        drop(only);
        assert!(range.bind().is_ok());
    }

    #[test]
    fn ports_are_handed_out_in_turn() {
        assert!(once_around(10..=13, 0).eq([10, 11, 12, 13]));
        assert!(once_around(10..=13, 6).eq([12, 13, 10, 11]));
    }
}
