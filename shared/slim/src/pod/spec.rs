//! `spec` of a pod.

use super::affinity::Affinity;
use super::{LabelSelector, Text};
use crate::{Amounts, Asked, nullable};
use domain::pod::Selector;
use domain::scheduling::{HostPort, Scheduling, Spread, Toleration};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec<'a> {
    #[serde(borrow)]
    pub(super) node_name: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "nullable")]
    pub(super) containers: Vec<Container<'a>>,
    #[serde(borrow, deserialize_with = "nullable")]
    pub(super) init_containers: Vec<Container<'a>>,
    pub(super) overhead: Amounts,
    /// Requests of the pod as a whole.
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Asked,
    #[serde(borrow, deserialize_with = "nullable")]
    pub(super) volumes: Vec<Volume<'a>>,
    pub(super) termination_grace_period_seconds: Option<i64>,
    pub(super) priority: Option<i32>,
    #[serde(deserialize_with = "nullable")]
    node_selector: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    affinity: Affinity,
    #[serde(borrow, deserialize_with = "nullable")]
    tolerations: Vec<RawToleration<'a>>,
    #[serde(deserialize_with = "nullable")]
    topology_spread_constraints: Vec<RawSpread>,
    #[serde(borrow)]
    scheduler_name: Text<'a>,
    /// Claims of dynamic resource allocation.
    #[serde(deserialize_with = "nullable")]
    resource_claims: Vec<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(deserialize_with = "nullable")]
    pub(super) resources: Asked,
    #[serde(borrow)]
    restart_policy: Text<'a>,
    #[serde(borrow, deserialize_with = "nullable")]
    ports: Vec<Port<'a>>,
}

impl Container<'_> {
    /// Whether an init container runs on beside the others.
    pub(super) fn sidecar(&self) -> bool {
        self.restart_policy.as_str() == "Always"
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Port<'a> {
    host_port: Option<i64>,
    #[serde(borrow, rename = "hostIP")]
    host_ip: Text<'a>,
    #[serde(borrow)]
    protocol: Text<'a>,
}

/// Of most volumes only the presence counts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Volume<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    pub(super) empty_dir: Option<IgnoredAny>,
    #[serde(borrow)]
    persistent_volume_claim: Option<ClaimSource<'a>>,
    ephemeral: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSource<'a> {
    #[serde(borrow)]
    claim_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawToleration<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    operator: Text<'a>,
    #[serde(borrow)]
    value: Text<'a>,
    #[serde(borrow)]
    effect: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpread {
    topology_key: String,
    max_skew: Option<i64>,
    when_unsatisfiable: String,
    label_selector: Option<LabelSelector>,
    #[serde(deserialize_with = "nullable")]
    match_label_keys: Vec<String>,
    min_domains: Option<u32>,
    node_affinity_policy: Option<String>,
    node_taints_policy: Option<String>,
}

impl PodSpec<'_> {
    /// The claims it mounts. One that is made for the pod itself is called after pod and volume.
    pub(super) fn claims(&self, pod: &str) -> Vec<String> {
        let of = |volume: &Volume<'_>| match (&volume.persistent_volume_claim, &volume.ephemeral) {
            (Some(claim), _) => Some(claim.claim_name.as_str().to_owned()),
            (None, Some(_)) => Some(format!("{pod}-{}", volume.name.as_str())),
            (None, None) => None,
        };
        self.volumes.iter().filter_map(of).collect()
    }

    /// Everything it asks of a node besides resources and volumes.
    pub(super) fn scheduling(self, labels: &BTreeMap<String, String>) -> Scheduling {
        let foreign_scheduler = match self.scheduler_name.as_str() {
            // What devices a node has to give is not in our snapshots.
            "" | "default-scheduler" => (!self.resource_claims.is_empty()).then(|| "dynamic resource allocation".to_owned()),
            other => Some(other.to_owned()),
        };
        let mut scheduling = Scheduling {
            host_ports: self.host_ports(),
            tolerations: self.tolerations.iter().filter_map(RawToleration::view).collect(),
            spread: self.topology_spread_constraints.into_iter().map(|spread| spread.view(labels)).collect(),
            node_selector: self.node_selector,
            foreign_scheduler,
            ..Scheduling::default()
        };
        self.affinity.put(labels, &mut scheduling);
        scheduling
    }

    /// Of containers and sidecars; other init containers are gone before a port could collide.
    fn host_ports(&self) -> Vec<HostPort> {
        let running = self.containers.iter().chain(self.init_containers.iter().filter(|container| container.sidecar()));
        let port = |port: &Port<'_>| {
            let number = u16::try_from(port.host_port?).ok().filter(|number| *number > 0)?;
            let protocol = if port.protocol.as_str().is_empty() { "TCP" } else { port.protocol.as_str() };
            Some(HostPort { ip: port.host_ip.as_str().to_owned(), protocol: protocol.to_owned(), port: number })
        };
        running.flat_map(|container| container.ports.iter().filter_map(port)).collect()
    }
}

impl RawToleration<'_> {
    /// An operator that we do not know tolerates nothing: the pod then has fewer nodes to go to, which errs on the safe side.
    fn view(&self) -> Option<Toleration> {
        let exists = match self.operator.as_str() {
            "Exists" => true,
            "" | "Equal" => false,
            _ => return None,
        };
        let some = |text: &Text<'_>| Some(text.as_str().to_owned()).filter(|text| !text.is_empty());
        Some(Toleration { key: some(&self.key), exists, value: self.value.as_str().to_owned(), effect: some(&self.effect) })
    }
}

impl RawSpread {
    fn view(self, labels: &BTreeMap<String, String>) -> Spread {
        let honours = |policy: Option<&str>, default: bool| policy.map_or(default, |policy| policy == "Honor");
        Spread {
            topology_key: self.topology_key,
            max_skew: self.max_skew.and_then(|skew| u32::try_from(skew).ok()).unwrap_or(1).max(1),
            hard: self.when_unsatisfiable != "ScheduleAnyway",
            min_domains: self.min_domains,
            honor_affinity: honours(self.node_affinity_policy.as_deref(), true),
            honor_taints: honours(self.node_taints_policy.as_deref(), false),
            selector: self.label_selector.map(|selector| folded(selector, labels, &self.match_label_keys, &[])),
        }
    }
}

/// A selector with `matchLabelKeys` and `mismatchLabelKeys` folded in: the pod's own values of these labels. Keys that the pod
/// does not have are ignored, as the API server ignores them.
pub(super) fn folded(selector: LabelSelector, labels: &BTreeMap<String, String>, same: &[String], other: &[String]) -> Selector {
    use domain::pod::{Operator, Requirement};
    let mut selector = selector.view();
    for (keys, operator) in [(same, Operator::In), (other, Operator::NotIn)] {
        for key in keys {
            let Some(value) = labels.get(key) else { continue };
            let need = Requirement { key: key.clone(), operator, values: vec![value.clone()] };
            // Newer API servers have folded them in already.
            if !selector.match_expressions.contains(&need) {
                selector.match_expressions.push(need);
            }
        }
    }
    selector
}
