//! Adapter to the remote Kubernetes API; the only crate that calls one.
//!
//! [`Connections`] opens a cluster's sealed credential and gives a [`domain::ports::Cluster`] that talks to its API server:
//!
//! ```no_run
//! # async fn example(vault: std::sync::Arc<dyn domain::ports::Vault>, cluster: domain::tenant::Cluster)
//! #     -> Result<(), domain::ports::ClusterError> {
//! use domain::ports::Clusters;
//! let gate = gate::Gate::internet(domain::address::Rules::public());
//! let clusters = kubernetes::Connections::new(vault, kubernetes::Settings::default(), gate);
//! let nodes = clusters.connect(&cluster).await?.nodes().await?;
//! # Ok(()) }
//! ```
//!
//! Guarantees: only https, and only through the gate, which judges each address; the credential is sent to the endpoint it was sealed
//! for and to no other (no redirects, no proxies);
//! every call ends within its time limit; every mutating call can be repeated, because it names the uid of what it changes.
//!
//! Not here, and never will be: kubeconfig files, watches, and anything that decides.

mod call;
mod connect;
mod connection;
mod cordon;
mod endpoint;
mod errors;
mod evict;
mod lists;
mod open;
mod rights;
mod scalables;
mod sizes;
mod transport;
mod workloads;

pub use connect::{Connections, Settings};
pub use lists::pods::decode_pods;
pub use lists::{Listed, decode_page};
pub use open::{Access, Credential, open};
