//! The sockets of the relay, and its one loop.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use link::Outage;
use serde_json::{Value, json};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::command::OutageOrder;
use crate::conditions::{Conditions, Direction, Setting};
use crate::path::{Counters, Path};
use crate::traffic::Traffic;

/// Clients at a time; beyond that, whoever was not heard of for longest goes.
const MOST_CLIENTS: usize = 64;

/// Packets from the daemon that may wait for the loop.
const FROM_DAEMON: usize = 1_024;

/// The longest datagram there is.
const MAX_DATAGRAM_BYTES: usize = 65_535;

/// An idle loop looks up this often.
const IDLE: Duration = Duration::from_secs(3_600);

pub(crate) struct Relay {
    socket: UdpSocket,
    target: Option<SocketAddr>,
    clients: BTreeMap<SocketAddr, Client>,
    up: Conditions,
    down: Conditions,
    seed: u64,
    start: Instant,
    /// The latest of each direction; those who come during it meet it, too.
    outage_up: Option<Outage>,
    outage_down: Option<Outage>,
    /// Where the faces are: 127.0.0.1 until the first move.
    face: u8,
    from_daemon: mpsc::Receiver<(SocketAddr, Vec<u8>)>,
    to_loop: mpsc::Sender<(SocketAddr, Vec<u8>)>,
    buffer: Vec<u8>,
}

/// A client's paths, and its face towards the daemon.
struct Client {
    up: Path,
    down: Path,
    face: Arc<UdpSocket>,
    reader: JoinHandle<()>,
    heard: Duration,
}

