//! Scenarios, simulation, contracts and tidy.

pub mod contracts;

pub mod events;

pub mod scenario;

pub mod system;

pub mod world_by_seed;

pub mod one_rescue;
