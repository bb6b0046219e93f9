//! Models over HTTP: taken or refused, run in the shadow, told, rolled back; and done without where they fail.

use super::support::{Answer, KEY, PREDICT, send};
use crate::models::bench::FRESH_FOR;
use crate::planner::Planner;
use crate::{Bench, Deps, Desk, Key, Library, Limits, Records, Uploads, router};
use axum::Router;
use axum::body::Body;
use data_encoding::BASE64;
use domain::SignedDuration;
use domain::decision::PredictionOutcome;
use domain::ports::{Clock, Models, Outcomes, PredictionLog};
use http::{Method, Request, StatusCode};
use runtime::web::ids::random_ids;
use serde_json::{Value, json};
use sim::clock::SimClock;
use sim::store::{MemoryMarket, MemoryObjects, door};
use std::sync::Arc;

const LINEAR: &[u8] = include_bytes!("../../testdata/linear.onnx");
const TREE: &[u8] = include_bytes!("../../testdata/tree.onnx");
const ABOVE_ONE: &[u8] = include_bytes!("../../testdata/above_one.onnx");

pub(super) struct House {
    pub(super) server: Router,
    pub(super) table: Arc<MemoryMarket>,
    pub(super) clock: Arc<SimClock>,
    /// Where files are put, and where they lie then.
    pub(super) door: Router,
    pub(super) objects: Option<Arc<MemoryObjects>>,
}

impl House {
    pub(super) fn new() -> House {
        House::with(None, SimClock::new())
    }

    /// The same, and files are put by themselves.
    pub(super) fn taking_uploads() -> House {
        let clock = SimClock::new();
        House::with(Some(Arc::new(MemoryObjects::new("http://files.test", clock.clone(), random_ids()))), clock)
    }

    fn with(objects: Option<Arc<MemoryObjects>>, clock: Arc<SimClock>) -> House {
        let table = Arc::new(MemoryMarket::default());
        let bench = Bench::new(table.clone(), clock.clone());
        let bench = match &objects {
            Some(objects) => bench.taking(Uploads { objects: objects.clone(), ids: random_ids() }),
            None => bench,
        };
        let deps = Deps {
            engine: Arc::new(Planner::default()),
            library: Arc::new(Library::embedded()),
            records: Some(Records { store: table.clone(), clock: clock.clone() }),
            bench: Some(Arc::new(bench)),
            desk: Some(Desk { market: table.clone(), wishes: table.clone(), work: table.clone(), clock: clock.clone() }),
            keys: vec![Key::of(KEY)],
            limits: Limits::default(),
        };
        let door = objects.clone().map_or_else(Router::new, door);
        House { server: router(Arc::new(deps)), table, clock, door, objects }
    }

