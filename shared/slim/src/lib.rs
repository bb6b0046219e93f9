//! What is read of the objects of Kubernetes, and nothing more: the rest of a page is skipped while it is decoded.
//!
//! A crate of its own beside `kubernetes`, which calls clusters: pages of pods are ten times the bytes of anything else that we read, and
//! what decodes them is compiled for speed, the rest for size.
//!
//! ```
//! let page = r#"{"metadata":{"continue":""},"items":[{"metadata":{"name":"n-1","uid":"u-1"}}]}"#;
//! let page: slim::Page<slim::Node> = serde_json::from_str(page).unwrap();
//! let nodes: Vec<_> = page.items.into_iter().filter_map(slim::Node::view).collect();
//! assert_eq!(nodes[0].name.as_str(), "n-1");
//! ```
//!
//! Guarantees: no page makes it panic, and what has no identity is `None`, never a guess.
//!
//! Not here, and never: calls, and what follows from what is read.

use domain::ids::{NodeName, NodeUid};
use domain::node::{CORDONED_BY, NodeUsage, NodeView, Taint, left_alone};
use domain::pod::PodBudget;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

mod amounts;
mod page;
mod pod;
pub mod quantity;
mod selector;
mod text;
mod volume;

pub use amounts::{Amounts, Asked};
pub use page::{PageEnd, decode};
use pod::Pod;
use selector::LabelSelector;
use text::Text;
pub use volume::{Claim, Places, StorageClass, Volume, claim};

/// A field that may be missing or null, both of which Go writes for "empty".
pub fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(input: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(input)?.unwrap_or_default())
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub struct Page<T> {
    /// Its metadata.
    #[serde(default)]
    pub metadata: PageMeta,
    /// May be null, which is how Go writes an empty one, and must be there: what is no list must not be taken for an empty one.
    #[serde(deserialize_with = "nullable")]
    pub items: Vec<T>,
}

/// Where the next page begins.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct PageMeta {
    /// The token of the next page; empty: there is none.
    #[serde(rename = "continue", deserialize_with = "nullable")]
    pub next: String,
}

/// `metadata`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Meta {
    /// Its name.
    pub name: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Never given twice.
    pub uid: String,
    /// Another one with each write.
    pub resource_version: String,
    /// One more with each change of the spec.
    pub generation: i64,
    /// Labels.
    #[serde(deserialize_with = "nullable")]
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    #[serde(deserialize_with = "nullable")]
    pub annotations: BTreeMap<String, String>,
    /// See [`time`].
    pub creation_timestamp: Option<String>,
    /// Set: it is going. See [`time`].
    pub deletion_timestamp: Option<String>,
    /// Whose it is.
    #[serde(deserialize_with = "nullable")]
    pub owner_references: Vec<Owner>,
}

/// One of `metadata.ownerReferences`.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Owner {
    /// What the owner is: `ReplicaSet`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether the owner makes and ends it.
    pub controller: Option<bool>,
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
pub fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// A v1 Node.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Its metadata.
    pub metadata: Meta,
    /// Its spec.
    pub spec: NodeSpec,
    status: NodeStatus,
}

/// Its spec.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeSpec {
    #[serde(rename = "providerID")]
    provider_id: String,
    /// Cordoned.
    pub unschedulable: bool,
    /// Its taints.
    #[serde(deserialize_with = "nullable")]
    pub taints: Vec<Taint>,
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
    pub fn view(self) -> Option<NodeView> {
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
pub struct NodeMetrics {
    metadata: Meta,
    usage: Amounts,
}

impl NodeMetrics {
    /// `None` where the name is none, or a figure is missing: an unknown use is not a use of 0.
    pub fn view(self) -> Option<NodeUsage> {
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
pub struct Budget {
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
    /// As the domain knows it.
    pub fn view(self) -> Option<PodBudget> {
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
pub struct Named {
    /// Its metadata.
    pub metadata: Meta,
}

#[cfg(test)]
mod tests;
