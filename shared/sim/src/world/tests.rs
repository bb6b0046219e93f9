//! The laws of the world.

mod cloud;
mod cluster;
mod market;
mod random;
mod scheduling;
mod size;
mod support;
