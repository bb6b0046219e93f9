//! Models, their deployment, and the log of predictions.

use super::super::item::{self, s};
use super::super::routes::{delete, put};
use super::super::table::{Range, Sort};
use super::{DecisionTable, keys};
use async_trait::async_trait;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::model::{Deployment, ModelRecord, PredictionBatch, Upload, model_id};
use domain::ports::{Models, PREDICTIONS_KEPT_DAYS, PredictionLog, StoreError};
use domain::{SignedDuration, Timestamp};

/// The largest piece of a model's file, in bytes: an item has 400 KB with all that is in it.
const PIECE_BYTES_MAX: usize = 350_000;
/// For how many days what is known of an upload is kept: longer than it may be registered.
const UPLOADS_KEPT_DAYS: i64 = 2;
/// The piece, as bytes.
const PIECE: &str = "piece";

#[async_trait]
impl Models for DecisionTable {
    async fn models(&self) -> Result<Vec<ModelRecord>, StoreError> {
        self.0.range(Range::table(keys::models()), usize::MAX, item::body).await
    }

    async fn model(&self, id: &str) -> Result<Option<ModelRecord>, StoreError> {
        self.0.get(keys::model(id)).await?.as_ref().map(item::body).transpose()
    }

    async fn model_bytes(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let piece = |item: &item::Item| match item.get(PIECE).map(AttributeValue::as_b) {
            Some(Ok(bytes)) => Ok(bytes.clone().into_inner()),
            Some(Err(_)) | None => Err(item::corrupt(item, "piece is no bytes")),
        };
        let pieces: Vec<Vec<u8>> = self.0.range(Range::table(keys::model_file(id)), usize::MAX, piece).await?;
        if pieces.is_empty() {
            return Ok(None);
        }
        let onnx = pieces.concat();
        // A piece that is missing, or of another file, would be a model that nobody checked.
        if model_id(&onnx).0 != id {
            return Err(StoreError::Corrupt(format!("the file of the model {id} is not whole")));
        }
        Ok(Some(onnx))
    }

    async fn put_model(&self, record: &ModelRecord, onnx: Option<&[u8]>) -> Result<(), StoreError> {
        let piece = |(number, bytes): (usize, &[u8])| {
            let mut item = item::key_attributes(keys::model_piece(&record.id, number));
            item.insert("kind".to_owned(), s("model piece"));
            item.insert(PIECE.to_owned(), AttributeValue::B(Blob::new(bytes)));
            put(item)
        };
        let pieces = onnx.unwrap_or_default().chunks(PIECE_BYTES_MAX).enumerate();
        self.0.write_many(pieces.map(piece).collect::<Result<_, _>>()?).await?;
        self.0.put(item::item(keys::model(&record.id), "model", record)?).await
    }

    async fn remove_model(&self, id: &str) -> Result<(), StoreError> {
        self.0.write_many(vec![delete(keys::model(id))?]).await?;
        let number = |item: &item::Item| item::text(item, super::super::keys::SK).map(str::to_owned);
        let places: Vec<String> = self.0.range(Range::table(keys::model_file(id)), usize::MAX, number).await?;
        let pieces = (0..places.len()).map(|number| delete(keys::model_piece(id, number)));
        self.0.write_many(pieces.collect::<Result<_, _>>()?).await
    }

    async fn put_upload(&self, upload: &Upload) -> Result<(), StoreError> {
        let mut item = item::item(keys::upload(&upload.id), "upload", upload)?;
        item::expire(&mut item, item::days_after(upload.at, UPLOADS_KEPT_DAYS));
        self.0.put(item).await
    }

    async fn upload(&self, id: &str) -> Result<Option<Upload>, StoreError> {
        self.0.get(keys::upload(id)).await?.as_ref().map(item::body).transpose()
    }

    async fn deployment(&self) -> Result<Deployment, StoreError> {
        let item = self.0.get(keys::deployment()).await?;
        Ok(item.as_ref().map(item::body).transpose()?.unwrap_or_default())
    }

    async fn put_deployment(&self, next: &Deployment) -> Result<(), StoreError> {
        self.put_versioned(keys::deployment(), next, next.version).await
    }
}

#[async_trait]
impl PredictionLog for DecisionTable {
    async fn put_predictions(&self, batch: &PredictionBatch) -> Result<(), StoreError> {
        let mut item = item::item(keys::predictions(batch.at, &batch.id), "predictions", batch)?;
        item::expire(&mut item, item::days_after(batch.at, PREDICTIONS_KEPT_DAYS + 7));
        self.0.put(item).await
    }

    async fn predictions(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<PredictionBatch>, StoreError> {
        let mut found = Vec::new();
        for day in keys::prediction_days(since, now) {
            if found.len() >= limit {
                break;
            }
            let range = Range::table(day).sort(Sort::After(keys::from_instant(since))).descending();
            found.extend(self.0.range(range, limit - found.len(), item::body::<PredictionBatch>).await?);
        }
        found.retain(|batch| batch.at <= now + SignedDuration::from_mins(5));
        Ok(found)
    }
}
