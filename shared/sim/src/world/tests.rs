//! The laws of the world.

mod cloud;
mod cluster;
mod random;
mod scheduling;
mod support;
