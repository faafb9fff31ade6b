//! Who hears which encode.
//!
//! Whoever contributes nothing hears the full mix, so all of them on one rung hear one encode, the
//! *shared* one. Whoever contributes hears an encode of their *own*: a fork of the shared one, made
//! with the tick in which they begin, mid-packet or not, so that their decoder notices nothing.
//! They return to the shared one after [`RETURN_TICKS`] of contributing exactly nothing, at the
//! next border between packets. Where nobody else is on the rung, the one encode is both, by
//! turns.
//!
//! A listener changes rung at a border that packets of both rungs have.
//!
//! Bounds: as many encodes as there are listeners who contribute, or did lately, and rungs that
//! anybody is on; never more than listeners.

use codecs::audio::{AudioEncoder, TICK_SAMPLES};

use crate::ParticipantId;
use crate::audio::encode::Encode;
use crate::audio::mix::FullMix;
use crate::audio::{AudioConfig, AudioRung};

/// How long a listener's own encode is kept after their contribution has become exactly nothing:
/// 300 ms. Both encoders and both limiters hear the same from then on; a limiter needs 200 ms to
/// forget what only one of them heard, an encoder a few packets.
const RETURN_TICKS: u32 = 15;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Outputs {
    /// Never encodes: what begins anew is a fork of it.
    fresh: Box<dyn AudioEncoder>,
    /// In the order of their ids.
    listeners: Vec<Listener>,
    /// In the order of their keys.
    encodes: Vec<(Key, Encode)>,
    /// The tick that is to come, unless ticks are skipped.
    next: u64,
    others: Vec<i32>,
}

/// Shared encodes stand before the others of their rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    rung: AudioRung,
    owner: Option<ParticipantId>,
}

#[derive(Debug)]
struct Listener {
    id: ParticipantId,
    /// What they hear.
    key: Key,
    /// The rung they are to hear, from the next border on.
    wanted: AudioRung,
    /// Ticks since their contribution became nothing.
    quiet_ticks: u32,
}

/// Something a listener's encoder refused.
pub(crate) type Failed<'a> = &'a mut dyn FnMut(ParticipantId);

impl Outputs {
    pub(crate) fn new(fresh: Box<dyn AudioEncoder>, config: &AudioConfig) -> Self {
        Self {
            fresh,
            listeners: Vec::new(),
            encodes: Vec::new(),
            next: 0,
            others: vec![0; TICK_SAMPLES * config.channels.count()],
        }
    }

    /// Whether `id` listens.
    pub(crate) fn contains(&self, id: ParticipantId) -> bool {
        self.find(id).is_ok()
    }

    /// `id` listens, or begins anew, on `rung`.
    pub(crate) fn add(
        &mut self,
        id: ParticipantId,
        rung: AudioRung,
        config: &AudioConfig,
        failed: Failed<'_>,
    ) {
        self.remove(id);
        let key = Key { rung, owner: None };
        let at = match self.find_encode(key) {
            Ok(at) => at,
            Err(at) => {
                let (encode, applied) = Encode::new(self.fresh.fork(), rung, config);
                if applied.is_err() {
                    failed(id);
                }
                self.encodes.insert(at, (key, encode));
                at
            }
        };
        self.encodes[at].1.add(id);
        let listener = Listener {
            id,
            key,
            wanted: rung,
            quiet_ticks: 0,
        };
        let (Ok(at) | Err(at)) = self.find(id);
        self.listeners.insert(at, listener);
    }

    /// `id` listens no more; whether they did.
    pub(crate) fn remove(&mut self, id: ParticipantId) -> bool {
        let Ok(at) = self.find(id) else {
            return false;
        };
        let listener = self.listeners.remove(at);
        self.leave(id, listener.key);
        true
    }

    /// `id` is to hear `rung`; whether they listen at all.
    pub(crate) fn set_rung(&mut self, id: ParticipantId, rung: AudioRung) -> bool {
        let Ok(at) = self.find(id) else {
            return false;
        };
        self.listeners[at].wanted = rung;
        true
    }

