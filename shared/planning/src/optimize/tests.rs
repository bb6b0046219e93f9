mod execution;
mod laws;
mod world;
