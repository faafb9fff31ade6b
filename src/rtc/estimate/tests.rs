//! The estimator in a closed loop over a simulated path, in virtual time.

mod flow;
mod path;
mod steady;
mod tcp;
