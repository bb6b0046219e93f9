//! The contracts of the ports, run on everything that claims to keep them.

#[path = "contracts/account.rs"]
mod account;
#[path = "contracts/advisor.rs"]
mod advisor;
#[path = "contracts/cloud.rs"]
mod cloud;
#[path = "contracts/cluster.rs"]
mod cluster;
#[path = "contracts/directory.rs"]
mod directory;
#[path = "contracts/estate.rs"]
mod estate;
#[path = "contracts/mailboxes.rs"]
mod mailboxes;
#[path = "contracts/market.rs"]
mod market;
#[path = "contracts/objects.rs"]
mod objects;
#[path = "contracts/store.rs"]
mod store;
#[path = "contracts/trust.rs"]
mod trust;
