//! The nouns and laws of CloudOptim.
//!
//! A snapshot goes in, a plan comes out, steps are carried out, and each can be taken back. This crate holds what those
//! words mean. It is pure: no I/O, no clock, no randomness and no vendor type will ever be here; what the world must do
//! stands in [`ports`] as traits.
//!
//! ```
//! use domain::ids::InstanceId;
//!
//! assert!(InstanceId::parse("i-0123456789abcdef0").is_ok());
//! assert!(InstanceId::parse("i-NOT-AN-ID").is_err());
//! ```

pub mod address;
pub mod audit;
pub mod catalog;
pub mod decision;
pub mod finding;
pub mod ids;
pub mod interruption;
pub mod market;
pub mod model;
pub mod money;
pub mod node;
pub mod notify;
pub mod offering;
pub mod office_hours;
pub mod operation;
pub mod optimization;
pub mod permissions;
pub mod plan;
pub mod pod;
pub mod policy;
pub mod ports;
pub mod savings;
pub mod scheduling;
pub mod sizing;
pub mod snapshot;
pub mod spot_event;
pub mod tenant;
pub mod usage;
pub mod watch;
pub mod workload;

pub use jiff::{SignedDuration, Timestamp};
