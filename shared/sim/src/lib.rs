//! One seeded world that implements every port and serves itself over HTTP.
pub mod checkers;
pub mod clock;
pub mod courier;
pub mod faults;
pub mod http;
pub mod store;
pub mod world;
