//! A GStreamer pipeline that does what a room of four does, for whoever listens: compositor and
//! audiomixer between RTP sources and sinks. It takes nobody's own voice out.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::net::UdpSocket;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::codes::Codes;
use crate::observe::{Delays, Mix};
use crate::plain::{OPUS, Outgoing, VP8, keep};
use crate::rounds::Plan;
use crate::send::{Voice, Wire, send};

const PROGRAM: &str = "gst-launch-1.0";

/// Participants, in the four quarters of 1280x720; the last has the codes.
const PLACES: [(u32, u32); 4] = [(0, 0), (640, 0), (0, 360), (640, 360)];

/// What stands behind each source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// Nothing: on any path but this one, sound would break up.
    None,
    /// A jitter buffer as small as ours becomes here.
    Ms10,
}

impl Buffer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "GStreamer, RTP, no jitter buffer",
            Self::Ms10 => "GStreamer, RTP, jitter buffer 10 ms",
        }
    }

    fn element(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Ms10 => "! rtpjitterbuffer latency=10",
        }
    }
}

/// Until the pipeline plays.
const START: Duration = Duration::from_secs(2);

/// Runs the rounds through the pipeline; `None` if GStreamer is not installed.
pub(crate) async fn run(
    codes: &Arc<Codes>,
    plan: Plan,
    buffer: Buffer,
) -> anyhow::Result<Option<Delays>> {
    let Ok(found) = Command::new(PROGRAM).arg("--version").output() else {
        return Ok(None);
    };
    anyhow::ensure!(found.status.success(), "{PROGRAM} does not run");
    let (audio_out, video_out) = (bind().await?, bind().await?);
    let audio_in = free_port().await?;
    let mut video_in = Vec::new();
    for _ in PLACES {
        video_in.push(free_port().await?);
    }
    let pipeline = pipeline(
        buffer,
        audio_in,
        &video_in,
        audio_out.local_addr()?,
        video_out.local_addr()?,
    );
    let _running = Running::start(&pipeline)?;
    let (audio, video) = (keep(audio_out), keep(video_out));

    let (stop, stopped) = watch::channel(false);
    let mut sitting = JoinSet::new();
    let (with_codes, others) = video_in.split_last().context("no places")?;
    for to in others {
        let wire = Wire::Plain {
            audio: None,
            video: Some(Outgoing::new(*to, VP8).await?),
        };
        let (codes, mut stopped) = (Arc::clone(codes), stopped.clone());
        sitting.spawn(async move {
            let until = async { drop(stopped.wait_for(|stop| *stop).await) };
            send(&codes, wire, Voice::Silent, Instant::now(), until).await
        });
    }
    tokio::time::sleep(START).await;
    let mut rounds = Vec::new();
    for round in plan.rounds() {
        let wire = Wire::Plain {
            audio: Some(Outgoing::new(audio_in, OPUS).await?),
            video: Some(Outgoing::new(*with_codes, VP8).await?),
        };
        let (end, ended) = oneshot::channel::<()>();
        let until = async { drop(ended.await) };
        let sending = send(codes, wire, Voice::Heard, round.start(), until);
        let ending = async {
            tokio::time::sleep_until(round.end().into()).await;
            drop(end);
        };
        let (sent, ()) = tokio::join!(sending, ending);
        rounds.push((round.settled(), sent?));
    }
    stop.send_replace(true);
    while let Some(sat) = sitting.join_next().await {
        sat??;
    }
    let mix = Mix {
        audio: audio.stop().await?,
        video: video.stop().await?,
    };
    Ok(Some(Delays::find(&rounds, &mix)?))
}

/// In real-time settings: no buffers that wait, one thread per codec.
fn pipeline(
    buffer: Buffer,
    audio_in: SocketAddr,
    video_in: &[SocketAddr],
    audio_out: SocketAddr,
    video_out: SocketAddr,
) -> String {
    let buffer = buffer.element();
    let places = PLACES.iter().enumerate().map(|(n, (left, top))| {
        format!(
            "sink_{n}::xpos={left} sink_{n}::ypos={top} sink_{n}::width=640 sink_{n}::height=360 "
        )
    });
    let pictures = video_in.iter().enumerate().map(|(n, from)| {
        format!(
            "udpsrc address=127.0.0.1 port={} caps=\"application/x-rtp,media=video,clock-rate=90000,\
             encoding-name=VP8,payload={VP8}\" {buffer} ! rtpvp8depay ! vp8dec ! queue ! canvas.sink_{n} ",
            from.port()
        )
    });
    format!(
        "compositor name=canvas background=black {places} \
         ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1 \
         ! vp8enc deadline=1 cpu-used=8 threads=1 end-usage=cbr target-bitrate=1500000 \
           keyframe-max-dist=60 lag-in-frames=0 \
         ! rtpvp8pay mtu=1200 pt={VP8} ! udpsink host=127.0.0.1 port={} sync=false async=false \
         {pictures} \
         udpsrc address=127.0.0.1 port={} caps=\"application/x-rtp,media=audio,clock-rate=48000,\
         encoding-name=OPUS,payload={OPUS}\" {buffer} ! rtpopusdepay ! opusdec ! audioconvert ! queue \
         ! audiomixer output-buffer-duration=20000000 ! audio/x-raw,rate=48000,channels=1 \
         ! opusenc frame-size=20 bitrate=32000 audio-type=voice ! rtpopuspay pt={OPUS} \
         ! udpsink host=127.0.0.1 port={} sync=false async=false",
        video_out.port(),
        audio_in.port(),
        audio_out.port(),
        places = places.collect::<String>(),
        pictures = pictures.collect::<String>(),
    )
}

async fn bind() -> anyhow::Result<Arc<UdpSocket>> {
    Ok(Arc::new(UdpSocket::bind("127.0.0.1:0").await?))
}

/// A port that nobody has at the moment.
async fn free_port() -> anyhow::Result<SocketAddr> {
    Ok(bind().await?.local_addr()?)
}

/// Killed when it is dropped.
struct Running(Child);

impl Running {
    fn start(pipeline: &str) -> anyhow::Result<Self> {
        let mut words = Command::new("sh");
        // The shell takes the quotes apart, as the notation is made for.
        words.args(["-c", &format!("exec {PROGRAM} -q {pipeline}")]);
        Ok(Self(
            words.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?,
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
