//! Who may ask. Default deny: a route that [`routes::TABLE`](crate::routes::TABLE) does not list is closed.

use crate::Deps;
use crate::problem::Problem;
use crate::routes::{self, Access};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use runtime::web::keys::{presented, same};
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

    fn same(&self, other: &Key) -> bool {
        same(&self.0, &other.0)
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

/// One wording for every kind of bad key.
fn unauthorized() -> Problem {
    let detail = "Send the API key as `X-API-Key: <key>` or `Authorization: Bearer <key>`. This one is missing or wrong.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}
