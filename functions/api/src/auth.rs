//! Who calls, and what they may do. Default deny: a route that [`routes::TABLE`](crate::routes::TABLE) does not list is closed.

use crate::Deps;
use crate::problem::Problem;
use crate::routes::{self, Access};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::HEXLOWER;
use domain::ids::CustomerId;
use domain::tenant::Role;
use http::StatusCode;
use http::request::Parts;
use runtime::web::keys::{presented, same};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The customer that the bootstrap key acts for: whoever runs this control plane.
pub const OPERATOR: &str = "default";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The customer that the key acts for. Nothing of another customer exists for this caller.
    pub customer: CustomerId,
    /// What the key may do.
    pub role: Role,
    /// What the key is for, in its owner's words; stands in plans and audit rows.
    pub label: String,
}

impl Caller {
    /// Whether the caller runs this control plane and not only clusters on it.
    pub fn is_operator(&self) -> bool {
        self.customer.as_str() == OPERATOR
    }
}

/// A handler that takes a caller cannot be reached without one, even if its route were left out of the guard by mistake.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(unauthorized)
    }
}

/// Lets a request through if its route is listed and its key may use it.
///
/// # Errors
/// 401, 403, 405 as [`Problem`]s; 503 where keys cannot be read.
pub async fn guard(State(deps): State<Arc<Deps>>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let access = matched.as_deref().and_then(|path| routes::access(request.method(), path));
    match access {
        Some(Access::Everyone) => {}
        Some(Access::Needs(role)) => {
            let presented = presented(request.headers());
            let caller = identify(&deps, presented).await?;
            if caller.role < role {
                return Err(forbidden(caller.role, role));
            }
            request.extensions_mut().insert(caller);
        }
        None => {
            let detail = "This path does not take this method.";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail));
        }
    }
    Ok(next.run(request).await)
}

async fn identify(deps: &Deps, key: Option<&str>) -> Result<Caller, Problem> {
    let hash = HEXLOWER.encode(&Sha256::digest(key.ok_or_else(unauthorized)?));
    if deps.bootstrap_admin_hash.as_deref().is_some_and(|bootstrap| same(bootstrap.to_ascii_lowercase().as_bytes(), hash.as_bytes())) {
        let customer = CustomerId::parse(OPERATOR).map_err(Problem::internal)?;
        return Ok(Caller { customer, role: Role::Admin, label: "bootstrap".to_owned() });
    }
    let now = deps.clock.now();
    let known = deps.registry.api_key(&hash).await?;
    let valid = known.filter(|key| !key.revoked && key.expires_at.is_none_or(|end| end > now));
    let key = valid.ok_or_else(unauthorized)?;
    Ok(Caller { customer: key.customer, role: key.role, label: key.label })
}

/// One wording for every kind of bad key: which kind it is, is nobody's business.
fn unauthorized() -> Problem {
    let detail =
        "Send a valid API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`. This one is missing, unknown, expired or revoked.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Operator => "operator",
        Role::Admin => "admin",
    }
}

fn forbidden(has: Role, needs: Role) -> Problem {
    let detail = format!("This key has the role {}; this needs {}. Use a key with that role.", word(has), word(needs));
    Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
}
