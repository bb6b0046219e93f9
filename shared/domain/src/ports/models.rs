//! Models of the decision server, and the log of what was predicted.

use super::StoreError;
use crate::model::{Deployment, ModelRecord, PredictionBatch, Upload};
use async_trait::async_trait;
use jiff::Timestamp;

/// Models and their deployment, in the decision server's own table.
///
/// # Guarantees
/// Every call but [`Models::put_deployment`] may be repeated.
#[async_trait]
pub trait Models: Send + Sync {
    /// Every model that is kept, in no order.
    async fn models(&self) -> Result<Vec<ModelRecord>, StoreError>;
    /// One of them.
    async fn model(&self, id: &str) -> Result<Option<ModelRecord>, StoreError>;
    /// Its file, where that is kept in the table. `Corrupt`: what is kept is not what was uploaded.
    async fn model_bytes(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// Keeps a model: its file first, so that none is listed that has no file. `None`: the file is kept elsewhere already.
    async fn put_model(&self, record: &ModelRecord, onnx: Option<&[u8]>) -> Result<(), StoreError>;
    /// Removes a model, its entry first.
    async fn remove_model(&self, id: &str) -> Result<(), StoreError>;
    /// Keeps what is known of an upload, until a day after it was asked for at least.
    async fn put_upload(&self, upload: &Upload) -> Result<(), StoreError>;
    /// What is known of an upload.
    async fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError>;
    /// Which model speaks; the default where nobody has said anything yet.
    async fn deployment(&self) -> Result<Deployment, StoreError>;
    /// Writes the state that follows the one that is kept. `Conflict`: somebody else wrote one meanwhile.
    async fn put_deployment(&self, next: &Deployment) -> Result<(), StoreError>;
}

/// What was predicted. It names pools and no customer.
///
/// # Guarantees
/// Every call may be repeated: a batch is kept once under its name and time.
#[async_trait]
pub trait PredictionLog: Send + Sync {
    /// Keeps a batch, for [`PREDICTIONS_KEPT_DAYS`] at least.
    async fn put_predictions(&self, batch: &PredictionBatch) -> Result<(), StoreError>;
    /// Batches from then until now, newest first, at most so many.
    async fn predictions(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<PredictionBatch>, StoreError>;
}

/// For how many days predictions are kept: a month of the Spot Advisor's.
pub const PREDICTIONS_KEPT_DAYS: i64 = 31;
