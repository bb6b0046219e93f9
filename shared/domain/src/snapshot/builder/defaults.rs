//! The spread that kube-scheduler gives to pods that name none.

use super::labels::{Labels, PER_POD};
use crate::pod::{Controller, Selector};
use crate::scheduling::Spread;
use crate::snapshot::PodClass;
use std::collections::BTreeMap;

/// kube-scheduler's system defaults: the nodes and zones of a Service's or controller's pods, as a preference.
const DEFAULTS: [(&str, u32); 2] = [("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5)];
/// The label in which a Deployment tells the pods of its revisions apart: it alone selects the pods of a ReplicaSet.
const REVISION: &str = "pod-template-hash";
/// Controllers whose pods are spread; those of Jobs and DaemonSets are not.
const SPREAD: [&str; 3] = ["ReplicaSet", "ReplicationController", "StatefulSet"];
/// Labels of a StatefulSet's revision: no selector of a StatefulSet names it.
const NOT_SELECTED: [&str; 1] = ["controller-revision-hash"];

/// Adds the default spread to classes that have none. Services and the selectors of controllers are not read: the labels that all
/// pods of a controller share stand for them.
pub(super) fn spread(classes: &mut [PodClass], labels: &mut Labels) {
    let mut shared: BTreeMap<(String, Controller), BTreeMap<String, String>> = BTreeMap::new();
    for class in classes.iter() {
        let Some(key) = key_of(class) else { continue };
        match shared.get_mut(&key) {
            Some(shared) => shared.retain(|label, value| class.labels.get(label) == Some(value)),
            None => {
                let own = class.labels.iter().filter(|(label, _)| ![&PER_POD[..], &NOT_SELECTED].concat().contains(&label.as_str()));
                shared.insert(key, own.map(|(label, value)| (label.clone(), value.clone())).collect());
            }
        }
    }
    for match_labels in shared.values_mut() {
        if match_labels.contains_key(REVISION) {
            match_labels.retain(|label, _| label == REVISION);
        }
    }
    for class in classes.iter_mut() {
        let Some(match_labels) = key_of(class).and_then(|key| shared.get(&key)).filter(|labels| !labels.is_empty()) else { continue };
        let selector = Selector { match_labels: match_labels.clone(), match_expressions: Vec::new() };
        labels.look(Some(&class.namespace), Some(&selector));
        class.scheduling.spread = DEFAULTS.map(|(key, skew)| soft(key, skew, &selector)).to_vec();
    }
    labels.complete();
}

fn soft(topology_key: &str, max_skew: u32, selector: &Selector) -> Spread {
    Spread {
        topology_key: topology_key.to_owned(),
        max_skew,
        hard: false,
        selector: Some(selector.clone()),
        min_domains: None,
        honor_affinity: true,
        honor_taints: false,
    }
}

/// The controller of pods that the scheduler spreads by itself.
fn key_of(class: &PodClass) -> Option<(String, Controller)> {
    let ours = class.scheduling.spread.is_empty() && class.scheduling.foreign_scheduler.is_none();
    let controller = class.controller.as_ref().filter(|owner| ours && SPREAD.contains(&owner.kind.as_str()))?;
    Some((class.namespace.clone(), controller.clone()))
}
