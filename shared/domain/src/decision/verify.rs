//! Distrust: what is asked is checked before it is answered, and what is answered before anything is stored or done.
//!
//! An answer is believed whole or not at all. Whoever names one node that is not there, or one price that cannot be, has no claim
//! to the rest; the refusals say everything that was wrong, and nothing is optimised in that round.
//!
//! What is not here: whether a move is worth its disruption, and whether a node may be touched at this very moment
//! ([`crate::plan::check`] says so, from what the cluster answers then).

use super::{
    CONTRACT_VERSION, DecisionAnswer, DecisionRequest, INSTANCES_MAX, OUTCOMES_MAX, PredictRequest, Prediction, PredictionOutcome,
};
use crate::catalog::TypeInfo;
use crate::ids::{InstanceType, Region};
use crate::money::MicroDollars;
use crate::snapshot::SNAPSHOT_VERSION;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

mod eligible;
mod money;
mod nodes;
mod offerings;
mod room;
mod text;

pub use eligible::may_leave;
pub use text::harmless;

/// Which rule says no. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Another version of the contract or of the snapshot.
    WrongVersion,
    /// A request that contradicts itself.
    MalformedRequest,
    /// The answer to another request.
    WrongRequest,
    /// A node that is not in the snapshot.
    UnknownNode,
    /// A node of that name is there, with another uid or instance.
    OtherNode,
    /// A node that stands in the answer twice.
    NamedTwice,
    /// A node that must not be moved.
    NotEligible,
    /// More nodes than may be taken out of service.
    TooManyNodes,
    /// More of something than a sane answer holds.
    TooMuch,
    /// A launch with nowhere to launch.
    NoOffering,
    /// A subnet that the cluster does not have, or in another zone than the pool.
    UnknownSubnet,
    /// A type that nobody knows.
    UnknownType,
    /// A type or way of buying that the policy does not allow.
    NotAllowed,
    /// A price that cannot be.
    WrongPrice,
    /// A saving that the prices do not bear out.
    WrongSaving,
    /// Figures that do not add up.
    WrongSum,
    /// Pods that would have no place.
    NoRoom,
    /// A pool that was not asked about, or one twice.
    UnknownPool,
    /// A probability outside 0 to 1.
    WrongProbability,
}

impl Rule {
    /// The word for it in tables, logs and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Rule::WrongVersion => "wrong-version",
            Rule::MalformedRequest => "malformed-request",
            Rule::WrongRequest => "wrong-request",
            Rule::UnknownNode => "unknown-node",
            Rule::OtherNode => "other-node",
            Rule::NamedTwice => "named-twice",
            Rule::NotEligible => "not-eligible",
            Rule::TooManyNodes => "too-many-nodes",
            Rule::TooMuch => "too-much",
            Rule::NoOffering => "no-offering",
            Rule::UnknownSubnet => "unknown-subnet",
            Rule::UnknownType => "unknown-type",
            Rule::NotAllowed => "not-allowed",
            Rule::WrongPrice => "wrong-price",
            Rule::WrongSaving => "wrong-saving",
            Rule::WrongSum => "wrong-sum",
            Rule::NoRoom => "no-room",
            Rule::UnknownPool => "unknown-pool",
            Rule::WrongProbability => "wrong-probability",
        }
    }
}

/// Why not, in one sentence, with the rule and the object that say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The object: a node, a move, a pool, a field.
    pub object: String,
    /// The sentence.
    pub why: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

/// How many refusals of one answer are kept: a server that lies 5,000 times is not worth 5,000 rows.
pub const REFUSALS_MAX: usize = 50;

/// Collects refusals, up to [`REFUSALS_MAX`]. Words of the server are made harmless on the way in.
#[derive(Default)]
struct Refusals(Vec<Refusal>);

impl Refusals {
    fn add(&mut self, rule: Rule, object: impl std::fmt::Display, why: String) {
        if self.0.len() < REFUSALS_MAX {
            self.0.push(Refusal { rule, object: harmless(&object.to_string(), 253), why: harmless(&why, text::SENTENCE_MAX) });
        }
    }

    fn or<T>(self, good: T) -> Result<T, Vec<Refusal>> {
        if self.0.is_empty() { Ok(good) } else { Err(self.0) }
    }
}

