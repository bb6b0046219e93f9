//! Errors as problem documents: what every server of ours says, and what this one says of its own.

use crate::register::Wrong;
use http::StatusCode;
use serde_json::{Value, json};

pub use runtime::web::problem::{MEDIA_TYPE, Manners, Problem, render};

/// Where the framework answers by itself.
pub const MANNERS: Manners = Manners {
    no_such_route: "There is nothing at this path. The README lists all paths.",
    body_too_large: "The body is larger than 1 MiB. Send less at once.",
};

/// Fields of a request that are not what they must be, all at once.
pub fn fields(wrong: &[Wrong]) -> Problem {
    let names: Vec<&str> = wrong.iter().map(|w| w.field).collect();
    let errors: Vec<Value> = wrong.iter().map(|w| json!({ "field": w.field, "detail": w.detail })).collect();
    let detail = format!("Correct {}; `errors` says how.", names.join(", "));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", detail).with("errors", Value::Array(errors))
}

pub(crate) fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", MANNERS.body_too_large)
}
