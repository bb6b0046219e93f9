//! Scenarios, simulation, contracts and tidy.

pub mod contracts;

pub mod system;

pub mod world_by_seed;

pub mod one_rescue;

pub mod pod_pages;
