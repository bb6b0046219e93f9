//! What our credential may do, asked of the API server itself. Open to every authenticated caller.

use crate::call::{Api, Call};
use domain::permissions::Right;
use domain::ports::ClusterError;
use futures::{StreamExt, TryStreamExt};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// Questions under way at the same time.
const AT_ONCE: usize = 8;

/// The question that the API server is asked about a right.
fn review(right: &Right) -> Value {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((&right.resource, ""));
    let mut attributes = json!({ "verb": right.verb, "group": right.group, "resource": resource });
    if !subresource.is_empty() {
        attributes["subresource"] = json!(subresource);
    }
    json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": { "resourceAttributes": attributes } })
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
        let call = Call::with_json(Method::POST, path, "application/json", &review(&right));
        let review: Review = api.call(&call).await?.decode()?;
        Ok((!review.status.allowed).then_some(right))
    }));
    asked.buffered(AT_ONCE).try_filter_map(|missing| async move { Ok(missing) }).try_collect().await
}

#[cfg(test)]
mod tests;
