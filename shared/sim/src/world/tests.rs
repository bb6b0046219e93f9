//! The laws of the world.

mod cloud;
mod cluster;
mod support;
