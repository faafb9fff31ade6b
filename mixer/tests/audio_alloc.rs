//! A steady tick takes no memory from the allocator.

#[path = "audio/fake.rs"]
mod fake;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use codecs::rtp::{RtpTimestamp, SeqNo};
use mixer::audio::{AudioConfig, AudioInput, AudioMixer, AudioPacket, AudioRung, PacketTime};
use mixer::{ParticipantId, RoomTime};

use crate::fake::{PcmDecoder, packet};

/// The system's allocator, counting what each thread takes.
struct Counting;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is being torn down has no counter any more, and nobody reads it.
    let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
}

#[expect(unsafe_code, reason = "an allocator can only be observed by being one")]
// SAFETY: every method passes its arguments on to `System` unchanged, which upholds the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises about `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: `ptr` came from `System` with this `layout`, by the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as for `dealloc`, and `new_size` is the caller's promise.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many encoders were made from another.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Answers every tick with a packet that changes its length.
#[derive(Debug)]
struct VaryingEncoder(usize);

impl AudioEncoder for VaryingEncoder {
    fn encode(&mut self, pcm: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        self.0 = (self.0 + 37) % 160;
        packet.clear();
        packet.extend(
            pcm[..80 + self.0]
                .iter()
                .map(|sample| sample.to_le_bytes()[0]),
        );
        Ok(())
    }

    fn fork(&self) -> Box<dyn AudioEncoder> {
        FORKS.fetch_add(1, Ordering::Relaxed);
        Box::new(Self(self.0))
    }
}

#[test]
fn a_tick_in_which_nobody_begins_to_speak_allocates_nothing_with_loss_and_bursts_and_pauses_and_peaks()
 {
    let config = AudioConfig {
        channels: Channels::Stereo,
        ..AudioConfig::default()
    };
    let mut mixer = AudioMixer::new(config, Box::new(VaryingEncoder(0)));
    for id in 0..25 {
        let participant = ParticipantId(id);
        let decoder = Box::new(PcmDecoder(Channels::Stereo));
        mixer.handle(AudioInput::AddTrack {
            participant,
            decoder,
        });
        // On four rungs, of which three have packets that many ticks make.
        let packet_time = PacketTime::ALL[id as usize % 4];
        mixer.handle(AudioInput::AddOutput {
            participant,
            rung: AudioRung::new(32, packet_time).unwrap(),
        });
        mixer.handle(AudioInput::RoundTrip {
            participant,
            rtt: Duration::from_millis(10),
        });
    }
    let loud = packet(&[9_000; 1_920]);
    let mut heard = [false; 2];
    let mut asked = 0;
    let mut steady = 0;

    for tick in 0..500u16 {
        for id in 0..25 {
            for sent in (0..=tick).filter(|&sent| arrival(id, sent) == Some(tick)) {
                mixer.handle(live(id, sent, tick, &loud));
            }
        }

        let forks = FORKS.load(Ordering::Relaxed);
        let before = TAKEN.get();
        let output = mixer.tick(RoomTime::from_ms(u64::from(tick) * 20));
        let taken = TAKEN.get() - before;
        asked += output.missing.len();

        let due = |id: &u32| PacketTime::ALL[*id as usize % 4].ends_with(tick.into());
        let listeners: usize = output.packets().map(|it| it.listeners.len()).sum();
        assert_eq!(listeners, (0..25).filter(due).count());
        heard[0] |= output
            .levels
            .iter()
            .any(|(_, level)| level.minus_dbov() > 100);
        heard[1] |= output
            .levels
            .iter()
            .any(|(_, level)| level.minus_dbov() < 12);
        if forks == FORKS.load(Ordering::Relaxed) {
            assert_eq!(taken, 0, "tick {tick}");
            steady += 1;
        }
    }

    // 25 people, each pausing twice.
    assert!(steady > 400, "{steady}");

    assert_eq!(heard, [true, true]);
    let counters = mixer.counters(ParticipantId(3)).unwrap();
    assert!(counters.lost > 0 && counters.recovered > 0 && counters.concealed > 0);
    assert!(counters.accelerated > 0 && counters.expanded > 0);
    assert!(asked > 0);
}

/// The tick in which a packet arrives: some are lost now and then, some are held back for a
/// while, and each participant pauses for a second.
fn arrival(id: u16, tick: u16) -> Option<u16> {
    let lost = (tick * 31 + id) % 17 < 2;
    let pausing = (tick + id * 20) % 300 < 50;
    // Every 60 ticks, ten of them.
    let held_until = (tick / 60 * 60 + 10).max(tick);
    (!lost && !pausing).then_some(held_until)
}

fn live(id: u16, tick: u16, arrival: u16, payload: &Bytes) -> AudioInput {
    AudioInput::Packet {
        participant: ParticipantId(u32::from(id)),
        packet: AudioPacket {
            seq: SeqNo(tick),
            timestamp: RtpTimestamp(u32::from(tick) * 960),
            arrival: RoomTime::from_ms(u64::from(arrival) * 20),
            payload: payload.clone(),
        },
    }
}
