//! What the world must do for us, in our words. Each port has a real adapter and a simulated twin, and one contract suite
//! runs against both.

pub mod account;
pub mod advisor;
pub mod bearers;
pub mod clock;
pub mod cloud;
pub mod cluster;
pub mod courier;
pub mod directory;
pub mod estate;
pub mod fills;
pub mod findings;
pub mod inventory;
pub mod journal;
pub mod ledger;
pub mod mailboxes;
pub mod market;
pub mod meter;
pub mod models;
pub mod nights;
pub mod notices;
pub mod objects;
pub mod optimizations;
pub mod outbox;
pub mod outcomes;
pub mod pools;
pub mod queue;
pub mod quotas;
pub mod registry;
pub mod rights;
pub mod routes;
pub mod signer;
pub mod sizes;
pub mod trail;
pub mod trust;
pub mod vault;
pub mod watchbooks;

pub use account::AccountRights;
pub use advisor::{Advisor, AdvisorError};
pub use bearers::{BearerError, Bearers};
pub use clock::Clock;
pub use cloud::{Cloud, CloudError, Instance, InstanceFilter, InstanceState, LaunchRequest, Lifecycle};
pub use cluster::{Cluster, ClusterError, Clusters, Cordon, EvictError, PatchedNode, PodSink};
pub use courier::{Courier, Parcel};
pub use directory::{Directory, DirectoryError, Whereabouts};
pub use estate::{Estate, Member};
pub use fills::{MarketWishes, MarketWork};
pub use findings::Findings;
pub use inventory::Inventory;
pub use journal::{Change, Journal, NewPlan, Opened};
pub use ledger::Ledger;
pub use mailboxes::{Ask, Letter, MailboxError, Mailboxes};
pub use market::{AdvisorFile, MarketSource, MarketStore, SourceError};
pub use meter::Meter;
pub use models::{Models, PREDICTIONS_KEPT_DAYS, PredictionLog};
pub use nights::Nights;
pub use notices::{Moment, Notice, Notices};
pub use objects::{OBJECT_MEDIA, ObjectError, Objects, Permit, Place, is_object_key};
pub use optimizations::{Optimizations, Rounds};
pub use outbox::Outbox;
pub use outcomes::Outcomes;
pub use pools::Pools;
pub use queue::{Parked, Queue, QueueError};
pub use quotas::Quotas;
pub use registry::{ClusterName, Idempotency, IdempotencyState, Page, Registry};
pub use rights::Rights;
pub use routes::Routes;
pub use signer::{Outgoing, SignError, Signer};
pub use sizes::{Sizer, Usages};
pub use trail::Trail;
pub use trust::{Taken, Trust, Trusts};
pub use vault::{Vault, VaultError};
pub use watchbooks::{Scans, Watchbooks};

/// Why the table did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition did not hold: somebody else wrote first. Stop, read again, never force.
    #[error("somebody else wrote first")]
    Conflict,
    /// It may or may not have happened (timeout, 5xx, reset). Read back before believing either.
    #[error("the table did not answer: {0}")]
    Ambiguous(String),
    /// It did not happen and may be tried again later.
    #[error("the table is throttled")]
    Throttled,
    /// An item is there that we cannot read. It is never overwritten.
    #[error("an item cannot be read: {0}")]
    Corrupt(String),
    /// It did not happen, and a retry will not help: rights, a missing table, a size limit.
    #[error("the table refused: {0}")]
    Refused(String),
}