/// What is known without the server: answers are held against it.
#[derive(Clone, Copy)]
pub struct Reference<'a> {
    /// What a node of a type is.
    pub type_of: &'a (dyn Fn(&InstanceType) -> Option<TypeInfo> + Sync),
    /// What a type costs on demand, per hour, in a Region; `None`: not known.
    pub on_demand: &'a (dyn Fn(&Region, &InstanceType) -> Option<MicroDollars> + Sync),
}

/// An answer that was checked. The only way to one is [`answer`]; what stores or plans takes this and not a [`DecisionAnswer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted(DecisionAnswer);

impl Trusted {
    /// The answer, its texts made harmless.
    pub fn answer(&self) -> &DecisionAnswer {
        &self.0
    }

    /// Takes the answer out.
    pub fn into_answer(self) -> DecisionAnswer {
        self.0
    }
}

/// Checks an answer against the request that it claims to answer.
///
/// # Guarantees
/// Every node that goes is in the snapshot under that name, uid and instance, is ours, may be moved, and is named once; there are no
/// more of them than `nodes_max`. Every node that comes is of a known type that the policy allows, in a subnet of the cluster, at a
/// price that can be, and large enough for what is to run there; the pods of the nodes that go have room. Savings are borne out
/// by the prices, and sums add up. Texts are short and without control characters.
///
/// # Errors
/// Everything that is wrong, up to [`REFUSALS_MAX`].
pub fn answer(request: &DecisionRequest, mut answer: DecisionAnswer, known: Reference<'_>) -> Result<Trusted, Vec<Refusal>> {
    self::request(request)?;
    let mut refusals = Refusals::default();
    if answer.version != CONTRACT_VERSION {
        let why = format!("the answer is of version {}, and we speak {CONTRACT_VERSION}", answer.version);
        refusals.add(Rule::WrongVersion, "version", why);
    }
    if answer.request_id != request.request_id {
        let why = format!("the answer is to request {:?}, and {:?} was asked", answer.request_id, request.request_id);
        refusals.add(Rule::WrongRequest, "request_id", why);
    }
    if !refusals.0.is_empty() {
        return Err(refusals.0);
    }
    let nodes = nodes::check(request, &answer, &mut refusals);
    offerings::check(request, &answer, known, &nodes, &mut refusals);
    // Sums and room are made from nodes and offerings: with those in doubt they say nothing new.
    if refusals.0.is_empty() {
        money::check(request, &answer, &nodes, &mut refusals);
        room::check(request, &answer, known, &nodes, &mut refusals);
    }
    text::clean(&mut answer);
    refusals.or(Trusted(answer))
}

/// Checks the form of a request: that it is of this version, and does not contradict itself.
///
/// # Errors
/// Everything that is wrong, up to [`REFUSALS_MAX`].
pub fn request(request: &DecisionRequest) -> Result<(), Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let snapshot = &request.snapshot;
    if request.version != CONTRACT_VERSION {
        let why = format!("the request is of version {}; this is version {CONTRACT_VERSION} of the contract", request.version);
        refusals.add(Rule::WrongVersion, "version", why);
    }
    if snapshot.version != SNAPSHOT_VERSION {
        let why = format!("the snapshot is of version {}; this is version {SNAPSHOT_VERSION}", snapshot.version);
        refusals.add(Rule::WrongVersion, "snapshot.version", why);
    }
    let id = &request.request_id;
    if !(1..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        refusals.add(Rule::MalformedRequest, "request_id", "request_id must be 1 to 128 letters, digits, '-', '_' or '.'".to_owned());
    }
    if request.cluster_id != snapshot.cluster || request.cluster_id != request.cluster_state.cluster_id {
        let why = "cluster_id, cluster_state.cluster_id and snapshot.cluster must be the same".to_owned();
        refusals.add(Rule::MalformedRequest, "cluster_id", why);
    }
    let mut names = BTreeSet::new();
    for node in &snapshot.nodes {
        if !names.insert(&node.name) {
            refusals.add(Rule::MalformedRequest, &node.name, format!("node {} stands in the snapshot twice", node.name));
        }
        if node.pods.iter().any(|placed| placed.class as usize >= snapshot.classes.len()) {
            let why = format!("node {} names a class of pods that the snapshot does not have", node.name);
            refusals.add(Rule::MalformedRequest, &node.name, why);
        }
    }
    if snapshot.pending.iter().any(|placed| placed.class as usize >= snapshot.classes.len()) {
        let why = "snapshot.pending names a class of pods that the snapshot does not have".to_owned();
        refusals.add(Rule::MalformedRequest, "snapshot.pending", why);
    }
    refusals.or(())
}

