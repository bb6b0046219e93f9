//! What tests stand on: the whole system over fakes, worlds by seed, suites of contracts that fakes and adapters are held to, and real
//! programs.

pub mod contracts;
pub mod events;
pub mod nights;
pub mod one_rescue;
pub mod plans;
pub mod pod_pages;
pub mod programs;
pub mod runtime_api;
pub mod scan_cost;
pub mod scenario;
pub mod system;
pub mod told;
pub mod wired;
pub mod world_by_seed;
