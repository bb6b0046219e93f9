//! The server as callers meet it: requests in, answers out, over an engine that leaves everything as it is.

mod access;
mod bodies;
mod contract;
mod market;
mod models;
pub(crate) mod support;
mod uploads;
