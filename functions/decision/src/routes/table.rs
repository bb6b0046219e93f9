//! Every route. One that is not in here is closed: the router and the published contract are both made from this.

use super::{Route, contract, decide, gaps, health, models, outcomes, predict, predictions, pricing, refresh, uploads};
use axum::routing::{delete, get, post, put};
use domain::decision::{Calibration, DecisionAnswer, DecisionRequest, Kept, PredictRequest, Prediction, PredictionOutcome};
use domain::market::ReadRun;
use domain::model::{Deployment, PredictionBatch};
use http::Method;
use serde_json::Value;

/// Every route.
pub static TABLE: &[Route] = &[
    Route::new::<DecisionAnswer>(
        Method::POST,
        "/api/v1/ml/decision/spot-optimize",
        || post(decide::spot_optimize),
        "On-demand to spot, spot to better spot, and back to on-demand where spot is too risky.",
    )
    .takes::<DecisionRequest>(),
    Route::new::<DecisionAnswer>(
        Method::POST,
        "/api/v1/ml/decision/bin-pack",
        || post(decide::bin_pack),
        "Fewer or cheaper nodes for the same pods.",
    )
    .takes::<DecisionRequest>(),
    Route::new::<DecisionAnswer>(
        Method::POST,
        "/api/v1/ml/decision/rightsize",
        || post(decide::rightsize),
        "Nodes of a size that fits what they carry, one for one.",
    )
    .takes::<DecisionRequest>(),
    Route::new::<Vec<Prediction>>(
        Method::POST,
        "/api/v1/ml/predict/spot-interruption",
        || post(predict::spot_interruption),
        "The chance that an instance of a spot pool is taken back within a horizon, for each pool.",
    )
    .takes::<PredictRequest>(),
    Route::new::<Kept>(
        Method::POST,
        "/api/v1/ml/outcomes",
        || post(outcomes::keep),
        "Tells what became of predictions: how many instances of a pool were interrupted within the horizon.",
    )
    .takes::<Vec<PredictionOutcome>>(),
    Route::new::<Vec<Calibration>>(
        Method::GET,
        "/api/v1/ml/predict/calibration",
        || get(outcomes::calibration),
        "How good predictions were, for each horizon: Brier score and reliability table, made from the outcomes that were told.",
    ),
    Route::new::<models::List>(Method::GET, "/api/v1/ml/models", || get(models::list), "Models, and what each is used for."),
    Route::new::<models::Shown>(
        Method::POST,
        "/api/v1/ml/models",
        || post(models::upload),
        "Checks a model and keeps it: from the request itself, or from an upload. The same file has the same id.",
    )
    .takes::<models::Upload>(),
    Route::new::<uploads::Begun>(
        Method::POST,
        "/api/v1/ml/models/uploads",
        || post(uploads::begin),
        "Gives an address at which the file of a model is put by itself, for a quarter of an hour. It is a secret as long as it lasts.",
    )
    .takes::<uploads::Announced>(),
    Route::new::<models::Contract>(
        Method::GET,
        "/api/v1/ml/models/contract",
        || get(models::contract),
        "What a model is given and must answer: the tensor contract.",
    ),
    Route::new::<Deployment>(
        Method::POST,
        "/api/v1/ml/models/rollback",
        || post(models::roll_back),
        "What answered before the active model answers again.",
    ),
    Route::new::<models::Shown>(Method::GET, "/api/v1/ml/models/{id}", || get(models::show), "One model."),
    Route::new::<models::Removed>(
        Method::DELETE,
        "/api/v1/ml/models/{id}",
        || delete(models::remove),
        "Removes a model that nothing uses and no roll-back leads to.",
    ),
    Route::new::<Deployment>(Method::POST, "/api/v1/ml/models/{id}/activate", || post(models::activate), "The model answers from now on.")
        .takes::<models::Activate>(),
    Route::new::<Deployment>(
        Method::POST,
        "/api/v1/ml/models/{id}/shadow",
        || post(models::begin_shadow),
        "The model runs beside who answers; what it says is logged and told to nobody.",
    ),
    Route::new::<Deployment>(Method::DELETE, "/api/v1/ml/models/{id}/shadow", || delete(models::end_shadow), "It no longer does."),
    Route::new::<models::Trial>(
        Method::GET,
        "/api/v1/ml/models/{id}/comparison",
        || get(models::comparison),
        "Tries a model on logged predictions whose outcome is known, beside who spoke then.",
    )
    .asks(&["days"]),
    Route::new::<Deployment>(Method::GET, "/api/v1/ml/engine", || get(models::engine), "Who answers, and every change of it."),
    Route::new::<Deployment>(Method::PUT, "/api/v1/ml/engine", || put(models::choose), "Chooses who answers.").takes::<models::Choice>(),
    Route::new::<Vec<PredictionBatch>>(
        Method::GET,
        "/api/v1/ml/predictions",
        || get(predictions::list),
        "What was predicted, newest first, with what models said beside it.",
    )
    .asks(&["days", "limit"]),
    Route::new::<predictions::Compared>(
        Method::GET,
        "/api/v1/ml/predictions/comparison",
        || get(predictions::comparison),
        "Predictions against what happened, for each horizon and each voice: told, built-in, and models.",
    )
    .asks(&["days"]),
    Route::new::<gaps::Analysis>(
        Method::GET,
        "/api/v1/ml/gaps",
        || get(gaps::analyze),
        "Where the price history of a Region has holes, pool by pool, and why.",
    )
    .asks(&["region", "family", "zones", "limit"]),
    Route::new::<Vec<gaps::Filling>>(Method::GET, "/api/v1/ml/gaps/fills", || get(gaps::history), "Fillings, newest first.")
        .asks(&["limit"]),
    Route::new::<gaps::Filling>(
        Method::POST,
        "/api/v1/ml/gaps/fills",
        || post(gaps::fill),
        "Asks for holes to be filled from EC2's spot price history, batch after batch.",
    )
    .takes::<gaps::Fill>(),
    Route::new::<gaps::Filling>(
        Method::GET,
        "/api/v1/ml/gaps/fills/{id}",
        || get(gaps::status),
        "How far a filling is, in percent and time.",
    ),
    Route::new::<gaps::Rows>(
        Method::GET,
        "/api/v1/ml/gaps/fills/{id}/rows",
        || get(gaps::rows),
        "The points that a filling added, by pool.",
    )
    .asks(&["limit"]),
    Route::new::<gaps::Filling>(Method::POST, "/api/v1/ml/gaps/fills/{id}/undo", || post(gaps::undo), "Takes out what a filling added."),
    Route::new::<refresh::Status>(
        Method::POST,
        "/api/v1/ml/refresh",
        || post(refresh::trigger),
        "Asks for parts of a Region's market to be read anew.",
    )
    .takes::<refresh::Trigger>(),
    Route::new::<refresh::Status>(
        Method::GET,
        "/api/v1/ml/refresh/status",
        || get(refresh::status),
        "When the parts of a Region's market were read, when they will be, and what is asked for.",
    )
    .asks(&["region"]),
    Route::new::<Vec<ReadRun>>(Method::GET, "/api/v1/ml/refresh/history", || get(refresh::history), "Runs over the market, newest first.")
        .asks(&["days", "limit"]),
    Route::new::<Vec<refresh::Interval>>(
        Method::GET,
        "/api/v1/ml/refresh/schedule",
        || get(refresh::schedule),
        "How often each part is read. Its ETag names the version.",
    ),
    Route::new::<Vec<refresh::Interval>>(
        Method::PUT,
        "/api/v1/ml/refresh/schedule",
        || put(refresh::set_schedule),
        "Sets how often parts are read, within the pace of their sources and what plans can bear.",
    )
    .takes::<refresh::Change>()
    .versioned(),
    Route::new::<Vec<pricing::SpotPool>>(
        Method::GET,
        "/api/v1/ml/pricing/spot",
        || get(pricing::spot),
        "Spot prices of a type: every change that is kept, and which of them a filling added.",
    )
    .asks(&["region", "instance_type", "zones"]),
    Route::new::<Vec<pricing::OnDemand>>(
        Method::GET,
        "/api/v1/ml/pricing/on-demand",
        || get(pricing::on_demand),
        "On-demand prices, and how each is known.",
    )
    .asks(&["region", "family"]),
    Route::new::<Vec<pricing::Advised>>(
        Method::GET,
        "/api/v1/ml/pricing/spot-advisor",
        || get(pricing::spot_advisor),
        "What the Spot Advisor says of each type: how often spot was taken back, and what it saved.",
    )
    .asks(&["region", "family"]),
    Route::new::<pricing::Stats>(
        Method::GET,
        "/api/v1/ml/pricing/stats",
        || get(pricing::stats),
        "How much is known of a Region's prices, and how old it is.",
    )
    .asks(&["region"]),
    Route::new::<health::Health>(Method::GET, "/api/v1/ml/health", || get(health::show), "Whether the server runs, and what it speaks.")
        .open(),
    Route::new::<Value>(Method::GET, "/api/v1/ml/openapi.json", || get(contract::show), "This document.").open(),
];
