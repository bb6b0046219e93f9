//! A server with a key, and an engine that moves nothing.

use crate::{Deps, Engine, Key, Knowledge, Library, Limits, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use domain::decision::{
    CONTRACT_VERSION, ClusterState, Constraints, DecisionAnswer, DecisionRequest, DecisionType, PoolName, PredictRequest, Prediction,
    Untouched, WhyNot,
};
use domain::money::MicroDollars;
use domain::policy::OptimizationPolicy;
use domain::snapshot::{SNAPSHOT_VERSION, Snapshot};
use http::{Method, Request, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

pub(super) const KEY: &str = "the-right-key";
pub(super) const BIN_PACK: &str = "/api/v1/ml/decision/bin-pack";
pub(super) const PREDICT: &str = "/api/v1/ml/predict/spot-interruption";

/// Leaves everything as it is, in as many words as asked; panics where it is told to.
pub(super) struct Idle {
    pub(super) words: usize,
}

impl Engine for Idle {
    fn name(&self) -> String {
        "idle 1".to_owned()
    }

    fn decide(&self, request: &DecisionRequest, _known: &Knowledge) -> DecisionAnswer {
        assert!(request.request_id != "panic", "asked to");
        DecisionAnswer {
            version: 0,
            request_id: String::new(),
            engine: self.name(),
            execution_plan: Vec::new(),
            estimated_saving: MicroDollars(0),
            cost_before: MicroDollars(0),
            cost_after: MicroDollars(0),
            lower_bound: MicroDollars(0),
            reasons: vec!["words ".repeat(self.words)],
            untouched: request
                .snapshot
                .nodes
                .iter()
                .map(|node| Untouched { node: node.name.clone(), code: WhyNot::Optimal, object: None, why: "it is idle".to_owned() })
                .collect(),
            rejected: Vec::new(),
            cursor: None,
        }
    }

    fn features(&self, request: &PredictRequest, _known: &Knowledge) -> Vec<crate::models::Row> {
        request.pools.iter().map(|_| crate::models::Row::default()).collect()
    }

    fn predict(&self, request: &PredictRequest, _known: &Knowledge) -> Vec<Prediction> {
        let one =
            |pool: &PoolName| Prediction { pool: pool.clone(), probability: None, uncorrected: None, risk: None, because: Vec::new() };
        request.pools.iter().map(one).collect()
    }
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is no JSON: {:?}", self.status, self.body))
    }

    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

pub(super) fn deps(keys: Vec<Key>, limits: Limits, words: usize) -> Deps {
    Deps { engine: Arc::new(Idle { words }), library: Arc::new(Library::embedded()), records: None, bench: None, desk: None, keys, limits }
}

pub(super) fn server(limits: Limits, words: usize) -> Router {
    router(Arc::new(deps(vec![Key::of(KEY)], limits, words)))
}

pub(super) async fn send(server: &Router, request: Request<Body>) -> Answer {
    let response = server.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: to_bytes(body, usize::MAX).await.unwrap().to_vec() }
}

/// A request with the right key and these headers.
pub(super) fn post(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(path).header("x-api-key", KEY);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(Body::from(body)).unwrap()
}

pub(super) async fn ask(body: &Value) -> Answer {
    send(&server(Limits::default(), 1), post(BIN_PACK, &[("content-type", "application/json")], body.to_string().into_bytes())).await
}

/// The smallest request that is in order, as JSON.
pub(crate) fn question() -> Value {
    let cluster: domain::ids::ClusterId = "c-1".to_owned().try_into().unwrap();
    let at = domain::Timestamp::from_second(1_790_000_000).unwrap();
    serde_json::to_value(DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: "r-1".to_owned(),
        cluster_id: cluster.clone(),
        decision_type: DecisionType::BinPack,
        cluster_state: ClusterState {
            cluster_id: cluster.clone(),
            node_count: 0,
            total_cpu: 0.0,
            total_memory: 0.0,
            pod_count: 0,
            spot_node_count: 0,
            on_demand_node_count: 0,
            current_cost_per_hour: 0.0,
        },
        snapshot: Snapshot {
            version: SNAPSHOT_VERSION,
            cluster,
            region: "us-east-1".to_owned().try_into().unwrap(),
            taken_at: at,
            subnets: Vec::new(),
            nodes: Vec::new(),
            classes: Vec::new(),
            pending: Vec::new(),
            budgets: Some(Vec::new()),
            parts: Vec::new(),
        },
        requirements: OptimizationPolicy::default(),
        constraints: Constraints { now: Some(at), ..Constraints::default() },
    })
    .unwrap()
}
