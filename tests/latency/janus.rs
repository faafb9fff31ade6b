//! Janus' AudioBridge with plain RTP participants: one with the codes, one who listens.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::sync::oneshot;

use crate::codes::Codes;
use crate::observe::{Delays, Mix};
use crate::plain::{OPUS, Outgoing, keep};
use crate::rounds::Plan;
use crate::send::{Voice, Wire, send};

const PROGRAM: &str = "janus";
const ROOM: u32 = 1;

/// 20 ms of nothing, as Opus encoders send it when they do (RFC 6716 §3.2).
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];
const SILENCE_SAMPLES: u32 = 960;

/// No answer that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much of a participant's sound Janus keeps before it mixes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buffer {
    /// One packet.
    Small,
    /// What it keeps if it is not told.
    Default,
}

impl Buffer {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Small => "Janus AudioBridge, prebuffer 1",
            Self::Default => "Janus AudioBridge, plain RTP",
        }
    }
}

/// Runs the rounds through Janus; `None` if it is not installed. There is no picture.
pub(crate) async fn run(
    codes: &Arc<Codes>,
    plan: Plan,
    buffer: Buffer,
) -> anyhow::Result<Option<Delays>> {
    if Command::new(PROGRAM).arg("--version").output().is_err() {
        return Ok(None);
    }
    let janus = Janus::start()?;
    janus.create_room()?;
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
    let listening = janus.join("listening", socket.local_addr()?, buffer)?;
    // Only who has been heard from is sent the mix.
    let mut silence = Outgoing::new(listening.to, OPUS)
        .await?
        .over(Arc::clone(&socket));
    for n in 0..5 {
        silence.send(n * SILENCE_SAMPLES, false, &SILENCE).await?;
    }
    let listener = keep(socket);
    let mut rounds = Vec::new();
    for round in plan.rounds() {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
        let speaking = janus.join("codes", socket.local_addr()?, buffer)?;
        let audio = Outgoing::new(speaking.to, OPUS).await?.over(socket);
        let wire = Wire::Plain {
            audio: Some(audio),
            video: None,
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
        janus.leave(&speaking)?;
    }
    let mix = Mix {
        audio: listener.stop().await?,
        video: Vec::new(),
    };
    Ok(Some(Delays::find(&rounds, &mix)?))
}

/// A running Janus with settings of ours, spoken to over its REST interface.
struct Janus {
    process: Child,
    address: SocketAddr,
    _settings: TempDir,
}

/// Somebody in the room.
struct Participant {
    session: u64,
    handle: u64,
    /// Where Janus takes their sound.
    to: SocketAddr,
}

impl Janus {
    fn start() -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let settings = tempfile::tempdir()?;
        configure(settings.path(), address)?;
        let process = Command::new(PROGRAM)
            .arg("--configs-folder")
            .arg(settings.path())
            .args(["--interface", "127.0.0.1", "--debug-level", "2"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let janus = Self {
            process,
            address,
            _settings: settings,
        };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            ensure!(Instant::now() < deadline, "Janus does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(janus)
    }

    fn create_room(&self) -> anyhow::Result<()> {
        let (session, handle) = self.attach()?;
        let room = json!({
            "request": "create", "room": ROOM, "sampling_rate": 48_000,
            "allow_rtp_participants": true, "is_private": false,
        });
        let answer = self.message(session, handle, &room)?;
        ensure!(
            answer["plugindata"]["data"]["audiobridge"] == "created",
            "{answer}"
        );
        Ok(())
    }

    fn join(&self, name: &str, from: SocketAddr, buffer: Buffer) -> anyhow::Result<Participant> {
        let (session, handle) = self.attach()?;
        let mut join = json!({
            "request": "join", "room": ROOM, "display": name, "codec": "opus",
            "rtp": { "ip": from.ip().to_string(), "port": from.port(), "payload_type": OPUS },
        });
        if buffer == Buffer::Small {
            join["prebuffer"] = json!(1);
        }
        self.message(session, handle, &join)?;
        let event = self.request("GET", &format!("/janus/{session}?maxev=1"), None)?;
        let rtp = &event["plugindata"]["data"]["rtp"];
        let port = rtp["port"]
            .as_u64()
            .with_context(|| format!("no port in {event}"))?;
        let to = SocketAddr::new(from.ip(), u16::try_from(port)?);
        Ok(Participant {
            session,
            handle,
            to,
        })
    }

    fn leave(&self, participant: &Participant) -> anyhow::Result<()> {
        let Participant {
            session, handle, ..
        } = participant;
        self.message(*session, *handle, &json!({ "request": "leave" }))?;
        Ok(())
    }

    fn attach(&self) -> anyhow::Result<(u64, u64)> {
        let id = |answer: &Value| {
            let id = answer["data"]["id"].as_u64();
            id.with_context(|| format!("no id in {answer}"))
        };
        let create = json!({ "janus": "create", "transaction": "t" });
        let session = id(&self.request("POST", "/janus", Some(&create))?)?;
        let attach = json!({
            "janus": "attach", "plugin": "janus.plugin.audiobridge", "transaction": "t",
        });
        let handle = id(&self.request("POST", &format!("/janus/{session}"), Some(&attach))?)?;
        Ok((session, handle))
    }

    fn message(&self, session: u64, handle: u64, body: &Value) -> anyhow::Result<Value> {
        let message = json!({ "janus": "message", "transaction": "t", "body": body });
        self.request(
            "POST",
            &format!("/janus/{session}/{handle}"),
            Some(&message),
        )
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no answer")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Only what is needed, and only on loopback.
fn configure(folder: &Path, rest: SocketAddr) -> std::io::Result<()> {
    let files = [
        (
            "janus.jcfg",
            "general: {}\nmedia: { rtp_port_range = \"20000-40000\" }\n".to_owned(),
        ),
        (
            "janus.plugin.audiobridge.jcfg",
            "general: { local_ip = \"127.0.0.1\" }\n".to_owned(),
        ),
        (
            "janus.transport.http.jcfg",
            format!(
                "general: {{ http = true, ip = \"127.0.0.1\", port = {}, json = \"compact\" }}\n",
                rest.port()
            ),
        ),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text)?;
    }
    Ok(())
}
