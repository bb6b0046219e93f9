//! Models, their deployment, and the log of predictions.

use super::MemoryMarket;
use async_trait::async_trait;
use domain::model::{Deployment, ModelRecord, PredictionBatch, Upload, model_id};
use domain::ports::{Models, PredictionLog, StoreError};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Kept {
    models: BTreeMap<String, ModelRecord>,
    files: BTreeMap<String, Vec<u8>>,
    uploads: BTreeMap<String, Upload>,
    deployment: Deployment,
    log: BTreeMap<(Timestamp, String), PredictionBatch>,
}

#[async_trait]
impl Models for MemoryMarket {
    async fn models(&self) -> Result<Vec<ModelRecord>, StoreError> {
        Ok(self.lock().models.models.values().cloned().collect())
    }

    async fn model(&self, id: &str) -> Result<Option<ModelRecord>, StoreError> {
        Ok(self.lock().models.models.get(id).cloned())
    }

    async fn model_bytes(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let onnx = self.lock().models.files.get(id).cloned();
        match onnx {
            Some(onnx) if model_id(&onnx).0 != id => Err(StoreError::Corrupt(format!("the file of the model {id} is not whole"))),
            found => Ok(found),
        }
    }

    async fn put_model(&self, record: &ModelRecord, onnx: Option<&[u8]>) -> Result<(), StoreError> {
        let kept = &mut self.lock().models;
        kept.files.extend(onnx.map(|onnx| (record.id.clone(), onnx.to_vec())));
        kept.models.insert(record.id.clone(), record.clone());
        Ok(())
    }

    async fn remove_model(&self, id: &str) -> Result<(), StoreError> {
        let kept = &mut self.lock().models;
        kept.models.remove(id);
        kept.files.remove(id);
        Ok(())
    }

    async fn put_upload(&self, upload: &Upload) -> Result<(), StoreError> {
        self.lock().models.uploads.insert(upload.id.clone(), upload.clone());
        Ok(())
    }

    async fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError> {
        Ok(self.lock().models.uploads.get(id).cloned())
    }

    async fn deployment(&self) -> Result<Deployment, StoreError> {
        Ok(self.lock().models.deployment.clone())
    }

    async fn put_deployment(&self, next: &Deployment) -> Result<(), StoreError> {
        let kept = &mut self.lock().models;
        if kept.deployment.version + 1 != next.version {
            return Err(StoreError::Conflict);
        }
        kept.deployment = next.clone();
        Ok(())
    }
}

#[async_trait]
impl PredictionLog for MemoryMarket {
    async fn put_predictions(&self, batch: &PredictionBatch) -> Result<(), StoreError> {
        self.lock().models.log.insert((batch.at, batch.id.clone()), batch.clone());
        Ok(())
    }

    async fn predictions(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<PredictionBatch>, StoreError> {
        let state = self.lock();
        let period = state.models.log.range((since, String::new())..).rev().map(|(_, batch)| batch);
        Ok(period.filter(|batch| batch.at <= now + SignedDuration::from_mins(5)).take(limit).cloned().collect())
    }
}