impl Relay {
    pub(crate) async fn bind(listen: SocketAddr, seed: u64) -> io::Result<Self> {
        let (to_loop, from_daemon) = mpsc::channel(FROM_DAEMON);
        Ok(Self {
            socket: UdpSocket::bind(listen).await?,
            target: None,
            clients: BTreeMap::new(),
            up: Conditions::default(),
            down: Conditions::default(),
            seed,
            start: Instant::now(),
            outage_up: None,
            outage_down: None,
            face: 1,
            from_daemon,
            to_loop,
            buffer: vec![0; MAX_DATAGRAM_BYTES],
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) fn aim(&mut self, target: SocketAddr) {
        self.target = Some(target);
    }

    pub(crate) fn set(&mut self, settings: &[Setting]) {
        for setting in settings {
            self.up.apply(Direction::Up, *setting);
            self.down.apply(Direction::Down, *setting);
        }
        for client in self.clients.values_mut() {
            client.up.set(self.up.link());
            client.down.set(self.down.link());
        }
    }

    pub(crate) fn die_for(&mut self, order: OutageOrder) {
        let from = self.start.elapsed();
        let outage = Outage {
            from,
            until: from + order.length,
            during: order.during,
        };
        if order.direction != Some(Direction::Down) {
            self.outage_up = Some(outage);
        }
        if order.direction != Some(Direction::Up) {
            self.outage_down = Some(outage);
        }
        for client in self.clients.values_mut() {
            client.die(self.outage_up, self.outage_down);
        }
    }

    /// Gives all faces another address and port. What the daemon still sends to the old ones is
    /// lost, as after a change of networks.
    pub(crate) fn move_away(&mut self) -> io::Result<()> {
        self.face = self.face.checked_add(1).unwrap_or(1);
        for (address, client) in &mut self.clients {
            client.reader.abort();
            (client.face, client.reader) = face(self.face, *address, self.to_loop.clone())?;
        }
        Ok(())
    }

    pub(crate) fn stats(&self) -> Value {
        let sum = |path: fn(&Client) -> &Path| {
            let paths = || self.clients.values().map(path);
            let mut traffic = Traffic::default();
            for path in paths() {
                traffic.add(path.traffic());
            }
            let mut sum = paths()
                .map(Path::counters)
                .fold(Counters::default(), Counters::and)
                .to_json();
            sum["bytes"] = traffic.bytes_json();
            sum["queue"] = traffic.queue_json();
            sum
        };
        let faces = self.clients.values().map(|client| &client.face);
        let faces: Vec<String> = faces
            .filter_map(|face| face.local_addr().ok())
            .map(|address| address.to_string())
            .collect();
        json!({ "faces": faces, "up": sum(|client| &client.up), "down": sum(|client| &client.down) })
    }

    /// Waits for the next thing to happen and does it.
    pub(crate) async fn step(&mut self) {
        let now = self.start.elapsed();
        let arrivals = self
            .clients
            .values()
            .flat_map(|client| [client.up.next_arrival(), client.down.next_arrival()]);
        let wait = arrivals
            .flatten()
            .min()
            .map_or(IDLE, |at| at.saturating_sub(now));
        tokio::select! {
            received = self.socket.recv_from(&mut self.buffer) => {
                if let Ok((length, from)) = received {
                    self.take_from_client(from, length);
                }
            }
            Some((client, packet)) = self.from_daemon.recv() => {
                let now = self.start.elapsed();
                if let Some(client) = self.clients.get_mut(&client) {
                    client.down.send(now, packet);
                }
            }
            () = tokio::time::sleep(wait) => {}
        }
        self.deliver();
    }

    fn take_from_client(&mut self, from: SocketAddr, length: usize) {
        if !self.clients.contains_key(&from) {
            self.make_room();
            let Ok((face, reader)) = face(self.face, from, self.to_loop.clone()) else {
                return;
            };
            // Each direction of each client has luck of its own.
            self.seed = self.seed.wrapping_add(1_000_003);
            let mut client = Client {
                up: Path::new(self.up.link(), self.seed),
                down: Path::new(self.down.link(), !self.seed),
                face,
                reader,
                heard: Duration::ZERO,
            };
            client.die(self.outage_up, self.outage_down);
            self.clients.insert(from, client);
        }
        let now = self.start.elapsed();
        if let Some(client) = self.clients.get_mut(&from) {
            client.heard = now;
            client.up.send(now, self.buffer[..length].to_vec());
        }
    }

    fn make_room(&mut self) {
        if self.clients.len() < MOST_CLIENTS {
            return;
        }
        let quietest = self.clients.iter().min_by_key(|(_, client)| client.heard);
        if let Some(client) = quietest.map(|(address, _)| *address) {
            self.clients.remove(&client);
        }
    }

    /// Passes on what has arrived. A full socket loses it, like any router.
    fn deliver(&mut self) {
        let now = self.start.elapsed();
        for (address, client) in &mut self.clients {
            let face = &client.face;
            client.up.deliver(now, |packet| {
                if let Some(target) = self.target {
                    let _ = face.try_send_to(&packet, target);
                }
            });
            client.down.deliver(now, |packet| {
                let _ = self.socket.try_send_to(&packet, *address);
            });
        }
    }
}

impl Client {
    /// Lets nothing through while the outages last.
    fn die(&mut self, up: Option<Outage>, down: Option<Outage>) {
        if let Some(outage) = up {
            self.up.die(outage);
        }
        if let Some(outage) = down {
            self.down.die(outage);
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// A socket towards the daemon for one client, and the task that reads it.
fn face(
    host: u8,
    client: SocketAddr,
    to_loop: mpsc::Sender<(SocketAddr, Vec<u8>)>,
) -> io::Result<(Arc<UdpSocket>, JoinHandle<()>)> {
    let ip = IpAddr::V4(Ipv4Addr::new(127, 0, 0, host));
    let socket = std::net::UdpSocket::bind(SocketAddr::new(ip, 0))?;
    socket.set_nonblocking(true)?;
    let socket = Arc::new(UdpSocket::from_std(socket)?);
    let reader = tokio::spawn({
        let socket = Arc::clone(&socket);
        async move {
            let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
            loop {
                // An error is the daemon being away for the moment.
                let Ok((length, _)) = socket.recv_from(&mut buffer).await else {
                    continue;
                };
                let packet = buffer[..length].to_vec();
                if to_loop.send((client, packet)).await.is_err() {
                    return;
                }
            }
        }
    });
    Ok((socket, reader))
}
