//! Who calls, and what they may do. Default deny: a route that [`routes::TABLE`](crate::routes::TABLE) does not list is closed.

use crate::Deps;
use crate::problem::Problem;
use crate::rates;
use crate::routes::{self, Access};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::tenant::{CustomerStatus, Role};
use http::{Method, StatusCode};
use runtime::web::caller::{Doors, hash, unauthorized};
use runtime::web::keys::presented;
use std::sync::Arc;

pub use runtime::web::caller::{Caller, OPERATOR};

/// Lets a request through if its route is listed, its key may use it, and has not used up its rate.
///
/// # Errors
/// 401, 403, 405, 429 as [`Problem`]s; 503 where keys cannot be read.
pub async fn guard(State(deps): State<Arc<Deps>>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let access = matched.as_deref().and_then(|path| routes::access(request.method(), path));
    match access {
        Some(Access::Everyone) => Ok(next.run(request).await),
        Some(Access::Needs(role)) => {
            let key = presented(request.headers()).ok_or_else(unauthorized)?.to_owned();
            let now = deps.clock.now();
            // Before anything is read: whoever floods us costs nobody else their share of the table.
            let mark = deps.rates.mark(&key);
            deps.rates.shut(mark, now)?;
            let doors = Doors {
                registry: Arc::clone(&deps.registry),
                clock: Arc::clone(&deps.clock),
                bootstrap_admin_hash: deps.bootstrap_admin_hash.clone(),
                issuer: deps.issuer.clone(),
            };
            let caller = doors.of(&key).await?;
            let left = deps.rates.take(&caller, &hash(&key), mark, now).await?;
            let response = match allowed(&deps, &caller, role, request.method()).await {
                Ok(()) => {
                    request.extensions_mut().insert(caller);
                    next.run(request).await
                }
                Err(problem) => problem.into_response(),
            };
            Ok(rates::told(response, left))
        }
        None => {
            let detail = "This path does not take this method.";
            Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail))
        }
    }
}

async fn allowed(deps: &Deps, caller: &Caller, needs: Role, method: &Method) -> Result<(), Problem> {
    if caller.role < needs {
        return Err(forbidden(caller.role, needs));
    }
    let reads = [Method::GET, Method::HEAD].contains(method);
    if reads || caller.is_operator() {
        return Ok(());
    }
    match deps.registry.customer(&caller.customer).await? {
        Some(customer) if customer.status == CustomerStatus::Suspended => {
            let detail =
                "This customer is suspended: what is there can be read, and nothing can be changed. Ask whoever runs this control plane.";
            Err(Problem::new(StatusCode::FORBIDDEN, "customer-suspended", detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// Closed to all but whoever runs this control plane.
///
/// # Errors
/// 403 for everybody else.
pub fn operator_only(caller: &Caller) -> Result<(), Problem> {
    if caller.is_operator() {
        return Ok(());
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "Only whoever runs this control plane may do this."))
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
