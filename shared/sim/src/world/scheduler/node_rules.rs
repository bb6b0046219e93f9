//! What a pod asks of a node itself: its labels, its name and its taints. Written from kube-scheduler's rules, and from nothing
//! that planning uses, so that the simulator can judge it.

use super::super::state::Node;
use domain::node::Taint;
use domain::pod::{Operator, Selector};
use domain::scheduling::{NAME_FIELD, NodeOperator, NodeRequirement, NodeTerm, Scheduling, Toleration};
use std::collections::BTreeMap;

/// What a node must not have for pods that do not tolerate it. `PreferNoSchedule` only counts when nodes are compared.
const SOFT: &str = "PreferNoSchedule";

/// Whether the values of a label meet a requirement. Gt and Lt take whole numbers on both sides, and one limit.
fn meets(value: Option<&str>, need: &NodeRequirement) -> bool {
    match (need.operator, value) {
        (NodeOperator::Exists, value) => value.is_some(),
        (NodeOperator::DoesNotExist, value) => value.is_none(),
        (NodeOperator::In, Some(value)) => need.values.iter().any(|wanted| wanted == value),
        (NodeOperator::NotIn, Some(value)) => need.values.iter().all(|unwanted| unwanted != value),
        (NodeOperator::NotIn, None) => true,
        (NodeOperator::Gt | NodeOperator::Lt, Some(value)) => {
            let [limit] = need.values.as_slice() else { return false };
            let (Ok(value), Ok(limit)) = (value.parse::<i64>(), limit.parse::<i64>()) else { return false };
            if need.operator == NodeOperator::Gt { value > limit } else { value < limit }
        }
        (NodeOperator::In | NodeOperator::Gt | NodeOperator::Lt, None) => false,
    }
}

/// Whether a node is one that a term means. An empty term means no node.
pub(crate) fn term_means(term: &NodeTerm, node: &Node) -> bool {
    let value = |key: &str| if key == NAME_FIELD { Some(node.name.as_str()) } else { node.labels.get(key).map(String::as_str) };
    !term.0.is_empty() && term.0.iter().all(|need| meets(value(&need.key), need))
}

/// Whether node selector and required node affinity allow a node.
pub(crate) fn selects(node: &Node, asks: &Scheduling) -> bool {
    let selected = asks.node_selector.iter().all(|(key, wanted)| node.labels.get(key).is_some_and(|value| value == wanted));
    selected && (asks.required_nodes.is_empty() || asks.required_nodes.iter().any(|term| term_means(term, node)))
}

fn bears(toleration: &Toleration, taint: &Taint) -> bool {
    if toleration.effect.as_ref().is_some_and(|effect| *effect != taint.effect) {
        return false;
    }
    match (&toleration.key, toleration.exists) {
        (None, exists) => exists,
        (Some(key), true) => *key == taint.key,
        (Some(key), false) => *key == taint.key && toleration.value == taint.value,
    }
}

/// Whether every taint that repels is tolerated.
pub(crate) fn tolerates(node: &Node, asks: &Scheduling) -> bool {
    node.taints.iter().filter(|taint| taint.effect != SOFT).all(|taint| asks.tolerations.iter().any(|t| bears(t, taint)))
}

/// Whether a cordon is tolerated: Kubernetes marks one with a taint of its own.
pub(crate) fn tolerates_cordon(asks: &Scheduling) -> bool {
    let (key, effect) = ("node.kubernetes.io/unschedulable".to_owned(), "NoSchedule".to_owned());
    let cordon = Taint { key, value: String::new(), effect, time_added: None };
    asks.tolerations.iter().any(|toleration| bears(toleration, &cordon))
}

/// How many taints a node has that would rather not have the pod.
pub(crate) fn reluctance(node: &Node, asks: &Scheduling) -> usize {
    node.taints.iter().filter(|taint| taint.effect == SOFT && !asks.tolerations.iter().any(|t| bears(t, taint))).count()
}

/// Whether a label selector means a pod with these labels. A null selector means none, an empty one all.
pub(crate) fn means(selector: Option<&Selector>, labels: &BTreeMap<String, String>) -> bool {
    let Some(selector) = selector else { return false };
    let equal = selector.match_labels.iter().all(|(key, wanted)| labels.get(key).is_some_and(|value| value == wanted));
    equal
        && selector.match_expressions.iter().all(|need| match (need.operator, labels.get(&need.key)) {
            (Operator::In, Some(value)) => need.values.contains(value),
            (Operator::In | Operator::Exists, None) | (Operator::DoesNotExist, Some(_)) => false,
            (Operator::NotIn, Some(value)) => !need.values.contains(value),
            (Operator::NotIn | Operator::DoesNotExist, None) | (Operator::Exists, Some(_)) => true,
        })
}
