//! What people ask for: a word on a plan, a round, a scan. Written down here, done elsewhere, under the same checks as everything else.
//!
//! The API and the console are two mouths of these; neither decides anything by itself.

use domain::decision::DecisionType;
use domain::finding::{Finding, FindingState};
use domain::ids::{ClusterId, CustomerId, FindingId, InstanceId, PlanId, VolumeId};
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Round};
use domain::permissions;
use domain::plan::action::AskedBy;
use domain::plan::{Action, OnFailure, Outcome, Plan, PlanKey, PlanKind, Progress, Step, Urgency};
use domain::ports::{Change, Clock, Findings, Journal, NewPlan, Optimizations, Queue, QueueError, Registry, Rounds, Scans, StoreError};
use domain::tenant::Halt;
use domain::watch::ScanOrder;
use domain::{SignedDuration, Timestamp};
use std::sync::Arc;

/// How long an end may take: the snapshot of a large volume takes its time.
const ENDS_WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// When the sweeper begins a plan whose message was lost.
const BEGINS_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// How long the reason of a dismissal may be, in characters.
const REASON_MAX: usize = 500;

/// What wishes are written to.
#[derive(Clone)]
pub struct Wishes {
    /// Stops.
    pub registry: Arc<dyn Registry>,
    /// Plans.
    pub journal: Arc<dyn Journal>,
    /// Proposals.
    pub optimizations: Arc<dyn Optimizations>,
    /// What scans found.
    pub findings: Arc<dyn Findings>,
    /// Where rounds are asked for.
    pub rounds: Arc<dyn Rounds>,
    /// Where scans are asked for.
    pub scans: Arc<dyn Scans>,
    /// Where plans are announced.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Who wishes. Nothing of another customer exists for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The customer.
    pub customer: CustomerId,
    /// What their key is for, in its owner's words.
    pub label: String,
}

