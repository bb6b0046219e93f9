//! The executor function.
