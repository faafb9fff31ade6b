//! Drives the room's `AudioMixer` in real time, every 20 ms.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use codecs::audio::{AudioDecoder, AudioEncoder};
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use mixer::ParticipantId;
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, Muted};
use tokio::sync::watch;
use tracing::{debug, info};

use super::audio_path::{AudioPath, note_delay};
use super::schedule::Schedule;
use super::video_thread::VideoControl;
use crate::link::{AudioOut, Link};

/// One audio tick.
const PERIOD: Duration = Duration::from_millis(20);

/// What a tick adds to the RTP timestamp: its samples at 48 kHz.
const TICK_TIMESTAMP_STEP: u32 = 960;

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
        /// Absent where the participant does not want to hear.
        encoder: Option<Box<dyn AudioEncoder>>,
    },
    Detach {
        participant: ParticipantId,
    },
    Mute {
        participant: ParticipantId,
        muted: Muted,
    },
}

/// Runs until the room drops its end of `controls`.
pub(super) fn run(
    room_start: Instant,
    controls: &Receiver<AudioControl>,
    tell_speaker: &watch::Sender<Option<ParticipantId>>,
    to_video: &Sender<VideoControl>,
) {
    info!("audio thread started");
    let mut mixer = AudioMixer::new(AudioConfig::default());
    let mut members: BTreeMap<ParticipantId, Member> = BTreeMap::new();
    let mut schedule = Schedule::new(room_start, PERIOD, Instant::now());
    loop {
        let point = schedule.next(Instant::now());
        thread::sleep(point.wait);
        schedule.begin(Instant::now());

        loop {
            match controls.try_recv() {
                Ok(control) => obey(&mut mixer, &mut members, control),
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

        let timestamp = wire_timestamp(point.number);
        for packet in tick
            .packets
            .iter()
            .filter(|packet| !packet.payload.is_empty())
        {
            if let Some(member) = members.get(&packet.participant) {
                let payload = Bytes::copy_from_slice(&packet.payload);
                member.link.send_audio(AudioOut { timestamp, payload });
            }
        }
        for (participant, seq) in tick.missing {
            if let Some(member) = members.get(participant) {
                member.link.request_audio(*seq);
            }
        }
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
            note_delay(&mixer, *participant, &member.link.path);
        }
    }
}

fn obey(
    mixer: &mut AudioMixer,
    members: &mut BTreeMap<ParticipantId, Member>,
    control: AudioControl,
) {
    match control {
        AudioControl::Attach {
            participant,
            link,
            decoder,
            encoder,
        } => {
            mixer.handle(AudioInput::AddTrack {
                participant,
                decoder,
            });
            if let Some(encoder) = encoder {
                mixer.handle(AudioInput::AddOutput {
                    participant,
                    encoder,
                });
            }
            let path = AudioPath::default();
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

/// 960 a tick; wraps after a day, as the wire does.
fn wire_timestamp(tick: u32) -> u32 {
    tick.wrapping_mul(TICK_TIMESTAMP_STEP)
}
