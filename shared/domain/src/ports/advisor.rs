//! The decision server.

use crate::decision::{DecisionAnswer, DecisionRequest, PredictRequest, Prediction, PredictionOutcome};
use async_trait::async_trait;

/// Why the decision server gave no usable answer. Nothing is optimised then, and the reason is recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdvisorError {
    /// No connection, or a 5xx.
    #[error("the decision server does not answer: {0}")]
    Down(String),
    /// No answer within the time that it is given.
    #[error("the decision server did not answer within {0} s")]
    Slow(u32),
    /// The answer is longer than what is read of it; the rest was not read.
    #[error("the decision server's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// 401 or 403: the key is wrong.
    #[error("the decision server does not accept our key")]
    Unauthorized,
    /// Another 4xx: it cannot decide this, and says why.
    #[error("the decision server refused: {0}")]
    Refused(String),
    /// The answer is not of the contract's form, or of another version.
    #[error("the decision server's answer cannot be read: {0}")]
    Unreadable(String),
}

/// The decision server: ranks and proposes, and has no rights on any cluster.
///
/// # Guarantees
/// Asking changes nothing; the same request may be sent again.
///
/// # Assumptions
/// The answer may be wrong in every way: the caller checks every name, price and saving before anything is done with it.
#[async_trait]
pub trait Advisor: Send + Sync {
    /// Asks for moves.
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError>;
    /// Asks for chances of interruption.
    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError>;
    /// Tells what became of predictions, at most [`crate::decision::OUTCOMES_MAX`] at once. Told twice, they count once.
    async fn learn(&self, outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError>;
}