    /// Encodes tick `number`: `mix` for everybody who contributes nothing, and for the others what
    /// is left of it. `own` gives what each contributed to it.
    pub(crate) fn tick<'a>(
        &mut self,
        number: u64,
        mix: &FullMix,
        own: impl Fn(ParticipantId) -> Option<&'a [i16]>,
        failed: Failed<'_>,
    ) {
        if number != self.next {
            self.encodes.iter_mut().for_each(|(_, it)| it.skip());
        }
        self.next = number.saturating_add(1);
        for at in 0..self.listeners.len() {
            let contribution = own(self.listeners[at].id);
            let speaks = contribution.is_some_and(|pcm| pcm.iter().any(|&sample| sample != 0));
            self.place(at, number, speaks, failed);
        }
        for (key, encode) in &mut self.encodes {
            let result = match key.owner.and_then(&own) {
                Some(own) => {
                    mix.minus(own, &mut self.others);
                    encode.take(number, &self.others)
                }
                None => encode.take(number, mix.sums()),
            };
            if result.is_err() {
                encode.listeners().iter().for_each(|&id| failed(id));
            }
        }
    }

    /// All encodes.
    pub(crate) fn encodes(&self) -> &[(Key, Encode)] {
        &self.encodes
    }

    /// Moves a listener to where they belong in tick `number`.
    fn place(&mut self, at: usize, number: u64, speaks: bool, failed: Failed<'_>) {
        let listener = &mut self.listeners[at];
        listener.quiet_ticks = if speaks {
            0
        } else {
            listener.quiet_ticks.saturating_add(1)
        };
        let border = |rung: AudioRung| rung.packet_time().begins_at(number);
        let from = listener.key;
        let mut to = from;
        if listener.wanted != from.rung && border(from.rung) && border(listener.wanted) {
            to.rung = listener.wanted;
        }
        if speaks {
            to.owner = Some(listener.id);
        } else if listener.quiet_ticks >= RETURN_TICKS && border(from.rung) {
            to.owner = None;
        }
        listener.key = to;
        let id = listener.id;
        if to != from {
            self.switch(id, from, to, failed);
        }
    }

    /// Has `id` go on with the encode `to` where it leaves `from`. If there is none yet, what it
    /// leaves becomes that, or a fork of it if others stay.
    fn switch(&mut self, id: ParticipantId, from: Key, to: Key, failed: Failed<'_>) {
        if let Ok(at) = self.find_encode(to) {
            self.encodes[at].1.add(id);
            self.leave(id, from);
            return;
        }
        let Ok(at) = self.find_encode(from) else {
            return;
        };
        let mut encode = if self.encodes[at].1.listeners() == [id] {
            self.encodes.remove(at).1
        } else {
            self.encodes[at].1.remove(id);
            let mut fork = self.encodes[at].1.fork();
            fork.add(id);
            fork
        };
        if to.rung != from.rung && encode.set_rung(to.rung).is_err() {
            failed(id);
        }
        let (Ok(at) | Err(at)) = self.find_encode(to);
        self.encodes.insert(at, (to, encode));
    }

    /// Takes `id` off the encode `key`, which ends if nobody hears it any more.
    fn leave(&mut self, id: ParticipantId, key: Key) {
        if let Ok(at) = self.find_encode(key) {
            self.encodes[at].1.remove(id);
            if self.encodes[at].1.listeners().is_empty() {
                self.encodes.remove(at);
            }
        }
    }

    fn find(&self, id: ParticipantId) -> Result<usize, usize> {
        self.listeners
            .binary_search_by_key(&id, |listener| listener.id)
    }

    fn find_encode(&self, key: Key) -> Result<usize, usize> {
        self.encodes.binary_search_by_key(&key, |(key, _)| *key)
    }
}
