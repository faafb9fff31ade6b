//! Real datagrams on loopback.

use std::future::poll_fn;
use std::task::Poll;

use webrtc::runtime::AsyncUdpSocket;

use super::super::lane::LaneSocket;
use super::super::routes::Credentials;
use super::super::stun::testing::request;
use super::*;

const RTP: &[u8] = &[0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

struct Client {
    socket: UdpSocket,
    port: SocketAddr,
}

impl Client {
    async fn of(port: &Port) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self {
            socket,
            port: port.address(),
        }
    }

    async fn introduce(&self, name: &str) {
        let crypto = rtc::crypto::default_provider().unwrap();
        self.send(&request(&format!("{name}:client"), name, &crypto))
            .await;
    }

    async fn send(&self, bytes: &[u8]) {
        self.socket.send_to(bytes, self.port).await.unwrap();
    }
}

fn bind() -> Port {
    Port::bind("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn open(port: &Port, name: &str) -> LaneSocket {
    let hold = port.open();
    hold.admit(Credentials {
        ufrag: name.to_owned(),
        password: name.to_owned(),
    });
    LaneSocket::new(hold, "127.0.0.1:1".parse().unwrap())
}

async fn receive(lane: &LaneSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; MAX_DATAGRAM_BYTES];
    let (length, from) = lane.recv_from(&mut buffer).await.unwrap();
    buffer.truncate(length);
    (buffer, from)
}

#[tokio::test]
async fn two_connections_share_a_port_and_each_gets_its_own() {
    let port = bind();
    let (ann, bob) = (open(&port, "ann"), open(&port, "bob"));
    let (of_ann, of_bob) = (Client::of(&port).await, Client::of(&port).await);
    of_ann.introduce("ann").await;
    of_bob.introduce("bob").await;

    of_bob.send(RTP).await;
    of_ann.send(RTP).await;

    for (lane, client) in [(&ann, &of_ann), (&bob, &of_bob)] {
        let from = client.socket.local_addr().unwrap();
        assert_eq!(receive(lane).await.1, from, "the introduction");
        assert_eq!(receive(lane).await, (RTP.to_vec(), from));
    }
}

#[tokio::test]
async fn what_a_connection_sends_comes_from_the_shared_port() {
    let port = bind();
    let ann = open(&port, "ann");
    let client = Client::of(&port).await;

    ann.send_to(RTP, client.socket.local_addr().unwrap())
        .await
        .unwrap();

    let mut buffer = [0; 100];
    let (length, from) = client.socket.recv_from(&mut buffer).await.unwrap();
    assert_eq!((&buffer[..length], from), (RTP, port.address()));
}

#[tokio::test]
async fn an_address_that_cannot_be_sent_to_does_not_end_the_socket() {
    let port = bind();
    let ann = open(&port, "ann");

    let nowhere = "255.255.255.255:9".parse().unwrap();

    assert!(ann.send_to(RTP, nowhere).await.is_ok());
}

#[tokio::test]
async fn a_flood_costs_its_own_lane_its_oldest_and_the_neighbour_nothing() {
    let port = bind();
    let (ann, bob) = (open(&port, "ann"), open(&port, "bob"));
    let (of_ann, of_bob) = (Client::of(&port).await, Client::of(&port).await);
    of_ann.introduce("ann").await;
    of_bob.introduce("bob").await;
    receive(&ann).await;
    receive(&bob).await;

    let flood = 3_000_u32;
    for n in 0..flood {
        let mut packet = RTP.to_vec();
        packet[4..8].copy_from_slice(&n.to_be_bytes());
        of_bob.send(&packet).await;
        if n.is_multiple_of(64) {
            of_ann.send(RTP).await;
            assert_eq!(receive(&ann).await.0, RTP, "between the flood's packets");
        }
    }
    of_ann.send(RTP).await;
    receive(&ann).await;

    let mut kept = Vec::new();
    while let Some(n) = receive_now(&bob).await {
        kept.push(n);
    }
    let newest: Vec<u32> = (flood - u32::try_from(kept.len()).unwrap()..flood).collect();
    assert_eq!(kept, newest);
    assert!(kept.len() < 1_000, "{}", kept.len());
}

/// The number in the next packet, if one has come.
async fn receive_now(lane: &LaneSocket) -> Option<u32> {
    let mut buffer = [0; 100];
    let mut meta = [RecvMeta::default()];
    // A poll that is short of its budget says so by finding nothing.
    tokio::task::yield_now().await;
    poll_fn(|cx| {
        let received = lane.poll_recv(cx, &mut [IoSliceMut::new(&mut buffer)], &mut meta);
        Poll::Ready(received.is_ready())
    })
    .await
    .then(|| u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]))
}

#[tokio::test]
async fn all_who_wait_for_the_full_socket_are_woken() {
    let port = bind();
    let _lanes = [open(&port, "ann"), open(&port, "bob")];
    let inlets: Vec<_> = port.shared.routes().inlets().cloned().collect();

    let waits = inlets.into_iter().map(|inlet| {
        let mut polls = 0;
        tokio::spawn(poll_fn(move |cx| {
            polls += 1;
            if polls > 1 {
                return Poll::Ready(());
            }
            inlet.writer.register(cx.waker());
            Poll::Pending
        }))
    });
    let waits: Vec<_> = waits.collect();
    tokio::task::yield_now().await;
    port.shared.wait_until_writable();

    for wait in waits {
        wait.await.unwrap();
    }
}

#[tokio::test]
async fn a_dropped_socket_closes_its_lane() {
    let port = bind();
    let ann = open(&port, "ann");
    let bob = open(&port, "bob");
    let (of_ann, of_bob) = (Client::of(&port).await, Client::of(&port).await);
    of_ann.introduce("ann").await;
    receive(&ann).await;

    drop(ann);
    of_ann.send(RTP).await;
    of_bob.introduce("bob").await;
    receive(&bob).await;

    let now = Instant::now();
    let from = of_ann.socket.local_addr().unwrap();
    assert_eq!(
        port.shared.routes().route(from, RTP, now).err(),
        Some(Stray::Unknown)
    );
    assert_eq!(port.shared.routes().inlets().count(), 1);
}
