//! One decision: from the request to what is recorded, proposed or opened.

use super::Optimizer;
use super::answer::{self, Checked};
use super::ask::{self, View};
use crate::ports::{Site, Trouble};
use domain::Timestamp;
use domain::decision::verify::{self, Reference, Trusted, harmless};
use domain::decision::{DecisionType, HandsOff, Move};
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Recommendation, Round, Run, RunStatus, UNTOUCHED_MAX, WAITS_FOR};
use domain::plan::Plan;
use domain::policy::Mode;
use domain::ports::{AdvisorError, StoreError};
use planning::public_data::Catalogue;
use std::collections::BTreeMap;
use tracing::warn;

/// How much is kept of the sentence that says why nothing was decided, in characters.
const WHY_MAX: usize = 500;

impl Optimizer {
    /// Decides on one type. What is to be done is written before anything is done with it; what leads to nothing is gathered.
    pub(super) async fn one(
        &self,
        site: &Site,
        round: &Round,
        decision: DecisionType,
        at: Timestamp,
        view: &mut View,
    ) -> Result<Run, Trouble> {
        let mut run = self.empty(site, round, decision, at);
        let checked = match self.decided(site, &mut run, view).await? {
            Ok(checked) => checked,
            Err(why) => {
                run.status = RunStatus::Failed;
                run.why = Some(harmless(&why, WHY_MAX));
                Checked::default()
            }
        };
        let proposals = self.conclude(&mut run, &checked, view);
        if proposals.is_empty() && checked.agreed.is_empty() {
            view.nothing.push(run.clone());
            return Ok(run);
        }
        // From here on it is another cluster than the one that was read.
        view.open = None;
        match self.optimizations.decide(&run, &proposals).await {
            Ok(()) => {}
            // Another delivery of the same message was faster. What it has decided holds, and ours is forgotten.
            Err(StoreError::Conflict) => {
                self.settle(site).await?;
                let open = self.optimizations.open_proposals(&run.customer, &run.cluster).await?;
                self.tell_waiting(open.iter().filter(|proposal| proposal.run == run.id)).await?;
                return Ok(self.optimizations.run(&run.customer, &run.id).await?.unwrap_or(run));
            }
            Err(other) => return Err(other.into()),
        }
        self.tell_waiting(proposals.iter()).await?;
        self.agreed(&checked).await?;
        // First of all that its nodes cool down: whoever dies behind this has not opened a plan whose nodes are touched again at once.
        self.keep_standing(site, view).await;
        for proposal in proposals.iter().chain(&checked.agreed) {
            self.open(proposal).await?;
        }
        Ok(run)
    }

    /// Writes what led to nothing.
    pub(super) async fn record(&self, view: &mut View) -> Result<(), Trouble> {
        let runs = std::mem::take(&mut view.nothing);
        if runs.is_empty() {
            return Ok(());
        }
        match self.optimizations.decide_nothing(&runs).await {
            // Another delivery of the same message was faster, and decided the same or more.
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            // Together they are larger than a row may be.
            Err(StoreError::Refused(_)) => self.record_apart(&runs).await,
            Err(other) => Err(other.into()),
        }
    }