    pub(super) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(path).header("x-api-key", KEY).header("x-asked-by", "ann (key k-1)");
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        send(&self.server, request.unwrap()).await
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer = self.call(Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn upload(&self, name: &str, onnx: &[u8]) -> Answer {
        self.post("/api/v1/ml/models", json!({ "name": name, "onnx_base64": BASE64.encode(onnx) })).await
    }

    /// Uploads a model that fits, and gives its id.
    async fn model(&self, onnx: &[u8]) -> String {
        self.upload("a model", onnx).await.json()["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn chance(&self) -> Value {
        let pools =
            json!([{ "instance_type": "m6i.large", "zone": "us-east-1a" }, { "instance_type": "x9.unknown", "zone": "us-east-1a" }]);
        let answer = self.post(PREDICT, json!({ "region": "us-east-1", "pools": pools, "horizon_minutes": 60 })).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()[1]["probability"], Value::Null, "of what nothing is known nobody says anything");
        answer.json()[0].clone()
    }
}

#[tokio::test]
async fn a_model_is_kept_once_with_what_was_found_and_who_brought_it() {
    let house = House::new();
    let first = house.upload("  linear  ", LINEAR).await.json();
    assert_eq!((&first["name"], &first["by"], &first["state"]), (&json!("linear"), &json!("ann (key k-1)"), &json!("ready")));
    assert_eq!(first["check"]["operators"], json!(["Gemm", "Sigmoid"]));
    let again = house.upload("another name", LINEAR).await.json();
    assert_eq!((&again["id"], &again["name"]), (&first["id"], &json!("linear")), "the same file is the same model");
    let id = first["id"].as_str().unwrap();
    assert_eq!(house.table.model_bytes(id).await.unwrap().as_deref(), Some(LINEAR));
    assert_eq!(house.get(&format!("/api/v1/ml/models/{id}")).await, first);
    let list = house.get("/api/v1/ml/models").await;
    assert_eq!((list["models"].as_array().unwrap().len(), &list["deployment"]["engine"]), (1, &json!("built-in")));
    let contract = house.get("/api/v1/ml/models/contract").await;
    assert_eq!((contract["contract"].as_str(), contract["input"].as_array().unwrap().len()), (Some("spot-interruption/1"), 12));
}

#[tokio::test]
async fn a_model_that_does_not_fit_is_refused_with_a_code_and_nothing_of_it_is_kept() {
    let house = House::new();
    for (onnx, code) in [
        (ABOVE_ONE, "model-output-no-probability"),
        (include_bytes!("../../testdata/nan.onnx").as_slice(), "model-output-not-finite"),
        (include_bytes!("../../testdata/slow.onnx").as_slice(), "model-too-slow"),
        (include_bytes!("../../testdata/wide.onnx").as_slice(), "model-too-wide"),
        (include_bytes!("../../testdata/eleven_features.onnx").as_slice(), "model-wrong-input"),
        (include_bytes!("../../testdata/three_answers.onnx").as_slice(), "model-wrong-output"),
        (include_bytes!("../../testdata/no_model.onnx").as_slice(), "model-not-onnx"),
        (vec![0; 3_000_001].leak(), "model-too-large"),
    ] {
        let answer = house.upload("wrong", onnx).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, code));
        assert!(answer.json()["detail"].as_str().unwrap().starts_with("The model is not taken: "));
    }
    for body in [
        json!({ "name": "", "onnx_base64": "" }),
        json!({ "name": "x", "onnx_base64": "??" }),
        json!({ "name": "y".repeat(81), "onnx_base64": "" }),
    ] {
        assert_eq!(house.post("/api/v1/ml/models", body).await.code(), "invalid-body");
    }
    assert_eq!(house.table.models().await.unwrap(), []);
    for path in ["m-0123456789abcdef", "nothing", "..", "m-0123456789abcdef/comparison"] {
        assert_eq!(house.call(Method::GET, &format!("/api/v1/ml/models/{path}"), None).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_model_in_the_shadow_is_logged_and_not_told_and_speaks_once_it_is_active() {
    let house = House::new();
    let id = house.model(TREE).await;
    let activate = format!("/api/v1/ml/models/{id}/activate");
    assert_eq!(house.post(&activate, json!({})).await.code(), "model-never-in-shadow");
    let own = house.chance().await;
    assert_eq!(house.post(&format!("/api/v1/ml/models/{id}/shadow"), json!({})).await.json()["shadow"], json!(id));
    assert_eq!(house.chance().await, own, "what is told does not change");
    let log = house.get("/api/v1/ml/predictions").await;
    let row = &log[0]["rows"][0];
    assert_eq!((&log[0]["shadow"]["model"], &log[0]["shadow"]["failed"]), (&json!(id), &Value::Null));
    assert_eq!(
        (&row["told"], &row["built_in"], &row["features"].as_array().unwrap().len()),
        (&own["probability"], &own["probability"], &12)
    );
    assert!((row["shadow"].as_f64().unwrap() - 0.01).abs() < 1e-6 || (row["shadow"].as_f64().unwrap() - 0.1).abs() < 1e-6, "{row}");

    assert_eq!(house.call(Method::POST, &activate, None).await.json()["active"], json!(id), "a body is not needed");
    let told = house.chance().await;
    assert_eq!(told["probability"], row["shadow"], "what was tried in the shadow is told now");
    assert_eq!(told["uncorrected"], own["probability"], "outcomes teach what this server's own engine reckons");
    assert!(told["because"][0].as_str().unwrap().contains(&id), "{told}");
    let list = house.get("/api/v1/ml/models").await;
    assert_eq!((&list["models"][0]["state"], &list["deployment"]["changes"][0]["by"]), (&json!("active"), &json!("ann (key k-1)")));
}

#[tokio::test]
async fn a_roll_back_leads_to_what_spoke_before_and_the_engine_can_be_chosen() {
    let house = House::new();
    let own = house.chance().await["probability"].clone();
    let (first, second) = (house.model(LINEAR).await, house.model(TREE).await);
    for id in [&first, &second] {
        let answer = house.post(&format!("/api/v1/ml/models/{id}/activate"), json!({ "without_shadow": true })).await;
        assert_eq!(answer.json()["active"], json!(id));
    }
    let speaks = async || house.chance().await["because"][0].as_str().unwrap_or_default().to_owned();
    assert!(speaks().await.contains(&second));
    assert_eq!(house.call(Method::PUT, "/api/v1/ml/engine", Some(json!({ "engine": "built-in" }))).await.status, StatusCode::OK);
    assert_eq!(house.chance().await["probability"], own);
    assert_eq!(house.call(Method::PUT, "/api/v1/ml/engine", Some(json!({ "engine": "model" }))).await.status, StatusCode::OK);
    assert!(speaks().await.contains(&second));
    assert_eq!(house.call(Method::POST, "/api/v1/ml/models/rollback", None).await.json()["active"], json!(first));
    assert!(speaks().await.contains(&first));
    assert_eq!(house.call(Method::DELETE, &format!("/api/v1/ml/models/{first}"), None).await.code(), "model-in-use");
    assert_eq!(house.call(Method::POST, "/api/v1/ml/models/rollback", None).await.json()["active"], Value::Null);
    assert_eq!(house.chance().await["probability"], own);
    assert_eq!(house.call(Method::POST, "/api/v1/ml/models/rollback", None).await.code(), "nothing-before");
    assert_eq!(house.call(Method::DELETE, &format!("/api/v1/ml/models/{first}"), None).await.json()["removed"], json!(first));
    assert_eq!(house.call(Method::GET, &format!("/api/v1/ml/models/{first}"), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.get("/api/v1/ml/engine").await["changes"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn where_a_model_fails_this_servers_own_engine_answers_and_it_is_left_alone_for_a_while() {
    let house = House::new();
    let own = house.chance().await["probability"].clone();
    let id = house.model(LINEAR).await;
    house.post(&format!("/api/v1/ml/models/{id}/activate"), json!({ "without_shadow": true })).await;
    // Its file is gone: somebody's hand was in the table.
    house.table.remove_model(&id).await.unwrap();
    for word in ["cannot be read", "is left alone until"] {
        let told = house.chance().await;
        assert_eq!(told["probability"], own);
        let why: Vec<&str> = told["because"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(why.iter().any(|sentence| sentence.contains(&id) && sentence.contains(word)), "{why:?}");
    }
    let log = house.get("/api/v1/ml/predictions").await;
    assert!(log.as_array().unwrap().iter().any(|batch| batch["active"]["failed"].is_string()), "{log}");
}

#[tokio::test(start_paused = true)]
async fn a_change_elsewhere_is_known_after_a_minute() {
    let house = House::new();
    let id = house.model(LINEAR).await;
    let own = house.chance().await["probability"].clone();
    let next = house.table.deployment().await.unwrap().activate(&id, true, "another process", house.clock.now()).unwrap();
    house.table.put_deployment(&next).await.unwrap();
    assert_eq!(house.chance().await["probability"], own);
    tokio::time::advance(FRESH_FOR.try_into().unwrap()).await;
    assert_ne!(house.chance().await["probability"], own);
}

#[tokio::test]
async fn predictions_are_held_against_what_happened_and_another_model_is_tried_on_the_same() {
    let house = House::new();
    let (shadow, other) = (house.model(LINEAR).await, house.model(TREE).await);
    house.post(&format!("/api/v1/ml/models/{shadow}/shadow"), json!({})).await;
    let chance = house.chance().await["probability"].as_f64().unwrap();
    let outcome = PredictionOutcome {
        id: "o-1".to_owned(),
        region: "us-east-1".to_owned().try_into().unwrap(),
        pool: domain::decision::PoolName {
            instance_type: "m6i.large".to_owned().try_into().unwrap(),
            zone: "us-east-1a".to_owned().try_into().unwrap(),
        },
        predicted_at: house.clock.now() - SignedDuration::from_secs(2),
        horizon_minutes: 60,
        probability: chance,
        uncorrected: None,
        instances: 20,
        interrupted: 1,
    };
    house.table.put_outcomes(&[outcome]).await.unwrap();
    let compared = house.get("/api/v1/ml/predictions/comparison?days=1").await;
    let who: Vec<&str> = compared["scores"].as_array().unwrap().iter().filter_map(|score| score["who"].as_str()).collect();
    assert_eq!((&compared["pairs"], who), (&json!(1), vec!["built-in", shadow.as_str(), "told"]));
    assert_eq!((&compared["scores"][0]["predictions"], &compared["scores"][0]["base_rate"]), (&json!(20), &json!(0.05)));
    let trial = house.get(&format!("/api/v1/ml/models/{other}/comparison?days=1")).await;
    assert_eq!((&trial["tried"][0]["who"], &trial["tried"][0]["predictions"]), (&json!(other), &json!(20)));
    assert_eq!(trial["spoke"].as_array().unwrap().len(), 3);
    assert_eq!(house.call(Method::GET, "/api/v1/ml/predictions?days=32", None).await.code(), "invalid-query");
    let log = house.table.predictions(house.clock.now() - SignedDuration::from_hours(1), house.clock.now(), 9).await.unwrap();
    assert_eq!(log.len(), 1);
}
