//! Errors as problem documents: what every server of ours says, and what this one says of its own.

use crate::models::Unread;
use domain::decision::verify::{Refusal, harmless};
use domain::model::MODEL_BYTES_MAX;
use domain::ports::ObjectError;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

pub use runtime::web::problem::{MEDIA_TYPE, Manners, Problem, render};

/// Where the framework answers by itself.
pub const MANNERS: Manners = Manners {
    no_such_route: "There is nothing at this path. GET /api/v1/ml/openapi.json lists all paths.",
    body_too_large: "The body is too large. Pack it, or send less at once.",
};

/// What callers get of a [`Problem`].
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document {
    /// `urn:cloudoptim:problem:` and the code.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// What is wrong and what to do, for a person.
    detail: String,
    /// The path that was called.
    instance: String,
    /// For programs. Never changes its meaning.
    code: String,
    /// The id of the request, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// Everything that is wrong with a request that contradicts itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    errors: Vec<Fault>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Fault {
    /// Which rule says so.
    rule: &'static str,
    /// The field or object.
    object: String,
    /// The sentence.
    detail: String,
}

/// Says which request a problem is about.
pub fn of_request(problem: Problem, id: &str) -> Problem {
    problem.with("request_id", Value::String(harmless(id, 128)))
}

/// Something that needs the table, on a server that has none.
pub fn no_records() -> Problem {
    let detail = "This server keeps nothing: it was started without a table.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no-records", detail)
}

/// Something that needs a store of files, on a server that has none.
pub fn no_upload_store() -> Problem {
    let detail = format!(
        "This server takes no uploads: it was started without MODEL_BUCKET. Send the file as `onnx_base64`, {MODEL_BYTES_MAX} bytes at most."
    );
    Problem::new(StatusCode::CONFLICT, "no-upload-store", detail)
}

/// What the store of files did not do.
pub fn of_objects(error: ObjectError) -> Problem {
    match &error {
        ObjectError::Unreachable(_) => {
            let detail = "The store of files did not answer. The same request may be sent again, after the time in Retry-After.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "objects-not-answering", detail).retry_after(5).because(error)
        }
        ObjectError::TooLarge(_) | ObjectError::Refused(_) => Problem::internal(error),
    }
}

impl From<Unread> for Problem {
    fn from(error: Unread) -> Problem {
        match error {
            Unread::Store(error) => Problem::from(error),
            Unread::Objects(error) => of_objects(error),
            Unread::Gone => Problem::absent("model"),
            Unread::NoStore => no_upload_store(),
            Unread::Changed => Problem::internal(error),
        }
    }
}

/// A request that contradicts itself.
pub fn faults(refusals: Vec<Refusal>) -> Problem {
    let detail = format!("{}. `errors` says all that is wrong.", refusals.first().map_or("The request is wrong", |first| &first.why));
    let faults = refusals.into_iter();
    let faults = faults.map(|refusal| json!(Fault { rule: refusal.rule.as_str(), object: refusal.object, detail: refusal.why })).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-request", detail).with("errors", Value::Array(faults))
}
