//! Models: uploaded, looked at, run in the shadow, activated, rolled back, removed; and who answers.

use super::predictions::{days, heard};
use crate::answer::{give, takes_gzip};
use crate::asked::{Asked, asked_by, query};
use crate::models::compare::{Score, pairs, replay, score, scores};
use crate::models::{Bench, Fault, Net, Row};
use crate::problem::Problem;
use crate::routes::uploads::{self, TakesUploads};
use crate::{Deps, problem};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use data_encoding::BASE64;
use domain::decision::PredictionOutcome;
use domain::model::{
    CONTRACT, ChangeKind, Deployment, EngineChoice, KeptIn, MODEL_BYTES_MAX, MODEL_UPLOAD_BYTES_MAX, MODELS_MAX, ModelCheck, ModelRecord,
    ModelState, Refusal, is_model_id, model_id,
};
use http::{HeaderMap, StatusCode};
use planning::predict::FEATURES;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) type Body = Result<Bytes, BytesRejection>;

/// A model to keep: its file, or the upload that holds it. One of the two.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Upload {
    /// What its owner calls it: 1 to 80 characters.
    pub name: String,
    /// What its owner says of it: 500 characters at most.
    #[serde(default)]
    pub note: Option<String>,
    /// The file, as base64. 3,000,000 bytes at most.
    #[serde(default)]
    pub onnx_base64: Option<String>,
    /// The upload that holds the file, as `POST /api/v1/ml/models/uploads` named it. 32,000,000 bytes at most.
    #[serde(default)]
    pub upload_id: Option<String>,
}

/// A model, and what it is used for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    /// The model.
    #[serde(flatten)]
    model: ModelRecord,
    /// What it is used for.
    state: ModelState,
}

/// Models, and who answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct List {
    /// Models, newest first.
    models: Vec<Shown>,
    /// Who answers, and every change of it.
    deployment: Deployment,
}

/// What was removed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Removed {
    /// The model.
    removed: String,
}

/// How a model is activated.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Activate {
    /// Activates it though it was never run in the shadow.
    pub without_shadow: bool,
}

/// Who shall answer.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Choice {
    /// Who.
    pub engine: EngineChoice,
}

/// What a model is given and must answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Contract {
    /// Its name. Another list of features is another contract.
    contract: &'static str,
    /// The input: float32, one row for each pool.
    input: Vec<Column>,
    /// The output.
    output: &'static str,
    /// The largest file that is taken as `onnx_base64`, in bytes.
    bytes_max: usize,
    /// How larger files are taken; null: they are not.
    uploads: Option<TakesUploads>,
}

/// One number that a model is given.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Column {
    /// Its name.
    name: &'static str,
    /// What it is.
    says: &'static str,
    /// The least that it can be.
    low: f32,
    /// The most.
    high: f32,
}

/// A model on logged predictions whose outcome is known.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Trial {
    /// The model.
    model: String,
    /// How many logged predictions had an outcome.
    pairs: u32,
    /// How good the model would have been.
    tried: Vec<Score>,
    /// How good those were who spoke.
    spoke: Vec<Score>,
}

pub(super) fn bench(deps: &Deps) -> Result<&Arc<Bench>, Problem> {
    deps.bench.as_ref().ok_or_else(problem::no_records)
}

/// A problem of whoever asks, in their body.
pub(super) fn invalid(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail)
}

fn of(models: Vec<ModelRecord>, deployment: &Deployment) -> Vec<Shown> {
    models.into_iter().map(|model| Shown { state: deployment.state(&model.id), model }).collect()
}

/// Models, newest first.
pub async fn list(State(deps): State<Arc<Deps>>) -> Result<Json<List>, Problem> {
    let bench = bench(&deps)?;
    let (mut models, deployment) = futures::try_join!(bench.store.models(), bench.store.deployment())?;
    models.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    Ok(Json(List { models: of(models, &deployment), deployment }))
}

async fn one(bench: &Bench, id: &str) -> Result<ModelRecord, Problem> {
    let found = if is_model_id(id) { bench.store.model(id).await? } else { None };
    found.ok_or_else(|| Problem::absent("model"))
}

/// One model.
pub async fn show(State(deps): State<Arc<Deps>>, Path(id): Path<String>) -> Result<Json<Shown>, Problem> {
    let bench = bench(&deps)?;
    let model = one(bench, &id).await?;
    let state = bench.store.deployment().await?.state(&id);
    Ok(Json(Shown { model, state }))
}

/// A model to keep, read and decoded.
struct Wanted {
    name: String,
    note: Option<String>,
    file: File,
}

/// How its file came.
enum File {
    Sent(Vec<u8>),
    Put(String),
}

