//! What every function needs around its work: configuration, telemetry, time, batches and deadlines.
//!
//! What is not here and never will be: a decision, and an AWS SDK.

pub mod batch;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod meter;
pub mod telemetry;
