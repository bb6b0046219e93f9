//! Reads: lists, page by page, and single nodes.

use crate::call::{Api, Call, Patience};
use crate::endpoint::{query_value, segment};
use crate::slim::{Budget, Named, Node, NodeMetrics, Page, Pod};
use domain::ids::NodeName;
use domain::node::{NodeUsage, NodeView};
use domain::pod::{PodBudget, PodView};
use domain::ports::ClusterError;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Objects per page.
const LIMIT: u32 = 500;
/// 2 million objects: a server that never ends its list is not believed.
const PAGES_MAX: u32 = 4_000;

pub(crate) async fn nodes(api: &Api) -> Result<Vec<NodeView>, ClusterError> {
    all(api, "/api/v1/nodes", None, Node::view).await
}

/// The node as we read it, before it becomes a view.
pub(crate) async fn raw_node(api: &Api, name: &NodeName) -> Result<Node, ClusterError> {
    api.call(&Call::get(node_path(name)?)).await?.decode()
}

pub(crate) async fn node(api: &Api, name: &NodeName) -> Result<NodeView, ClusterError> {
    raw_node(api, name).await?.view().ok_or_else(|| ClusterError::Refused("a node has no name or uid".to_owned()))
}

pub(crate) fn node_path(name: &NodeName) -> Result<String, ClusterError> {
    Ok(format!("/api/v1/nodes/{}", segment(name.as_str())?))
}

pub(crate) async fn pods(api: &Api, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
    let fields = on.map(|node| format!("spec.nodeName={node}"));
    all(api, "/api/v1/pods", fields.as_deref(), Pod::view).await
}

pub(crate) async fn pod_budgets(api: &Api) -> Result<Vec<PodBudget>, ClusterError> {
    all(api, "/apis/policy/v1/poddisruptionbudgets", None, Budget::view).await
}

pub(crate) async fn daemon_sets(api: &Api) -> Result<BTreeSet<(String, String)>, ClusterError> {
    let names = |set: Named| Some((set.metadata.namespace, set.metadata.name));
    Ok(all(api, "/apis/apps/v1/daemonsets", None, names).await?.into_iter().collect())
}

pub(crate) async fn usage(api: &Api) -> Result<Vec<NodeUsage>, ClusterError> {
    all(api, "/apis/metrics.k8s.io/v1beta1/nodes", None, NodeMetrics::view).await
}

/// All objects of a list. Each page is slimmed before the next is asked for, so that memory follows the page. A list that
/// expires between two pages (410) is begun anew, once.
async fn all<T: DeserializeOwned, V>(
    api: &Api,
    path: &str,
    fields: Option<&str>,
    keep: impl Fn(T) -> Option<V>,
) -> Result<Vec<V>, ClusterError> {
    let (mut found, mut next, mut unreadable, mut restarted) = (Vec::new(), String::new(), 0_usize, false);
    for _ in 0..PAGES_MAX {
        let answer = api.call(&Call::get(page_path(path, fields, &next)).patience(Patience::Page)).await?;
        if answer.status == http::StatusCode::GONE && !restarted {
            (found, next, unreadable, restarted) = (Vec::new(), String::new(), 0, true);
            continue;
        }
        // A list has no object that could be gone: 404 says that nobody serves this kind.
        let page: Page<T> = answer.decode().map_err(|error| match error {
            ClusterError::Gone => ClusterError::Refused(format!("{path} is not served by this cluster")),
            other @ (ClusterError::Unreachable(_)
            | ClusterError::Unauthorized
            | ClusterError::Forbidden(_)
            | ClusterError::Conflict
            | ClusterError::Overloaded(_)
            | ClusterError::Refused(_)) => other,
        })?;
        let before = found.len();
        let length = page.items.len();
        found.extend(page.items.into_iter().filter_map(&keep));
        unreadable += length - (found.len() - before);
        next = page.metadata.next;
        if next.is_empty() {
            if unreadable > 0 {
                tracing::warn!(list = path, objects = unreadable, "Left out objects of a list that have no usable identity or figures");
            }
            return Ok(found);
        }
    }
    Err(ClusterError::Refused(format!("{path} does not end")))
}

fn page_path(path: &str, fields: Option<&str>, next: &str) -> String {
    let mut path = format!("{path}?limit={LIMIT}");
    for (name, value) in [("fieldSelector", fields.unwrap_or_default()), ("continue", next)] {
        if !value.is_empty() {
            path.push_str(&format!("&{name}={}", query_value(value)));
        }
    }
    path
}

#[cfg(test)]
mod tests;
