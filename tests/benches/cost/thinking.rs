//! The decision server, whose time is counted apart, and whose time it is.

use async_trait::async_trait;
use decision::planner::Planner;
use decision::{Engine, Knowledge};
use domain::decision::{DecisionAnswer, DecisionRequest, PredictRequest, Prediction, PredictionOutcome};
use domain::ports::{Advisor, AdvisorError};
use std::sync::atomic::{AtomicU64, Ordering};

/// What this thread has worked so far, in microseconds.
pub fn worked() -> u64 {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says what a thread has worked");
    spent.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).expect("it is a number") / 1_000
}

/// The planner, whose time is counted apart: it is another function.
pub struct Thinking {
    pub known: Knowledge,
    pub calls: AtomicU64,
    pub micros: AtomicU64,
}

#[async_trait]
impl Advisor for Thinking {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        let began = worked();
        let answer = Planner::default().decide(request, &self.known);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(worked() - began, Ordering::Relaxed);
        Ok(answer)
    }

    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(Planner::default().predict(request, &self.known))
    }

    async fn learn(&self, _outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        Ok(())
    }
}
