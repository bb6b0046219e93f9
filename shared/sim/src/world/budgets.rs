//! PodDisruptionBudgets, counted as the disruption controller counts them.

use super::happened::{Cause, What};
use super::scheduler::means;
use super::spec::Allows;
use super::state::{Budget, Kube, Pod, Sort, State};
use domain::pod::PodBudget;
use std::collections::BTreeSet;

fn signed(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Per cent of a number, rounded up.
fn share(percent: u32, of: i32) -> i32 {
    let parts = i64::from(percent) * i64::from(of);
    i32::try_from((parts + 99) / 100).unwrap_or(i32::MAX)
}

impl Budget {
    pub(crate) fn covers(&self, pod: &Pod) -> bool {
        self.spec.namespace == pod.pod.namespace && means(self.spec.selector.as_ref(), &pod.shape.labels)
    }

    /// Its status as of now.
    pub(crate) fn count(&self, kube: &Kube) -> PodBudget {
        let covered: Vec<&Pod> = kube.pods.values().filter(|pod| self.covers(pod)).collect();
        let healthy = signed(covered.iter().filter(|pod| pod.healthy()).count());
        let expected = if self.counts_scale() { scale(kube, &covered) } else { signed(covered.len()) };
        let desired = match self.spec.allows {
            Allows::MinAvailable(n) => number(n),
            Allows::MinAvailablePercent(percent) => share(percent, expected),
            Allows::MaxUnavailable(n) => (expected - number(n)).max(0),
            Allows::MaxUnavailablePercent(percent) => (expected - share(percent, expected)).max(0),
        };
        let allowed = if expected <= 0 { 0 } else { (healthy - desired).max(0) };
        PodBudget {
            namespace: self.spec.namespace.clone(),
            name: self.spec.name.clone(),
            selector: self.spec.selector.clone(),
            disruptions_allowed: allowed,
            current_healthy: healthy,
            desired_healthy: desired,
            expected_pods: expected,
        }
    }
}

/// What the controllers of these pods are asked to have, each counted once. DaemonSets, Jobs and bare pods have no scale.
fn scale(kube: &Kube, pods: &[&Pod]) -> i32 {
    let controllers: BTreeSet<usize> = pods.iter().filter_map(|pod| pod.workload).collect();
    let scalable =
        controllers.into_iter().filter_map(|index| kube.workloads.get(index)).filter(|w| !matches!(w.sort, Sort::DaemonSet | Sort::Job));
    number(scalable.map(|workload| workload.replicas).sum())
}

impl State {
    /// After a healthy pod went: enters every budget that has fewer than it needs.
    pub(crate) fn check_budgets(&mut self, cluster: usize, key: u64, cause: Cause) {
        let Some(kube) = self.clusters.get(cluster) else { return };
        let Some(pod) = kube.pods.get(&key) else { return };
        let mut violated = Vec::new();
        for budget in kube.budgets.iter().filter(|budget| budget.covers(pod)) {
            let counts = budget.count(kube);
            if counts.current_healthy < counts.desired_healthy {
                violated.push(budget.title());
            }
        }
        let pod = pod.pod.clone();
        for budget in violated {
            self.note(Some(cluster), What::BudgetViolated { budget, pod: pod.clone(), cause });
        }
    }
}
