//! The console function: pages for people.
//!
//! It looks at what the API looks at and has the same right to *wish*: what people ask for is written down, and done by the executor
//! under the same checks as everything else. It opens no token and reaches no cluster: its pages show what the table knows, with the age
//! of it.
//!
//! [`router`] is the whole of it; `main.rs` gives it to Lambda, local mode to a socket, and the tests call it directly. What is not here
//! and never will be: a number without its unit and its age, a script or a style that stands in a page, a write without a token.

use domain::ids::CustomerId;
use domain::ports::{
    Clock, Findings, Journal, Ledger, MarketStore, MarketWork, Nights, Optimizations, Outbox, Queue, Registry, Rounds, Routes, Scans, Trail,
};
use execution::held::held;
use runtime::advisor::Connection;
use runtime::web::issuer::Issuer;
use std::sync::Arc;

pub mod ask;
pub mod assets;
pub mod csv;
pub mod failure;
pub mod fleet;
pub mod pages;
pub mod routes;
pub mod server;
pub mod session;
pub mod show;
pub mod svg;
mod trail;
pub mod view;
pub mod words;

pub use routes::router;
pub use runtime::web::ids::{Ids, random_ids};

/// What the function works with.
#[derive(Clone)]
pub struct Deps {
    /// Customers, clusters, keys and stops.
    pub registry: Arc<dyn Registry>,
    /// Plans, audit rows and spot events.
    pub journal: Arc<dyn Journal>,
    /// Runs and proposals of the optimizer.
    pub optimizations: Arc<dyn Optimizations>,
    /// What was saved.
    pub ledger: Arc<dyn Ledger>,
    /// Targets of notices, and what was sent to them.
    pub outbox: Arc<dyn Outbox>,
    /// What sleeps.
    pub nights: Arc<dyn Nights>,
    /// What scans have found.
    pub findings: Arc<dyn Findings>,
    /// What people ask for, for auditors.
    pub trail: Arc<dyn Trail>,
    /// The nodes of clusters.
    pub routes: Arc<dyn Routes>,
    /// Prices, as the decision server knows them.
    pub market: Arc<dyn MarketStore>,
    /// What fillings added to them: read here, never written.
    pub fillings: Arc<dyn MarketWork>,
    /// Where rounds are asked for.
    pub rounds: Arc<dyn Rounds>,
    /// Where scans are asked for.
    pub scans: Arc<dyn Scans>,
    /// Where plans are announced.
    pub queue: Arc<dyn Queue>,
    /// The decision server. `None`: there is none.
    pub ml: Option<Arc<Connection>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// New ids, which nobody can guess.
    pub ids: Ids,
    /// Whose tokens are taken beside keys; `None`: nobody's.
    pub issuer: Option<Arc<Issuer>>,
    /// What sessions are signed with.
    pub sessions: session::Signer,
    /// What was read of whole customers, kept for a moment.
    pub fleets: fleet::Fleets,
}

impl Deps {
    /// The same, bound to one customer: what pages are given. Whatever names another is refused.
    fn bound(&self, customer: &CustomerId) -> Deps {
        Deps {
            registry: held(&self.registry, customer),
            journal: held(&self.journal, customer),
            optimizations: held(&self.optimizations, customer),
            ledger: held(&self.ledger, customer),
            outbox: held(&self.outbox, customer),
            nights: held(&self.nights, customer),
            findings: held(&self.findings, customer),
            trail: held(&self.trail, customer),
            routes: held(&self.routes, customer),
            rounds: held(&self.rounds, customer),
            scans: held(&self.scans, customer),
            queue: held(&self.queue, customer),
            ..self.clone()
        }
    }

    /// Where wishes are written to.
    pub fn wishes(&self) -> execution::wishes::Wishes {
        execution::wishes::Wishes {
            registry: self.registry.clone(),
            journal: self.journal.clone(),
            optimizations: self.optimizations.clone(),
            findings: self.findings.clone(),
            rounds: self.rounds.clone(),
            scans: self.scans.clone(),
            queue: self.queue.clone(),
            clock: self.clock.clone(),
        }
    }
}

#[cfg(test)]
mod tests;
