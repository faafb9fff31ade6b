//! Participants who talk all the time while it is their turn: the usual recordings without the pauses
//! between their sentences, since only sound can be missed and takes bits.

use anyhow::ensure;
use codecs::audio::{AudioDecoder, Channels};
use codecs::opus::OpusDecoder;

use crate::clip::{Clip, usual_clips};

/// A packet louder than this is of speech: −40 dBFS, as mean square of 16-bit samples. The recordings
/// speak at −23 dBFS, in a room at −70.
const SPEECH_POWER: i64 = 107_374;

/// `count` usual participants who never pause.
///
/// # Errors
///
/// If a fixture cannot be read, or nobody speaks in it.
pub(crate) fn talkers(count: usize) -> anyhow::Result<Vec<Clip>> {
    usual_clips(count)?.into_iter().map(talking).collect()
}

fn talking(mut clip: Clip) -> anyhow::Result<Clip> {
    let mut decoder = OpusDecoder::new(Channels::Mono)?;
    let mut spoken = Vec::new();
    for packet in clip.packets {
        let mut pcm = Vec::new();
        decoder.decode(&packet, &mut pcm)?;
        let energy: i64 = pcm.iter().map(|sample| i64::from(*sample).pow(2)).sum();
        if energy > SPEECH_POWER * pcm.len() as i64 {
            spoken.push(packet);
        }
    }
    ensure!(!spoken.is_empty(), "nobody speaks in a fixture");
    clip.packets = spoken;
    Ok(clip)
}
