//! A decoder takes any packets, decoded or as FEC of a lost one, and appends what it says.
//!
//! Each packet is preceded by a byte: its upper bit asks for FEC, the others are its length.
#![no_main]

use codecs::audio::{AudioDecoder, Channels, MAX_PACKET_SAMPLES, TICK_SAMPLES};
use codecs::opus::{OpusDecoder, Packet};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packets: &[u8]| {
    let mut decoder = OpusDecoder::new(Channels::Stereo).unwrap();
    let mut rest = packets;
    while let Some((&head, tail)) = rest.split_first() {
        let (packet, tail) = tail.split_at(usize::from(head & 0x7f).min(tail.len()));
        rest = tail;
        let mut pcm = Vec::new();
        let appended = if head & 0x80 == 0 {
            decoder.decode(packet, &mut pcm)
        } else {
            decoder.recover(packet, TICK_SAMPLES, &mut pcm)
        };
        assert_eq!(
            pcm.len(),
            2 * appended.as_ref().map_or(0, |samples| *samples)
        );
        assert!(pcm.len() <= 2 * MAX_PACKET_SAMPLES);
        assert!(appended.is_err() || Packet::parse(packet).is_ok());
    }
});
