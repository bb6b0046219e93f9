//! Scenarios, simulation, contracts and tidy.

pub mod contracts;

pub mod events;

pub mod nights;

pub mod one_rescue;

pub mod plans;

pub mod programs;

pub mod runtime_api;

pub mod scenario;

pub mod system;

pub mod wired;

pub mod pod_pages;
pub mod world_by_seed;
