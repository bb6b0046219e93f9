//! What is answered: JSON, packed where the caller takes that, and never more than can travel.

use crate::Limits;
use crate::problem::Problem;
use axum::response::Response;
use serde::Serialize;

pub use runtime::web::answer::takes_gzip;

/// How to ask for less at once.
const NARROW: &str = "Accept gzip, lower constraints.nodes_max, or ask for fewer nodes or pools at once.";

/// An answer, packed if that is taken and worth it.
///
/// # Errors
/// 422 where it is larger than may travel: the caller must ask for less at once.
pub fn give(answer: &impl Serialize, gzip: bool, limits: Limits) -> Result<Response, Problem> {
    let plain = serde_json::to_vec(answer).map_err(Problem::internal)?;
    runtime::web::answer::send(plain, gzip, limits.answer_bytes_max, NARROW)
}
