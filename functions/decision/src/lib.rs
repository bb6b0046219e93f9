//! The decision function: the decision ("ML") server.
//!
//! It is given a cluster as it was seen, and says what would be cheaper and how likely spot is taken back. It ranks and proposes:
//! it reaches no cluster, no account and nothing of the core's, and nothing that it says is done before the core has checked it. What
//! the market says it reads from a table of its own, which the function `market` writes; what became of its predictions it keeps there.
//!
//! [`router`] is the whole of it; `main.rs` gives it to Lambda, local mode to a socket, and the tests call it directly. Any other
//! server that speaks `openapi.json` can take its place.

use domain::decision::{DecisionAnswer, DecisionRequest, PredictRequest, Prediction};
use domain::ports::{Clock, MarketStore, MarketWishes, MarketWork};
use std::sync::Arc;

pub mod answer;
pub mod asked;
pub mod auth;
pub mod calibration;
pub mod gaps;
pub mod knowledge;
pub mod learnt;
pub mod library;
pub mod models;
pub mod openapi;
pub mod planner;
pub mod problem;
pub mod routes;

pub use auth::Key;
pub use knowledge::Knowledge;
pub use library::Library;
pub use models::{Bench, Uploads};
pub use routes::outcomes::Records;
pub use routes::router;

/// What decides.
///
/// # Guarantees
/// Pure: the same question has, with the same knowledge, the same answer, byte for byte. Time is what the question says it is.
///
/// # Assumptions
/// The question was checked by [`domain::decision::verify`].
pub trait Engine: Send + Sync {
    /// Name and version.
    fn name(&self) -> String;
    /// Moves, and for each node that is left as it is, why.
    fn decide(&self, request: &DecisionRequest, known: &Knowledge) -> DecisionAnswer;
    /// Chances of interruption, one for each pool that was asked for, in their order.
    fn predict(&self, request: &PredictRequest, known: &Knowledge) -> Vec<Prediction>;
    /// What models are given of each pool that was asked for, in their order: the tensor contract.
    fn features(&self, request: &PredictRequest, known: &Knowledge) -> Vec<models::Row>;
}

/// How much is taken and given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body as it travels.
    pub wire_bytes_max: usize,
    /// Bytes of a body once it is unpacked.
    pub plain_bytes_max: usize,
    /// Bytes of an answer as it travels.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    /// 6 MB each way is what AWS Lambda takes. A snapshot of 5,000 nodes and 150,000 pods is about 10 MB unpacked.
    fn default() -> Self {
        Limits { wire_bytes_max: 6_000_000, plain_bytes_max: 96_000_000, answer_bytes_max: 6_000_000 }
    }
}

impl Limits {
    /// Behind a gateway in front of Lambda, whose 6 MB hold the body base64-encoded, and the headers beside it.
    pub const LAMBDA: Limits = Limits { wire_bytes_max: 6_000_000, plain_bytes_max: 96_000_000, answer_bytes_max: 4_400_000 };
}

/// The market's table, and where wishes to whoever reads the market are left.
#[derive(Clone)]
pub struct Desk {
    /// What the market says.
    pub market: Arc<dyn MarketStore>,
    /// What is asked for.
    pub wishes: Arc<dyn MarketWishes>,
    /// What became of it.
    pub work: Arc<dyn MarketWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What the function works with.
#[derive(Clone)]
pub struct Deps {
    /// What decides.
    pub engine: Arc<dyn Engine>,
    /// What is known of the market.
    pub library: Arc<Library>,
    /// What became of predictions. `None`: no table, and then none are kept.
    pub records: Option<Records>,
    /// Models, and the log of predictions. `None`: no table, and then this server's own engine answers and nothing is logged.
    pub bench: Option<Arc<Bench>>,
    /// The market's table, to be looked at. `None`: no table.
    pub desk: Option<Desk>,
    /// Keys that are accepted, by their hash. None: every call is refused.
    pub keys: Vec<Key>,
    /// How much is taken and given.
    pub limits: Limits,
}

#[cfg(test)]
mod tests;
