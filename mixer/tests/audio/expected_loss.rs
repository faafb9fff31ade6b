//! What the network loses on the way to a listener reaches that listener's encoder.

use codecs::audio::{AudioCodecError, AudioEncoder, Channels};
use mixer::ParticipantId;
use mixer::audio::AudioInput;

use crate::room::Room;

/// A packet is the loss that was expected when it was made.
#[derive(Debug, Default)]
struct LossEncoder(u8);

impl AudioEncoder for LossEncoder {
    fn encode(&mut self, _: &[i16], packet: &mut Vec<u8>) -> Result<(), AudioCodecError> {
        packet.clear();
        packet.extend([self.0, 0]);
        Ok(())
    }

    fn set_expected_loss(&mut self, percent: u8) -> Result<(), AudioCodecError> {
        if percent > 100 {
            return Err(AudioCodecError::Codec(format!("{percent} percent")));
        }
        self.0 = percent;
        Ok(())
    }
}

fn room_of_two() -> Room {
    let mut room = Room::of(2, Channels::Mono);
    for id in 0..2 {
        room.mixer.handle(AudioInput::AddOutput {
            participant: ParticipantId(id),
            encoder: Box::new(LossEncoder::default()),
        });
    }
    room
}

fn expect_loss(room: &mut Room, id: u32, percent: u8) {
    room.mixer.handle(AudioInput::ExpectedLoss {
        participant: ParticipantId(id),
        percent,
    });
}

#[test]
fn expected_loss_reaches_the_encoder_of_that_listener_alone() {
    let mut room = room_of_two();

    expect_loss(&mut room, 1, 20);

    let heard = room.tick();
    assert_eq!((heard.by(0), heard.by(1)), (&[0][..], &[20][..]));
}

#[test]
fn an_encoder_that_refuses_goes_on_as_before_and_is_counted() {
    let mut room = room_of_two();
    expect_loss(&mut room, 1, 10);

    expect_loss(&mut room, 1, 101);

    assert_eq!(room.tick().by(1), &[10]);
    let counters = room.mixer.counters(ParticipantId(1)).unwrap();
    assert_eq!(counters.encoder_failures, 1);
}
