//! Everybody's picture into one.

mod fit;
mod layout;
mod region;

pub use fit::Fit;
pub use layout::{Aspect, AspectError, GridStyle, Layout, MAX_TILES};
pub use region::{Region, RegionError};
