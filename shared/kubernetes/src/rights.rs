//! What our credential may do, asked of the API server itself. Open to every authenticated caller.

use crate::call::{Api, Call};
use domain::ports::ClusterError;
use futures::{StreamExt, TryStreamExt};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// Questions under way at the same time.
const AT_ONCE: usize = 8;

/// A right in all namespaces, in RBAC's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// `get`, `list`, `patch`, `create`, `delete` and the like.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// `nodes`, or with a subresource `pods/eviction`.
    pub resource: String,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

impl Right {
    fn review(&self) -> Value {
        let (resource, subresource) = self.resource.split_once('/').unwrap_or((&self.resource, ""));
        let mut attributes = json!({ "verb": self.verb, "group": self.group, "resource": resource });
        if !subresource.is_empty() {
            attributes["subresource"] = json!(subresource);
        }
        json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": { "resourceAttributes": attributes } })
    }
}

#[derive(Debug, Deserialize)]
struct Review {
    #[serde(default)]
    status: ReviewStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReviewStatus {
    allowed: bool,
}

/// Those of the rights that are missing, in the order asked.
pub(crate) async fn missing(api: &Api, rights: &[Right]) -> Result<Vec<Right>, ClusterError> {
    let asked = futures::stream::iter(rights.iter().cloned().map(|right| async move {
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let call = Call::with_json(Method::POST, path, "application/json", &right.review());
        let review: Review = api.call(&call).await?.decode()?;
        Ok((!review.status.allowed).then_some(right))
    }));
    asked.buffered(AT_ONCE).try_filter_map(|missing| async move { Ok(missing) }).try_collect().await
}

#[cfg(test)]
mod tests;
