//! The Lambda Runtime API, for one function: the four routes that a function calls.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::{Notify, oneshot};

/// What a function answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `/response`.
    Response(Value),
    /// `/error`: the invocation failed as a whole.
    Error(String),
}

#[derive(Default)]
struct Api {
    waiting: Mutex<VecDeque<(String, u64, Value)>>,
    arrived: Notify,
    answers: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    ready_at: Mutex<Option<Instant>>,
    ready: Notify,
    refused: Mutex<Option<String>>,
    sent: Mutex<u64>,
}

/// A served Runtime API. It stops when this is dropped.
pub struct RuntimeApi {
    /// `127.0.0.1:<port>`, as `AWS_LAMBDA_RUNTIME_API` names it.
    pub address: String,
    api: Arc<Api>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// Serves on a free port.
    ///
    /// # Panics
    /// If there is none.
    pub async fn serve() -> RuntimeApi {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let api = Arc::new(Api::default());
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(api.clone());
        let server = tokio::spawn(async move {
            // It ends with the task.
            let _ended = axum::serve(listener, router).await;
        });
        RuntimeApi { address, api, server }
    }

    /// Hands an event to the function, which may work on it until `deadline_ms` (since the epoch).
    ///
    /// # Errors
    /// The function has refused to start, or its answer never came.
    pub async fn invoke(&self, event: &Value, deadline_ms: u64) -> Result<Answer, String> {
        let (answer, answered) = oneshot::channel();
        let id = {
            let mut sent = self.api.sent.lock().unwrap();
            *sent += 1;
            format!("invocation-{sent}")
        };
        self.api.answers.lock().unwrap().insert(id.clone(), answer);
        self.api.waiting.lock().unwrap().push_back((id, deadline_ms, event.clone()));
        self.api.arrived.notify_one();
        answered.await.map_err(|_| self.api.refused.lock().unwrap().clone().unwrap_or_else(|| "no answer".to_owned()))
    }

    /// When the function asked for its first event; waits for it.
    pub async fn ready_at(&self) -> Instant {
        loop {
            let asked = self.api.ready.notified();
            if let Some(at) = *self.api.ready_at.lock().unwrap() {
                return at;
            }
            asked.await;
        }
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.ready_at.lock().unwrap().get_or_insert_with(Instant::now);
    api.ready.notify_one();
    loop {
        let arrived = api.arrived.notified();
        let waiting = api.waiting.lock().unwrap().pop_front();
        if let Some((id, deadline_ms, event)) = waiting {
            let headers = [
                ("content-type", "application/json".to_owned()),
                ("lambda-runtime-aws-request-id", id),
                ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-2:000000000000:function:tested".to_owned()),
                ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
            ];
            return (headers, event.to_string()).into_response();
        }
        arrived.await;
    }
}

async fn response(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    settle(&api, &id, Answer::Response(serde_json::from_slice(&body).unwrap_or(Value::Null)))
}

async fn error(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    settle(&api, &id, Answer::Error(String::from_utf8_lossy(&body).into_owned()))
}

fn settle(api: &Api, id: &str, answer: Answer) -> StatusCode {
    match api.answers.lock().unwrap().remove(id) {
        // Whoever asked may have gone; the function has done its part.
        Some(waits) => waits.send(answer).map_or(StatusCode::ACCEPTED, |()| StatusCode::ACCEPTED),
        None => StatusCode::BAD_REQUEST,
    }
}

async fn init_error(State(api): State<Arc<Api>>, body: Bytes) -> StatusCode {
    *api.refused.lock().unwrap() = Some(String::from_utf8_lossy(&body).into_owned());
    api.answers.lock().unwrap().clear();
    StatusCode::ACCEPTED
}