/// Why a wish was not taken, in one sentence for a person.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such thing, or it is another customer's.
    #[error("There is no such {0}.")]
    Absent(&'static str),
    /// Nobody is asked any more; the word for where the plan is.
    #[error("This plan is {0}: there is nothing to say to it any more.")]
    Decided(&'static str),
    /// The kill switch is on.
    #[error("{} is stopped: {}. Lift the stop, then ask again.", .0.scope, .0.reason)]
    Halted(Halt),
    /// Nothing is to be dismissed; the word for where the finding is.
    #[error("This finding is {0}: there is nothing to dismiss.")]
    NotOpen(&'static str),
    /// A dismissal without a reason helps nobody who reads it later.
    #[error("Say why, in 1 to {REASON_MAX} characters.")]
    NoReason,
    /// The plan is agreed to and not begun.
    #[error("The plan is not begun yet. Ask again in a minute.")]
    NotBegun,
    /// What was done cannot be taken back.
    #[error("Instances have been ended already: the plan is behind its point of no return and is finished.")]
    PastReturn,
    /// Somebody else wrote at the same time.
    #[error("Somebody else changed it at the same time. Look at it again, and ask again.")]
    Busy,
    /// The table.
    #[error("Our table did not do what was asked: {0}. Try again.")]
    Store(StoreError),
    /// The queue.
    #[error("Our queue did not take the message: {0}. Try again.")]
    Queue(#[from] QueueError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Refused {
        match error {
            StoreError::Conflict => Refused::Busy,
            other @ (StoreError::Ambiguous(_) | StoreError::Throttled | StoreError::Corrupt(_) | StoreError::Refused(_)) => {
                Refused::Store(other)
            }
        }
    }
}

impl Wishes {
    /// A proposal of this customer.
    ///
    /// # Errors
    /// [`Refused::Absent`].
    pub async fn proposal(&self, who: &Who, plan: &str) -> Result<Proposal, Refused> {
        let id = PlanId::parse(plan).map_err(|_| Refused::Absent("plan"))?;
        self.optimizations.proposal(&who.customer, &id).await?.ok_or(Refused::Absent("plan"))
    }

    /// Agrees to a plan: the next round looks at the cluster again, and opens it if it still holds. `new` names the round that is
    /// asked for, the same for a repeated request. `dry`: only says whether it would be taken. Answers the proposal as it was.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn approve(&self, who: &Who, plan: &str, new: &str, dry: bool) -> Result<Proposal, Refused> {
        let proposal = self.proposal(who, plan).await?;
        let now = self.clock.now();
        match &proposal.state {
            ProposalState::Waiting { until } if now <= *until => {}
            // The same word twice: the round is asked for once more, in case the first message was lost.
            ProposalState::Approved { .. } => {}
            ProposalState::Waiting { .. }
            | ProposalState::Recommended
            | ProposalState::Rejected { .. }
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Opened
            | ProposalState::Ended { .. } => return Err(Refused::Decided(proposal.state.as_str())),
        }
        self.not_halted(who, &proposal.plan.key.cluster).await?;
        if dry {
            return Ok(proposal);
        }
        if matches!(proposal.state, ProposalState::Waiting { .. }) {
            self.put(&proposal, ProposalState::Approved { by: who.label.clone(), at: now }).await?;
        }
        let types = proposal.plan.stakes.iter().map(|stakes| stakes.decision).collect();
        let round = round(who, &proposal.plan.key.cluster, format!("a-{new}"), types, false);
        // The word is written: a lost message only makes the plan begin with the next round of the schedule.
        if let Err(error) = self.rounds.ask(&round).await {
            tracing::warn!(%error, plan.id = plan, "A plan was approved and its round not asked for; the schedule's next one takes it up");
        }
        Ok(proposal)
    }

    /// Says no to a plan. Answers the proposal as it was.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn reject(&self, who: &Who, plan: &str, dry: bool) -> Result<Proposal, Refused> {
        let proposal = self.proposal(who, plan).await?;
        match &proposal.state {
            ProposalState::Waiting { .. } | ProposalState::Approved { .. } => {}
            ProposalState::Recommended
            | ProposalState::Rejected { .. }
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Opened
            | ProposalState::Ended { .. } => return Err(Refused::Decided(proposal.state.as_str())),
        }
        if !dry {
            self.put(&proposal, ProposalState::Rejected { by: who.label.clone(), at: self.clock.now() }).await?;
        }
        Ok(proposal)
    }

    /// Stops what is under way and has it taken back, unless it is behind its point of no return. Answers the proposal as it was.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn cancel(&self, who: &Who, plan: &str, dry: bool) -> Result<Proposal, Refused> {
        let proposal = self.proposal(who, plan).await?;
        match &proposal.state {
            ProposalState::Opened => {}
            ProposalState::Waiting { .. }
            | ProposalState::Approved { .. }
            | ProposalState::Recommended
            | ProposalState::Rejected { .. }
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Ended { .. } => return Err(Refused::Decided(proposal.state.as_str())),
        }
        let key = &proposal.plan.key;
        let mut record = self.journal.load(key).await?.ok_or(Refused::NotBegun)?;
        if record.progress.outcome.is_some() || record.progress.unwinding.is_some() {
            return Err(Refused::Decided(proposal.state.as_str()));
        }
        if record.progress.past_return(&record.plan) {
            return Err(Refused::PastReturn);
        }
        if dry {
            return Ok(proposal);
        }
        record.progress.unwinding = Some(Outcome::Cancelled { why: format!("api key {} cancelled it", who.label) });
        record.progress.version += 1;
        self.journal.record(key, &Change { progress: record.progress, audit: Vec::new(), spot_event: None }).await?;
        if let Err(error) = self.queue.continue_plan(key, SignedDuration::ZERO).await {
            tracing::warn!(%error, plan.id = %key, "A plan was cancelled and not announced; the sweeper takes it back");
        }
        Ok(proposal)
    }

    /// Asks for a round of a cluster of theirs now. `types` empty: all that its policy allows. `dry`: it is decided and recorded, and
    /// nothing is proposed or done.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn ask_round(
        &self,
        who: &Who,
        cluster: &ClusterId,
        new: &str,
        types: Vec<DecisionType>,
        dry: bool,
    ) -> Result<Round, Refused> {
        self.not_halted(who, cluster).await?;
        let round = round(who, cluster, format!("t-{new}"), types, dry);
        self.rounds.ask(&round).await?;
        Ok(round)
    }

    /// Asks for a look at what we may do in a cluster of theirs and in its account: the next scan looks, and one is asked for now. Answers when
    /// somebody last asked.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn ask_look(&self, who: &Who, cluster: &ClusterId) -> Result<Option<Timestamp>, Refused> {
        self.not_halted(who, cluster).await?;
        let key = permissions::asked_key(cluster);
        let before = self.registry.config(&who.customer, &key).await?;
        self.registry.put_config(&who.customer, &key, &serde_json::json!(self.clock.now())).await?;
        self.ask_scan(who, cluster.clone(), false).await?;
        Ok(before.and_then(|value| serde_json::from_value(value).ok()))
    }

    /// Asks for a whole scan of clusters of theirs.
    ///
    /// # Errors
    /// [`Refused::Queue`]; those before the one that was not taken are asked for.
    pub async fn ask_scans(&self, who: &Who, clusters: &[ClusterId]) -> Result<(), Refused> {
        for cluster in clusters {
            self.ask_scan(who, cluster.clone(), true).await?;
        }
        Ok(())
    }

    async fn ask_scan(&self, who: &Who, cluster: ClusterId, whole: bool) -> Result<(), Refused> {
        let order = ScanOrder { customer: who.customer.clone(), cluster, asked_by: format!("api key {}", who.label), whole };
        Ok(self.scans.ask_scan(&order).await?)
    }

    /// Writes a plan that ends what a scan has found: a ghost, or a volume after a snapshot of it. Everything is looked at again before; only
    /// no grace is waited for. `new` names the plan, the same for a repeated request.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn end_waste(&self, who: &Who, finding: &Finding, new: &str) -> Result<PlanId, Refused> {
        if !matches!(finding.state, FindingState::Open | FindingState::Dismissed { .. }) {
            return Err(Refused::Decided(finding.state.as_str()));
        }
        let by = AskedBy::Person;
        let ghost = || InstanceId::parse(&finding.subject).ok().map(|instance| (PlanKind::Ghost, Action::TerminateGhost { instance, by }));
        let volume = || VolumeId::parse(&finding.subject).ok().map(|volume| (PlanKind::ZombieVolume, Action::DeleteVolume { volume, by }));
        let (kind, action) = ghost().or_else(volume).ok_or(Refused::Absent("instance or volume"))?;
        self.not_halted(who, &finding.cluster).await?;
        let id = PlanId::parse(format!("op-{new}")).map_err(|_| Refused::Absent("plan"))?;
        let now = self.clock.now();
        let plan = Plan {
            key: PlanKey { customer: finding.customer.clone(), cluster: finding.cluster.clone(), plan: id.clone() },
            kind,
            reason: format!("A person asked to end {}.", finding.subject),
            requested_by: format!("api key {}", who.label),
            created_at: now,
            deadline: now.checked_add(ENDS_WITHIN).unwrap_or(Timestamp::MAX),
            on_failure: OnFailure::Unwind,
            steps: vec![Step { action, after: Vec::new(), after_unless_forced: Vec::new() }],
            expected_saving: MicroDollars::default(),
            evidence: finding.evidence.clone(),
            stakes: None,
        };
        let mut progress = Progress::new(&plan, Urgency::Normal, None);
        progress.due_at = now.checked_add(BEGINS_WITHIN).unwrap_or(now);
        let new = NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None };
        // A plan of this name is this wish, sent twice.
        self.journal.open(&new).await?;
        if let Err(error) = self.queue.continue_plan(&new.plan.key, SignedDuration::ZERO).await {
            tracing::warn!(%error, plan.id = %new.plan.key, "A plan was written and not announced; the sweeper begins it");
        }
        Ok(id)
    }

    /// Puts a finding aside, with a reason: nothing is done about it and nobody is told, until it is over or rests on other grounds
    /// than these. `name`: its id, or what it is about. `dry`: only says whether it would be put aside.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn dismiss(&self, who: &Who, cluster: &ClusterId, name: &str, why: &str, dry: bool) -> Result<Finding, Refused> {
        let why = why.trim();
        if !(1..=REASON_MAX).contains(&why.chars().count()) {
            return Err(Refused::NoReason);
        }
        let finding = self.named(who, cluster, name).await?.ok_or(Refused::Absent("finding"))?;
        match &finding.state {
            FindingState::Open => {}
            FindingState::Acting { .. } | FindingState::Resolved { .. } | FindingState::Dismissed { .. } => {
                return Err(Refused::NotOpen(finding.state.as_str()));
            }
        }
        let next = finding.with(FindingState::Dismissed { by: who.label.clone(), at: self.clock.now(), why: why.to_owned() });
        if !dry {
            self.findings.put_finding(&next).await?;
        }
        Ok(next)
    }

    async fn named(&self, who: &Who, cluster: &ClusterId, name: &str) -> Result<Option<Finding>, StoreError> {
        if let Ok(id) = FindingId::parse(name)
            && let Some(finding) = self.findings.finding(&who.customer, cluster, &id).await?
        {
            return Ok(Some(finding));
        }
        let all = self.findings.findings_of(&who.customer, cluster, None).await?;
        Ok(all.into_iter().find(|finding| finding.subject == name))
    }

    async fn not_halted(&self, who: &Who, cluster: &ClusterId) -> Result<(), Refused> {
        self.registry.halted(&who.customer, cluster).await?.map_or(Ok(()), |halt| Err(Refused::Halted(halt)))
    }

    async fn put(&self, proposal: &Proposal, state: ProposalState) -> Result<(), Refused> {
        let next = Proposal { state, version: proposal.version + 1, ..proposal.clone() };
        Ok(self.optimizations.put_proposal(&next, None).await?)
    }
}

fn round(who: &Who, cluster: &ClusterId, round: String, types: Vec<DecisionType>, dry_run: bool) -> Round {
    let asked_by = format!("api key {}", who.label);
    Round { customer: who.customer.clone(), cluster: cluster.clone(), round, asked_by, types, dry_run, nodes: None }
}
