//! The world over HTTP.

pub mod aws;
pub mod kubernetes;
