//! What every function has around it: configuration, telemetry, time, counters, batches and deadlines; and, for those that ask
//! for it, HTTP on either side and the decision server.

#[cfg(feature = "advisor")]
pub mod advisor;
pub mod batch;
pub mod clock;
pub mod config;
#[cfg(feature = "courier")]
pub mod courier;
pub mod deadline;
#[cfg(feature = "gzip")]
pub use https::gzip;
#[cfg(feature = "http")]
pub mod http;
pub mod meter;
pub mod telemetry;
#[cfg(feature = "web")]
pub mod web;
