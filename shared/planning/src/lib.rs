//! The algorithms of the brain: pure and deterministic. A value goes in, a value comes out.
//!
//! What is not here and never will be: a clock, a client, randomness, and the right to act.

pub mod packing;
pub mod replacement;
