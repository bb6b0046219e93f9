//! The api function: the REST API.
//!
//! It has the right to *wish*: it reads, registers clusters and records commands. What it records is done by the executor, under
//! the same safety check as everything else. No rights on any instance, and no change of any cluster.
//!
//! [`router`] is the whole of it; `main.rs` gives it to Lambda, local mode to a socket, and the tests call it directly.

use domain::ports::{
    Clock, Clusters, Directory, Findings, Idempotency, Journal, Ledger, Nights, Optimizations, Outbox, Queue, Quotas, Registry, Rounds,
    Routes, Scans, Trail, Trusts, Vault,
};
use gate::Gate;
use runtime::advisor::Connection;
use runtime::web::issuer::Issuer;
use std::sync::Arc;

pub mod auth;
pub mod commands;
pub mod desk;
pub mod extract;
pub mod idempotency;
#[cfg(test)]
mod openapi;
pub mod paging;
pub mod problem;
pub mod rates;
pub mod register;
pub mod routes;
pub mod trail;
pub mod view;
pub mod wishes;

pub use routes::router;
pub use runtime::web::ids::{Ids, random_ids};

/// What the function works with.
#[derive(Clone)]
pub struct Deps {
    /// Customers, clusters, keys and stops.
    pub registry: Arc<dyn Registry>,
    /// Plans, audit rows, spot events and operations.
    pub journal: Arc<dyn Journal>,
    /// Runs and proposals of the optimizer.
    pub optimizations: Arc<dyn Optimizations>,
    /// What was saved.
    pub ledger: Arc<dyn Ledger>,
    /// Targets of notices, and what was sent to them.
    pub outbox: Arc<dyn Outbox>,
    /// What sleeps.
    pub nights: Arc<dyn Nights>,
    /// Where rounds are asked for.
    pub rounds: Arc<dyn Rounds>,
    /// What scans have found.
    pub findings: Arc<dyn Findings>,
    /// Where scans are asked for.
    pub scans: Arc<dyn Scans>,
    /// Which account and which instance belong to whom.
    pub routes: Arc<dyn Routes>,
    /// Keys that make a repeated POST harmless.
    pub idempotency: Arc<dyn Idempotency>,
    /// Where commands and notices go.
    pub queue: Arc<dyn Queue>,
    /// Asks for roles, to see whom they trust.
    pub trust: Arc<dyn Trusts>,
    /// Seals tokens.
    pub vault: Arc<dyn Vault>,
    /// The decision server, to be asked by those who have a key of ours. `None`: there is none.
    pub ml: Option<Arc<Connection>>,
    /// EKS, to be asked where a cluster is. `None`: there is none here.
    pub directory: Option<Arc<dyn Directory>>,
    /// What addresses may be named here, and are called.
    pub gate: Gate,
    /// Clusters, to be looked at.
    pub clusters: Arc<dyn Clusters>,
    /// What was asked, and what plans did.
    pub trail: Arc<dyn Trail>,
    /// How often each key may call, and how often it has.
    pub rates: Arc<rates::Rates>,
    /// Whose tokens are taken beside keys; `None`: nobody's.
    pub issuer: Option<Arc<Issuer>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hex SHA-256 of the key that acts as administrator of the customer `default`.
    pub bootstrap_admin_hash: Option<String>,
    /// New ids.
    pub ids: Ids,
}

/// Rates of all processes together, counted in the table.
pub fn rates(quotas: Arc<dyn Quotas>) -> Arc<rates::Rates> {
    rates_of(quotas, rates::PER_MINUTE)
}

/// With so many calls a minute for each key: for whoever runs this for themselves.
pub fn rates_of(quotas: Arc<dyn Quotas>, per_minute: u64) -> Arc<rates::Rates> {
    Arc::new(rates::Rates::new(quotas, per_minute))
}

#[cfg(test)]
mod tests;
