//! What handlers take out of a request: who asks, and for what. Without a session there is neither, and no write without its token.

use crate::Deps;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{Page, render};
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Redirect, Response};
use domain::Timestamp;
use domain::ids::ClusterId;
use domain::tenant::{Cluster, Role};
use execution::wishes::Who;
use http::HeaderMap;
use http::request::Parts;
use runtime::web::keys::same;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest form that is read, in bytes.
const FORM_BYTES_MAX: usize = 16_384;
/// The largest form with a model in it: 3 MB in base64, and what stands beside it.
const UPLOAD_BYTES_MAX: usize = 4_100_000;

/// How large a form that goes to a path may be.
pub(crate) fn bytes_max(path: &str) -> usize {
    if path == "/console/models/upload" { UPLOAD_BYTES_MAX } else { FORM_BYTES_MAX }
}

/// A question of somebody who is signed in.
pub struct Ask {
    /// Everything, bound to their customer.
    pub deps: Arc<Deps>,
    /// Who asks.
    pub session: Session,
    /// What stands behind the question mark.
    pub query: BTreeMap<String, String>,
    /// The path.
    pub path: String,
    /// Now.
    pub now: Timestamp,
}

/// What a handler gives.
pub type Answer = Result<Response, Failure>;

/// Names and values of a form or a query. Of two with one name the last counts.
pub fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

impl FromRequestParts<Arc<Deps>> for Ask {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, deps: &Arc<Deps>) -> Result<Ask, Response> {
        let now = deps.clock.now();
        let session =
            deps.sessions.session(&parts.headers, &*deps.registry, now).await.map_err(|error| Failure::from(error).into_response())?;
        let Some(session) = session else {
            return Err(signed_out(&parts.headers, parts.uri.path_and_query().map_or("/console", |path| path.as_str())));
        };
        let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
        let deps = Arc::new(deps.bound(&session.customer));
        Ok(Ask { deps, session, query, path: parts.uri.path().to_owned(), now })
    }
}

/// To the door, and back afterwards. htmx would put the door into the page: it is told to go there.
fn signed_out(headers: &HeaderMap, path: &str) -> Response {
    let door = format!("/console/sign-in?next={}", form_urlencoded::byte_serialize(path.as_bytes()).collect::<String>());
    if headers.contains_key("hx-request") {
        return ([("hx-redirect", door)], "").into_response();
    }
    Redirect::to(&door).into_response()
}

impl Ask {
    /// Who asks, as somebody who wishes.
    pub fn who(&self) -> Who {
        Who { customer: self.session.customer.clone(), label: self.session.label.clone() }
    }

    /// One value of the query; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Whether they may do this.
    pub fn may(&self, role: Role) -> bool {
        self.session.role >= role
    }

    /// A cluster of theirs. Another customer's, and an id that cannot be one, are absent.
    ///
    /// # Errors
    /// [`Failure::Absent`], or the table did not answer.
    pub async fn cluster(&self, id: &str) -> Result<Cluster, Failure> {
        let id = ClusterId::parse(id).map_err(|_| Failure::Absent("cluster"))?;
        self.deps.registry.cluster(&self.session.customer, &id).await?.ok_or(Failure::Absent("cluster"))
    }

    /// The cluster that the query names, or their first; `None`: they have none.
    ///
    /// # Errors
    /// As [`Ask::cluster`].
    pub async fn cluster_or_first(&self) -> Result<Option<Cluster>, Failure> {
        match self.get("cluster") {
            Some(id) => self.cluster(id).await.map(Some),
            None => Ok(self.deps.registry.clusters(&self.session.customer, None, 1).await?.items.into_iter().next()),
        }
    }

    /// The page as HTML, or one of its tables as CSV where the query asks for it.
    ///
    /// # Errors
    /// The page has no such table, or cannot be made.
    pub async fn page(&self, page: Page) -> Answer {
        match self.get("csv") {
            Some(id) => page.table(id).map(|table| crate::csv::answer(table, self.now)).ok_or(Failure::Absent("table")),
            None => render(self, page).await,
        }
    }
}

/// A form of somebody who is signed in, sent from a page of ours.
pub struct Act {
    /// Who, and where.
    pub ask: Ask,
    /// Its fields.
    pub form: BTreeMap<String, String>,
}

impl FromRequest<Arc<Deps>> for Act {
    type Rejection = Response;

    async fn from_request(request: Request, deps: &Arc<Deps>) -> Result<Act, Response> {
        let (mut parts, body) = request.into_parts();
        let ask = Ask::from_request_parts(&mut parts, deps).await?;
        let form = form_within(&parts.headers, body, bytes_max(parts.uri.path())).await.map_err(IntoResponse::into_response)?;
        let token = form.get("token").map(String::as_str).unwrap_or_default();
        if !same(token.as_bytes(), ask.session.token.as_bytes()) {
            return Err(Failure::Stale.into_response());
        }
        Ok(Act { ask, form })
    }
}

/// The fields of a form that a browser sent from our own pages.
///
/// # Errors
/// It came from another site, or is larger than any of ours.
pub async fn form(headers: &HeaderMap, body: axum::body::Body) -> Result<BTreeMap<String, String>, Failure> {
    form_within(headers, body, FORM_BYTES_MAX).await
}

async fn form_within(headers: &HeaderMap, body: axum::body::Body, most: usize) -> Result<BTreeMap<String, String>, Failure> {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin") {
        return Err(Failure::Stale);
    }
    let bytes = to_bytes(body, most).await.map_err(|_| Failure::Refused("The form is too large.".to_owned()))?;
    Ok(pairs(&bytes))
}

impl Act {
    /// One field; an empty one is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// [`Failure::Refused`].
    pub fn need(&self, name: &'static str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| Failure::Refused(format!("The form says nothing for `{name}`.")))
    }

    /// That they may do this.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn must(&self, needs: Role) -> Result<(), Failure> {
        if self.ask.may(needs) { Ok(()) } else { Err(Failure::Forbidden { has: self.ask.session.role, needs }) }
    }

    /// Back to a page, which then says what was done.
    pub fn done(&self, path: &str, said: &str) -> Answer {
        let sign = if path.contains('?') { '&' } else { '?' };
        Ok(Redirect::to(&format!("{path}{sign}done={said}")).into_response())
    }

    /// A name for what this form asks for: the same form sent twice asks once.
    pub fn new_id(&self) -> String {
        self.get("wish").map_or_else(|| format!("{:032x}", (self.ask.deps.ids)()), str::to_owned)
    }
}
