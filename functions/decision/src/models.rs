//! Models: checked, kept, run in the shadow or in the place of this server's own engine, and left alone where they fail.

pub mod bench;
mod build;
pub mod compare;
mod fault;
mod file;
mod files;
mod net;
mod probe;
mod step;
mod told;
mod trees;
mod weigh;

pub use bench::Bench;
pub use fault::Fault;
pub use files::{Unread, Uploads};
pub use net::{Net, Row};
pub use told::told;

#[cfg(test)]
pub(crate) mod tests;
