//! What is kept of optimising: runs with what was decided and why not, proposals with who agreed, and what stands from one round to
//! the next.

mod forecast;

pub use forecast::Forecast;

use crate::decision::{DecisionType, HandsOff, Untouched, WhyNot};
use crate::ids::{ClusterId, CustomerId, InstanceId, NodeName, PlanId, RunId};
use crate::money::MicroDollars;
use crate::plan::check::Blocked;
use crate::plan::{Outcome, Plan};
use crate::policy::Mode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How long a proposal waits for a person.
pub const WAITS_FOR: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
/// How many nodes that are left as they are stand in a run by name; the counts are of all.
pub const UNTOUCHED_MAX: usize = 500;
/// How many plans one run can lead to: with the run they are one transaction of the table, which takes 100 items.
pub const PROPOSALS_MAX: usize = 40;

/// A message of the optimizer's queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// What the round is called: the slot of the schedule, or the id of the request that asked for it. The same name leads to the
    /// same runs, however often the message is delivered.
    pub round: String,
    /// Who asked.
    pub asked_by: String,
    /// What is to be decided; empty: all that the cluster's policy and the settings allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<DecisionType>,
    /// Only decide and record: nothing is proposed and nothing done.
    #[serde(default)]
    pub dry_run: bool,
    /// How many nodes the cluster had when it was last seen: how much room its round takes. `None`: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
}

impl Round {
    /// What the run of one type in this round is called.
    pub fn run(&self, decision: DecisionType) -> RunId {
        run_id(&self.cluster, &self.round, decision)
    }
}

/// What a run is called, from its cluster, its round and its type.
pub fn run_id(cluster: &ClusterId, round: &str, decision: DecisionType) -> RunId {
    let mut hash = Sha256::new();
    for part in [cluster.as_str(), round] {
        // Length first: "ab" + "c" and "a" + "bc" must differ.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = data_encoding::BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
    text.truncate(26);
    #[expect(clippy::unwrap_used, reason = "letters, digits and '-': always an id; a test makes all of them")]
    RunId::parse(format!("{}-{text}", decision.path())).unwrap()
}

/// What is common to the names of all runs of a round, in a name that [`run_id`] has made.
pub fn round_part(id: &RunId) -> Option<&str> {
    id.as_str().rsplit_once('-').map(|(_, round)| round)
}

/// Whether runs may be written together: they are of one round of one cluster, and of one instant.
pub fn together(runs: &[Run]) -> bool {
    let of = |run: &Run| (run.customer.clone(), run.cluster.clone(), run.round.clone(), run.at);
    let named = runs.iter().all(|run| run.id == run_id(&run.cluster, &run.round, run.decision));
    named && runs.first().is_some_and(|first| runs.iter().all(|run| of(run) == of(first)))
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Nothing could be decided; `why` says what was in the way.
    Failed,
    /// Nothing is to be done: it is as good as it can be, or something blocks all the rest.
    Nothing,
    /// It was looked and recorded, as the mode says.
    Observed,
    /// It is said what should be done.
    Recommended,
    /// Proposals wait for a person.
    Proposed,
    /// Plans are opened.
    Planned,
}

/// A move that did not become a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The nodes that would go.
    pub nodes: Vec<NodeName>,
    /// Each rule that says no.
    pub blocked: Vec<Blocked>,
}

/// What is told of one move, without what boots a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recommendation {
    /// The plan that it would be, or is.
    pub plan: PlanId,
    /// The nodes that go.
    pub remove: Vec<NodeName>,
    /// How many nodes come.
    pub launch: u32,
    /// What it saves per hour.
    pub saving_per_hour: MicroDollars,
    /// What speaks for it.
    pub why: String,
}

/// One decision on one cluster, with everything that was and was not done, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id: also the id of the request.
    pub id: RunId,
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// What was decided.
    pub decision: DecisionType,
    /// The round it belongs to.
    pub round: String,
    /// Who asked.
    pub asked_by: String,
    /// How far it may go.
    pub mode: Mode,
    /// When.
    pub at: Timestamp,
    /// When the oldest part of what it was decided on was read.
    pub snapshot_at: Option<Timestamp>,
    /// What came of it.
    pub status: RunStatus,
    /// Why nothing, or not more, was done, in one sentence; `None`: nothing stood in the way.
    pub why: Option<String>,
    /// What answered.
    pub engine: String,
    /// What the answer is made of, in sentences.
    pub reasons: Vec<String>,
    /// Moves that passed every check.
    pub recommendations: Vec<Recommendation>,
    /// Moves that did not, and every rule that says no.
    pub refused: Vec<Refusal>,
    /// What the recommendations save per hour, by our own reckoning.
    pub estimated_saving: MicroDollars,
    /// What the nodes with a known price cost per hour.
    pub cost_before: MicroDollars,
    /// What they would cost after all recommendations.
    pub cost_after: MicroDollars,
    /// What no placement of these pods goes below, as the decision server says.
    pub lower_bound: MicroDollars,
    /// How many nodes are left as they are, by reason.
    pub untouched_counts: BTreeMap<WhyNot, u32>,
    /// Nodes that are left as they are, each with its reason; the first [`UNTOUCHED_MAX`].
    pub untouched: Vec<Untouched>,
    /// What was considered and rejected, in sentences.
    pub rejected: Vec<String>,
}

