//! Who may ask. Default deny: a route that [`routes::TABLE`](crate::routes::TABLE) does not list is closed.

use crate::Deps;
use crate::problem::Problem;
use crate::routes::{self, Access};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The SHA-256 of an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Of the key itself.
    pub fn of(key: &str) -> Key {
        Key(Sha256::digest(key).into())
    }

    /// Compares without stopping at the first difference, so that time tells nothing.
    fn same(&self, other: &Key) -> bool {
        self.0.iter().zip(other.0).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Lets a request through if its route is listed and its key may use it.
///
/// # Errors
/// 401 and 405 as [`Problem`]s.
pub async fn guard(State(deps): State<Arc<Deps>>, request: Request, next: Next) -> Result<Response, Problem> {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    match matched.as_deref().and_then(|path| routes::access(request.method(), path)) {
        Some(Access::Everyone) => {}
        Some(Access::Key) => {
            let presented = presented(request.headers()).map(Key::of);
            // Every key is compared, whichever it is.
            let known = presented.is_some_and(|key| deps.keys.iter().fold(false, |found, known| found | known.same(&key)));
            if !known {
                return Err(unauthorized());
            }
        }
        None => {
            let detail = "This path does not take this method.";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail));
        }
    }
    Ok(next.run(request).await)
}

/// The key that a request presents, from `X-API-Key` or `Authorization: Bearer`. Two different keys are no key.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut keys = Vec::new();
    for value in headers.get_all(header::AUTHORIZATION) {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        keys.push(key.trim());
    }
    for value in headers.get_all("x-api-key") {
        keys.push(value.to_str().ok()?.trim());
    }
    let first = *keys.first()?;
    let usable = (1..=512).contains(&first.len()) && keys.iter().all(|key| *key == first);
    usable.then_some(first)
}

/// One wording for every kind of bad key.
fn unauthorized() -> Problem {
    let detail = "Send the API key as `X-API-Key: <key>` or `Authorization: Bearer <key>`. This one is missing or wrong.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}
