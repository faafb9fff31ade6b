//! The daemon as a process of its own, and what the kernel says of it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// No answer that is waited for takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// So many lines of what the daemon says are remembered, the latest.
const MAX_LINES: usize = 10_000;

/// A running daemon. Dropping it kills it.
pub(crate) struct Daemon {
    child: Child,
    lines: Arc<Mutex<VecDeque<String>>>,
    /// `127.0.0.1:port`
    pub(crate) address: String,
}

/// A look at the process from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) resident_kb: u64,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
}

/// What the daemon says of itself (`GET /healthz`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Health {
    pub(crate) rooms: usize,
    pub(crate) participants: usize,
    pub(crate) sessions: usize,
    pub(crate) tasks: usize,
    /// How often requests were refused, by code.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Daemon {
    /// Starts the daemon built beside this program.
    pub(crate) fn start(flags: &[&str]) -> anyhow::Result<Self> {
        Self::start_in(&[], flags)
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_in(variables: &[(&str, &str)], flags: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new(binary()?)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(flags)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("the daemon does not start")?;
        let stderr = child.stderr.take().context("the daemon has no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let mut said = VecDeque::new();
        let address = loop {
            let line = lines.next().context("the daemon ended early")??;
            let open = line.split_once("open http");
            let url = open.and_then(|(_, rest)| rest.split_once("://"));
            let address = url.map(|(_, rest)| rest.trim_end_matches('/').to_owned());
            said.push_back(line);
            if let Some(address) = address {
                break address;
            }
        };
        let said = Arc::new(Mutex::new(said));
        let daemon = Self {
            child,
            lines: Arc::clone(&said),
            address,
        };
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.len() >= MAX_LINES {
                    said.pop_front();
                }
                said.push_back(line);
            }
        });
        Ok(daemon)
    }

    /// What it has said on stderr so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock();
        let lines = lines.unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    /// The lines with `text` in them, once there are `count`.
    pub(crate) async fn lines_with(&self, text: &str, count: usize) -> anyhow::Result<Vec<String>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut lines = self.lines();
            lines.retain(|line| line.contains(text));
            if lines.len() >= count {
                return Ok(lines);
            }
            ensure!(Instant::now() < deadline, "only {lines:?} with {text:?}");
            // A pause between two looks, not a wait for something to have happened.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What it answers to `GET /healthz`, over a connection of its own.
    pub(crate) fn health(&self) -> anyhow::Result<Health> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request = format!(
            "GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        Ok(serde_json::from_str(body)?)
    }

    /// The same, once it is as `wanted`.
    pub(crate) async fn health_when(
        &self,
        wanted: impl Fn(&Health) -> bool,
    ) -> anyhow::Result<Health> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let health = self.health()?;
            if wanted(&health) {
                return Ok(health);
            }
            ensure!(Instant::now() < deadline, "{health:?}");
            // A pause between two looks, not a wait for something to have happened.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        usage_of(self.process())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where cargo put a binary: beside the folder of the examples.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.ancestors().nth(2).context("not run by cargo")?;
    Ok(folder.join("mosaicd"))
}

/// What a process uses now (proc(5)).
pub(crate) fn usage_of(process: u32) -> anyhow::Result<Usage> {
    let proc = PathBuf::from(format!("/proc/{process}"));
    let stat = std::fs::read_to_string(proc.join("stat"))?;
    // The name in parentheses may hold anything; fields are counted from behind it.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .context("stat")?
        .1
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    let status = std::fs::read_to_string(proc.join("status"))?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("VmRSS")?;
    Ok(Usage {
        // USER_HZ is 100 wherever Linux runs.
        cpu: Duration::from_millis(ticks * 10),
        resident_kb: resident.trim().trim_end_matches(" kB").parse()?,
        descriptors: std::fs::read_dir(proc.join("fd"))?.count(),
        threads: std::fs::read_dir(proc.join("task"))?.count(),
    })
}
