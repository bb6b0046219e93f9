//! The pages, a file each: what is read for one, and how it is put together.

pub mod blockers;
pub mod cluster;
pub mod clusters;
pub mod config;
pub mod cost;
pub mod decisions;
pub mod door;
pub mod filled;
pub mod gaps;
pub mod health;
pub mod history;
pub mod hours;
pub mod interruptions;
pub mod keys;
pub mod models;
pub mod overview;
pub mod plan;
pub mod plans;
pub mod predictions;
pub mod prices;
pub mod pricing;
pub mod rightsizing;
pub mod savings;
pub mod shared;
pub mod waste;
