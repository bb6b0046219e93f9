//! Folds in what was seen, and makes plans of it.

use super::found::{Subject, found};
use super::scene::Scene;
use super::{Judged, Sizing};
use crate::ports::Site;
use domain::SignedDuration;
use domain::finding::FindingKind;
use domain::money::MicroDollars;
use domain::optimization::{PROPOSALS_MAX, Round};
use domain::plan::check::{Blocked, Rule};
use domain::plan::from_move::plan_id;
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, Step};
use domain::sizing::{HOURS_PER_MONTH, Resource, SizeChange, WorkloadView};
use domain::usage::{ContainerRef, SampledRound, Usage};
use domain::workload::WorkloadRef;
use planning::rightsizing::advise::{Facts, Standing, advise, may_roll_out, saving};
use planning::rightsizing::fold::fold_seen;
use planning::rightsizing::oom::{Remedy, remedy, unseen};
use std::collections::{BTreeMap, BTreeSet};

/// Until when a plan must have ended.
pub(super) const PLAN_WITHIN: SignedDuration = SignedDuration::from_mins(60);
/// For how long a roll-out is waited for, in seconds.
const ROLL_OUT_WITHIN_S: u32 = 1_800;

type Kept = BTreeMap<ContainerRef, Usage>;

/// What is remembered, with the rounds that are kept apart folded in, oldest first.
pub(super) fn folded(kept: Vec<(ContainerRef, Usage)>, rounds: Vec<SampledRound>) -> Kept {
    let mut kept: Kept = kept.into_iter().collect();
    for round in rounds {
        for (of, seen) in round.seen {
            fold_seen(kept.entry(of).or_default(), &seen, round.at_s);
        }
    }
    kept
}

/// Everything that a round makes of what it saw.
pub(super) fn judge(site: &Site, sizing: &Sizing, round: &Round, scene: &Scene, mut kept: Kept, busy: &BTreeSet<WorkloadRef>) -> Judged {
    let mut judged = Judged::default();
    let mut drafts: Vec<(i64, Plan)> = Vec::new();
    for view in &scene.workloads {
        let mut usages: Kept = Kept::new();
        for one in &view.containers {
            let of = ContainerRef { workload: view.workload.clone(), container: one.container.clone() };
            let mut usage = kept.remove(&of).unwrap_or_default();
            fold_seen(&mut usage, &scene.used(&view.workload, &one.container), scene.now.as_second());
            usages.insert(of, usage);
        }
        let raise = if sizing.oom { killed(site, scene, view, &mut usages, &mut judged) } else { Vec::new() };
        let resize = if sizing.rightsizing { sized(site, scene, view, &usages, &mut judged) } else { None };
        let free = !busy.contains(&view.workload);
        if free && let Some(changes) = (!raise.is_empty()).then_some(raise) {
            let worth = |prices| changes.iter().map(|one| saving(&one.from, &one.to, view.replicas, prices)).sum();
            // Below zero: more memory costs, and the books say so.
            let month: MicroDollars = scene.prices.map(worth).unwrap_or_default();
            let hour = MicroDollars(month.0 / HOURS_PER_MONTH);
            let plan = plan(site, round, scene, view, PlanKind::RemedyOom, changes, hour, Vec::new());
            drafts.push((i64::MIN, plan));
        } else if free && let Some((changes, month, reasons)) = resize {
            let hour = MicroDollars(month.0 / HOURS_PER_MONTH);
            drafts.push((
                month.0.saturating_abs().saturating_neg(),
                plan(site, round, scene, view, PlanKind::ResizeWorkload, changes, hour, reasons),
            ));
        }
        judged.usages.extend(usages.into_iter().filter(|(_, usage)| *usage != Usage::default()));
    }
    // What matters most first: no round opens more than it can write at once.
    drafts.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.key.cmp(&b.1.key)));
    judged.plans = drafts.into_iter().map(|(_, plan)| plan).take(PROPOSALS_MAX).collect();
    judged
}

