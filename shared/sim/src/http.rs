//! The world over HTTP.

pub mod kubernetes;
