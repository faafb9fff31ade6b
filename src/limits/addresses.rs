//! What each address holds, and how fast it asks. Pure, time is an argument.
//!
//! An address of which there is nothing to know is forgotten. When [`MAX_ADDRESSES`] are known all
//! the same, those that come then share one account: somebody with a whole network of addresses
//! makes it tight for other strangers, not for those who are in.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use super::bucket::{Bucket, Rate};

/// How many addresses something is remembered of.
const MAX_ADDRESSES: usize = 65_536;

/// How often to look for addresses that can be forgotten, at most: a look is at all of them.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The bits of an IPv6 address that one subscriber has for themselves, masked out.
const SUBSCRIBER_MASK: u128 = !0 << 64;

/// Who asks, as far as an address tells: for IPv6, everybody in one /64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Address(IpAddr);

/// What an address may hold several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holding {
    /// A TCP connection.
    Connection,
    /// A TCP connection over which nothing was asked yet.
    Opening,
    /// A signaling session.
    Session,
    /// A seat in a room.
    Participant,
    /// A room that was opened by coming first.
    Room,
}

/// What may come from an address so often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coming {
    /// A TCP connection.
    Connection,
    /// A request over HTTP.
    Request,
    /// An offer that takes a seat by itself.
    Offer,
    /// A wrong key of operators.
    WrongKey,
}

/// All addresses that there is something to know of.
#[derive(Debug)]
pub(super) struct Addresses {
    accounts: HashMap<Address, Account>,
    /// Of those there is no room for.
    others: Account,
    /// Of all addresses, those without an account included.
    connections: u32,
    swept_at: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Account {
    came: [Bucket; 4],
    connections: u32,
    openings: u32,
    sessions: u32,
    participants: u32,
    rooms: u32,
}

/// Where something is held, so that it can be given back there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Own(Address),
    Others,
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & SUBSCRIBER_MASK)),
            ip @ IpAddr::V4(_) => ip,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => ip.fmt(f),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

impl Addresses {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            accounts: HashMap::new(),
            others: Account::new(now),
            connections: 0,
            swept_at: now,
        }
    }

    /// Takes note of one more that comes from `address`.
    ///
    /// # Errors
    ///
    /// If it comes too soon: how long to wait.
    pub(super) fn take(
        &mut self,
        address: Address,
        coming: Coming,
        rate: Rate,
        now: Instant,
    ) -> Result<(), Duration> {
        let place = self.place(address, now);
        self.account(place).came(coming).take(rate, now)
    }

    /// Whether one more may come, without taking note of it.
    ///
    /// # Errors
    ///
    /// If it would come too soon: how long to wait.
    pub(super) fn look(
        &mut self,
        address: Address,
        coming: Coming,
        rate: Rate,
        now: Instant,
    ) -> Result<(), Duration> {
        let place = self.place(address, now);
        self.account(place).came(coming).look(rate, now)
    }

    /// Takes note that `address` holds one more, unless it holds `max`.
    pub(super) fn hold(
        &mut self,
        address: Address,
        holding: Holding,
        max: u32,
        now: Instant,
    ) -> Option<Place> {
        let place = self.place(address, now);
        self.hold_too(place, holding, max).then_some(place)
    }

    /// Takes note that whoever holds something at `place` holds one more, unless they hold `max`.
    pub(super) fn hold_too(&mut self, place: Place, holding: Holding, max: u32) -> bool {
        let held = self.account(place).held(holding);
        let fits = *held < max;
        *held += u32::from(fits);
        fits
    }

    /// Takes note of one more connection of anybody, unless there are `max`.
    pub(super) fn connect(&mut self, max: u32) -> bool {
        let fits = self.connections < max;
        self.connections += u32::from(fits);
        fits
    }

    /// Takes note that a connection ended.
    pub(super) fn disconnect(&mut self) {
        self.connections = self.connections.saturating_sub(1);
    }

    /// Gives one back.
    pub(super) fn release(&mut self, place: Place, holding: Holding) {
        let held = self.account(place).held(holding);
        *held = held.saturating_sub(1);
    }

    fn place(&mut self, address: Address, now: Instant) -> Place {
        if self.accounts.contains_key(&address) {
            return Place::Own(address);
        }
        let idle = now.saturating_duration_since(self.swept_at);
        if self.accounts.len() >= MAX_ADDRESSES && idle >= SWEEP_INTERVAL {
            self.swept_at = now;
            self.accounts.retain(|_, account| !account.is_idle(now));
        }
        if self.accounts.len() >= MAX_ADDRESSES {
            return Place::Others;
        }
        self.accounts.insert(address, Account::new(now));
        Place::Own(address)
    }

    fn account(&mut self, place: Place) -> &mut Account {
        match place {
            Place::Own(address) => self
                .accounts
                .entry(address)
                .or_insert_with(|| Account::new(self.swept_at)),
            Place::Others => &mut self.others,
        }
    }
}