/// How many pools one question may name: every type in every zone of a large Region fits.
pub const POOLS_MAX: usize = 10_000;
/// The longest horizon, minutes: 30 days, as far as the public rates reach.
pub const HORIZON_MINUTES_MAX: u32 = 43_200;

/// Checks a question for chances.
///
/// # Errors
/// Everything that is wrong.
pub fn question(question: &PredictRequest) -> Result<(), Vec<Refusal>> {
    let mut refusals = Refusals::default();
    if !(1..=HORIZON_MINUTES_MAX).contains(&question.horizon_minutes) {
        let why = format!("horizon_minutes must be 1 to {HORIZON_MINUTES_MAX}");
        refusals.add(Rule::MalformedRequest, "horizon_minutes", why);
    }
    if !(1..=POOLS_MAX).contains(&question.pools.len()) {
        refusals.add(Rule::MalformedRequest, "pools", format!("pools must hold 1 to {POOLS_MAX} pools"));
    }
    refusals.or(())
}

/// Checks outcomes of predictions.
///
/// # Errors
/// Everything that is wrong, up to [`REFUSALS_MAX`].
pub fn outcomes(outcomes: &[PredictionOutcome]) -> Result<(), Vec<Refusal>> {
    let mut refusals = Refusals::default();
    if !(1..=OUTCOMES_MAX).contains(&outcomes.len()) {
        refusals.add(Rule::MalformedRequest, "outcomes", format!("there must be 1 to {OUTCOMES_MAX} outcomes"));
    }
    for (index, outcome) in outcomes.iter().enumerate() {
        let object = format!("outcomes[{index}]");
        let id = &outcome.id;
        if !(1..=128).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            refusals.add(Rule::MalformedRequest, &object, "an id has 1 to 128 letters, digits, '-', '_' or '.'".to_owned());
        }
        if !(1..=HORIZON_MINUTES_MAX).contains(&outcome.horizon_minutes) {
            refusals.add(Rule::MalformedRequest, &object, format!("horizon_minutes must be 1 to {HORIZON_MINUTES_MAX}"));
        }
        if !std::iter::once(outcome.probability).chain(outcome.uncorrected).all(|share| (0.0..=1.0).contains(&share)) {
            refusals.add(Rule::WrongProbability, &object, "the probability is not between 0 and 1".to_owned());
        }
        if !(1..=INSTANCES_MAX).contains(&outcome.instances) || outcome.interrupted > outcome.instances {
            let why = format!("instances must be 1 to {INSTANCES_MAX}, and interrupted no more than that");
            refusals.add(Rule::MalformedRequest, &object, why);
        }
    }
    refusals.or(())
}

/// Checks chances against the question that they claim to answer, and makes their texts harmless. Pools may be missing.
///
/// # Errors
/// Everything that is wrong, up to [`REFUSALS_MAX`].
pub fn predictions(question: &PredictRequest, mut predictions: Vec<Prediction>) -> Result<Vec<Prediction>, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let mut open: BTreeSet<_> = question.pools.iter().collect();
    for prediction in &predictions {
        let pool = format!("{} in {}", prediction.pool.instance_type, prediction.pool.zone);
        if !open.remove(&prediction.pool) {
            refusals.add(Rule::UnknownPool, &pool, format!("{pool} was not asked about, or is answered twice"));
        }
        for (name, value) in [("probability", prediction.probability), ("uncorrected", prediction.uncorrected), ("risk", prediction.risk)] {
            // Written so that a value that is no number fails, too.
            if value.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
                refusals.add(Rule::WrongProbability, &pool, format!("the {name} of {pool} is not between 0 and 1"));
            }
        }
    }
    predictions.iter_mut().for_each(|prediction| text::sentences(&mut prediction.because));
    refusals.or(predictions)
}

#[cfg(test)]
mod tests;
