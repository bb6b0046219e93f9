//! What is told where models speak beside this server's own engine.

use super::bench::Voice;
use super::{Bench, Row};
use domain::decision::{PredictRequest, Prediction};
use domain::model::{PredictionBatch, PredictionRow, ROWS_MAX};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What is told, by the active model where there is one, and kept in the log. The answers of this server's own engine are there already; they
/// are told where no model speaks, or where it fails.
pub async fn told(bench: &Bench, question: &PredictRequest, own: Vec<Prediction>, rows: Vec<Row>) -> Vec<Prediction> {
    let deployment = bench.deployment().await;
    // Of a pool that nothing is known of nothing is said, whoever speaks.
    let asked: Arc<Vec<Row>> =
        Arc::new(own.iter().zip(&rows).filter(|(prediction, _)| prediction.probability.is_some()).map(|(_, row)| *row).collect());
    if asked.is_empty() {
        return own;
    }
    let ask = async |model: Option<&str>| match model {
        Some(model) => Some(bench.ask(model, Arc::clone(&asked)).await),
        None => None,
    };
    let active = ask(deployment.speaks()).await;
    let shadow = ask(deployment.shadow.as_deref()).await;
    let mut kept = Vec::with_capacity(asked.len());
    let mut place = 0;
    let told = own.into_iter().map(|prediction| match prediction.probability {
        None => prediction,
        Some(built_in) => {
            let at = |voice: &Option<Voice>| voice.as_ref()?.answers.as_ref()?.get(place).map(|answer| f64::from(*answer));
            let (by_active, by_shadow) = (at(&active), at(&shadow));
            let features = asked.get(place).map(|row| row.to_vec()).unwrap_or_default();
            place += 1;
            let pool = prediction.pool.clone();
            let told = by_active.unwrap_or(built_in);
            kept.push(PredictionRow { pool, told, built_in, active: by_active, shadow: by_shadow, features });
            spoken(prediction, active.as_ref(), by_active, built_in)
        }
    });
    let told = told.collect();
    bench.note(&batches(bench, question, active, shadow, kept)).await;
    told
}

/// The prediction as it is told. What is learnt from outcomes stays what this server's own engine reckons: a model corrects itself by being
/// replaced.
fn spoken(mut prediction: Prediction, active: Option<&Voice>, answer: Option<f64>, built_in: f64) -> Prediction {
    let Some(voice) = active else { return prediction };
    match answer {
        Some(answer) => {
            prediction.uncorrected = prediction.uncorrected.or(prediction.probability);
            prediction.probability = Some(answer);
            prediction.because.insert(0, format!("said by the model {}; this server's own engine says {built_in:.6}", voice.said.model));
        }
        None => {
            let why = voice.said.failed.as_deref().unwrap_or("it did not answer");
            prediction.because.push(format!("the model {} was to say it, and did not: {why}", voice.said.model));
        }
    }
    prediction
}

fn batches(
    bench: &Bench,
    question: &PredictRequest,
    active: Option<Voice>,
    shadow: Option<Voice>,
    rows: Vec<PredictionRow>,
) -> Vec<PredictionBatch> {
    let at = bench.clock.now();
    let (active, shadow) = (active.map(|voice| voice.said), shadow.map(|voice| voice.said));
    let batch = |(number, rows): (usize, &[PredictionRow])| {
        let mut hash = Sha256::new();
        for part in [question.region.as_str(), &question.horizon_minutes.to_string(), &number.to_string(), &at.to_string()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        for row in rows {
            hash.update(row.pool.instance_type.as_str());
            hash.update(row.pool.zone.as_str());
        }
        let id: String = data_encoding::HEXLOWER.encode(&hash.finalize()).chars().take(16).collect();
        PredictionBatch {
            id,
            at,
            region: question.region.clone(),
            horizon_minutes: question.horizon_minutes,
            active: active.clone(),
            shadow: shadow.clone(),
            rows: rows.to_vec(),
        }
    };
    rows.chunks(ROWS_MAX).enumerate().map(batch).collect()
}
