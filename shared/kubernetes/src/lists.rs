//! Reads: lists, page by page, and single nodes.

use crate::call::{Api, Call};
use crate::endpoint::segment;
use domain::ids::NodeName;
use domain::node::{NodeUsage, NodeView};
use domain::pod::PodBudget;
use domain::ports::ClusterError;
use serde::de::DeserializeOwned;
use slim::{Budget, Named, Node, NodeMetrics, Page};
use std::collections::BTreeSet;

mod claims;
mod pages;
mod persistent;
pub(crate) mod pods;
mod services;
mod traffic;

pub(crate) use claims::claims;
pub(crate) use pages::Paging;
use pages::Turn;
pub(crate) use persistent::volumes as persistent_volumes;
pub(crate) use services::{endpoints, services};
pub(crate) use traffic::traffic;

pub(crate) async fn nodes(api: &Api) -> Result<Vec<NodeView>, ClusterError> {
    all(api, "/api/v1/nodes", Node::view).await
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

pub(crate) async fn pod_budgets(api: &Api) -> Result<Vec<PodBudget>, ClusterError> {
    all(api, "/apis/policy/v1/poddisruptionbudgets", Budget::view).await
}

pub(crate) async fn daemon_sets(api: &Api) -> Result<BTreeSet<(String, String)>, ClusterError> {
    let names = |set: Named| Some((set.metadata.namespace, set.metadata.name));
    Ok(all(api, "/apis/apps/v1/daemonsets", names).await?.into_iter().collect())
}

pub(crate) async fn usage(api: &Api) -> Result<Vec<NodeUsage>, ClusterError> {
    all(api, "/apis/metrics.k8s.io/v1beta1/nodes", NodeMetrics::view).await
}

/// Which list a page is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// `/api/v1/nodes`.
    Nodes,
    /// `/apis/metrics.k8s.io/v1beta1/nodes`.
    NodeMetrics,
    /// `/apis/policy/v1/poddisruptionbudgets`.
    PodBudgets,
    /// `/apis/apps/v1/daemonsets`.
    DaemonSets,
}

/// Decodes one page as the API server sends it, and tells how many objects of it can be used. Pods have [`pods::decode_pods`].
///
/// # Errors
/// [`ClusterError::Refused`]: the page cannot be read.
pub fn decode_page(list: Listed, page: &[u8]) -> Result<usize, ClusterError> {
    fn usable<T: DeserializeOwned, V>(page: &[u8], keep: impl Fn(T) -> Option<V>) -> Result<usize, ClusterError> {
        let read: Result<Page<T>, _> = serde_json::from_slice(page);
        let page = read.map_err(|error| ClusterError::Refused(format!("an answer cannot be read: {error}")))?;
        Ok(page.items.into_iter().filter_map(keep).count())
    }
    match list {
        Listed::Nodes => usable(page, Node::view),
        Listed::NodeMetrics => usable(page, NodeMetrics::view),
        Listed::PodBudgets => usable(page, Budget::view),
        Listed::DaemonSets => usable(page, |set: Named| Some(set.metadata.name)),
    }
}

/// All objects of a list. Each page is slimmed before the next is asked for, so that memory follows the page. A list that
/// expires between two pages (410) is begun anew, once.
pub(crate) async fn all<T: DeserializeOwned, V>(
    api: &Api,
    path: &'static str,
    keep: impl Fn(T) -> Option<V>,
) -> Result<Vec<V>, ClusterError> {
    every(api, Paging::new(path, None), keep).await
}

/// The same, in a way of its own through the list.
pub(crate) async fn every<T: DeserializeOwned, V>(
    api: &Api,
    mut paging: Paging,
    keep: impl Fn(T) -> Option<V>,
) -> Result<Vec<V>, ClusterError> {
    let mut found = Vec::new();
    while let Some(turn) = paging.turn(api).await? {
        match turn {
            Turn::Anew => found.clear(),
            Turn::Page(answer) => {
                let page: Page<T> = answer.decode()?;
                let (before, length) = (found.len(), page.items.len());
                found.extend(page.items.into_iter().filter_map(&keep));
                paging.went_on(page.metadata.next, length - (found.len() - before))?;
            }
        }
    }
    Ok(found)
}