impl Account {
    fn new(now: Instant) -> Self {
        Self {
            came: [Bucket::new(now); 4],
            connections: 0,
            openings: 0,
            sessions: 0,
            participants: 0,
            rooms: 0,
        }
    }

    fn came(&mut self, coming: Coming) -> &mut Bucket {
        let [connections, requests, offers, wrong_keys] = &mut self.came;
        match coming {
            Coming::Connection => connections,
            Coming::Request => requests,
            Coming::Offer => offers,
            Coming::WrongKey => wrong_keys,
        }
    }

    fn held(&mut self, holding: Holding) -> &mut u32 {
        match holding {
            Holding::Connection => &mut self.connections,
            Holding::Opening => &mut self.openings,
            Holding::Session => &mut self.sessions,
            Holding::Participant => &mut self.participants,
            Holding::Room => &mut self.rooms,
        }
    }

    fn is_idle(&self, now: Instant) -> bool {
        let held = [
            self.connections,
            self.openings,
            self.sessions,
            self.participants,
            self.rooms,
        ];
        held == [0; 5] && self.came.iter().all(|bucket| bucket.is_full(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn ipv6_counts_by_64_bits_and_mapped_addresses_as_what_they_are() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
        assert_ne!(address("2001:db8:0:1::1"), address("2001:db8:0:2::1"));
        assert_eq!(address("::ffff:192.0.2.7"), address("192.0.2.7"));
        assert_ne!(address("192.0.2.7"), address("192.0.2.8"));
        assert_eq!(address("2001:db8::1").to_string(), "2001:db8::/64");
    }

    #[test]
    fn each_address_holds_so_many_of_each_kind() {
        let now = Instant::now();
        let mut addresses = Addresses::new(now);
        let (ann, bob) = (address("192.0.2.1"), address("192.0.2.2"));

        let place = addresses.hold(ann, Holding::Session, 1, now).unwrap();

        assert_eq!(addresses.hold(ann, Holding::Session, 1, now), None);
        assert!(addresses.hold(ann, Holding::Participant, 1, now).is_some());
        assert!(addresses.hold(bob, Holding::Session, 1, now).is_some());
        addresses.release(place, Holding::Session);
        assert!(addresses.hold(ann, Holding::Session, 1, now).is_some());
    }

    #[test]
    fn who_comes_when_all_accounts_are_taken_shares_one_until_some_are_free() {
        let now = Instant::now();
        let rate = Rate::per_second(1, 1);
        let mut addresses = Addresses::new(now);
        let numbered = |n: usize| {
            let n = u32::try_from(n).unwrap();
            Address::from(IpAddr::from(n.to_be_bytes()))
        };
        let sitting = addresses.hold(numbered(0), Holding::Session, 1, now);
        assert!(sitting.is_some());
        for n in 1..MAX_ADDRESSES {
            addresses
                .take(numbered(n), Coming::Request, rate, now)
                .unwrap();
        }

        let first = addresses.take(numbered(MAX_ADDRESSES), Coming::Request, rate, now);
        let second = addresses.take(numbered(MAX_ADDRESSES + 1), Coming::Request, rate, now);
        assert_eq!((first, second), (Ok(()), Err(Duration::from_secs(1))));
        assert_eq!(addresses.accounts.len(), MAX_ADDRESSES);

        let later = now + SWEEP_INTERVAL;
        for n in 0..2 {
            let request = addresses.take(numbered(MAX_ADDRESSES + n), Coming::Request, rate, later);
            assert_eq!(request, Ok(()), "the idle ones were forgotten");
        }
        assert_eq!(addresses.accounts.len(), 3);
        let again = addresses.hold(numbered(0), Holding::Session, 1, later);
        assert_eq!(again, None, "who holds something is not forgotten");
    }
}
