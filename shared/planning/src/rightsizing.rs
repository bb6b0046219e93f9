//! How large the containers of workloads should be: usage goes in, sizes with their reasons come out.
//!
//! [`fold`] puts samples into what is remembered of a container, [`estimate`] reads from it what is needed, [`advise`] makes a
//! recommendation of it, or says why there is none, and [`oom`] answers containers that were killed for lack of memory. [`vpa`] and
//! [`krr`] reckon as the two tools do that users come from.

pub mod advise;
pub mod buckets;
pub mod decaying;
pub mod estimate;
pub mod fold;
pub mod histogram;
pub mod krr;
pub mod oom;
pub mod select;
pub mod vpa;
pub mod window;

#[cfg(test)]
mod tests;
