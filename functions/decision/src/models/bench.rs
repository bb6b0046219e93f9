//! Where models wait for questions: which one speaks, which one runs in the shadow, and what becomes of one that fails.
//!
//! A model that fails never fails a question: the engine of this server has answered it already. It is left alone for some minutes, and
//! what was in the way stands in the answer and in the log of predictions.

use super::{Fault, Net, Row, Uploads};
use domain::model::{Deployment, ModelSaid, PredictionBatch};
use domain::ports::{Clock, Models, PredictionLog};
use domain::{SignedDuration, Timestamp};
use futures::future::{Either, select};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a deployment is used without looking again: so long after a change some answers are still of the model before it.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_secs(60);
/// How long a model may reckon for one question. A question for chances has 20 s in all, and most are answered within a millisecond.
pub const ANSWERS_WITHIN: SignedDuration = SignedDuration::from_secs(1);
/// How long one that failed is left alone.
pub const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How long the table may take.
const READ_WITHIN: SignedDuration = SignedDuration::from_secs(3);
/// How long the file of a model may take: 32 MB at 4 MB a second. It is read once in the life of a process.
const FILE_WITHIN: SignedDuration = SignedDuration::from_secs(8);

/// Where models and the log are kept.
pub trait ModelStore: Models + PredictionLog {}
impl<T: Models + PredictionLog> ModelStore for T {}

/// Models that wait for questions.
pub struct Bench {
    /// Where they are kept.
    pub store: Arc<dyn ModelStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Where larger files go. `None`: nowhere, and none are taken.
    pub uploads: Option<Uploads>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    deployment: Option<(Timestamp, Deployment)>,
    nets: BTreeMap<String, Arc<Net>>,
    resting: BTreeMap<String, Timestamp>,
}

/// What a model said of each row, and what is told of it.
pub struct Voice {
    /// For the log.
    pub said: ModelSaid,
    /// A probability for each row.
    pub answers: Option<Vec<f32>>,
}

impl Bench {
    /// Over the decision server's table.
    pub fn new(store: Arc<dyn ModelStore>, clock: Arc<dyn Clock>) -> Bench {
        Bench { store, clock, uploads: None, state: Mutex::default() }
    }

    /// The same, and larger files are taken.
    #[must_use]
    pub fn taking(self, uploads: Uploads) -> Bench {
        Bench { uploads: Some(uploads), ..self }
    }

    fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Which model speaks now. It never fails: what cannot be read is as it was, or nobody.
    pub async fn deployment(&self) -> Deployment {
        let now = self.clock.now();
        let kept = self.state(|state| state.deployment.clone());
        if let Some((at, deployment)) = &kept
            && *at <= now
            && now.duration_since(*at) < FRESH_FOR
        {
            return deployment.clone();
        }
        let read = std::pin::pin!(self.store.deployment());
        let deployment = match select(read, self.clock.sleep(READ_WITHIN)).await {
            Either::Left((Ok(deployment), _)) => deployment,
            Either::Left((Err(error), _)) => {
                tracing::warn!(%error, "Which model speaks could not be read");
                kept.map(|(_, deployment)| deployment).unwrap_or_default()
            }
            Either::Right(((), _)) => {
                tracing::warn!("Which model speaks was not read in time");
                kept.map(|(_, deployment)| deployment).unwrap_or_default()
            }
        };
        self.state(|state| state.deployment = Some((now, deployment.clone())));
        deployment
    }

    /// What was written just now is known here at once.
    pub fn changed(&self, deployment: Deployment) {
        let now = self.clock.now();
        self.state(|state| {
            state.deployment = Some((now, deployment));
            state.resting.clear();
        });
    }

    /// What a model says of these rows.
    pub async fn ask(&self, model: &str, rows: Arc<Vec<Row>>) -> Voice {
        let begun = self.clock.now();
        let result = self.answer(model, rows, begun).await;
        let took_us = u64::try_from(self.clock.now().duration_since(begun).as_micros()).unwrap_or_default();
        let said = |failed| ModelSaid { model: model.to_owned(), took_us, failed };
        match result {
            Ok(answers) => Voice { said: said(None), answers: Some(answers) },
            Err(fault) => {
                if !matches!(fault, Fault::LeftAlone(_)) {
                    tracing::warn!(model, error = %fault, "A model did not answer; this server's own engine did");
                    let until = begun.saturating_add(LEFT_ALONE_FOR).unwrap_or(begun);
                    self.state(|state| state.resting.insert(model.to_owned(), until));
                }
                Voice { said: said(Some(fault.to_string())), answers: None }
            }
        }
    }

    async fn answer(&self, model: &str, rows: Arc<Vec<Row>>, now: Timestamp) -> Result<Vec<f32>, Fault> {
        if let Some(until) = self.state(|state| state.resting.get(model).copied())
            && now < until
        {
            return Err(Fault::LeftAlone(until));
        }
        let net = self.net(model).await?;
        // Reading it has limits of its own: a large one must not be left alone because it was read just now.
        let (clock, begun) = (Arc::clone(&self.clock), self.clock.now());
        let end = begun.saturating_add(ANSWERS_WITHIN).unwrap_or(begun);
        let work = tokio::task::spawn_blocking(move || net.run(&rows, || clock.now() <= end));
        // It panics nowhere; if it did, the question would still be answered.
        work.await.unwrap_or_else(|error| Err(Fault::Operator(format!("it broke off: {error}"))))
    }

    /// The model, read and built once in the life of a process.
    async fn net(&self, model: &str) -> Result<Arc<Net>, Fault> {
        if let Some(net) = self.state(|state| state.nets.get(model).cloned()) {
            return Ok(net);
        }
        let read = std::pin::pin!(self.file_of(model));
        let onnx = match select(read, self.clock.sleep(FILE_WITHIN)).await {
            Either::Left((Ok(onnx), _)) => onnx,
            Either::Left((Err(error), _)) => {
                tracing::error!(model, %error, "The file of a model cannot be read");
                return Err(Fault::Unread);
            }
            Either::Right(((), _)) => return Err(Fault::Unread),
        };
        let built = tokio::task::spawn_blocking(move || Net::known(&onnx)).await;
        let net = Arc::new(built.unwrap_or_else(|error| Err(Fault::Operator(format!("it broke off: {error}"))))?);
        // Two at a time are needed; a few more while they change.
        self.state(|state| {
            if state.nets.len() >= 4 {
                state.nets.clear();
            }
            state.nets.insert(model.to_owned(), Arc::clone(&net));
        });
        Ok(net)
    }

    /// Keeps what was predicted. A question is answered whether this succeeds or not.
    pub async fn note(&self, batches: &[PredictionBatch]) {
        for batch in batches {
            let write = std::pin::pin!(self.store.put_predictions(batch));
            match select(write, self.clock.sleep(READ_WITHIN)).await {
                Either::Left((Ok(()), _)) => {}
                Either::Left((Err(error), _)) => tracing::warn!(%error, "Predictions were not logged"),
                Either::Right(((), _)) => tracing::warn!("Predictions were not logged in time"),
            }
        }
    }
}