/// Where a proposal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ProposalState {
    /// It is said, and nobody is asked.
    Recommended,
    /// It waits for a person until then.
    Waiting {
        /// After this it is forgotten.
        until: Timestamp,
    },
    /// A person agreed. The next round looks at the cluster again, and opens it if it still holds.
    Approved {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// A person said no.
    Rejected {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Nobody said anything in time.
    Expired,
    /// It was agreed to, and does not hold any more; each reason.
    Stale {
        /// What speaks against it now.
        blocked: Vec<Blocked>,
    },
    /// It is to be carried out: its plan is opened under the plan's own key.
    Opened,
    /// Its plan has ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// What it has really saved per hour: zero unless nodes were ended. Below zero where it made things dearer.
        saved_per_hour: MicroDollars,
        /// When.
        at: Timestamp,
    },
}

impl ProposalState {
    /// Whether something may still come of it.
    pub fn open(&self) -> bool {
        match self {
            ProposalState::Waiting { .. } | ProposalState::Approved { .. } | ProposalState::Opened => true,
            ProposalState::Recommended
            | ProposalState::Rejected { .. }
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Ended { .. } => false,
        }
    }

    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            ProposalState::Recommended => "recommended",
            ProposalState::Waiting { .. } => "waiting",
            ProposalState::Approved { .. } => "approved",
            ProposalState::Rejected { .. } => "rejected",
            ProposalState::Expired => "expired",
            ProposalState::Stale { .. } => "stale",
            ProposalState::Opened => "opened",
            ProposalState::Ended { .. } => "ended",
        }
    }
}

/// A plan that was made, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The plan. It is in the journal once it is opened.
    pub plan: Plan,
    /// The run that made it.
    pub run: RunId,
    /// Where it is.
    pub state: ProposalState,
    /// Grows with every write; 1 when it is made.
    pub version: u64,
}

/// A node that is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cool {
    /// The node.
    pub node: NodeName,
    /// Its instance: a namesake is another node.
    pub instance: InstanceId,
    /// Until when.
    pub until: Timestamp,
}

/// What stands from one round of a cluster to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Where the next request of each type begins, so that no node is starved.
    pub cursors: BTreeMap<String, NodeName>,
    /// Nodes for which a plan was made not long ago.
    pub cool: Vec<Cool>,
    /// Predictions that are waited for.
    #[serde(default)]
    pub forecasts: Vec<Forecast>,
    /// The newest rounds that were answered, newest first: at most [`RUNS_KEPT`]. The list of the customer holds those of all clusters.
    #[serde(default)]
    pub runs: Vec<RunId>,
    /// The newest hour of the ledger that is known to be closed: no other round of it needs to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
    /// Grows with every write; 0 where nothing was written yet.
    pub version: u64,
}

/// How many runs of a cluster are remembered by their names: three types a round, for an hour and a half of rounds.
pub const RUNS_KEPT: usize = 27;

impl Standing {
    /// Remembers a run as the newest.
    pub fn ran(&mut self, run: &RunId) {
        self.runs.retain(|known| known != run);
        self.runs.insert(0, run.clone());
        self.runs.truncate(RUNS_KEPT);
    }

    /// Where a request of this type begins.
    pub fn cursor(&self, decision: DecisionType) -> Option<&NodeName> {
        self.cursors.get(decision.as_str())
    }

    /// Nodes to leave alone now.
    pub fn hands_off(&self, now: Timestamp) -> Vec<HandsOff> {
        let active = self.cool.iter().filter(|cool| cool.until > now);
        active
            .map(|cool| HandsOff {
                node: cool.node.clone(),
                why: format!("a plan for node {} was made not long ago; it is left alone until {}", cool.node, cool.until),
            })
            .collect()
    }

    /// Leaves nodes alone for a while, and forgets what is over.
    pub fn cool(&mut self, nodes: impl IntoIterator<Item = (NodeName, InstanceId)>, until: Timestamp, now: Timestamp) {
        self.cool.retain(|cool| cool.until > now);
        for (node, instance) in nodes {
            self.cool.retain(|cool| cool.instance != instance);
            self.cool.push(Cool { node, instance, until });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_round_leads_to_the_same_run() {
        let cluster = ClusterId::parse("shop").unwrap();
        let types = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];
        let ids: std::collections::BTreeSet<RunId> =
            types.into_iter().flat_map(|t| ["s1", "s2", ""].map(|round| run_id(&cluster, round, t))).collect();
        assert_eq!(ids.len(), 9);
        assert!(ids.contains(&run_id(&cluster, "s1", DecisionType::BinPack)));
    }

    #[test]
    fn a_node_cools_down_until_its_time_and_under_its_own_identity() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let later = |s| now + jiff::SignedDuration::from_secs(s);
        let (node, instance) = (NodeName::parse("n-1").unwrap(), InstanceId::parse("i-12345678").unwrap());
        let mut standing = Standing::default();
        standing.cool([(node.clone(), instance.clone())], later(60), now);
        standing.cool([(node.clone(), instance)], later(90), now);
        assert_eq!(standing.cool.len(), 1);
        assert_eq!(standing.hands_off(later(89)).len(), 1);
        assert_eq!(standing.hands_off(later(90)), []);
        standing.cool([], later(90), later(90));
        assert_eq!(standing.cool, []);
    }
}
