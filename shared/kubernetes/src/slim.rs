//! What we read of Kubernetes' objects, and nothing more: the rest of a page is skipped while it is decoded.

use domain::ids::{NodeName, NodeUid};
use domain::node::{CORDONED_BY, NodeUsage, NodeView, Taint, left_alone};
use domain::pod::PodBudget;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

mod amounts;
mod pod;
mod selector;
mod text;
mod volume;

pub(crate) use amounts::Amounts;
pub(crate) use pod::Pod;
use selector::LabelSelector;
pub(crate) use text::Text;
pub(crate) use volume::{Claim, StorageClass, Volume, claim};

/// A field that may be missing or null, both of which Go writes for "empty".
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(crate) struct Page<T> {
    #[serde(default)]
    pub(crate) metadata: PageMeta,
    /// May be null, which is how Go writes an empty one, and must be there: what is no list must not be taken for an empty one.
    #[serde(deserialize_with = "nullable")]
    pub(crate) items: Vec<T>,
}

/// Where the next page begins.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct PageMeta {
    #[serde(rename = "continue", deserialize_with = "nullable")]
    pub(crate) next: String,
}

/// `metadata`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) generation: i64,
    #[serde(deserialize_with = "nullable")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) creation_timestamp: Option<String>,
    pub(crate) deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) owner_references: Vec<Owner>,
}

/// One of `metadata.ownerReferences`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) controller: Option<bool>,
}

/// One of `status.conditions`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Condition {
    #[serde(rename = "type")]
    kind: Is<'R'>,
    status: Is<'T'>,
}

/// Whether a text is the one that is looked for: `Ready` or `True`. Nothing is copied.
#[derive(Debug, Default, Clone, Copy)]
struct Is<const FIRST: char>(bool);

impl<'de, const FIRST: char> Deserialize<'de> for Is<FIRST> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let wanted = if FIRST == 'R' { "Ready" } else { "True" };
        Ok(Self(Text::deserialize(input)?.as_str() == wanted))
    }
}

/// Whether the Ready condition is exactly `True`; without the condition: not ready.
pub(crate) fn ready(conditions: &[Condition]) -> bool {
    conditions.iter().any(|condition| condition.kind.0 && condition.status.0)
}

/// A time as the API server prints it.
pub(crate) fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// A v1 Node.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Node {
    pub(crate) metadata: Meta,
    pub(crate) spec: NodeSpec,
    status: NodeStatus,
}

/// Its spec.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NodeSpec {
    #[serde(rename = "providerID")]
    provider_id: String,
    pub(crate) unschedulable: bool,
    #[serde(deserialize_with = "nullable")]
    pub(crate) taints: Vec<Taint>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct NodeStatus {
    allocatable: Amounts,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
}

impl Node {
    /// `None` where name or uid are none.
    pub(crate) fn view(self) -> Option<NodeView> {
        let allocatable = &self.status.allocatable;
        Some(NodeView {
            name: NodeName::parse(self.metadata.name).ok()?,
            uid: NodeUid::parse(self.metadata.uid).ok()?,
            provider_id: self.spec.provider_id,
            cordoned_by: self.metadata.annotations.get(CORDONED_BY).cloned(),
            taints: self.spec.taints,
            unschedulable: self.spec.unschedulable,
            ready: ready(&self.status.conditions),
            cpu_millis: allocatable.of("cpu"),
            memory_bytes: allocatable.of("memory"),
            pods_max: u32::try_from(allocatable.of("pods")).unwrap_or(u32::MAX),
            extended: allocatable.extended(&["pods"]),
            do_not_disrupt: left_alone(&self.metadata.annotations),
            created_at: time(self.metadata.creation_timestamp.as_ref()),
            labels: self.metadata.labels,
        })
    }
}

/// A metrics.k8s.io NodeMetrics.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct NodeMetrics {
    metadata: Meta,
    usage: Amounts,
}

impl NodeMetrics {
    /// `None` where the name is none, or a figure is missing: an unknown use is not a use of 0.
    pub(crate) fn view(self) -> Option<NodeUsage> {
        if !self.usage.names("cpu") || !self.usage.names("memory") {
            return None;
        }
        let (cpu_millis, memory_bytes) = (self.usage.of("cpu"), self.usage.of("memory"));
        Some(NodeUsage { name: NodeName::parse(self.metadata.name).ok()?, cpu_millis, memory_bytes })
    }
}

/// A policy/v1 PodDisruptionBudget.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Budget {
    metadata: Meta,
    spec: BudgetSpec,
    status: BudgetStatus,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
struct BudgetSpec {
    selector: Option<LabelSelector>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BudgetStatus {
    disruptions_allowed: i32,
    current_healthy: i32,
    desired_healthy: i32,
    expected_pods: i32,
}

impl Budget {
    pub(crate) fn view(self) -> Option<PodBudget> {
        Some(PodBudget {
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            selector: self.spec.selector.map(LabelSelector::view),
            disruptions_allowed: self.status.disruptions_allowed,
            current_healthy: self.status.current_healthy,
            desired_healthy: self.status.desired_healthy,
            expected_pods: self.status.expected_pods,
        })
    }
}

/// Any object of which only the metadata counts.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) metadata: Meta,
}

#[cfg(test)]
mod tests;
