//! The whole mixer with fake codecs, whose pictures are exact.

mod fakes;
mod goldens;
mod isolation;
mod properties;
mod recovery;
mod room;
mod rungs;
mod tiles;
mod turned;