/// Kills of a workload's containers: findings, and the changes that answer them.
fn killed(site: &Site, scene: &Scene, view: &WorkloadView, usages: &mut Kept, judged: &mut Judged) -> Vec<SizeChange> {
    let policy = &site.cluster.policy.workloads;
    let mut changes = Vec::new();
    for (of, usage) in usages.iter_mut() {
        let kills = scene.kills(&of.workload, &of.container);
        let fresh = unseen(usage, &kills);
        let Some(current) = view.sizes(&of.container) else { continue };
        let cost = |to| scene.prices.map(|prices| saving(&current, to, view.replicas, prices));
        let answer = remedy(usage, &fresh, &current, scene.memory_max, policy, scene.now.as_second());
        let subject = Subject { site, of, usage, replicas: view.replicas, now: scene.now };
        match answer {
            Some(Remedy::Raise { to, why }) => {
                let unchangeable =
                    view.managed_by.as_ref().map(|by| format!("{by} writes it and would take the change back: make it there"));
                let evidence = std::iter::once(why).chain(unchangeable.clone()).collect();
                judged.findings.push(found(&subject, FindingKind::OutOfMemory, cost(&to), evidence, &current, &to));
                if unchangeable.is_none() && acts_on(policy.oom_remediation) {
                    changes.push(SizeChange { container: of.container.clone(), from: current, to });
                }
            }
            Some(Remedy::LikelyLeak { why }) => {
                judged.findings.push(found(&subject, FindingKind::LikelyLeak, None, vec![why], &current, &current));
            }
            Some(Remedy::Mended) | None => {}
        }
    }
    changes
}

/// Whether a mode leads to proposals at all.
fn acts_on(mode: domain::policy::Mode) -> bool {
    mode >= domain::policy::Mode::Recommend
}

type Resize = (Vec<SizeChange>, MicroDollars, Vec<String>);

/// What a workload's containers should have: findings, and the changes where nothing speaks against them.
fn sized(site: &Site, scene: &Scene, view: &WorkloadView, usages: &Kept, judged: &mut Judged) -> Option<Resize> {
    let policy = &site.cluster.policy.workloads;
    let (mut changes, mut month, mut reasons) = (Vec::new(), MicroDollars::default(), Vec::new());
    for (of, usage) in usages {
        let Some(current) = view.sizes(&of.container) else { continue };
        let facts = Facts {
            of,
            current,
            usage,
            replicas: view.replicas,
            autoscaled: scene.autoscaled(&of.workload),
            prices: scene.prices,
            interval_s: scene.interval_s,
            now_s: scene.now.as_second(),
        };
        let (advice, notes) = advise(&facts, policy);
        let Some(advice) = advice else { continue };
        let whole = scene.prices.map(|prices| saving(&current, &advice.target, view.replicas, prices));
        if advice.next != current || !notes.is_empty() {
            let more = advice.target.cpu_request > current.cpu_request || advice.target.memory_request > current.memory_request;
            let kind = if more { FindingKind::UndersizedWorkload } else { FindingKind::OversizedWorkload };
            let subject = Subject { site, of, usage, replicas: view.replicas, now: scene.now };
            let sure = format!("{} % of seven days were seen", advice.confidence_percent);
            let evidence = advice.reasons.iter().cloned().chain([sure]).chain(notes.iter().map(|note| note.why.clone())).collect();
            judged.findings.push(found(&subject, kind, whole, evidence, &current, &advice.target));
        }
        judged.refused.extend(notes);
        if advice.next != current && advice.next.valid().is_ok() {
            month = month + advice.saving_per_month.unwrap_or_default();
            reasons.extend(advice.reasons);
            changes.push(SizeChange { container: of.container.clone(), from: current, to: advice.next });
        }
    }
    let blocked = objections(site, scene, view, usages);
    let clear = !changes.is_empty() && blocked.is_empty() && acts_on(policy.rightsizing);
    if !changes.is_empty() {
        judged.refused.extend(blocked);
    }
    clear.then_some((changes, month, reasons))
}

