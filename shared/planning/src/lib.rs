//! The algorithms of the brain: pure and deterministic. A value goes in, a value comes out.
//!
//! What is not here and never will be: a clock, a client, randomness, and the right to act.

pub mod eligibility;
pub mod ghosts;
pub mod looks;
mod methods;
pub mod network;
pub mod office_hours;
pub mod optimize;
pub mod packing;
pub mod placement;
pub mod predict;
pub mod public_data;
pub mod replacement;
pub mod rightsizing;
pub mod risk;
pub mod spot_choice;
pub mod volumes;
pub mod zones;
