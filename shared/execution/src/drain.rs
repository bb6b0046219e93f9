//! Moving the pods off a node: one round of evictions. Rounds are repeated until the node is empty or its time is over.
//!
//! Evictions run side by side, but one after the other where one PodDisruptionBudget covers them (the API server makes
//! concurrent ones wait half a second for each conflict); pods of low priority go first.

use crate::perform::{Attempt, DrainView, Performed, Scratch, from_cluster};
use crate::ports::{Ports, Site};
use domain::node::NodeTarget;
use domain::plan::Effect;
use domain::plan::action::Care;
use domain::pod::filter::{Fate, Refusal, judge};
use domain::pod::{PodBudget, PodView};
use domain::policy::AtDeadline;
use domain::ports::{Cluster, ClusterError, EvictError};
use domain::{SignedDuration, Timestamp};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

/// Kept back from the deadline: the last deletions must have reached the kubelet before AWS pulls the plug.
const MARGIN: SignedDuration = SignedDuration::from_secs(5);
/// How long a node that is not dying may take to drain before the step fails.
const VOLUNTARY_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// How many evictions are made before the first of them leave: few enough that none waits for long, enough to fill a packet or two.
const WAVE: usize = 16;

/// What came of the pods in one round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    evicted: u32,
    deleted: u32,
    blocked: u32,
    leaving: u32,
    troubled: u32,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.evicted += other.evicted;
        self.deleted += other.deleted;
        self.blocked += other.blocked;
        self.leaving += other.leaving;
        self.troubled += other.troubled;
    }
}

/// What a round needs.
struct Round<'a> {
    cluster: &'a Arc<dyn Cluster>,
    now: Timestamp,
    deadline: Option<Timestamp>,
    care: Care,
    at_deadline: AtDeadline,
}

pub(crate) async fn drain(
    ports: &Ports,
    site: &Site,
    attempt: &Attempt,
    target: &NodeTarget,
    care: Care,
    at_deadline: AtDeadline,
    scratch: &Scratch,
) -> Performed {
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    let view = match scratch.take(target.name.as_str()) {
        Some(view) => view,
        None => match look(cluster, target).await {
            Ok(Some(view)) => view,
            Ok(None) => return gone(attempt),
            Err(error) => return from_cluster(ports, attempt, &error),
        },
    };
    let now = ports.clock.now();
    let round = Round { cluster, now, deadline: attempt.node_deadline, care, at_deadline };
    let fates: Vec<(&PodView, Fate)> = view.pods.iter().map(|p| (p, judge(p, care.accepts(), None))).collect();
    if let Some(refused) = fates.iter().find_map(|(pod, fate)| refusal(pod, *fate).or_else(|| left_alone(pod, *fate, care))) {
        return Performed::Failed(refused);
    }
    let going: Vec<&PodView> = fates.iter().filter(|(_, f)| *f == Fate::Evict).map(|(p, _)| *p).collect();
    let leaving = fates.iter().filter(|(_, f)| *f == Fate::Leaving).count();
    if going.is_empty() && leaving == 0 {
        return Performed::Done(Some(effect(&attempt.effect, Tally::default(), now)));
    }
    if attempt.node_deadline.is_some_and(|d| now > d) {
        return Performed::Expired(format!("{} pods had not left when the instance was taken", going.len() + leaving));
    }
    if care == Care::Voluntary && now > attempt.started_at + VOLUNTARY_WITHIN {
        return Performed::Failed(format!("{} pods did not leave within {} min", going.len() + leaving, VOLUNTARY_WITHIN.as_mins()));
    }
    let mut tally = round.move_all(going, view.budgets.as_deref().unwrap_or_default()).await;
    tally.leaving += u32::try_from(leaving).unwrap_or(u32::MAX);
    for _ in 0..tally.evicted {
        ports.meter.count("pods_evicted", "accepted");
    }
    for _ in 0..tally.deleted {
        ports.meter.count("pods_deleted", "deadline");
    }
    tracing::info!(plan.id = %attempt.key, node = %target.name, evicted = tally.evicted, deleted = tally.deleted, blocked = tally.blocked, leaving = tally.leaving, "A drain round ended");
    Performed::Wait { until: now + pause(tally), effect: Some(effect(&attempt.effect, tally, now)) }
}

/// Blocked pods are tried again soon, for each that becomes healthy elsewhere frees the next; leaving ones are only watched.
fn pause(tally: Tally) -> SignedDuration {
    if tally.blocked > 0 || tally.troubled > 0 { SignedDuration::from_secs(1) } else { SignedDuration::from_secs(2) }
}

/// What is known after a round: the first counts all pods that must go, later ones only move some from evicted to deleted. So
/// one write of it is enough, however many rounds there are.
fn effect(before: &Effect, tally: Tally, now: Timestamp) -> Effect {
    let accepted = tally.evicted + tally.deleted > 0;
    match before {
        Effect::Drained { evicted, deleted, last_accepted_at } => Effect::Drained {
            evicted: evicted.saturating_sub(tally.deleted),
            deleted: deleted + tally.deleted,
            last_accepted_at: if accepted { Some(now) } else { *last_accepted_at },
        },
        Effect::None
        | Effect::Launching { .. }
        | Effect::Launched { .. }
        | Effect::Ready { .. }
        | Effect::Scaled { .. }
        | Effect::WasGone => Effect::Drained {
            evicted: tally.evicted + tally.blocked + tally.leaving + tally.troubled,
            deleted: tally.deleted,
            last_accepted_at: accepted.then_some(now),
        },
    }
}

