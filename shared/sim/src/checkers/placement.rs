//! Whether a pod may be where it is being bound: counted pod by pod, slowly and plainly, so that it can judge the scheduler, which
//! counts cleverly.

use crate::world::scheduler::{means, selects, tolerates, tolerates_cordon};
use crate::world::state::{Kube, Node, Pod};
use domain::scheduling::{PodTerm, Spread};
use std::collections::BTreeMap;

/// Pods that are on nodes, and the nodes.
fn placed(kube: &Kube) -> impl Iterator<Item = (&Pod, &Node)> {
    let here = |pod: &Pod| pod.node.as_ref().and_then(|name| kube.nodes.get(name));
    kube.pods.values().filter(|pod| !pod.finished()).filter_map(move |pod| Some((pod, here(pod)?)))
}

/// The rules that a pod would break on a node, were it bound now. Each in a sentence.
pub(crate) fn broken(kube: &Kube, pod: &Pod, node: &Node) -> Vec<String> {
    let mut found = Vec::new();
    let mut law = |holds: bool, what: &str| {
        if !holds {
            found.push(format!("{} is bound to {}, {what}", pod.pod, node.name));
        }
    };
    let asks = &pod.shape.scheduling;
    law(node.ready, "which is not ready");
    law(!node.unschedulable || tolerates_cordon(asks), "which is cordoned");
    law(tolerates(node, asks), "whose taints it does not tolerate");
    law(selects(node, asks), "which its node selector or affinity does not allow");
    law(has_room(kube, pod, node), "which has no room for it");
    law(ports_free(kube, pod, node), "where a port that it wants is taken");
    law(affinity(kube, pod, node), "where the pods that it must be with are not");
    law(anti_affinity(kube, pod, node), "where pods are that it must not be with, or that must not be with it");
    law(asks.spread.iter().filter(|spread| spread.hard).all(|spread| even(kube, pod, node, spread)), "where its kind is too many");
    law(kube.reaches_volumes(pod, node), "where its volumes cannot be attached");
    found
}

fn has_room(kube: &Kube, pod: &Pod, node: &Node) -> bool {
    let here: Vec<&Pod> = placed(kube).filter(|(_, at)| at.name == node.name).map(|(other, _)| other).chain([pod]).collect();
    let fits = |has: u64, wants: fn(&Pod) -> u64| wants(pod) == 0 || here.iter().map(|pod| wants(pod)).sum::<u64>() <= has;
    let extended = pod.shape.extended.iter().filter(|(_, amount)| **amount > 0).all(|(name, _)| {
        let asked: u64 = here.iter().filter_map(|pod| pod.shape.extended.get(name)).sum();
        asked <= node.extended.get(name).copied().unwrap_or(0)
    });
    fits(node.cpu_millis, |pod| pod.shape.cpu_millis)
        && fits(node.memory_bytes, |pod| pod.shape.memory_bytes)
        && here.len() <= node.pods_max as usize
        && extended
}

fn ports_free(kube: &Kube, pod: &Pod, node: &Node) -> bool {
    let any = |ip: &str| ip.is_empty() || ip == "0.0.0.0";
    let taken = placed(kube).filter(|(_, at)| at.name == node.name).flat_map(|(other, _)| &other.shape.scheduling.host_ports);
    let taken: Vec<_> = taken.collect();
    pod.shape.scheduling.host_ports.iter().all(|want| {
        taken.iter().all(|has| {
            let same_address = any(&want.ip) || any(&has.ip) || want.ip == has.ip;
            !(same_address && want.port == has.port && want.protocol == has.protocol)
        })
    })
}

/// Whether a term of one pod means another.
fn is_meant(term: &PodTerm, owner: &Pod, other: &Pod) -> bool {
    let own = term.namespaces.is_empty() && owner.pod.namespace == other.pod.namespace;
    let there = term.any_namespace || own || term.namespaces.contains(&other.pod.namespace);
    there && means(term.selector.as_ref(), &other.shape.labels)
}

/// Whether two nodes are in one domain of a label.
fn same_domain(key: &str, one: &Node, other: &Node) -> bool {
    one.labels.get(key).is_some_and(|value| other.labels.get(key) == Some(value))
}

fn affinity(kube: &Kube, pod: &Pod, node: &Node) -> bool {
    let terms = &pod.shape.scheduling.affinity;
    let all = |other: &Pod| terms.iter().all(|term| is_meant(term, pod, other));
    if !terms.iter().all(|term| node.labels.contains_key(&term.topology_key)) {
        return false;
    }
    let with = |term: &PodTerm| placed(kube).any(|(other, at)| same_domain(&term.topology_key, at, node) && all(other));
    let somewhere = || placed(kube).any(|(other, at)| all(other) && terms.iter().any(|term| at.labels.contains_key(&term.topology_key)));
    terms.iter().all(with) || (all(pod) && !somewhere())
}

fn anti_affinity(kube: &Kube, pod: &Pod, node: &Node) -> bool {
    placed(kube).all(|(other, at)| {
        let near = |term: &PodTerm| same_domain(&term.topology_key, at, node);
        let mine = pod.shape.scheduling.anti_affinity.iter().any(|term| near(term) && is_meant(term, pod, other));
        let theirs = other.shape.scheduling.anti_affinity.iter().any(|term| near(term) && is_meant(term, other, pod));
        !mine && !theirs
    })
}

fn even(kube: &Kube, pod: &Pod, node: &Node, spread: &Spread) -> bool {
    let asks = &pod.shape.scheduling;
    let hard: Vec<&Spread> = asks.spread.iter().filter(|spread| spread.hard).collect();
    let counts = |at: &Node| {
        hard.iter().all(|other| at.labels.contains_key(&other.topology_key))
            && (!spread.honor_affinity || selects(at, asks))
            && (!spread.honor_taints || (at.ready && tolerates(at, asks)))
    };
    let mut domains: BTreeMap<&str, u32> = BTreeMap::new();
    for at in kube.nodes.values().filter(|at| counts(at)) {
        if let Some(domain) = at.labels.get(&spread.topology_key) {
            domains.entry(domain).or_default();
        }
    }
    let kind = |other: &Pod| other.pod.namespace == pod.pod.namespace && means(spread.selector.as_ref(), &other.shape.labels);
    for (_, at) in placed(kube).filter(|(other, at)| counts(at) && other.deletion_at.is_none() && kind(other)) {
        if let Some(count) = at.labels.get(&spread.topology_key).and_then(|domain| domains.get_mut(domain.as_str())) {
            *count += 1;
        }
    }
    let few = domains.len() < spread.min_domains.unwrap_or(1) as usize;
    let lowest = if few { 0 } else { domains.values().copied().min().unwrap_or(0) };
    let Some(domain) = node.labels.get(&spread.topology_key) else { return false };
    let here = domains.get(domain.as_str()).copied().unwrap_or(0);
    here + u32::from(kind(pod)) <= lowest + spread.max_skew
}
