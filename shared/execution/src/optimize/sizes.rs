//! The sizes of workloads: what containers use is sampled each round. Every six hours it is folded in, and what is requested far above or
//! below what is needed is found, and changed where the policy says so; kills for lack of memory, and what a person has agreed to or
//! asked for, are answered by the next round.
//!
//! # Guarantees
//! A plan is written with its run before anything is done with it, as with all else in a round. What cannot be seen is left as it is:
//! where autoscalers cannot be listed, nothing is touched. Nothing here keeps a round from its other decisions.

use super::ask::View;
use super::{Optimizer, SCHEDULE};
use crate::ports::{Site, Trouble};
use domain::SignedDuration;
use domain::finding::Finding;
use domain::optimization::{Proposal, ProposalState, Round};
use domain::plan::check::{Blocked, Rule};
use domain::plan::{Plan, PlanKind};
use domain::policy::Mode;
use domain::ports::{Findings, StoreError, Usages};
use domain::sizing::WorkloadPolicy;
use domain::usage::{ContainerRef, Usage};
use domain::workload::WorkloadRef;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tracing::info;

mod agreed;
mod decide;
mod found;
mod judge;
mod scene;

use scene::{Listed, Scene};

/// How often sizes are judged where nothing is in a hurry: every item that is remembered is written then, which each round would be the
/// dearest of all that we do. A roll-out a day rests on a week of samples, so that hours do not matter. A little less than six of them,
/// so that a round which is early is not ten minutes late.
const JUDGED_EVERY: SignedDuration = SignedDuration::from_mins(6 * 60 - 2);

/// What sizing works with.
#[derive(Clone)]
pub struct Sizing {
    /// What is remembered of containers.
    pub usages: Arc<dyn Usages>,
    /// What is found.
    pub findings: Arc<dyn Findings>,
    /// Whether workloads are sized at all (`RIGHTSIZING_ENABLED`).
    pub rightsizing: bool,
    /// Whether kills for lack of memory are answered at all (`OOM_REMEDIATION_ENABLED`).
    pub oom: bool,
}

/// What a round makes of the sizes of a cluster.
#[derive(Default)]
struct Judged {
    /// What is to be remembered.
    usages: BTreeMap<ContainerRef, Usage>,
    findings: Vec<Finding>,
    plans: Vec<Plan>,
    refused: Vec<Blocked>,
}

impl Optimizer {
    /// Remembers the plans that an earlier round has opened, while they are still listed as open: whoever opened them may have died
    /// before it remembered them, and what is not remembered would be rolled out a second time in a day.
    /// Says whether a person has agreed to one that is not carried out yet.
    pub(super) async fn remember_sizes(&self, site: &Site, sizing: &Sizing, open: &[Proposal]) -> Result<bool, Trouble> {
        let (customer, cluster) = (&site.cluster.customer, &site.cluster.id);
        let approved = |proposal: &Proposal| matches!(proposal.state, ProposalState::Approved { .. });
        let agreed = open.iter().any(|proposal| approved(proposal) && workload_of(&proposal.plan).is_some());
        let opened = |proposal: &&Proposal| proposal.state == ProposalState::Opened && workload_of(&proposal.plan).is_some();
        let open: Vec<&Proposal> = open.iter().filter(opened).collect();
        if open.is_empty() {
            return Ok(agreed);
        }
        let mut kept: BTreeMap<ContainerRef, Usage> = sizing.usages.usages(customer, cluster).await?.into_iter().collect();
        let mut marked = BTreeSet::new();
        for plan in open.iter().map(|proposal| &proposal.plan) {
            if mark(&mut kept, plan, &site.cluster.policy.workloads) {
                marked.extend(workload_of(plan));
            }
        }
        kept.retain(|of, _| marked.contains(&of.workload));
        let items: Vec<(ContainerRef, Usage)> = kept.into_iter().collect();
        if !items.is_empty() {
            sizing.usages.put_usages(customer, cluster, &items).await?;
        }
        Ok(agreed)
    }

