//! What every implementation of a port must do, as functions that panic where one does not. The simulator keeps the same
//! contracts as the real adapters: that is what makes its verdicts worth something.

pub mod account;
pub mod advisor;
pub mod cloud;
pub mod cluster;
pub mod estate;
pub mod market;
pub mod models;
pub mod objects;
pub mod store;
