//! Routes about models, predictions and prices: the decision server's, whose contract says what they take and give.

use crate::routes::{IfMatch, Route, ml};
use axum::routing::{delete, post, put};
use http::Method;
use serde_json::{Map, Value};

/// A document of another server, whose contract says more.
type Document = Map<String, Value>;

/// Every one of them.
pub(super) static ROUTES: &[Route] = &[
    ml::read("/api/v1/ml/models", &[], "Models of the decision server, and what each is used for."),
    ml::read("/api/v1/ml/models/contract", &[], "What a model is given and must answer: the tensor contract."),
    ml::read("/api/v1/ml/models/{id}", &[], "One model."),
    ml::read("/api/v1/ml/models/{id}/comparison", &["days"], "A model tried on logged predictions whose outcome is known."),
    ml::manage(
        Method::POST,
        "/api/v1/ml/models",
        || post(ml::forward_for_operator),
        "Checks a model (ONNX, as base64 or by the upload that holds it) and keeps it.",
    )
    .takes::<Document>(),
    ml::manage(
        Method::POST,
        "/api/v1/ml/models/uploads",
        || post(ml::forward_for_operator),
        "Gives an address at which the file of a model is put by itself; shown once.",
    )
    .takes::<Document>(),
    ml::manage(Method::POST, "/api/v1/ml/models/rollback", || post(ml::forward_for_operator), "What answered before answers again."),
    ml::manage(Method::DELETE, "/api/v1/ml/models/{id}", || delete(ml::forward_for_operator), "Removes a model that nothing uses."),
    ml::manage(Method::POST, "/api/v1/ml/models/{id}/activate", || post(ml::forward_for_operator), "The model answers from now on.")
        .takes::<Document>(),
    ml::manage(Method::POST, "/api/v1/ml/models/{id}/shadow", || post(ml::forward_for_operator), "The model runs beside who answers."),
    ml::manage(Method::DELETE, "/api/v1/ml/models/{id}/shadow", || delete(ml::forward_for_operator), "It no longer does."),
    ml::read("/api/v1/ml/engine", &[], "Who answers: the decision server's own engine or a model, and every change of it."),
    ml::manage(Method::PUT, "/api/v1/ml/engine", || put(ml::forward_for_operator), "Chooses who answers.").takes::<Document>(),
    ml::inspect("/api/v1/ml/predictions", &["days", "limit"], "What was predicted, for whom it may be, with what models said."),
    ml::read("/api/v1/ml/predictions/comparison", &["days"], "Predictions against what happened, for each horizon and each voice."),
    ml::read("/api/v1/ml/gaps", &["region", "family", "zones", "limit"], "Where the price history of a Region has holes, and why."),
    ml::read("/api/v1/ml/gaps/fills", &["limit"], "Fillings of holes, newest first."),
    ml::read("/api/v1/ml/gaps/fills/{id}", &[], "How far a filling is, in percent and time."),
    ml::read("/api/v1/ml/gaps/fills/{id}/rows", &["limit"], "The points that a filling added, by pool."),
    ml::manage(Method::POST, "/api/v1/ml/gaps/fills", || post(ml::forward_for_operator), "Fills holes from EC2's spot price history.")
        .takes::<Document>(),
    ml::manage(Method::POST, "/api/v1/ml/gaps/fills/{id}/undo", || post(ml::forward_for_operator), "Takes out what a filling added."),
    ml::manage(Method::POST, "/api/v1/ml/refresh", || post(ml::forward_for_operator), "Reads parts of a Region's market anew.")
        .takes::<Document>(),
    ml::read("/api/v1/ml/refresh/status", &["region"], "When the parts of a Region's market were read, and when they will be."),
    ml::read("/api/v1/ml/refresh/history", &["days", "limit"], "Runs over the market, newest first."),
    ml::read("/api/v1/ml/refresh/schedule", &[], "How often each part of the market is read.").tagged(),
    ml::manage(Method::PUT, "/api/v1/ml/refresh/schedule", || put(ml::forward_for_operator), "Sets how often.")
        .takes::<Document>()
        .tagged()
        .if_match(IfMatch::Must),
    ml::read("/api/v1/ml/pricing/spot", &["region", "instance_type", "zones"], "Spot prices of a type, with every change that is kept."),
    ml::read("/api/v1/ml/pricing/on-demand", &["region", "family"], "On-demand prices, and how each is known."),
    ml::read("/api/v1/ml/pricing/spot-advisor", &["region", "family"], "What the Spot Advisor says of each type."),
    ml::read("/api/v1/ml/pricing/stats", &["region"], "How much is known of a Region's prices, and how old it is."),
];
