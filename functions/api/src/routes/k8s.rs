//! Clusters as they are now: read from their own API, nothing kept.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::Params;
use crate::paging::{Page, Paging};
use crate::problem::{self, Problem};
use crate::view::nodes::{ClusterMetrics, ClusterNode, NodeMetrics, Totals};
use axum::Json;
use axum::extract::Path;
use domain::ids::NodeName;
use domain::node::{NodeUsage, NodeView};
use domain::pod::PodView;
use domain::ports::{Cluster, ClusterError};
use domain::{plan::check::Blocked, tenant};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A connection to a cluster.
///
/// # Errors
/// 409 where it has no token; else what the connection said.
pub(super) async fn connect(deps: &Deps, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, Problem> {
    if cluster.k8s_token.is_none() {
        let detail = "No token is stored for this cluster. Make one for its service account and PUT it to the cluster as k8s_token.";
        return Err(Problem::new(StatusCode::CONFLICT, "needs-token", detail));
    }
    Ok(deps.clusters.connect(cluster).await?)
}

/// A node's name out of a request.
pub(super) fn node_name(text: &str) -> Result<NodeName, Problem> {
    NodeName::parse(text).map_err(|error| {
        let wrong = crate::register::Wrong { field: "node_name", detail: error.to_string() };
        problem::fields(&[wrong])
    })
}

/// A refusal with every reason, for a person and for a program.
pub(super) fn blocked(notes: &[Blocked]) -> Problem {
    let whys: Vec<&str> = notes.iter().map(|note| note.why.as_str()).collect();
    let detail = format!("The safety check says no: {}.", whys.join("; "));
    Problem::new(StatusCode::CONFLICT, "blocked", detail).with("blocked", json!(notes))
}

/// `GET /api/v1/k8s/{cluster_id}/nodes`.
///
/// # Errors
/// As [`connect`], and what the cluster answered.
pub async fn nodes(Desk(deps): Desk, caller: Caller, Path(id): Path<String>, paging: Paging) -> Result<Json<Page<ClusterNode>>, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let nodes = connect(&deps, &cluster).await?.nodes().await?;
    let nodes: Vec<ClusterNode> = nodes.into_iter().map(|node| ClusterNode { instance_id: node.instance(), node }).collect();
    Ok(Json(paging.cut(nodes, |shown| shown.node.name.to_string())))
}

/// Which pods.
#[derive(Debug, Deserialize)]
pub struct Which {
    node: Option<String>,
    namespace: Option<String>,
}

/// `GET /api/v1/k8s/{cluster_id}/pods`, also `?node=` and `?namespace=`.
///
/// # Errors
/// As [`connect`], and what the cluster answered.
pub async fn pods(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    Params(which): Params<Which>,
    paging: Paging,
) -> Result<Json<Page<PodView>>, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let node = which.node.as_deref().map(node_name).transpose()?;
    let mut pods = connect(&deps, &cluster).await?.pods(node.as_ref()).await?;
    pods.retain(|pod| which.namespace.as_ref().is_none_or(|namespace| pod.pod.namespace == *namespace));
    Ok(Json(paging.cut(pods, |pod| pod.pod.to_string())))
}

/// `GET /api/v1/k8s/{cluster_id}/metrics`: what nodes have and what they use.
///
/// # Errors
/// As [`connect`], and what the cluster answered; a missing metrics server is told in the answer.
pub async fn metrics(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Json<ClusterMetrics>, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let api = connect(&deps, &cluster).await?;
    let (nodes, usage) = tokio::join!(api.nodes(), api.usage());
    let (nodes, note) = (nodes?, usage.as_ref().err().map(no_usage));
    Ok(Json(summary(&nodes, usage.ok().as_deref(), note)))
}

/// Why there is no usage, for a caller: metrics are an add-on, and the rest of the answer does not depend on them.
fn no_usage(error: &ClusterError) -> String {
    match error {
        ClusterError::Forbidden(_) => {
            "The service account may not list nodes in metrics.k8s.io. Apply infra/customer/rbac.yaml.".to_owned()
        }
        ClusterError::Gone => "The cluster has no metrics server. Install it to see what nodes use.".to_owned(),
        ClusterError::Unreachable(_)
        | ClusterError::Unauthorized
        | ClusterError::Conflict
        | ClusterError::Overloaded(_)
        | ClusterError::Refused(_) => "The metrics server of the cluster does not answer.".to_owned(),
    }
}

fn summary(nodes: &[NodeView], usage: Option<&[NodeUsage]>, note: Option<String>) -> ClusterMetrics {
    let used: BTreeMap<&NodeName, &NodeUsage> = usage.unwrap_or_default().iter().map(|usage| (&usage.name, usage)).collect();
    let row = |node: &NodeView| {
        let used = used.get(&node.name);
        NodeMetrics {
            name: node.name.clone(),
            ready: node.ready,
            unschedulable: node.unschedulable,
            cpu_millis_allocatable: node.cpu_millis,
            cpu_millis_used: used.map(|u| u.cpu_millis),
            memory_bytes_allocatable: node.memory_bytes,
            memory_bytes_used: used.map(|u| u.memory_bytes),
        }
    };
    let totals = Totals {
        nodes: nodes.len(),
        nodes_ready: nodes.iter().filter(|node| node.ready).count(),
        cpu_millis_allocatable: nodes.iter().map(|node| node.cpu_millis).sum(),
        cpu_millis_used: usage.map(|all| all.iter().map(|u| u.cpu_millis).sum()),
        memory_bytes_allocatable: nodes.iter().map(|node| node.memory_bytes).sum(),
        memory_bytes_used: usage.map(|all| all.iter().map(|u| u.memory_bytes).sum()),
    };
    ClusterMetrics { nodes: nodes.iter().map(row).collect(), totals, note }
}
