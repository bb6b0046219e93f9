//! What a pod asks of the node it runs on: the constraints that kube-scheduler enforces, slimmed to what placement needs.

use crate::ids::Zone;
use crate::pod::Selector;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Amounts of what nodes have and pods request.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resources {
    /// CPU, thousandths of a core.
    pub cpu_millis: u64,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Everything else by name, in whole units: `nvidia.com/gpu`, `ephemeral-storage` (bytes), `hugepages-2Mi` (bytes).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extended: BTreeMap<String, u64>,
}

impl Resources {
    /// CPU and memory alone.
    pub fn new(cpu_millis: u64, memory_bytes: u64) -> Resources {
        Resources { cpu_millis, memory_bytes, extended: BTreeMap::new() }
    }

    /// Whether `need` fits in, in every dimension. What is not named here is not there.
    pub fn covers(&self, need: &Resources) -> bool {
        self.cpu_millis >= need.cpu_millis
            && self.memory_bytes >= need.memory_bytes
            && need.extended.iter().all(|(name, amount)| self.extended.get(name).copied().unwrap_or(0) >= *amount)
    }

    /// Adds `times` of `other`.
    pub fn add(&mut self, other: &Resources, times: u64) {
        self.cpu_millis = self.cpu_millis.saturating_add(other.cpu_millis.saturating_mul(times));
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes.saturating_mul(times));
        for (name, amount) in &other.extended {
            let sum = self.extended.entry(name.clone()).or_default();
            *sum = sum.saturating_add(amount.saturating_mul(times));
        }
    }

    /// Takes `times` of `other` away; never below zero.
    pub fn take(&mut self, other: &Resources, times: u64) {
        self.cpu_millis = self.cpu_millis.saturating_sub(other.cpu_millis.saturating_mul(times));
        self.memory_bytes = self.memory_bytes.saturating_sub(other.memory_bytes.saturating_mul(times));
        for (name, amount) in &other.extended {
            if let Some(left) = self.extended.get_mut(name) {
                *left = left.saturating_sub(amount.saturating_mul(times));
            }
        }
    }
}

/// How a label of a node is compared. `Gt` and `Lt` compare whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum NodeOperator {
    /// The label has one of the values.
    In,
    /// The label is missing or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
    /// The label is a number above the one value.
    Gt,
    /// The label is a number below the one value.
    Lt,
}

/// One requirement of a node selector term.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeRequirement {
    /// The label.
    pub key: String,
    /// How it is compared.
    pub operator: NodeOperator,
    /// With what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl NodeRequirement {
    /// Whether a node with these labels meets it.
    pub fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        let label = labels.get(&self.key);
        let number = |text: &String| text.parse::<i64>().ok();
        let compare = |wanted: fn(i64, i64) -> bool| match (label.and_then(number), self.values.first().and_then(number)) {
            (Some(found), Some(limit)) => wanted(found, limit),
            _ => false,
        };
        match self.operator {
            NodeOperator::In => label.is_some_and(|value| self.values.contains(value)),
            NodeOperator::NotIn => label.is_none_or(|value| !self.values.contains(value)),
            NodeOperator::Exists => label.is_some(),
            NodeOperator::DoesNotExist => label.is_none(),
            NodeOperator::Gt => compare(|found, limit| found > limit),
            NodeOperator::Lt => compare(|found, limit| found < limit),
        }
    }
}

/// Requirements all of which must hold. As in kube-scheduler, an empty term matches no node. `matchFields` on
/// `metadata.name` is a requirement on the key [`NAME_FIELD`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct NodeTerm(pub Vec<NodeRequirement>);

impl NodeTerm {
    /// Whether a node of this name and with these labels meets all of it.
    pub fn holds(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        !self.0.is_empty()
            && self.0.iter().all(|need| {
                if need.key == NAME_FIELD {
                    let named = BTreeMap::from([(NAME_FIELD.to_owned(), name.to_owned())]);
                    return need.holds(&named);
                }
                need.holds(labels)
            })
    }
}

/// The key that stands for `metadata.name` in a [`NodeTerm`]; no label can be called so.
pub const NAME_FIELD: &str = "metadata.name";

/// A preference with its weight, 1 to 100.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Weighted<T> {
    /// The weight.
    pub weight: i32,
    /// What is preferred.
    pub term: T,
}

/// A toleration, as in `spec.tolerations`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Toleration {
    /// The key; `None` with `exists` tolerates every taint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `operator: Exists`: any value.
    #[serde(default)]
    pub exists: bool,
    /// The value that must be equal where `exists` is not set.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// The effect; `None`: every effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

