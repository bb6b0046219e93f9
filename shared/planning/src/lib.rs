//! The algorithms of the brain: pure and deterministic.
