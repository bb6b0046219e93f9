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

/// What is wrong where a status is answered, and each code that it can have then: a code never changes its meaning, nor its status.
pub const CODES: [(u16, &str, &[&str]); 16] = [
    (
        400,
        "The request cannot be read.",
        &[
            "bad-request",
            "body-unreadable",
            "idempotency-key-malformed",
            "invalid-cursor",
            "invalid-format",
            "invalid-hours",
            "invalid-limit",
            "invalid-month",
            "invalid-query",
            "malformed-json",
            "unknown-kind",
            "unknown-state",
        ],
    ),
    (401, "There is no key, or none that works.", &["unauthorized"]),
    (403, "The key may not do this, or nothing may be changed now.", &["customer-suspended", "forbidden"]),
    (
        404,
        "There is no such thing, or it is another customer's: the two look alike.",
        &["finding-unknown", "instance-unknown", "no-such-route", "node-unknown", "not-found", "object-unknown"],
    ),
    (405, "The path does not take this method.", &["method-not-allowed"]),
    (
        409,
        "What is there stands in its way.",
        &[
            "already-registered",
            "blocked",
            "changed-meanwhile",
            "finding-resolved",
            "halted",
            "idempotency-in-flight",
            "idempotency-key-used",
            "in-another-plan",
            "needs-token",
            "not-an-instance",
            "not-begun",
            "nothing-to-decide",
            "nothing-to-dismiss",
            "nothing-to-end",
            "past-return",
            "plans-under-way",
            "role-claimed",
            "stale-rules",
            "too-many-keys",
            "too-many-targets",
        ],
    ),
    (412, "Somebody else changed it since it was read.", &["stale-version"]),
    (413, "The body is too large.", &["body-too-large"]),
    (415, "The body is not JSON.", &["not-json"]),
    (
        422,
        "The request can be read, and does not fit.",
        &[
            "address-refused",
            "answer-too-large",
            "event-malformed",
            "idempotency-mismatch",
            "invalid-body",
            "invalid-channel",
            "invalid-company-name",
            "invalid-email",
            "invalid-expiry",
            "invalid-fields",
            "invalid-kinds",
            "invalid-label",
            "invalid-reason",
            "invalid-scope",
            "no-secret",
            "nothing-to-do",
            "role-trusts-anybody",
        ],
    ),
    (428, "The version that is meant must be named.", &["if-match-missing"]),
    (429, "The key has made its calls of this minute.", &["rate-limited"]),
    (500, "A fault of ours; it is in our log.", &["internal"]),
    (
        502,
        "What is behind us failed: the cluster, or the decision server.",
        &[
            "cluster-forbidden",
            "cluster-refused",
            "cluster-unauthorized",
            "cluster-unreachable",
            "ml-server-answer-too-large",
            "ml-server-failed",
            "ml-server-unauthorized",
            "ml-server-unreachable",
        ],
    ),
    (
        503,
        "What is behind us does not answer now.",
        &[
            "cluster-overloaded",
            "eks-unreachable",
            "issuer-unavailable",
            "ml-server-busy",
            "no-ml-server",
            "queue-not-answering",
            "store-not-answering",
            "store-throttled",
            "vault-not-answering",
        ],
    ),
    (504, "The decision server did not answer in time.", &["ml-server-slow"]),
];

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