impl Toleration {
    /// Whether it tolerates the taint.
    pub fn tolerates(&self, taint: &crate::node::Taint) -> bool {
        let effect = self.effect.as_ref().is_none_or(|effect| *effect == taint.effect);
        let key = match &self.key {
            Some(key) => *key == taint.key,
            None => self.exists,
        };
        effect && key && (self.exists || self.value == taint.value)
    }
}

/// A term of pod affinity or anti-affinity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PodTerm {
    /// The label whose equal values make a domain.
    pub topology_key: String,
    /// Which pods. `None` (a null selector) selects none.
    pub selector: Option<Selector>,
    /// In which namespaces; empty: the pod's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Whether a namespace selector is given. The labels of namespaces are not read: all namespaces are taken to be meant, which
    /// is the careful reading of anti-affinity; for affinity see the planner.
    #[serde(default)]
    pub any_namespace: bool,
}

/// A topology spread constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Spread {
    /// The label whose equal values make a domain.
    pub topology_key: String,
    /// How many more matching pods than the emptiest domain a domain may have, at least 1.
    pub max_skew: u32,
    /// `whenUnsatisfiable: DoNotSchedule`; otherwise it is a preference.
    pub hard: bool,
    /// Which pods are counted, in the pod's namespace. `None` selects none.
    pub selector: Option<Selector>,
    /// How many domains there must be before the emptiest counts as more than zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_domains: Option<u32>,
    /// `nodeAffinityPolicy: Honor` (the default): only nodes that the pod's node affinity allows make domains.
    pub honor_affinity: bool,
    /// `nodeTaintsPolicy: Honor`: only nodes whose taints the pod tolerates make domains. Kubernetes' default is `Ignore`.
    pub honor_taints: bool,
}

/// A port of the node that a pod takes for itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostPort {
    /// `hostIP`; empty stands for all addresses.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ip: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The port.
    pub port: u16,
}

impl HostPort {
    /// Whether two pods with these ports cannot share a node.
    pub fn collides(&self, other: &HostPort) -> bool {
        let every = |ip: &str| ip.is_empty() || ip == "0.0.0.0" || ip == "::";
        self.port == other.port && self.protocol == other.protocol && (every(&self.ip) || every(&other.ip) || self.ip == other.ip)
    }
}

/// Everything a pod asks of its node besides resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Scheduling {
    /// Labels that the node must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Required node affinity: one of these terms must hold. Empty: none is required.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub required_nodes: Vec<NodeTerm>,
    /// Preferred node affinity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferred_nodes: Vec<Weighted<NodeTerm>>,
    /// Tolerations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Required pod affinity: all must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affinity: Vec<PodTerm>,
    /// Required pod anti-affinity: none may match. Holds in both directions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anti_affinity: Vec<PodTerm>,
    /// Preferred pod affinity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferred_affinity: Vec<Weighted<PodTerm>>,
    /// Preferred pod anti-affinity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preferred_anti_affinity: Vec<Weighted<PodTerm>>,
    /// Topology spread constraints.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<Spread>,
    /// Ports of the node.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub host_ports: Vec<HostPort>,
    /// Zones in which all its volumes can be attached; `None`: no volume binds it to a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_zones: Option<Vec<Zone>>,
    /// A volume of it (local, `hostPath` claim) exists on its present node only: it cannot move.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// How many volumes are attached to the node for it (CSI limits).
    #[serde(skip_serializing_if = "is_zero")]
    pub volumes: u32,
    /// The scheduler that places it, where it is not `default-scheduler`: its choices cannot be foreseen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign_scheduler: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Scheduling {
    /// Whether labels, name and taints of a node allow the pod: node selector, required node affinity, and every `NoSchedule`
    /// and `NoExecute` taint tolerated. Says nothing of resources, other pods, ports and volumes.
    pub fn allows_node(&self, name: &str, labels: &BTreeMap<String, String>, taints: &[crate::node::Taint]) -> bool {
        self.selects_node(name, labels) && self.tolerates(taints)
    }

    /// Whether the node selector and the required node affinity hold.
    pub fn selects_node(&self, name: &str, labels: &BTreeMap<String, String>) -> bool {
        self.node_selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            && (self.required_nodes.is_empty() || self.required_nodes.iter().any(|term| term.holds(name, labels)))
    }

    /// Whether every taint that keeps pods away is tolerated.
    pub fn tolerates(&self, taints: &[crate::node::Taint]) -> bool {
        taints.iter().filter(|taint| taint.effect != "PreferNoSchedule").all(|taint| self.tolerations.iter().any(|t| t.tolerates(taint)))
    }
}

#[cfg(test)]
mod tests;
