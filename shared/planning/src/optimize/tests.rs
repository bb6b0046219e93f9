mod accounting;
mod execution;
mod laws;
pub(crate) mod world;
