//! Models: checked, kept, run in the shadow or in the place of this server's own engine, and left alone where they fail.

pub mod bench;
mod build;
pub mod compare;
mod fault;
mod file;
mod net;
mod probe;
mod step;
mod told;
mod trees;

pub use bench::Bench;
pub use fault::Fault;
pub use net::{Net, Row};
pub use told::told;
