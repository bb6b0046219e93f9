//! Optimising one cluster: look, ask the decision server, check everything that it says, and record, propose or open plans, as the
//! cluster's mode says.
//!
//! # Guarantees
//! A round has a name, and each of its decisions is written once, together with the plans that it leads to, before anything is
//! done with them. So a message that comes twice, or a worker that dies anywhere, never leads to a second plan: the next one
//! finds what was decided and carries it out. Where the decision server is down, slow or lying, nothing is optimised, and the run
//! says why. Interruptions are handled elsewhere and never wait for any of this.

use crate::ports::{Ports, Site, Trouble};
use async_trait::async_trait;
use domain::decision::{Commitment, DecisionType, PoolPrice};
use domain::optimization::{Round, Run};
use domain::ports::{Advisor, Instance, Ledger, Optimizations, Rounds};
use domain::sizing::PodContainers;
use domain::snapshot::Snapshot;
use domain::{SignedDuration, Timestamp};
use std::sync::Arc;
use tracing::{info, warn};

mod answer;
mod ask;
mod learn;
mod lookout;
mod one;
mod reckon;
mod settle;
mod sizes;

pub use lookout::Lookout;
pub use sizes::Sizing;

/// Why a cluster could not be seen, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unseen(pub String);

/// A cluster as it was seen, and what was seen of its market at the same time.
#[derive(Debug, Clone)]
pub struct Surveyed {
    /// The cluster.
    pub snapshot: Snapshot,
    /// Spot prices as its own account is told them: the names of zones are the account's, and the prices are of now.
    pub prices: Vec<PoolPrice>,
    /// What its account pays for in any case.
    pub commitments: Vec<Commitment>,
    /// Its instances, with their tags.
    pub instances: Vec<Instance>,
    /// The containers of its pods, where they were listed with it.
    pub containers: Option<Vec<PodContainers>>,
}

/// Takes snapshots.
#[async_trait]
pub trait Surveyor: Send + Sync {
    /// A cluster as it is now.
    ///
    /// # Errors
    /// [`Unseen`]: it, or what its nodes cost, cannot be read.
    async fn survey(&self, site: &Site) -> Result<Surveyed, Unseen>;
}

/// What the environment says of optimising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How often each cluster has its round (`OPTIMIZATION_INTERVAL_MINUTES`).
    pub interval: SignedDuration,
    /// What may be decided at all (`SPOT_OPTIMIZATION_ENABLED`, `BIN_PACKING_ENABLED`, `RIGHTSIZING_ENABLED`).
    pub enabled: Vec<DecisionType>,
}

/// Everything that optimising works with.
#[derive(Clone)]
pub struct Optimizer {
    /// The ports that plans are carried out with; here they are only read and opened.
    pub ports: Ports,
    /// Runs, proposals, and what stands between rounds.
    pub optimizations: Arc<dyn Optimizations>,
    /// Baselines, books and hours.
    pub ledger: Arc<dyn Ledger>,
    /// The queue of rounds.
    pub rounds: Arc<dyn Rounds>,
    /// The decision server.
    pub advisor: Arc<dyn Advisor>,
    /// Takes snapshots.
    pub surveyor: Arc<dyn Surveyor>,
    /// What sizes workloads; `None`: they are not sized.
    pub sizing: Option<Sizing>,
    /// What the environment says.
    pub settings: Settings,
}

/// How a round ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rounded {
    /// Every type has its run: these were decided now.
    Finished(Vec<Run>),
    /// The time was out first; what is decided stays, and the message must come back for the rest.
    Unfinished,
    /// The cluster is not registered any more.
    Gone,
}

/// Who asks for the rounds of the schedule.
const SCHEDULE: &str = "schedule";

impl Optimizer {
    /// Asks for a round of every cluster, one message each. A second call within the same slot asks for the same rounds again, which
    /// does no harm.
    ///
    /// # Errors
    /// [`Trouble`]: not all were asked for; the schedule tries again.
    pub async fn fan_out(&self) -> Result<usize, Trouble> {
        let round = slot(self.ports.clock.now(), self.settings.interval);
        let clusters = self.ports.registry.every_cluster().await?;
        let asked = clusters.len();
        let rounds = clusters.into_iter().map(|cluster| Round {
            nodes: cluster.seen_at.map(|_| cluster.node_count),
            customer: cluster.customer,
            cluster: cluster.id,
            round: round.clone(),
            asked_by: SCHEDULE.to_owned(),
            types: Vec::new(),
            dry_run: false,
        });
        self.rounds.ask_all(&rounds.collect::<Vec<_>>()).await?;
        Ok(asked)
    }