    /// Looks at the sizes of a cluster's workloads; keeps what they use, or decides on them.
    pub(super) async fn sizes(&self, site: &Site, sizing: &Sizing, round: &Round, agreed: bool, view: &mut View) -> Result<(), Trouble> {
        if !(sizing.rightsizing || sizing.oom) || round.dry_run {
            return Ok(());
        }
        let snapshot = self.see(site, view).await.ok();
        // The pages of pods that the snapshot is made of: they are most of what a round reads.
        let listed = snapshot.as_ref().and_then(|snapshot| Some(Listed { at: snapshot.taken_at, pods: view.containers.take()? }));
        let scene = match Scene::look(site, snapshot.as_ref(), listed, self.ports.clock.now(), self.settings.interval).await {
            Ok(scene) => scene,
            Err(error) => {
                info!(cluster.id = %site.cluster.id, %error, "The sizes of workloads could not be read");
                return Ok(());
            }
        };
        let (customer, cluster) = (&site.cluster.customer, &site.cluster.id);
        let judged_at = sizing.usages.judged_at(customer, cluster).await?;
        let hurry = agreed || round.asked_by != SCHEDULE || judged_at.is_none_or(|at| scene.killed_since(at));
        if !hurry && judged_at.is_some_and(|at| scene.now < at + JUDGED_EVERY) {
            match sizing.usages.put_round(customer, cluster, &scene.round()).await {
                // Of tens of thousands of containers it is larger than a row can be: what cannot be kept is folded in at once.
                Err(StoreError::Refused(why)) => info!(cluster.id = %cluster, why, "A round of samples could not be kept apart"),
                kept => return Ok(kept?),
            }
        }
        let (kept, open, rounds) = futures::try_join!(
            sizing.usages.usages(customer, cluster),
            self.optimizations.open_proposals(customer, cluster),
            sizing.usages.rounds(customer, cluster, judged_at)
        )?;
        let busy: BTreeSet<WorkloadRef> = open.iter().filter_map(|proposal| workload_of(&proposal.plan)).collect();
        let mut judged = judge::judge(site, sizing, round, &scene, judge::folded(kept, rounds), &busy);
        let before = self.found_before(site, sizing).await?;
        put_aside(&mut judged, &before);
        self.agreed_sizes(site, sizing, &scene, &open, &mut judged).await?;
        for (kind, mode) in [
            (PlanKind::RemedyOom, site.cluster.policy.workloads.oom_remediation),
            (PlanKind::ResizeWorkload, site.cluster.policy.workloads.rightsizing),
        ] {
            self.decide_sizes(site, round, kind, mode, &mut judged, scene.now).await?;
        }
        let items: Vec<(ContainerRef, Usage)> = std::mem::take(&mut judged.usages).into_iter().collect();
        sizing.usages.put_usages(customer, cluster, &items).await?;
        self.keep_found(sizing, judged.findings, &before, scene.now).await?;
        Ok(sizing.usages.put_judged_at(customer, cluster, scene.now).await?)
    }
}

/// Takes out the plans for what a person has dismissed, on the grounds that they saw.
fn put_aside(judged: &mut Judged, before: &[Finding]) {
    let aside = |finding: &&Finding| finding.put_aside(before.iter().find(|there| there.id == finding.id));
    let subjects: BTreeSet<String> = judged.findings.iter().filter(aside).map(|finding| finding.subject.clone()).collect();
    let touches = |plan: &Plan| match plan.steps.first().map(|step| &step.action) {
        Some(domain::plan::Action::PatchRequests { workload, changes, .. }) => changes.iter().any(|change| {
            let of = ContainerRef { workload: workload.clone(), container: change.container.clone() };
            subjects.contains(&of.to_string())
        }),
        Some(_) | None => false,
    };
    let (left, plans) = std::mem::take(&mut judged.plans).into_iter().partition(touches);
    judged.plans = plans;
    let left: Vec<Plan> = left;
    judged.refused.extend(left.iter().filter_map(workload_of).map(|workload| Blocked {
        rule: Rule::HandsOff,
        object: workload.to_string(),
        why: "a person has dismissed what was found of it, and it still rests on the same grounds".to_owned(),
    }));
}

/// The workload that a plan sizes, if it is such a plan.
fn workload_of(plan: &Plan) -> Option<WorkloadRef> {
    match &plan.steps.first()?.action {
        domain::plan::Action::PatchRequests { workload, .. } => Some(workload.clone()),
        domain::plan::Action::LaunchNode { .. }
        | domain::plan::Action::AwaitReady { .. }
        | domain::plan::Action::AwaitRollOut { .. }
        | domain::plan::Action::Cordon { .. }
        | domain::plan::Action::Uncordon { .. }
        | domain::plan::Action::Drain { .. }
        | domain::plan::Action::Terminate { .. }
        | domain::plan::Action::RemoveNode { .. }
        | domain::plan::Action::Scale { .. }
        | domain::plan::Action::Resize { .. }
        | domain::plan::Action::TerminateGhost { .. }
        | domain::plan::Action::DeleteVolume { .. }
        | domain::plan::Action::CompleteLifecycle { .. } => None,
    }
}

/// Remembers that a plan changes the sizes of a workload. A plan that is remembered already changes nothing.
fn mark(usages: &mut BTreeMap<ContainerRef, Usage>, plan: &Plan, policy: &WorkloadPolicy) -> bool {
    let Some(domain::plan::Action::PatchRequests { workload, changes, .. }) = plan.steps.first().map(|step| &step.action) else {
        return false;
    };
    let at = plan.created_at.as_second();
    let mut marked = false;
    for change in changes {
        // What was killed before it was ever measured has no item yet.
        let usage = usages.entry(ContainerRef { workload: workload.clone(), container: change.container.clone() }).or_default();
        if usage.resized_s.is_none_or(|last| last < at) {
            usage.resized_s = Some(at);
            marked = true;
        }
        if plan.kind == PlanKind::RemedyOom && !usage.raises_s.contains(&at) {
            planning::rightsizing::oom::raised(usage, at);
            planning::rightsizing::oom::floored(usage, change.to.memory_request.unwrap_or(0), at, policy);
            marked = true;
        }
    }
    marked
}

/// Whether a mode opens plans by itself.
fn acts(mode: Mode) -> bool {
    mode == Mode::Auto
}

/// A proposal with what comes after it.
fn next(proposal: &Proposal, state: ProposalState) -> Proposal {
    Proposal { state, version: proposal.version + 1, ..proposal.clone() }
}
