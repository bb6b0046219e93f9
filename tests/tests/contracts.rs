//! The contracts of the ports, run on everything that claims to keep them.

#[path = "contracts/store.rs"]
mod store;
