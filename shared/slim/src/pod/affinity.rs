//! `spec.affinity` of a pod.

use super::LabelSelector;
use super::spec::folded;
use crate::nullable;
use domain::scheduling::{NAME_FIELD, NodeOperator, NodeRequirement, NodeTerm, PodTerm, Scheduling, Weighted};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Affinity {
    #[serde(deserialize_with = "nullable")]
    node_affinity: NodeAffinity,
    #[serde(deserialize_with = "nullable")]
    pod_affinity: PodAffinity,
    #[serde(deserialize_with = "nullable")]
    pod_anti_affinity: PodAffinity,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    required: Option<NodeSelector>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution", deserialize_with = "nullable")]
    preferred: Vec<PreferredNode>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeSelector {
    #[serde(deserialize_with = "nullable")]
    node_selector_terms: Vec<RawNodeTerm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PreferredNode {
    weight: i32,
    preference: RawNodeTerm,
}

/// A term of a node selector; volumes have them, too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RawNodeTerm {
    #[serde(deserialize_with = "nullable")]
    match_expressions: Vec<RawRequirement>,
    #[serde(deserialize_with = "nullable")]
    match_fields: Vec<RawRequirement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawRequirement {
    key: String,
    operator: String,
    #[serde(deserialize_with = "nullable")]
    values: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodAffinity {
    #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution", deserialize_with = "nullable")]
    required: Vec<RawPodTerm>,
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution", deserialize_with = "nullable")]
    preferred: Vec<PreferredPods>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PreferredPods {
    weight: i32,
    pod_affinity_term: RawPodTerm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawPodTerm {
    topology_key: String,
    label_selector: Option<LabelSelector>,
    #[serde(deserialize_with = "nullable")]
    namespaces: Vec<String>,
    /// Only its presence counts: an empty one means all namespaces, and the labels of namespaces are not read.
    namespace_selector: Option<IgnoredAny>,
    #[serde(deserialize_with = "nullable")]
    match_label_keys: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    mismatch_label_keys: Vec<String>,
}

impl Affinity {
    pub(super) fn put(self, labels: &BTreeMap<String, String>, into: &mut Scheduling) {
        if let Some(required) = self.node_affinity.required {
            into.required_nodes = required.node_selector_terms.into_iter().map(RawNodeTerm::view).collect();
            if into.required_nodes.is_empty() {
                // Something is required and nothing fulfils it; no term at all would mean the opposite.
                into.required_nodes.push(NodeTerm::default());
            }
        }
        let preferred = self.node_affinity.preferred.into_iter();
        into.preferred_nodes = preferred.map(|p| Weighted { weight: p.weight, term: p.preference.view() }).collect();
        let required = |affinity: Vec<RawPodTerm>| affinity.into_iter().map(|term| term.view(labels)).collect();
        let preferred = |affinity: Vec<PreferredPods>| {
            affinity.into_iter().map(|p| Weighted { weight: p.weight, term: p.pod_affinity_term.view(labels) }).collect()
        };
        into.affinity = required(self.pod_affinity.required);
        into.anti_affinity = required(self.pod_anti_affinity.required);
        into.preferred_affinity = preferred(self.pod_affinity.preferred);
        into.preferred_anti_affinity = preferred(self.pod_anti_affinity.preferred);
    }
}

impl RawNodeTerm {
    /// A term with an operator or a field that we do not know matches no node, as kube-scheduler has it.
    pub(crate) fn view(self) -> NodeTerm {
        let label = |need: RawRequirement| Some((need, false));
        let field = |need: RawRequirement| (need.key == NAME_FIELD).then_some((need, true));
        let labels = self.match_expressions.into_iter().map(label);
        let needs = labels.chain(self.match_fields.into_iter().map(field)).map(|need| {
            let (need, is_field) = need?;
            let operator = operator(&need.operator)?;
            // A label cannot be called so: no label matches it, whatever a hostile spec says.
            (is_field || need.key != NAME_FIELD).then_some(NodeRequirement { key: need.key, operator, values: need.values })
        });
        NodeTerm(needs.collect::<Option<Vec<_>>>().unwrap_or_default())
    }
}

fn operator(text: &str) -> Option<NodeOperator> {
    Some(match text {
        "In" => NodeOperator::In,
        "NotIn" => NodeOperator::NotIn,
        "Exists" => NodeOperator::Exists,
        "DoesNotExist" => NodeOperator::DoesNotExist,
        "Gt" => NodeOperator::Gt,
        "Lt" => NodeOperator::Lt,
        _ => return None,
    })
}

impl RawPodTerm {
    fn view(self, labels: &BTreeMap<String, String>) -> PodTerm {
        PodTerm {
            topology_key: self.topology_key,
            selector: self.label_selector.map(|s| folded(s, labels, &self.match_label_keys, &self.mismatch_label_keys)),
            namespaces: self.namespaces,
            any_namespace: self.namespace_selector.is_some(),
        }
    }
}
