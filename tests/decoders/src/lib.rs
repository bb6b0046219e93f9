//! Every decoder of outside data as a function of bytes: [`TARGETS`]. None may panic, whatever the bytes are.
//!
//! `fuzz/` gives each to libFuzzer (`cargo fuzz run event`); the smoke run of CI ([`mutate`]) changes the seeds of `fuzz/corpus` at
//! random, with a seed of its own that is printed and can be passed back.

pub mod mutate;
mod targets;

pub use targets::{TARGETS, Target};
