//! What every function has around it: configuration, telemetry, time, counters, batches and deadlines.

pub mod batch;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod meter;
pub mod telemetry;
