//! Lists of pods: only what is on the page is printed, and the order of a long list is worked out once and not for each page.

use super::super::ask::Ask;
use super::super::status::Refusal;
use super::super::{Api, render};
use super::{in_namespace, listed, nameless, place_of, selected, token_of};
use crate::world::state::{Kube, Pod, State};
use axum::response::Response;
use domain::ids::NodeName;
use serde_json::json;
use std::sync::{Arc, PoisonError};

mod ballast;

/// Pods in the order of their list, for one version of the cluster.
#[derive(Debug)]
pub(in super::super) struct Order {
    rv: u64,
    /// The place in the list, namespace and name.
    pods: Vec<(String, String, String)>,
}

pub(super) fn answer(api: &Api, state: &mut State, ask: &Ask) -> Result<Response, Refusal> {
    let kube = &mut state.clusters[api.cluster];
    let after = ask.query.get("continue").filter(|token| !token.is_empty()).map(|token| place_of(token)).transpose()?;
    if after.is_some()
        && let Some(left) = kube.lists_expire.checked_sub(1)
    {
        kube.lists_expire = left;
        return Err(Refusal::new(410, "Expired", "The provided continue parameter is too old to display a consistent list result."));
    }
    let kube = &*kube;
    let order = order(api, kube, ask);
    let from = after.map_or(0, |after| order.pods.partition_point(|(place, ..)| *place <= after));
    let limit = ask.query.get("limit").and_then(|limit| limit.parse::<usize>().ok()).filter(|limit| *limit > 0);
    let mut metadata = json!({"resourceVersion": kube.rv.to_string()});
    let (mut items, mut last) = (Vec::new(), "");
    for (index, (place, namespace, name)) in order.pods.iter().enumerate().skip(from) {
        let Some((key, pod)) = kube.pods.find(namespace, name).and_then(|key| Some((key, kube.pods.get(&key)?))) else { continue };
        let mut item = render::pod(pod, kube);
        if !in_namespace(&item, ask) || !selected(&item, ask) {
            continue;
        }
        if limit == Some(items.len()) {
            metadata["continue"] = json!(token_of(last));
            // As the API server does, where nothing is filtered: what is left is known without looking at it.
            if ask.namespace.is_none() && !["fieldSelector", "labelSelector"].iter().any(|filter| ask.query.contains_key(*filter)) {
                metadata["remainingItemCount"] = json!(order.pods.len() - index);
            }
            break;
        }
        nameless(&mut item);
        ballast::load(&mut item, key, api.ballast);
        items.push(item);
        last = place;
    }
    Ok(listed("PodList", "v1", metadata, items))
}

/// The order of all pods is kept for the next page; that of one node's is not worth it.
fn order(api: &Api, kube: &Kube, ask: &Ask) -> Arc<Order> {
    let sorted = |pods: Vec<&Pod>| {
        let pods = pods.into_iter().map(|pod| &pod.pod);
        let mut pods: Vec<_> = pods.map(|p| (format!("{}/{}", p.namespace, p.name), p.namespace.clone(), p.name.clone())).collect();
        pods.sort_unstable();
        Arc::new(Order { rv: kube.rv, pods })
    };
    let fields = ask.query.get("fieldSelector").map(String::as_str).unwrap_or_default();
    let node = fields.split(',').find_map(|term| term.strip_prefix("spec.nodeName=")).map(|name| name.trim_start_matches('='));
    if let Some(node) = node.filter(|node| !node.is_empty()) {
        return sorted(NodeName::parse(node).map_or_else(|_| Vec::new(), |node| kube.pods.on(&node).map(|(_, pod)| pod).collect()));
    }
    let mut kept = api.order.lock().unwrap_or_else(PoisonError::into_inner);
    match &*kept {
        Some(order) if order.rv == kube.rv => Arc::clone(order),
        _ => {
            let order = sorted(kube.pods.values().collect());
            *kept = Some(Arc::clone(&order));
            order
        }
    }
}
