mod accounting;
mod execution;
mod filled;
mod laws;
pub(crate) mod world;
