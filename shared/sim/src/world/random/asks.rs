//! The special wishes of random workloads.

use super::super::spec::{Volume, WorkloadSpec};
use super::{DEDICATED, DISKS, TEAM, any_zone};
use domain::pod::{Operator, Requirement, Selector};
use domain::scheduling::{HostPort, NodeOperator, NodeRequirement, NodeTerm, PodTerm, Scheduling, Spread, Toleration, Weighted};
use fastrand::Rng;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// Gives a workload one or two special wishes.
pub(super) fn special(rng: &mut Rng, spec: &mut WorkloadSpec, index: usize) {
    for _ in 0..rng.u32(1..=2) {
        match rng.u32(..13) {
            0 => select_nodes(rng, &mut spec.pod.scheduling),
            1 => require_nodes(rng, &mut spec.pod.scheduling),
            2 => prefer_nodes(rng, &mut spec.pod.scheduling),
            3 => spec.pod.scheduling.tolerations.push(tolerate(rng)),
            4 => join(rng, spec, index),
            5 | 6 => avoid(rng, spec),
            7 | 8 => spread(rng, spec),
            9 => prefer_pods(rng, spec),
            10 => take_port(rng, spec),
            11 => spec.pod.volume = Some(if rng.u32(..4) == 0 { Volume::Local } else { Volume::Zonal }),
            _ => spec.pod.do_not_disrupt = true,
        }
    }
}

fn select_nodes(rng: &mut Rng, asks: &mut Scheduling) {
    let (key, value) = match rng.u32(..4) {
        0 => (ZONE, any_zone(rng)),
        1 => ("kubernetes.io/arch", "amd64".to_owned()),
        2 => ("kubernetes.io/os", "linux".to_owned()),
        _ => (TEAM, "red".to_owned()),
    };
    asks.node_selector.insert(key.to_owned(), value);
}

fn need(key: &str, operator: NodeOperator, values: &[&str]) -> NodeRequirement {
    NodeRequirement { key: key.to_owned(), operator, values: values.iter().map(|value| (*value).to_owned()).collect() }
}

fn node_term(rng: &mut Rng) -> NodeTerm {
    let requirement = match rng.u32(..6) {
        0 => need(ZONE, NodeOperator::In, &[&any_zone(rng), &any_zone(rng)]),
        1 => need(ZONE, NodeOperator::NotIn, &[&any_zone(rng)]),
        2 => need(TEAM, NodeOperator::Exists, &[]),
        3 => need(TEAM, NodeOperator::DoesNotExist, &[]),
        4 => need(DISKS, NodeOperator::Gt, &["1"]),
        _ => need(DISKS, NodeOperator::Lt, &["3"]),
    };
    NodeTerm(vec![requirement])
}

fn require_nodes(rng: &mut Rng, asks: &mut Scheduling) {
    asks.required_nodes = (0..rng.u32(1..=2)).map(|_| node_term(rng)).collect();
}

fn prefer_nodes(rng: &mut Rng, asks: &mut Scheduling) {
    asks.preferred_nodes.push(Weighted { weight: rng.i32(1..=100), term: node_term(rng) });
}

fn tolerate(rng: &mut Rng) -> Toleration {
    let exists = rng.bool();
    let value = if exists { String::new() } else { "batch".to_owned() };
    let effect = rng.bool().then(|| "NoSchedule".to_owned());
    Toleration { key: Some(DEDICATED.to_owned()), exists, value, effect }
}

fn topology(rng: &mut Rng) -> String {
    if rng.bool() { HOSTNAME } else { ZONE }.to_owned()
}

/// The pods of an app, in one of two ways to say it.
fn pods_of(rng: &mut Rng, app: &str) -> Selector {
    let mut selector = Selector::default();
    if rng.bool() {
        selector.match_labels.insert("app".to_owned(), app.to_owned());
    } else {
        let values = vec![app.to_owned(), "nobody".to_owned()];
        selector.match_expressions.push(Requirement { key: "app".to_owned(), operator: Operator::In, values });
    }
    selector
}

fn term(rng: &mut Rng, topology_key: String, app: &str) -> PodTerm {
    PodTerm { topology_key, selector: Some(pods_of(rng, app)), namespaces: Vec::new(), any_namespace: rng.u32(..4) == 0 }
}

/// Wants to be with its own kind, or with an app that was made before.
fn join(rng: &mut Rng, spec: &mut WorkloadSpec, index: usize) {
    let other = format!("app-{}", rng.usize(..=index));
    let name = spec.name.clone();
    let app = if rng.bool() { &name } else { &other };
    let mut term = term(rng, ZONE.to_owned(), app);
    term.any_namespace |= *app != name;
    spec.pod.scheduling.affinity.push(term);
}

fn avoid(rng: &mut Rng, spec: &mut WorkloadSpec) {
    let key = topology(rng);
    if key == ZONE {
        spec.replicas = spec.replicas.min(3);
    }
    let name = spec.name.clone();
    let mut term = term(rng, key, &name);
    if rng.u32(..5) == 0 {
        term.namespaces = vec![spec.namespace.clone(), "batch".to_owned()];
    }
    spec.pod.scheduling.anti_affinity.push(term);
}

fn spread(rng: &mut Rng, spec: &mut WorkloadSpec) {
    let name = spec.name.clone();
    let topology_key = topology(rng);
    let by_zone = topology_key == ZONE;
    spec.pod.scheduling.spread.push(Spread {
        topology_key,
        max_skew: rng.u32(1..=2),
        hard: rng.u32(..3) > 0,
        selector: Some(pods_of(rng, &name)),
        min_domains: (by_zone && rng.u32(..4) == 0).then(|| rng.u32(2..=3)),
        honor_affinity: rng.u32(..5) > 0,
        honor_taints: rng.bool(),
    });
}

fn prefer_pods(rng: &mut Rng, spec: &mut WorkloadSpec) {
    let name = spec.name.clone();
    let key = topology(rng);
    let preferred = Weighted { weight: rng.i32(1..=100), term: term(rng, key, &name) };
    if rng.bool() {
        spec.pod.scheduling.preferred_affinity.push(preferred);
    } else {
        spec.pod.scheduling.preferred_anti_affinity.push(preferred);
    }
}

fn take_port(rng: &mut Rng, spec: &mut WorkloadSpec) {
    spec.replicas = spec.replicas.min(5);
    let ip = if rng.u32(..3) == 0 { "127.0.0.1".to_owned() } else { String::new() };
    let protocol = if rng.u32(..4) == 0 { "UDP" } else { "TCP" }.to_owned();
    spec.pod.scheduling.host_ports.push(HostPort { ip, protocol, port: rng.u16(8080..=8083) });
}
