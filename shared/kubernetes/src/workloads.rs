//! How many replicas a workload is asked to have.

use crate::call::{Api, Call};
use crate::endpoint::segment;
use domain::ports::ClusterError;
use domain::workload::WorkloadRef;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

const MERGE_PATCH: &str = "application/merge-patch+json";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Workload {
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<u32>,
}

impl Workload {
    /// Kubernetes' default is 1.
    fn replicas(&self) -> u32 {
        self.spec.replicas.unwrap_or(1)
    }
}

fn path(workload: &WorkloadRef) -> Result<String, ClusterError> {
    let resource = workload.kind.resource();
    Ok(format!("/apis/apps/v1/namespaces/{}/{resource}/{}", segment(&workload.namespace)?, segment(&workload.name)?))
}

pub(crate) async fn replicas(api: &Api, workload: &WorkloadRef) -> Result<u32, ClusterError> {
    Ok(api.call(&Call::get(path(workload)?)).await?.decode::<Workload>()?.replicas())
}

/// Through the scale subresource; where the role closes it, which a role with `patch` on the workload does, on the object itself.
pub(crate) async fn scale(api: &Api, workload: &WorkloadRef, replicas: u32) -> Result<(), ClusterError> {
    let body = json!({ "spec": { "replicas": replicas } });
    let patch = |path: String| Call::with_json(Method::PATCH, path, MERGE_PATCH, &body);
    let path = path(workload)?;
    let answer = api.call(&patch(format!("{path}/scale"))).await?;
    if answer.status != StatusCode::FORBIDDEN {
        return answer.ok().map(|_| ());
    }
    api.call(&patch(path)).await?.ok().map(|_| ())
}

#[cfg(test)]
mod tests;
