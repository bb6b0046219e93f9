//! All objects of a cluster at once: workloads are joined with their autoscalers.

use super::{Decision, Situation, decide};
use domain::Timestamp;
use domain::office_hours::{Asleep, OfficeHoursPolicy, Rules};
use domain::workload::{Scalable, Scalables, ScaleKind, ScaleRef};
use std::collections::BTreeMap;

/// One object with what was decided on it.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// All that was looked at.
    pub on: Situation<'a>,
    /// The decision.
    pub decision: Decision,
}

impl Judged<'_> {
    /// Whether its autoscaler is put to sleep in its place.
    pub fn elsewhere(&self) -> bool {
        let own = matches!(self.on.object.target.kind, ScaleKind::Deployment | ScaleKind::StatefulSet);
        own && super::placed_elsewhere(&self.on)
    }
}

/// What a whole cluster is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Its objects.
    pub scalables: &'a Scalables,
    /// What the customer set for it.
    pub policy: &'a OfficeHoursPolicy,
    /// What the customer set for all clusters.
    pub customer: Option<&'a Rules>,
    /// What the table has asleep.
    pub asleep: &'a [Asleep],
    /// Everything is to be up.
    pub forced_up: bool,
    /// Now.
    pub now: Timestamp,
}

/// Decides on every object, in the order of the list.
pub fn judge(sight: Sight<'_>) -> Vec<Judged<'_>> {
    let objects = &sight.scalables.objects;
    let by_name: BTreeMap<&ScaleRef, &Scalable> = objects.iter().map(|object| (&object.target, object)).collect();
    let target = |object: &Scalable| {
        let workload = object.scales.as_ref()?;
        Some(ScaleRef { kind: workload.kind.into(), namespace: workload.namespace.clone(), name: workload.name.clone() })
    };
    // An autoscaler that KEDA made is KEDA's: its own object goes before it.
    let mut scalers: BTreeMap<ScaleRef, &Scalable> = BTreeMap::new();
    for object in objects {
        if let Some(target) = target(object) {
            let before = scalers.entry(target).or_insert(object);
            if object.target.kind == ScaleKind::ScaledObject {
                *before = object;
            }
        }
    }
    // A namespace's pods count for the whole cluster, as they do in kube-downscaler.
    let forced_up = sight.forced_up || !sight.scalables.awake_for_pods.is_empty();
    let situation = |object| Situation {
        object,
        scaled: target(object).and_then(|target| by_name.get(&target).copied()),
        scaler: scalers.get(&object.target).copied(),
        namespace: sight.scalables.namespaces.get(&object.target.namespace),
        policy: sight.policy,
        customer: sight.customer,
        asleep: sight.asleep.iter().find(|row| row.target == object.target && row.uid == object.uid),
        forced_up,
        now: sight.now,
    };
    objects.iter().map(situation).map(|on| Judged { decision: decide(&on), on }).collect()
}