    /// Asks anew for rounds that could not be begun. Those of the schedule whose slot is over are left out: the next one's are asked for.
    /// Says for how many it has asked.
    ///
    /// # Errors
    /// [`Trouble`]: not all were asked for.
    pub async fn ask_again(&self, mut rounds: Vec<Round>) -> Result<usize, Trouble> {
        let now = slot(self.ports.clock.now(), self.settings.interval);
        rounds.retain(|round| round.asked_by != SCHEDULE || round.round == now);
        self.rounds.ask_all(&rounds).await?;
        Ok(rounds.len())
    }

    /// One round of one cluster.
    ///
    /// # Errors
    /// [`Trouble`]: the message must come back; nothing that was decided is lost, and nothing is decided twice.
    pub async fn round(&self, round: &Round, until: Timestamp) -> Result<Rounded, Trouble> {
        let Some(site) = Site::open(&self.ports, &round.customer, &round.cluster).await? else {
            return Ok(Rounded::Gone);
        };
        let open = self.optimizations.open_proposals(&round.customer, &round.cluster).await?;
        let agreed = match &self.sizing {
            Some(sizing) => Box::pin(self.remember_sizes(&site, sizing, &open)).await?,
            None => false,
        };
        self.settle_these(&open).await?;
        let mut view = ask::View::default();
        let Some(runs) = self.decisions(&site, round, until, &mut view).await? else {
            return Ok(Rounded::Unfinished);
        };
        let asked = round.types.is_empty() || round.types.contains(&DecisionType::Rightsize);
        if let Some(sizing) = self.sizing.as_ref().filter(|_| asked)
            && let Err(error) = Box::pin(self.sizes(&site, sizing, round, agreed, &mut view)).await
        {
            // What was decided is opened by the next round, and what was not is looked at again.
            warn!(cluster.id = %site.cluster.id, %error, "The sizes of workloads could not be decided on");
        }
        if !round.dry_run
            && let Err(error) = self.learn(&site, &mut view).await
        {
            warn!(cluster.id = %site.cluster.id, %error, "Predictions could not be looked after");
        }
        if let Err(error) = self.reckon(&site, &mut view, &runs).await {
            // The ledger is closed by the next round of the hour; a round is not repeated for it.
            warn!(cluster.id = %site.cluster.id, %error, "An hour could not be closed");
        }
        self.keep_standing(&site, &mut view).await;
        Ok(Rounded::Finished(runs))
    }

    /// Decides on every type that is not decided yet; what led to nothing is written when all are. `None`: the time was out first.
    async fn decisions(&self, site: &Site, round: &Round, until: Timestamp, view: &mut ask::View) -> Result<Option<Vec<Run>>, Trouble> {
        let types = self.types(round);
        let names: Vec<_> = types.iter().map(|decision| round.run(*decision)).collect();
        // By an earlier delivery of the message; what it opened was carried out when the round began.
        let decided = self.optimizations.named_runs(&round.customer, &names).await?;
        let (began, mut runs) = (self.ports.clock.now(), Vec::new());
        for (decision, name) in types.into_iter().zip(names) {
            if self.ports.clock.now() >= until {
                self.record_apart(&std::mem::take(&mut view.nothing)).await?;
                return Ok(None);
            }
            if decided.iter().any(|run| run.id == name) {
                continue;
            }
            let run = self.one(site, round, decision, began, view).await?;
            self.ports.meter.count("optimizations", word(&run));
            info!(cluster.id = %site.cluster.id, run.id = %run.id, run.status = ?run.status, why = run.why.as_deref(), plans = run.recommendations.len(), "A run was decided");
            runs.push(run);
        }
        self.record(view).await?;
        Ok(Some(runs))
    }

    fn types(&self, round: &Round) -> Vec<DecisionType> {
        let asked = |decision: &&DecisionType| round.types.is_empty() || round.types.contains(decision);
        self.settings.enabled.iter().filter(asked).copied().collect()
    }
}

/// What the schedule's rounds of this time are called.
pub fn slot(now: Timestamp, interval: SignedDuration) -> String {
    format!("s{}", now.as_second().div_euclid(interval.as_secs().max(60)))
}

fn word(run: &Run) -> &'static str {
    use domain::optimization::RunStatus;
    match run.status {
        RunStatus::Failed => "failed",
        RunStatus::Nothing => "nothing",
        RunStatus::Observed => "observed",
        RunStatus::Recommended => "recommended",
        RunStatus::Proposed => "proposed",
        RunStatus::Planned => "planned",
    }
}
