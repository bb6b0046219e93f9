//! Evictions and deletions, answered as the API server answers them.

use super::happened::{Cause, What};
use super::state::{Budget, Pod, State};
use domain::ids::PodUid;
use domain::pod::{PodBudget, PodPhase};
use jiff::SignedDuration;

/// The answer to an eviction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 201.
    Accepted,
    /// 404.
    NotFound,
    /// 409: the uid is another.
    OtherUid,
    /// 429 with the cause DisruptionBudget.
    NoRoom(PodBudget),
    /// 429 with ten seconds to wait: the counts are behind.
    Behind(SignedDuration),
    /// 500: more than one budget.
    Many,
    /// 403: the namespace is going.
    NamespaceGoing,
}

/// What the API server waits for when a budget's counts are behind.
pub(crate) const BEHIND: SignedDuration = SignedDuration::from_secs(10);

impl State {
    pub(crate) fn find_pod(&self, cluster: usize, namespace: &str, name: &str) -> Option<u64> {
        self.clusters.get(cluster)?.pods.find(namespace, name)
    }

    /// Evicts, unless `dry`. `grace_s`: the grace of the delete options in the eviction, where there is one.
    pub(crate) fn evict(
        &mut self,
        cluster: usize,
        (namespace, name): (&str, &str),
        uid: Option<&PodUid>,
        grace_s: Option<u32>,
        dry: bool,
    ) -> Answer {
        let Some(key) = self.find_pod(cluster, namespace, name) else { return Answer::NotFound };
        let Some(kube) = self.clusters.get(cluster) else { return Answer::NotFound };
        let Some(pod) = kube.pods.get(&key) else { return Answer::NotFound };
        if uid.is_some_and(|uid| *uid != pod.pod.uid) {
            return Answer::OtherUid;
        }
        let free = pod.finished() || pod.phase == PodPhase::Pending || pod.deletion_at.is_some();
        if kube.terminating_namespaces.contains(namespace) && !free {
            return Answer::NamespaceGoing;
        }
        let (gone, node, grace) = (pod.pod.clone(), pod.node.clone(), grace_s.unwrap_or(pod.shape.grace_s));
        let answer = if free { Answer::Accepted } else { self.ask_budgets(cluster, pod) };
        match &answer {
            Answer::Accepted if !dry => {
                let leaving = pod.deletion_at.is_some();
                if !leaving {
                    self.note(Some(cluster), What::Evicted { pod: gone, node });
                }
                self.pod_goes(cluster, key, grace, Cause::Evicted);
            }
            Answer::NoRoom(budget) => {
                let budget = format!("{}/{}", budget.namespace, budget.name);
                self.note(Some(cluster), What::EvictionRefused { pod: gone, budget });
            }
            Answer::Accepted | Answer::NotFound | Answer::OtherUid | Answer::Behind(_) | Answer::Many | Answer::NamespaceGoing => {}
        }
        answer
    }

    fn ask_budgets(&self, cluster: usize, pod: &Pod) -> Answer {
        let Some(kube) = self.clusters.get(cluster) else { return Answer::NotFound };
        let mut covering = kube.budgets.iter().filter(|budget| budget.covers(pod));
        let Some(budget) = covering.next() else { return Answer::Accepted };
        if covering.next().is_some() {
            return Answer::Many;
        }
        let counts = budget.count(kube);
        if !pod.ready && unhealthy_may_go(budget, &counts) {
            return Answer::Accepted;
        }
        if budget.behind_until.is_some_and(|until| until > self.now) {
            return Answer::Behind(BEHIND);
        }
        if counts.disruptions_allowed > 0 { Answer::Accepted } else { Answer::NoRoom(counts) }
    }

    /// Deletes a pod past all budgets. `None`: it is not there; `Some(false)`: the uid is another.
    pub(crate) fn delete_pod(
        &mut self,
        cluster: usize,
        (namespace, name): (&str, &str),
        uid: Option<&PodUid>,
        grace_s: Option<u32>,
    ) -> Option<bool> {
        let key = self.find_pod(cluster, namespace, name)?;
        let pod = self.clusters.get(cluster)?.pods.get(&key)?;
        if uid.is_some_and(|uid| *uid != pod.pod.uid) {
            return Some(false);
        }
        let grace_s = grace_s.unwrap_or(pod.shape.grace_s);
        let what = What::Deleted { pod: pod.pod.clone(), node: pod.node.clone(), grace_s };
        self.note(Some(cluster), what);
        self.pod_goes(cluster, key, grace_s, Cause::Deleted);
        Some(true)
    }
}

/// A pod that is not ready takes nothing from its budget, as long as the others suffice.
fn unhealthy_may_go(budget: &Budget, counts: &PodBudget) -> bool {
    budget.spec.always_allow_unhealthy || (counts.current_healthy >= counts.desired_healthy && counts.desired_healthy > 0)
}
