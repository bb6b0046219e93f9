//! What local mode does without a system of its own: [`report`] reads a real cluster and says what could be saved.

pub mod report;
