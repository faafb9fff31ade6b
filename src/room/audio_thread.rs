//! Drives the room's `AudioMixer` in real time, every 20 ms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::audio::{AudioDecoder, AudioEncoder};
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use mixer::ParticipantId;
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioRung, AudioTick, Muted};
use tokio::sync::watch;
use tracing::{debug, info};

use super::audio_path::{AudioPath, note_playout};
use super::schedule::Schedule;
use super::video_thread::VideoControl;
use crate::link::{AudioOut, Link};
use crate::rtc::Direction;

/// One audio tick.
const PERIOD: Duration = Duration::from_millis(20);

/// Who is quieter than this is not heard: a thousandth of full scale, which is below speech in
/// the next room and above what a microphone gives in a quiet one after noise suppression.
const GATE_MINUS_DBOV: u8 = 60;

/// Packets of one participant looked at in one tick; what is beyond waits, or is dropped by the
/// ring. Eight times what the shortest usual packet time (10 ms) brings.
const PACKETS_PER_TICK: usize = 16;

/// Somebody connected.
struct Member {
    link: Arc<Link>,
    path: AudioPath,
}

/// What the room asks of the thread.
#[derive(Debug)]
pub(super) enum AudioControl {
    Attach {
        participant: ParticipantId,
        link: Arc<Link>,
        decoder: Box<dyn AudioDecoder>,
        hears: Direction,
    },
    Detach {
        participant: ParticipantId,
    },
    Mute {
        participant: ParticipantId,
        muted: Muted,
    },
}

/// How a room's sound is encoded.
pub(super) struct Encoding {
    /// A new one, of which all others are forks.
    pub(super) encoder: Box<dyn AudioEncoder>,
    /// The rung that everybody begins on.
    pub(super) rung: AudioRung,
}

/// Runs until the room drops its end of `controls`.
pub(super) fn run(
    room_start: Instant,
    encoding: Encoding,
    controls: &Receiver<AudioControl>,
    tell_speaker: &watch::Sender<Option<ParticipantId>>,
    to_video: &Sender<VideoControl>,
) {
    info!("audio thread started");
    let Encoding { encoder, rung } = encoding;
    let config = AudioConfig {
        gate_minus_dbov: Some(GATE_MINUS_DBOV),
        ..AudioConfig::default()
    };
    let mut mixer = AudioMixer::new(config, encoder);
    let mut members: BTreeMap<ParticipantId, Member> = BTreeMap::new();
    let mut schedule = Schedule::new(room_start, PERIOD, Instant::now());
    loop {
        let point = schedule.next(Instant::now());
        thread::sleep(point.wait);
        schedule.begin(Instant::now());

        loop {
            match controls.try_recv() {
                Ok(control) => obey(&mut mixer, &mut members, rung, control),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    let lateness = schedule.lateness();
                    let skipped_ticks = schedule.skipped();
                    info!(%lateness, skipped_ticks, "audio thread ended");
                    return;
                }
            }
        }
        for (participant, Member { link, path }) in &mut members {
            path.follow(&link.path, *participant, &mut mixer);
            let audio_in = &link.audio_in;
            for packet in std::iter::from_fn(|| audio_in.pop()).take(PACKETS_PER_TICK) {
                mixer.handle(AudioInput::Packet {
                    participant: *participant,
                    packet,
                });
            }
        }

        let tick = mixer.tick(point.time);

        deliver(&tick, &members);
        let speaker = tick.active_speaker;
        let changed = tell_speaker.send_if_modified(|told| {
            let changed = *told != speaker;
            *told = speaker;
            changed
        });
        if changed {
            debug!(?speaker, "active speaker");
            // An error means that the video thread has ended, and with it the room.
            let _ = to_video.send(VideoControl::Speaker(speaker));
        }
        for (participant, member) in &members {
            note_playout(&mixer, *participant, &member.link.path);
        }
    }
}

/// Leaves for each transport what a tick has for it.
fn deliver(tick: &AudioTick<'_>, members: &BTreeMap<ParticipantId, Member>) {
    for packet in tick.packets() {
        let audio = AudioOut {
            timestamp: wire_timestamp(packet.first_sample),
            payload: Bytes::copy_from_slice(packet.payload),
        };
        for listener in packet.listeners {
            if let Some(member) = members.get(listener) {
                member.link.send_audio(audio.clone());
            }
        }
    }
    for (participant, seq) in tick.missing {
        if let Some(member) = members.get(participant) {
            member.link.request_audio(*seq);
        }
    }
    for (participant, level) in tick.levels {
        if let Some(member) = members.get(participant) {
            member.link.set_level(*level);
        }
    }
}

fn obey(
    mixer: &mut AudioMixer,
    members: &mut BTreeMap<ParticipantId, Member>,
    rung: AudioRung,
    control: AudioControl,
) {
    match control {
        AudioControl::Attach {
            participant,
            link,
            decoder,
            hears,
        } => {
            mixer.handle(AudioInput::AddTrack {
                participant,
                decoder,
            });
            match hears {
                Direction::Wanted => {
                    mixer.handle(AudioInput::AddOutput { participant, rung });
                }
                Direction::Unwanted => mixer.handle(AudioInput::RemoveOutput { participant }),
            }
            let path = AudioPath::new(rung);
            members.insert(participant, Member { link, path });
        }
        AudioControl::Detach { participant } => {
            if let Some(counters) = mixer.counters(participant) {
                info!(%participant, ?counters, "audio ended");
            }
            mixer.handle(AudioInput::RemoveTrack { participant });
            mixer.handle(AudioInput::RemoveOutput { participant });
            if let Some(Member { link, .. }) = members.remove(&participant) {
                debug!(%participant, dropped = link.dropped(), "detached");
            }
        }
        AudioControl::Mute { participant, muted } => {
            mixer.handle(AudioInput::Mute { participant, muted });
        }
    }
}

/// Wraps after a day, as the wire does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is cut off is what wraps"
)]
const fn wire_timestamp(first_sample: u64) -> u32 {
    first_sample as u32
}