/// The pods as they are now, if the node is still the one that the plan names.
async fn look(cluster: &Arc<dyn Cluster>, target: &NodeTarget) -> Result<Option<DrainView>, ClusterError> {
    let Some(node) = crate::perform::nodes::resolve(cluster, target).await? else {
        return Ok(None);
    };
    let (seen, pods, budgets) = futures::join!(cluster.node(&node.name), cluster.pods(Some(&node.name)), cluster.pod_budgets());
    match seen {
        // A namesake: the node that was to be drained is gone, and this one is none of our business.
        Ok(seen) if Some(&seen.uid) != node.uid.as_ref() || seen.instance().as_ref() != Some(&target.instance) => Ok(None),
        Ok(_) => Ok(Some(DrainView { pods: pods?, budgets: budgets.ok() })),
        Err(ClusterError::Gone) => Ok(None),
        Err(error) => Err(error),
    }
}

fn gone(attempt: &Attempt) -> Performed {
    match (&attempt.effect, attempt.node_deadline) {
        (Effect::Drained { .. }, _) => Performed::Done(None),
        (_, Some(_)) => Performed::Expired("the node was gone before it could be drained".to_owned()),
        (_, None) => Performed::Failed("the node is gone".to_owned()),
    }
}

fn refusal(pod: &PodView, fate: Fate) -> Option<String> {
    let Fate::Refuse(why) = fate else {
        return None;
    };
    let why = match why {
        Refusal::DaemonSet => "belongs to a DaemonSet",
        Refusal::OrphanOfDaemonSet => "belonged to a DaemonSet that is gone",
        Refusal::EmptyDir => "would lose the data of its emptyDir",
        Refusal::NoController => "has no controller and would be lost",
    };
    Some(format!("pod {} {why}", pod.pod))
}

/// Lets whatever else waits for this thread run once.
async fn breathe() {
    let mut breathed = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut breathed, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A pod that asks to be left alone forbids what is not urgent: to wait for it would only cost time.
fn left_alone(pod: &PodView, fate: Fate, care: Care) -> Option<String> {
    let asked = care == Care::Voluntary && fate == Fate::Evict && pod.do_not_disrupt && !pod.finished();
    asked.then(|| format!("pod {} asks not to be disrupted", pod.pod))
}

impl Round<'_> {
    /// Moves the pods: a lane for each budget, all lanes and all uncovered pods side by side.
    async fn move_all(&self, mut pods: Vec<&PodView>, budgets: &[PodBudget]) -> Tally {
        pods.sort_by(|a, b| a.priority.cmp(&b.priority).then_with(|| a.pod.cmp(&b.pod)));
        let mut lanes: BTreeMap<usize, Vec<&PodView>> = BTreeMap::new();
        let mut free = budgets.len();
        for pod in pods {
            let lane = budgets.iter().position(|b| b.covers(pod)).unwrap_or_else(|| {
                free += 1;
                free
            });
            lanes.entry(lane).or_default().push(pod);
        }
        let mut running = FuturesUnordered::new();
        let mut sum = Tally::default();
        for (made, lane) in lanes.into_values().enumerate() {
            running.push(self.lane(lane));
            if made % WAVE < WAVE - 1 {
                continue;
            }
            while let Some(Some(tally)) = running.next().now_or_never() {
                sum.add(tally);
            }
            // The wave leaves while the next one is made: a hundred requests are milliseconds of work on one thread.
            breathe().await;
        }
        while let Some(tally) = running.next().await {
            sum.add(tally);
        }
        sum
    }

    /// One pod after the other. A refusal of the budget holds for the rest of the lane in this round, except that pods whose
    /// time has come are deleted.
    async fn lane(&self, pods: Vec<&PodView>) -> Tally {
        let mut tally = Tally::default();
        let mut refused = false;
        for pod in pods {
            if pod.do_not_disrupt || refused {
                self.blocked(pod, &mut tally).await;
                continue;
            }
            match self.cluster.evict(&pod.pod).await {
                Ok(()) => tally.evicted += 1,
                Err(EvictError::NamespaceTerminating) => tally.leaving += 1,
                Err(EvictError::Budget(_)) => {
                    refused = true;
                    self.blocked(pod, &mut tally).await;
                }
                Err(EvictError::ManyBudgets) => self.blocked(pod, &mut tally).await,
                Err(EvictError::BudgetBehind(_)) => {
                    refused = true;
                    self.blocked(pod, &mut tally).await;
                }
                Err(EvictError::Cluster(ClusterError::Forbidden(_) | ClusterError::Refused(_))) => self.blocked(pod, &mut tally).await,
                Err(EvictError::Cluster(ClusterError::Gone)) => tally.leaving += 1,
                Err(EvictError::Cluster(
                    ClusterError::Unreachable(_) | ClusterError::Unauthorized | ClusterError::Conflict | ClusterError::Overloaded(_),
                )) => tally.troubled += 1,
            }
        }
        tally
    }

    /// A pod that cannot be evicted now is deleted once only its own grace is left, if the policy says so.
    async fn blocked(&self, pod: &PodView, tally: &mut Tally) {
        let Some(grace_s) = self.last_grace_s(pod) else {
            tally.blocked += 1;
            return;
        };
        match self.cluster.delete_pod(&pod.pod, grace_s).await {
            Ok(()) => tally.deleted += 1,
            Err(_) => tally.blocked += 1,
        }
    }

    /// The grace to delete with, once `now > deadline - grace`: what is left, at least one second (zero would break at-most-one).
    fn last_grace_s(&self, pod: &PodView) -> Option<u32> {
        let forced = self.care == Care::Dying && self.at_deadline == AtDeadline::Delete;
        let deadline = self.deadline.filter(|_| forced)? - MARGIN;
        let left_s = deadline.duration_since(self.now).as_secs();
        let due = left_s <= i64::from(pod.grace_s);
        due.then(|| u32::try_from(left_s.max(1)).unwrap_or(1).min(pod.grace_s.max(1)))
    }
}
