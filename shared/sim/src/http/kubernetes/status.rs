//! Answers: objects, and the Status bodies of refusals.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refusal.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

impl Refusal {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { code, reason, message: message.into(), details: json!({}) }
    }

    pub(super) fn not_found(resource: &str, name: &str) -> Refusal {
        let message = format!("{resource} {name:?} not found");
        Refusal { details: json!({"name": name, "kind": resource}), ..Refusal::new(404, "NotFound", message) }
    }

    pub(super) fn no_such_page() -> Refusal {
        Refusal::new(404, "NotFound", "the server could not find the requested resource")
    }

    pub(super) fn conflict(resource: &str, name: &str, why: &str) -> Refusal {
        let message = format!("Operation cannot be fulfilled on {resource} {name:?}: {why}");
        Refusal { details: json!({"name": name, "kind": resource}), ..Refusal::new(409, "Conflict", message) }
    }

    pub(super) fn other_uid(resource: &str, name: &str, wanted: &str, is: &str) -> Refusal {
        Refusal::conflict(resource, name, &format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {is}"))
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "BadRequest", message)
    }

    pub(super) fn cause(mut self, reason: &str, message: &str) -> Refusal {
        self.details["causes"] = json!([{"reason": reason, "message": message}]);
        self
    }

    pub(super) fn retry_after(mut self, seconds: i64) -> Refusal {
        self.details["retryAfterSeconds"] = json!(seconds);
        self
    }

    pub(super) fn body(&self) -> Value {
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "details": self.details, "code": self.code,
        })
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = json(self.code, &self.body());
        let wait = self.details.get("retryAfterSeconds").and_then(Value::as_i64);
        if let Some(value) = wait.and_then(|seconds| seconds.to_string().parse().ok()) {
            response.headers_mut().insert("retry-after", value);
        }
        response
    }
}

/// Done, and nothing to show.
pub(super) fn success(code: u16) -> Response {
    json(code, &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}))
}

pub(super) fn json(code: u16, body: &Value) -> Response {
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (code, [("content-type", "application/json")], Body::from(body.to_string())).into_response()
}

pub(super) fn text(body: &'static str) -> Response {
    body.into_response()
}
