//! What was really tried: a law that nothing was held against says nothing.

use super::cluster::Scene;
use domain::offering::CapacityType;
use domain::plan::Outcome;
use domain::pod::PodBudget;
use domain::snapshot::{PodClass, Snapshot, SnapshotNode};
use harness::plans::voluntary;
use sim::world::What;
use std::collections::BTreeMap;
use std::fmt;

/// Counts by word, for each question.
#[derive(Debug, Default, Clone)]
pub(crate) struct Coverage(BTreeMap<&'static str, BTreeMap<String, u64>>);

/// All in all.
pub(crate) const SUM: &str = "in all";
/// What the moved pods asked for.
pub(crate) const MOVED: &str = "pods moved, by what they ask for";

impl Coverage {
    /// The cluster itself.
    pub(crate) fn of(scene: &Scene) -> Coverage {
        let mut coverage = Coverage::default();
        coverage.count(SUM, "clusters", 1);
        coverage.count(SUM, "nodes", scene.system.world.nodes(&scene.cluster).len());
        coverage.count(SUM, "pods", scene.system.world.pods(&scene.cluster).len());
        coverage.count(SUM, "pods that waited from the beginning", scene.system.world.pending_pods(&scene.cluster).len());
        coverage
    }

    fn count(&mut self, question: &'static str, word: impl Into<String>, many: usize) {
        if many > 0 {
            *self.0.entry(question).or_default().entry(word.into()).or_default() += many as u64;
        }
    }

    /// How many there were.
    pub(crate) fn many(&self, question: &'static str, word: &str) -> u64 {
        self.0.get(question).and_then(|words| words.get(word)).copied().unwrap_or(0)
    }

    /// Takes another's counts in.
    pub(crate) fn merge(&mut self, other: &Coverage) {
        for (question, words) in &other.0 {
            for (word, many) in words {
                *self.0.entry(question).or_default().entry(word.clone()).or_default() += many;
            }
        }
    }

    /// What was done to a cluster, and what was not.
    pub(crate) fn add(&mut self, scene: &Scene) {
        let history = scene.system.world.history();
        let evicted = history.iter().filter(|happened| matches!(happened.what, What::Evicted { .. })).count();
        let waited = history.iter().filter(|happened| matches!(happened.what, What::EvictionRefused { .. })).count();
        self.count(SUM, "pods evicted", evicted);
        self.count(SUM, "evictions that a budget refused at first", waited);
        self.count(SUM, "nodes launched", scene.system.launched().len());
        self.count(SUM, "nodes ended", scene.ended());
        for run in scene.system.store.all_runs() {
            for note in run.refused.iter().flat_map(|refusal| &refusal.blocked) {
                self.count("moves refused, by rule", format!("{:?}", note.rule), 1);
            }
            for (code, many) in &run.untouched_counts {
                self.count("nodes left as they were, by reason", format!("{code:?}"), *many as usize);
            }
        }
        for record in voluntary(&scene.system) {
            let outcome = record.progress.outcome.clone();
            let word = match &outcome {
                Some(Outcome::Succeeded) => "succeeded",
                Some(Outcome::Cancelled { .. }) => "cancelled",
                Some(Outcome::RolledBack { .. }) => "rolled back",
                Some(Outcome::Expired { .. } | Outcome::Parked { .. }) | None => "not ended well",
            };
            self.count("plans, by end", word, 1);
            for note in &record.progress.blocked {
                self.count("plans stopped, by rule", format!("{:?}", note.rule), 1);
            }
            let Some(stakes) = record.plan.stakes.as_ref().filter(|_| outcome == Some(Outcome::Succeeded)) else { continue };
            let launches = record.progress.steps.iter().enumerate().filter_map(|(step, _)| record.progress.launched(step)).count();
            self.count(SUM, "moves carried out", 1);
            self.count("moves carried out, by kind", format!("{:?} {} -> {launches}", stakes.decision, stakes.nodes.len()), 1);
            let Some(shown) = scene.planner.shown(&stakes.request_id) else { continue };
            for node in shown.nodes.iter().filter(|node| stakes.nodes.iter().any(|stake| stake.node == node.name)) {
                self.moved(&shown, node);
            }
        }
    }

    fn moved(&mut self, snapshot: &Snapshot, node: &SnapshotNode) {
        let spot = node.pool.as_ref().is_some_and(|pool| pool.capacity == CapacityType::Spot);
        self.count("nodes ended, by what they were", if spot { "spot" } else { "on-demand" }, 1);
        self.count("nodes ended, by what they were", "tainted", usize::from(!node.taints.is_empty()));
        self.count(
            "nodes ended, by what they were",
            "empty",
            usize::from(!node.pods.iter().any(|placed| of(snapshot, placed.class).moves())),
        );
        for placed in &node.pods {
            let class = of(snapshot, placed.class);
            if class.moves() {
                asks(class, snapshot.budgets.as_deref().unwrap_or_default(), |word| self.count(MOVED, word, placed.count as usize));
            }
        }
    }
}

fn of(snapshot: &Snapshot, class: u32) -> &PodClass {
    &snapshot.classes[class as usize]
}

/// Everything that a class asks for, in words.
fn asks(class: &PodClass, budgets: &[PodBudget], mut say: impl FnMut(&'static str)) {
    let asks = &class.scheduling;
    let covered = budgets.iter().any(|budget| {
        budget.namespace == class.namespace && budget.selector.as_ref().is_some_and(|selector| selector.selects(&class.labels))
    });
    let kind = class.controller.as_ref().map_or("", |controller| controller.kind.as_str());
    let all = [
        ("a node selector", !asks.node_selector.is_empty()),
        ("required nodes", !asks.required_nodes.is_empty()),
        ("preferred nodes", !asks.preferred_nodes.is_empty()),
        ("a tolerated taint", !asks.tolerations.is_empty()),
        ("affinity", !asks.affinity.is_empty()),
        ("anti-affinity", !asks.anti_affinity.is_empty()),
        ("preferred affinity or anti-affinity", !asks.preferred_affinity.is_empty() || !asks.preferred_anti_affinity.is_empty()),
        ("hard spread", asks.spread.iter().any(|spread| spread.hard)),
        ("soft spread", asks.spread.iter().any(|spread| !spread.hard)),
        ("a host port", !asks.host_ports.is_empty()),
        ("a volume in its zone", asks.volume_zones.is_some()),
        ("a disruption budget", covered),
        ("a priority", class.priority != 0),
        ("an emptyDir", class.empty_dir),
        ("a StatefulSet", kind == "StatefulSet"),
        ("a Job", kind == "Job"),
    ];
    all.into_iter().filter(|(_, asked)| *asked).for_each(|(word, _)| say(word));
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (question, words) in &self.0 {
            writeln!(f, "{question}:")?;
            for (word, many) in words {
                writeln!(f, "  {word:<44} {many:>9}")?;
            }
        }
        Ok(())
    }
}