    /// Writes each by itself: the rest of the round is still to come.
    pub(super) async fn record_apart(&self, runs: &[Run]) -> Result<(), Trouble> {
        for run in runs {
            match self.optimizations.decide(run, &[]).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    pub(super) fn empty(&self, site: &Site, round: &Round, decision: DecisionType, at: Timestamp) -> Run {
        let mode = site.cluster.policy.optimization.mode(decision);
        Run {
            id: round.run(decision),
            customer: site.cluster.customer.clone(),
            cluster: site.cluster.id.clone(),
            decision,
            round: round.round.clone(),
            asked_by: round.asked_by.clone(),
            mode: if round.dry_run { Mode::Observe } else { mode },
            at,
            snapshot_at: None,
            status: RunStatus::Nothing,
            why: None,
            engine: String::new(),
            reasons: Vec::new(),
            recommendations: Vec::new(),
            refused: Vec::new(),
            estimated_saving: MicroDollars::default(),
            cost_before: MicroDollars::default(),
            cost_after: MicroDollars::default(),
            lower_bound: MicroDollars::default(),
            untouched_counts: BTreeMap::new(),
            untouched: Vec::new(),
            rejected: Vec::new(),
        }
    }

    /// Looks, asks and checks. The inner error is the sentence that says why nothing could be decided.
    async fn decided(&self, site: &Site, run: &mut Run, view: &mut View) -> Result<Result<Checked, String>, Trouble> {
        if view.halted.is_none() {
            view.halted = Some(self.ports.registry.halted(&run.customer, &run.cluster).await?);
        }
        if let Some(Some(halt)) = &view.halted {
            return Ok(Err(format!("{} is stopped: {}", halt.scope, halt.reason)));
        }
        let snapshot = match self.see(site, view).await {
            Ok(snapshot) => snapshot,
            Err(why) => return Ok(Err(why)),
        };
        run.snapshot_at = ask::taken_at(view);
        let ground = self.ground(site, view, run.decision).await?;
        if let Some(why) = under_way(run.mode, &ground) {
            run.why = Some(why);
            return Ok(Ok(Checked::default()));
        }
        if ground.constraints.nodes_max == 0 {
            run.why = Some(format!("{} plans are under way, and no more nodes may be in disruption", ground.plans.len()));
            return Ok(Ok(Checked::default()));
        }
        let request = ask::request(site, &run.id, run.decision, snapshot, ground.constraints.clone());
        run.cost_before = answer::cost(&request);
        run.cost_after = run.cost_before;
        let answered = match self.advisor.decide(&request).await {
            Ok(answered) => answered,
            Err(error) => {
                self.ports.meter.count("decisions_failed", kind(&error));
                return Ok(Err(error.to_string()));
            }
        };
        let public = Catalogue::embedded();
        let known = Reference { type_of: &|name| public.get(name).cloned(), on_demand: &|region, name| public.on_demand(region, name) };
        let trusted = match verify::answer(&request, answered, known) {
            Ok(trusted) => trusted,
            Err(refusals) => {
                self.ports.meter.count("decisions_failed", "not_believed");
                run.rejected = refusals.iter().map(|refusal| format!("{}: {}", refusal.rule.as_str(), refusal.why)).collect();
                return Ok(Err(not_believed(&run.rejected)));
            }
        };
        tell(run, &trusted);
        let checked = match self.check(site, &ground, &request, &trusted).await? {
            Ok(checked) => checked,
            Err(blind) => return Ok(Err(blind.0)),
        };
        for _ in &checked.refused {
            self.ports.meter.count("moves_refused", run.decision.as_str());
        }
        stand(site, run, view, &checked, &trusted);
        Ok(Ok(checked))
    }

    /// What the run comes to, and the proposals that its mode leads to.
    fn conclude(&self, run: &mut Run, checked: &Checked, view: &mut View) -> Vec<Proposal> {
        let made: Vec<&Plan> = checked.plans.iter().map(|(plan, _)| plan).collect();
        run.recommendations = checked.plans.iter().map(|(plan, wanted)| recommendation(plan, wanted)).collect();
        run.refused.clone_from(&checked.refused);
        run.estimated_saving = made.iter().map(|plan| plan.expected_saving).sum();
        run.cost_after = run.cost_before - run.estimated_saving;
        run.lower_bound = MicroDollars(run.lower_bound.0.clamp(0, run.cost_after.0.max(0)));
        let why = "another lever of this round speaks of it".to_owned();
        let going = made.iter().filter_map(|plan| plan.stakes.as_deref()).flat_map(crate::safety::going);
        view.spoken.extend(going.map(|(node, _)| HandsOff { node, why: why.clone() }));
        if run.status == RunStatus::Failed {
            return Vec::new();
        }
        if made.is_empty() {
            run.why = run.why.take().or_else(|| Some(nothing(run)));
            return Vec::new();
        }
        let (status, state) = match run.mode {
            Mode::Observe => (RunStatus::Observed, None),
            Mode::Recommend => (RunStatus::Recommended, Some(ProposalState::Recommended)),
            Mode::Approve => (RunStatus::Proposed, Some(ProposalState::Waiting { until: later(run.at) })),
            Mode::Auto => (RunStatus::Planned, Some(ProposalState::Opened)),
        };
        run.status = status;
        let proposal = |plan: &Plan| state.clone().map(|state| Proposal { plan: plan.clone(), run: run.id.clone(), state, version: 1 });
        made.into_iter().filter_map(proposal).collect()
    }

    /// Writes what became of proposals that a person has agreed to. Another worker's word counts as much as ours.
    async fn agreed(&self, checked: &Checked) -> Result<(), Trouble> {
        for proposal in &checked.agreed {
            match self.optimizations.put_proposal(proposal, None).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// Tells what waits for a person. A message that comes back tells it again, under the same ids.
    async fn tell_waiting(&self, proposals: impl Iterator<Item = &Proposal>) -> Result<(), Trouble> {
        for proposal in proposals {
            if let ProposalState::Waiting { until } = proposal.state {
                crate::tell::waits(&self.ports, proposal, until).await?;
            }
        }
        Ok(())
    }

    /// Writes what stands between rounds, if this round has changed it. To lose it costs a look at the same nodes again.
    pub(super) async fn keep_standing(&self, site: &Site, view: &mut View) {
        let Some([before, now]) = &mut view.standing else { return };
        if now == before {
            return;
        }
        now.version = before.version + 1;
        match self.optimizations.put_standing(&site.cluster.customer, &site.cluster.id, now).await {
            Ok(()) => *before = now.clone(),
            Err(error) => warn!(cluster.id = %site.cluster.id, %error, "What stands between rounds could not be written"),
        }
    }
}

/// Moves the cursor on, and lets the nodes of new plans cool down.
fn stand(site: &Site, run: &Run, view: &mut View, checked: &Checked, trusted: &Trusted) {
    let Some([_, standing]) = &mut view.standing else { return };
    match &trusted.answer().cursor {
        Some(cursor) => drop(standing.cursors.insert(run.decision.as_str().to_owned(), cursor.clone())),
        None => drop(standing.cursors.remove(run.decision.as_str())),
    }
    let opened = checked.plans.iter().map(|(plan, _)| plan).filter(|_| run.mode == Mode::Auto);
    let minutes = i64::from(site.cluster.policy.optimization.cool_down_minutes);
    for plan in opened {
        let until = run.at.saturating_add(domain::SignedDuration::from_mins(minutes)).unwrap_or(run.at);
        standing.cool(plan.stakes.as_deref().map(crate::safety::going).unwrap_or_default(), until, run.at);
    }
    standing.ran(&run.id);
}

/// One answer at a time: an answer is sure together, and nothing else is. Where plans of an earlier one are still carried out, the pods
/// that they move would be counted on where they are now, and the room that they move to would be given away twice.
fn under_way(mode: Mode, ground: &ask::Ground) -> Option<String> {
    let acts = match mode {
        Mode::Observe | Mode::Recommend => false,
        Mode::Approve | Mode::Auto => true,
    };
    let open = ground.plans.iter().filter(|record| record.plan.kind.voluntary()).count();
    let opened = ground.proposals.iter().filter(|proposal| proposal.state == ProposalState::Opened).count();
    let many = open.max(opened);
    (acts && many > 0).then(|| format!("{many} plans are under way; the next round looks again once they have ended"))
}

/// Why nothing is made of an answer: the first rule that it breaks, and how many more.
fn not_believed(refusals: &[String]) -> String {
    let first = refusals.first().map_or("", String::as_str);
    match refusals.len().saturating_sub(1) {
        0 => format!("the decision server is not believed: {first}"),
        more => format!("the decision server is not believed: {first}; and {more} more"),
    }
}

/// Takes over what the server says, as far as it is words and bounds.
fn tell(run: &mut Run, trusted: &Trusted) {
    let answered = trusted.answer();
    run.engine.clone_from(&answered.engine);
    run.reasons.clone_from(&answered.reasons);
    run.rejected.clone_from(&answered.rejected);
    run.lower_bound = answered.lower_bound;
    for one in &answered.untouched {
        *run.untouched_counts.entry(one.code).or_default() += 1;
    }
    run.untouched = answered.untouched.iter().take(UNTOUCHED_MAX).cloned().collect();
}

fn recommendation(plan: &Plan, wanted: &Move) -> Recommendation {
    Recommendation {
        plan: answer::id(plan),
        remove: wanted.remove.iter().map(|node| node.name.clone()).collect(),
        launch: u32::try_from(wanted.launch.len()).unwrap_or(u32::MAX),
        saving_per_hour: plan.expected_saving,
        why: wanted.why.clone(),
    }
}

/// Why there is nothing to do, in one sentence.
fn nothing(run: &Run) -> String {
    if !run.refused.is_empty() {
        let first = run.refused.iter().flat_map(|refusal| &refusal.blocked).next().map(|note| note.why.clone()).unwrap_or_default();
        return format!("the safety check refused all {} moves; the first: {first}", run.refused.len());
    }
    let most = run.untouched_counts.iter().max_by_key(|(_, count)| **count);
    match most {
        Some((code, count)) => {
            let example = run.untouched.iter().find(|node| node.code == *code);
            let why = example.map_or_else(String::new, |node| format!(": {}", node.why));
            format!("no move was proposed; {count} nodes are left as they are{why}")
        }
        None => "no move was proposed".to_owned(),
    }
}

fn later(at: Timestamp) -> Timestamp {
    at.saturating_add(WAITS_FOR).unwrap_or(at)
}

fn kind(error: &AdvisorError) -> &'static str {
    match error {
        AdvisorError::Down(_) => "down",
        AdvisorError::Slow(_) => "slow",
        AdvisorError::TooLarge(_) => "too_large",
        AdvisorError::Unauthorized => "unauthorized",
        AdvisorError::Refused(_) => "refused",
        AdvisorError::Unreadable(_) => "unreadable",
    }
}
