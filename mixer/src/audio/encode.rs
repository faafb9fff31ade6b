//! One encode: the encoder of a rung, what it was given of its next packet, and who hears it.
//!
//! [`Encode::take`] is called once per tick. The packet that a tick completes is there until the
//! next one. Packets lie on the grid of [`PacketTime`]; what was missing of one when it ends, since
//! the encode began in mid-packet or ticks were skipped, is silence.
//!
//! Exact silence costs no encode. After [`HANG_TICKS`] of it the encoder has settled and is left as
//! it is. Its last packet is sent again for each that is due, or with DTX a pause; so when sound
//! comes, the state it goes on from is that of silence, on both ends.

use codecs::audio::{AudioCodecError, AudioEncoder, TICK_SAMPLES};

use crate::ParticipantId;
use crate::audio::limiter::Limiter;
use crate::audio::{AudioConfig, AudioRung, Dtx};

/// Silence that is encoded before its packets are repeated: 400 ms. By then what came before has
/// left the encoder's filters and its rate control.
const HANG_TICKS: u64 = 20;

/// In a pause a packet is sent this often, as Opus does: 400 ms.
const DTX_REFRESH_TICKS: u64 = 20;

/// Room for a packet of 96 kb/s, lest an encoder's first packets allocate.
const USUAL_BYTES_PER_TICK: usize = 240;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Encode {
    rung: AudioRung,
    encoder: Box<dyn AudioEncoder>,
    limiter: Limiter,
    /// One packet's samples, filled from the front.
    pcm: Vec<i16>,
    /// Ticks of exact silence so far, without a break and with these settings.
    silent_ticks: u64,
    payload: Vec<u8>,
    due: bool,
    /// The tick with which the last packet of the present pause went out.
    paused: Option<u64>,
    /// In their order.
    listeners: Vec<ParticipantId>,
}

impl Encode {
    /// An encode on `rung` by a new `encoder`.
    ///
    /// # Errors
    ///
    /// What the encoder says about the settings, beside an encode that goes on without them.
    pub(crate) fn new(
        encoder: Box<dyn AudioEncoder>,
        rung: AudioRung,
        config: &AudioConfig,
    ) -> (Self, Result<(), AudioCodecError>) {
        let mut encode = Self {
            rung,
            encoder,
            limiter: Limiter::new(config.channels),
            pcm: Vec::new(),
            silent_ticks: 0,
            payload: Vec::new(),
            due: false,
            paused: None,
            listeners: Vec::new(),
        };
        encode.resize(TICK_SAMPLES * config.channels.count());
        let result = encode.apply();
        (encode, result)
    }

    /// Another encode that goes on exactly as this one would, for nobody yet.
    pub(crate) fn fork(&self) -> Self {
        let mut payload = Vec::with_capacity(self.payload.capacity());
        payload.extend_from_slice(&self.payload);
        Self {
            encoder: self.encoder.fork(),
            limiter: self.limiter.clone(),
            pcm: self.pcm.clone(),
            payload,
            // So that whoever returns one day finds room.
            listeners: Vec::with_capacity(self.listeners.capacity()),
            ..*self
        }
    }

    /// Goes over to `rung`, between two packets.
    ///
    /// # Errors
    ///
    /// What the encoder says; it goes on with its former settings as far as they were refused.
    pub(crate) fn set_rung(&mut self, rung: AudioRung) -> Result<(), AudioCodecError> {
        let tick_len = self.tick_len();
        self.rung = rung;
        // What was made of silence so far is not of this rung.
        self.silent_ticks = 0;
        self.paused = None;
        self.resize(tick_len);
        self.apply()
    }

    fn apply(&mut self) -> Result<(), AudioCodecError> {
        self.encoder.set_bitrate(self.rung.bitrate_kbps())?;
        self.encoder.set_expected_loss(self.rung.loss().percent())
    }

    fn resize(&mut self, tick_len: usize) {
        let ticks = self.rung.packet_time().ticks();
        self.pcm.clear();
        self.pcm.resize(ticks * tick_len, 0);
        let usual = ticks * USUAL_BYTES_PER_TICK;
        self.payload
            .reserve(usual.saturating_sub(self.payload.len()));
    }

    /// Forgets what it has of the next packet: ticks were skipped.
    pub(crate) fn skip(&mut self) {
        self.pcm.fill(0);
    }

    /// Takes in the sums of tick `number`, and encodes if that completes a packet.
    ///
    /// # Errors
    ///
    /// What the encoder says; there is no packet then.
    pub(crate) fn take(&mut self, number: u64, sums: &[i32]) -> Result<(), AudioCodecError> {
        let packet_time = self.rung.packet_time();
        let begin = packet_time.place_of(number) * sums.len();
        let pcm = &mut self.pcm[begin..begin + sums.len()];
        self.limiter.limit(sums, pcm);
        if pcm.iter().all(|&sample| sample == 0) {
            self.silent_ticks += 1;
        } else {
            self.silent_ticks = 0;
        }
        self.due = false;
        if !packet_time.ends_with(number) {
            return Ok(());
        }
        let settled = self.silent_ticks >= HANG_TICKS + packet_time.ticks() as u64;
        let result = match self.rung.dtx() {
            Dtx::On if settled => {
                self.pause(number);
                Ok(())
            }
            Dtx::Off if settled && !self.payload.is_empty() => {
                self.due = true;
                Ok(())
            }
            _ => self.encode(),
        };
        self.pcm.fill(0);
        result
    }

    fn encode(&mut self) -> Result<(), AudioCodecError> {
        self.paused = None;
        let result = self.encoder.encode(&self.pcm, &mut self.payload);
        if result.is_err() {
            self.payload.clear();
        }
        self.due = !self.payload.is_empty();
        result
    }

    /// Begins a pause, or says that it goes on if that was not said for a while.
    fn pause(&mut self, number: u64) {
        let fresh = |last| number.saturating_sub(last) < DTX_REFRESH_TICKS;
        if self.paused.is_some_and(fresh) {
            return;
        }
        self.encoder.pause(&mut self.payload);
        self.due = !self.payload.is_empty();
        self.paused = Some(number);
    }

    /// The packet that the last tick completed, if it is to be sent.
    pub(crate) fn packet(&self) -> Option<&[u8]> {
        self.due.then_some(&self.payload[..])
    }

    /// How it encodes.
    pub(crate) fn rung(&self) -> AudioRung {
        self.rung
    }

    /// Who hears it, in their order.
    pub(crate) fn listeners(&self) -> &[ParticipantId] {
        &self.listeners
    }

    /// `id` hears it from now on.
    pub(crate) fn add(&mut self, id: ParticipantId) {
        if let Err(at) = self.listeners.binary_search(&id) {
            self.listeners.insert(at, id);
        }
    }

    /// `id` hears it no more.
    pub(crate) fn remove(&mut self, id: ParticipantId) {
        if let Ok(at) = self.listeners.binary_search(&id) {
            self.listeners.remove(at);
        }
    }

    fn tick_len(&self) -> usize {
        self.pcm.len() / self.rung.packet_time().ticks()
    }
}
