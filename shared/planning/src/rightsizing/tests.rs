//! Golden cases of the tools that users come from, and laws of our own.

mod golden;
mod krr;
mod laws;
mod oom;
mod recommender;
mod vpa_histogram;