/// What speaks against rolling a workload out now.
pub(super) fn objections(site: &Site, scene: &Scene, view: &WorkloadView, usages: &Kept) -> Vec<Blocked> {
    let name = view.workload.to_string();
    let of_it = usages.iter().filter(|(of, _)| of.workload == view.workload);
    let standing = Standing {
        name: &name,
        replicas: view.replicas,
        rolling: !view.settled(),
        managed_by: view.managed_by.as_deref(),
        resized_s: of_it.filter_map(|(_, usage)| usage.resized_s).max(),
        budget_full: scene.budget_full(view),
        now_s: scene.now.as_second(),
    };
    let mut notes = may_roll_out(&standing, &site.cluster.policy.workloads);
    let windows = &site.cluster.policy.optimization.windows;
    if !windows.is_empty() && !windows.iter().any(|window| window.open(scene.now) == Ok(true)) {
        let why = "no window in which plans may be carried out is open now".to_owned();
        notes.push(Blocked { rule: Rule::Window, object: name, why });
    }
    notes
}

/// Which of the two it is: more is needed than is requested, or more is requested than is needed. One container, or one resource, may
/// be the one and another the other.
fn which(changes: &[SizeChange]) -> &'static str {
    let both = |change: &SizeChange| [Resource::Cpu, Resource::Memory].map(|of| (change.from.request(of), change.to.request(of)));
    let all: Vec<_> = changes.iter().flat_map(both).collect();
    // Nothing requested is less than anything.
    match (all.iter().any(|(from, to)| to > from), all.iter().any(|(from, to)| to < from)) {
        (true, false) => "needs more than it requests",
        (false, true) => "requests more than it needs",
        (true, true) => "requests more than it needs of one thing, and less than it needs of another",
        (false, false) => "has limits that do not fit what it needs",
    }
}

#[expect(clippy::too_many_arguments, reason = "everything that a plan says, once")]
fn plan(
    site: &Site,
    round: &Round,
    scene: &Scene,
    view: &WorkloadView,
    kind: PlanKind,
    changes: Vec<SizeChange>,
    saving_per_hour: MicroDollars,
    mut evidence: Vec<String>,
) -> Plan {
    let (customer, cluster, workload) = (site.cluster.customer.clone(), site.cluster.id.clone(), view.workload.clone());
    let id = plan_id(&cluster, &format!("{}/{kind:?}/{workload}", round.round), 0);
    let reason = if kind == PlanKind::RemedyOom {
        format!("{workload} was killed for lack of memory and gets more.")
    } else {
        format!("{workload} {}.", which(&changes))
    };
    evidence.extend(changes.iter().map(|change| format!("container {}: {:?} becomes {:?}", change.container, change.from, change.to)));
    // What no roll-out replaces is resized while it runs; what is being killed cannot wait for one.
    let in_place = site.cluster.policy.workloads.in_place && (!view.rolls || kind == PlanKind::RemedyOom);
    let patch = Action::PatchRequests { workload: workload.clone(), changes, in_place };
    let mut steps = vec![Step { action: patch, after: Vec::new(), after_unless_forced: Vec::new() }];
    if view.rolls {
        let wait = Action::AwaitRollOut { workload, within_s: ROLL_OUT_WITHIN_S };
        steps.push(Step { action: wait, after: vec![0], after_unless_forced: Vec::new() });
    }
    Plan {
        key: PlanKey { customer, cluster, plan: id },
        kind,
        reason,
        requested_by: round.asked_by.clone(),
        created_at: scene.now,
        deadline: scene.now + PLAN_WITHIN,
        on_failure: OnFailure::Unwind,
        steps,
        expected_saving: saving_per_hour,
        evidence,
        stakes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::sizing::Sizes;

    fn change(cpu: (Option<u64>, Option<u64>), memory: (Option<u64>, Option<u64>)) -> SizeChange {
        let sizes = |cpu_request, memory_request| Sizes { cpu_request, memory_request, ..Sizes::default() };
        SizeChange { container: "main".to_owned(), from: sizes(cpu.0, memory.0), to: sizes(cpu.1, memory.1) }
    }

    #[test]
    fn a_plan_says_which_way_it_goes() {
        let (less, more, same) = ((Some(1_000), Some(300)), (None, Some(300)), (Some(5), Some(5)));
        assert_eq!(which(&[change(less, same)]), "requests more than it needs");
        assert_eq!(which(&[change(same, more)]), "needs more than it requests");
        assert!(which(&[change(less, more)]).contains("less than it needs of another"));
        assert!(which(&[change(less, same), change(same, more)]).contains("less than it needs of another"), "by containers, too");
        assert!(which(&[change(same, same)]).contains("limits"));
    }
}
