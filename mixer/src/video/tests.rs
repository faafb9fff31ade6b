//! The whole mixer with fake codecs, whose pictures are exact.

mod fakes;
mod goldens;
mod properties;
mod recovery;
mod room;
mod rungs;
mod speakers;
mod tiles;
