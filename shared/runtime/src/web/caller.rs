//! Who calls: the customer and the role that an API key or a token stands for. Every server of ours that has customers asks here.

use super::issuer::{Issuer, Untold};
use super::keys::{presented, same};
use super::problem::Problem;
use axum::extract::FromRequestParts;
use data_encoding::HEXLOWER;
use domain::ids::CustomerId;
use domain::ports::{Clock, Registry};
use domain::tenant::Role;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The customer that the bootstrap key acts for: whoever runs this control plane.
pub const OPERATOR: &str = "default";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The customer that the caller acts for. Nothing of another customer exists for this caller.
    pub customer: CustomerId,
    /// What the caller may do.
    pub role: Role,
    /// What the key is for, in its owner's words, or the subject of the token; stands in plans and audit rows.
    pub label: String,
    /// Which key or token: `bootstrap`, `key <id>` or `token of <subject>`. Rates are counted by it.
    pub credential: String,
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

/// What callers are told apart by.
#[derive(Clone)]
pub struct Doors {
    /// Keys and customers.
    pub registry: Arc<dyn Registry>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hex SHA-256 of the key that acts as administrator of [`OPERATOR`].
    pub bootstrap_admin_hash: Option<String>,
    /// Whose tokens are taken; `None`: nobody's.
    pub issuer: Option<Arc<Issuer>>,
}

impl Doors {
    /// Who sends a request with these headers.
    ///
    /// Keys are read from the table each time, so that one that was taken back stops with the next request.
    ///
    /// # Errors
    /// 401 in one wording for every kind of bad key or token; 503 where they cannot be judged now.
    pub async fn of_headers(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        self.of(presented(headers).ok_or_else(unauthorized)?).await
    }

    /// Whom a key or token stands for.
    ///
    /// # Errors
    /// As [`Doors::of_headers`].
    pub async fn of(&self, presented: &str) -> Result<Caller, Problem> {
        match &self.issuer {
            Some(issuer) if looks_like_a_token(presented) => self.of_token(issuer, presented).await,
            Some(_) | None => self.of_key(presented).await,
        }
    }

    async fn of_key(&self, key: &str) -> Result<Caller, Problem> {
        let hash = hash(key);
        if self.bootstrap_admin_hash.as_deref().is_some_and(|own| same(own.to_ascii_lowercase().as_bytes(), hash.as_bytes())) {
            let customer = CustomerId::parse(OPERATOR).map_err(Problem::internal)?;
            return Ok(Caller { customer, role: Role::Admin, label: "bootstrap".to_owned(), credential: "bootstrap".to_owned() });
        }
        let known = self.registry.api_key(&hash).await?;
        let now = self.clock.now();
        let key = known.filter(|key| key.works(now)).ok_or_else(unauthorized)?;
        let name = if key.id.is_empty() { hash.chars().take(12).collect() } else { key.id };
        Ok(Caller { customer: key.customer, role: key.role, label: key.label, credential: format!("key {name}") })
    }

    async fn of_token(&self, issuer: &Issuer, token: &str) -> Result<Caller, Problem> {
        let claims = match issuer.judge(token, self.clock.now()).await {
            Ok(claims) => claims,
            Err(Untold::Refused(why)) => return Err(unauthorized().because(why)),
            Err(Untold::Unavailable(why)) => {
                let detail = "Tokens cannot be judged now: their issuer does not answer. Try again, or use an API key.";
                return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "issuer-unavailable", detail).because(why).retry_after(5));
            }
        };
        let customer = CustomerId::parse(&claims.customer).map_err(|_| unauthorized())?;
        // A token may name anybody; only who is registered has anything here.
        if customer.as_str() != OPERATOR && self.registry.customer(&customer).await?.is_none() {
            return Err(unauthorized().because("the token names a customer that is not registered"));
        }
        Ok(Caller { customer, role: claims.role, credential: format!("token of {}", claims.subject), label: claims.subject })
    }
}

/// A key as the table knows it: hex SHA-256.
pub fn hash(key: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(key))
}

/// Whether it is a token and no key: keys of ours hold no dots.
pub fn looks_like_a_token(presented: &str) -> bool {
    presented.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// One wording for every kind of bad key: which kind it is, is nobody's business.
pub fn unauthorized() -> Problem {
    let detail =
        "Send a valid API key as `Authorization: Bearer <key>` or `X-API-Key: <key>`. This one is missing, unknown, expired or revoked.";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}