impl Wanted {
    fn of(upload: Upload) -> Result<Wanted, Problem> {
        let name = upload.name.trim().to_owned();
        if !(1..=80).contains(&name.chars().count()) || upload.note.as_ref().is_some_and(|note| note.chars().count() > 500) {
            return Err(invalid("A name has 1 to 80 characters, and a note 500 at most."));
        }
        let file = match (upload.onnx_base64, upload.upload_id) {
            (Some(base64), None) => {
                let decoded = BASE64.decode(base64.trim().as_bytes());
                File::Sent(decoded.map_err(|error| invalid("`onnx_base64` is no base64 of RFC 4648, with its padding.").because(error))?)
            }
            (None, Some(id)) => File::Put(id),
            (Some(_), Some(_)) | (None, None) => {
                return Err(invalid(
                    "Send either the file, as `onnx_base64`, or the upload that holds it, as `upload_id`: one of the two.",
                ));
            }
        };
        Ok(Wanted { name, note: upload.note.filter(|note| !note.trim().is_empty()), file })
    }
}

/// Checks a model and keeps it.
pub async fn upload(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<Json<Shown>, Problem> {
    let bench = bench(&deps)?;
    let (asked, limits) = (Asked::new(&headers, body, deps.limits)?, deps.limits);
    // Reading megabytes of JSON is pure work: not where others wait.
    let wanted = tokio::task::spawn_blocking(move || Wanted::of(asked.read(limits)?)).await.map_err(Problem::internal)??;
    let Wanted { name, note, file } = wanted;
    let (onnx, most, upload) = match file {
        File::Sent(onnx) => (onnx, MODEL_BYTES_MAX, None),
        File::Put(id) => {
            let upload = uploads::open(bench, &id).await?;
            if let Some(made) = &upload.model {
                return known(bench, one(bench, made).await?).await;
            }
            (uploads::file(bench, &upload).await?, MODEL_UPLOAD_BYTES_MAX, Some(upload))
        }
    };
    let announced = upload.clone();
    let checked = tokio::task::spawn_blocking(move || check(onnx, most, announced.as_ref())).await;
    let Checked { onnx, id, sha256, check } = checked.map_err(Problem::internal)??;
    let model = match bench.store.model(&id).await? {
        Some(model) => model,
        None => {
            if bench.store.models().await?.len() >= MODELS_MAX {
                let detail = format!("{MODELS_MAX} models are kept, and there are as many. Remove one that is retired.");
                return Err(Problem::new(StatusCode::CONFLICT, "too-many-models", detail));
            }
            let (bytes, kept_in) = (u32::try_from(onnx.len()).unwrap_or(u32::MAX), KeptIn::of_size(onnx.len()));
            let (by, at) = (asked_by(&headers), bench.clock.now());
            let model = ModelRecord { id, name, note, sha256, bytes, kept_in, contract: CONTRACT.to_owned(), by, at, check };
            bench.keep(&model, onnx).await?;
            tracing::info!(model = model.id, by = model.by, upload = upload.as_ref().map(|upload| &*upload.id), "A model was uploaded");
            model
        }
    };
    if let Some(upload) = upload {
        uploads::done(bench, upload, &model.id).await;
    }
    known(bench, model).await
}

/// A file that was looked at.
struct Checked {
    onnx: Vec<u8>,
    id: String,
    sha256: String,
    check: ModelCheck,
}

/// A file that was put is first what was announced, and then a model: no work is done on another one.
fn check(onnx: Vec<u8>, most: usize, upload: Option<&domain::model::Upload>) -> Result<Checked, Problem> {
    let (id, sha256) = model_id(&onnx);
    if let Some(upload) = upload {
        upload.holds(onnx.len(), &sha256).map_err(|refusal| uploads::refused(&refusal))?;
    }
    let (_, check) = Net::checked(&onnx, most).map_err(|fault| refused(&fault))?;
    Ok(Checked { onnx, id, sha256, check })
}

async fn known(bench: &Bench, model: ModelRecord) -> Result<Json<Shown>, Problem> {
    Ok(Json(Shown { state: bench.store.deployment().await?.state(&model.id), model }))
}

fn refused(fault: &Fault) -> Problem {
    let detail = format!("The model is not taken: {fault}. GET /api/v1/ml/models/contract says what it is given and must answer.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, fault.code(), detail)
}

/// Removes a model that nothing uses.
pub async fn remove(State(deps): State<Arc<Deps>>, headers: HeaderMap, Path(id): Path<String>) -> Result<Json<Removed>, Problem> {
    let bench = bench(&deps)?;
    let model = one(bench, &id).await?;
    bench.store.deployment().await?.let_go(&id).map_err(conflict)?;
    bench.remove(&model).await?;
    tracing::info!(model = id, by = asked_by(&headers), "A model was removed");
    Ok(Json(Removed { removed: id }))
}

fn conflict(refusal: Refusal) -> Problem {
    Problem::new(StatusCode::CONFLICT, refusal.code(), format!("Nothing was changed: {refusal}."))
}

/// Writes what follows from a change, if nobody else wrote meanwhile.
async fn change(bench: &Bench, next: impl FnOnce(Deployment) -> Result<Deployment, Refusal>) -> Result<Json<Deployment>, Problem> {
    let next = next(bench.store.deployment().await?).map_err(conflict)?;
    bench.store.put_deployment(&next).await?;
    if let Some(change) = next.changes.first() {
        tracing::info!(what = word(change.what), model = change.model.as_deref(), by = change.by, "Who answers was changed");
    }
    bench.changed(next.clone());
    Ok(Json(next))
}

fn word(what: ChangeKind) -> &'static str {
    match what {
        ChangeKind::Activated => "activated",
        ChangeKind::RolledBack => "rolled-back",
        ChangeKind::ShadowBegun => "shadow-begun",
        ChangeKind::ShadowEnded => "shadow-ended",
        ChangeKind::EngineChosen => "engine-chosen",
    }
}

/// The model answers from now on.
pub async fn activate(
    State(deps): State<Arc<Deps>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Deployment>, Problem> {
    let bench = bench(&deps)?;
    one(bench, &id).await?;
    let how: Activate = match &body {
        Ok(bytes) if bytes.is_empty() => Activate::default(),
        Ok(_) | Err(_) => Asked::new(&headers, body, deps.limits)?.read(deps.limits)?,
    };
    change(bench, |state| state.activate(&id, how.without_shadow, &asked_by(&headers), bench.clock.now())).await
}

/// What answered before answers again.
pub async fn roll_back(State(deps): State<Arc<Deps>>, headers: HeaderMap) -> Result<Json<Deployment>, Problem> {
    let bench = bench(&deps)?;
    change(bench, |state| state.roll_back(&asked_by(&headers), bench.clock.now())).await
}

/// The model runs beside who answers.
pub async fn begin_shadow(State(deps): State<Arc<Deps>>, Path(id): Path<String>, headers: HeaderMap) -> Result<Json<Deployment>, Problem> {
    let bench = bench(&deps)?;
    one(bench, &id).await?;
    change(bench, |state| state.begin_shadow(&id, &asked_by(&headers), bench.clock.now())).await
}

/// It no longer does.
pub async fn end_shadow(State(deps): State<Arc<Deps>>, Path(id): Path<String>, headers: HeaderMap) -> Result<Json<Deployment>, Problem> {
    let bench = bench(&deps)?;
    change(bench, |state| state.end_shadow(&id, &asked_by(&headers), bench.clock.now())).await
}

/// Who answers.
pub async fn engine(State(deps): State<Arc<Deps>>) -> Result<Json<Deployment>, Problem> {
    Ok(Json(bench(&deps)?.store.deployment().await?))
}

/// Chooses who answers.
pub async fn choose(State(deps): State<Arc<Deps>>, headers: HeaderMap, body: Body) -> Result<Json<Deployment>, Problem> {
    let bench = bench(&deps)?;
    let choice: Choice = Asked::new(&headers, body, deps.limits)?.read(deps.limits)?;
    change(bench, |state| state.choose(choice.engine, &asked_by(&headers), bench.clock.now())).await
}

/// The tensor contract.
pub async fn contract(State(deps): State<Arc<Deps>>) -> Json<Contract> {
    let column =
        |feature: &planning::predict::Feature| Column { name: feature.name, says: feature.says, low: feature.low, high: feature.high };
    Json(Contract {
        contract: CONTRACT,
        input: FEATURES.iter().map(column).collect(),
        output: "`probability`, float32 [N], [N, 1] or [N, 2] with the chance second: that an instance of the pool is interrupted within \
                 the horizon, 0 to 1",
        bytes_max: MODEL_BYTES_MAX,
        uploads: deps.bench.as_ref().and_then(|bench| bench.uploads.as_ref()).map(TakesUploads::of),
    })
}

/// Tries a model on logged predictions whose outcome is known.
pub async fn comparison(
    State(deps): State<Arc<Deps>>,
    Path(id): Path<String>,
    RawQuery(text): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bench = bench(&deps)?;
    let onnx = bench.file(&one(bench, &id).await?).await?;
    let (batches, outcomes) = heard(&deps, days(&query(text.as_deref()))?).await?;
    let tried = tokio::task::spawn_blocking(move || {
        let net = Net::known(&onnx).map_err(|fault| refused(&fault))?;
        let pairs = pairs(&batches, &outcomes);
        let tried = of_model(&id, &net, replay(&pairs)).map_err(|fault| refused(&fault))?;
        Ok::<_, Problem>(Trial { model: id, pairs: u32::try_from(pairs.len()).unwrap_or(u32::MAX), tried, spoke: scores(&pairs) })
    });
    let trial = tried.await.map_err(Problem::internal)??;
    give(&trial, takes_gzip(&headers), deps.limits)
}

fn of_model(id: &str, net: &Net, rows: Vec<(u32, Row, &PredictionOutcome)>) -> Result<Vec<Score>, Fault> {
    let all: Vec<Row> = rows.iter().map(|(_, row, _)| *row).collect();
    // Bounded by the log that is read, and by what a row may cost.
    let answers = net.run(&all, || true)?;
    let mut by_horizon: BTreeMap<u32, Vec<(f64, &PredictionOutcome)>> = BTreeMap::new();
    for ((horizon, _, outcome), answer) in rows.into_iter().zip(answers) {
        by_horizon.entry(horizon).or_default().push((f64::from(answer), outcome));
    }
    Ok(by_horizon.into_iter().filter_map(|(horizon, said)| score(id, horizon, &said)).collect())
}
