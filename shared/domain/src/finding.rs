//! Findings: what the scheduled jobs see that costs money for nothing, or will cause trouble, with what it costs and what would be done.
//!
//! A finding is what people read; what a job must remember of its own (sightings, histograms) it keeps elsewhere. The same thing
//! seen again is the same finding: its id is made of cluster, kind and subject.

use crate::ids::{ClusterId, CustomerId, FindingId, PlanId};
use crate::money::MicroDollars;
use crate::plan::PlanKind;
use crate::sizing::Fit;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// An instance of the cluster runs and is no node of it.
    Ghost,
    /// A volume that nothing is attached to and no claim names.
    ZombieVolume,
    /// Two workloads that talk, or may talk, from one zone to another.
    CrossZone,
    /// A load balancer without healthy targets.
    IdleLoadBalancer,
    /// A NAT gateway that nothing is sent through.
    IdleNatGateway,
    /// An elastic IP address that stands for nothing.
    IdleAddress,
    /// A workload that requests much more than it uses.
    OversizedWorkload,
    /// A workload that requests less than it uses.
    UndersizedWorkload,
    /// A container that ran out of memory.
    OutOfMemory,
    /// A container that runs out of memory whatever it is given.
    LikelyLeak,
    /// A workload that runs while nobody works.
    OfficeHours,
}

/// All kinds.
pub const KINDS: [FindingKind; 11] = [
    FindingKind::Ghost,
    FindingKind::ZombieVolume,
    FindingKind::CrossZone,
    FindingKind::IdleLoadBalancer,
    FindingKind::IdleNatGateway,
    FindingKind::IdleAddress,
    FindingKind::OversizedWorkload,
    FindingKind::UndersizedWorkload,
    FindingKind::OutOfMemory,
    FindingKind::LikelyLeak,
    FindingKind::OfficeHours,
];

impl FindingKind {
    /// The word for it in ids, keys, the API and notices. None is the beginning of another.
    pub fn as_str(self) -> &'static str {
        match self {
            FindingKind::Ghost => "ghost",
            FindingKind::ZombieVolume => "zombie-volume",
            FindingKind::CrossZone => "cross-zone",
            FindingKind::IdleLoadBalancer => "idle-load-balancer",
            FindingKind::IdleNatGateway => "idle-nat-gateway",
            FindingKind::IdleAddress => "idle-address",
            FindingKind::OversizedWorkload => "oversized-workload",
            FindingKind::UndersizedWorkload => "undersized-workload",
            FindingKind::OutOfMemory => "out-of-memory",
            FindingKind::LikelyLeak => "likely-leak",
            FindingKind::OfficeHours => "office-hours",
        }
    }
}

impl FindingKind {
    /// The plan that ends what was found; `None`: it is a recommendation, and only a person can do something about it.
    pub fn ended_by(self) -> Option<PlanKind> {
        match self {
            FindingKind::Ghost => Some(PlanKind::Ghost),
            FindingKind::ZombieVolume => Some(PlanKind::ZombieVolume),
            FindingKind::CrossZone
            | FindingKind::IdleLoadBalancer
            | FindingKind::IdleNatGateway
            | FindingKind::IdleAddress
            | FindingKind::OversizedWorkload
            | FindingKind::UndersizedWorkload
            | FindingKind::OutOfMemory
            | FindingKind::LikelyLeak
            | FindingKind::OfficeHours => None,
        }
    }
}

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum FindingState {
    /// It stands, and nothing is done about it now.
    Open,
    /// A plan deals with it.
    Acting {
        /// The plan.
        plan: PlanId,
    },
    /// It is over.
    Resolved {
        /// Since when.
        at: Timestamp,
        /// What ended it, in one sentence.
        why: String,
    },
    /// A person does not want to hear of it; nothing is done about it until it is over, or rests on something else than what they saw.
    Dismissed {
        /// Who.
        by: String,
        /// When.
        at: Timestamp,
        /// Why, in their words.
        #[serde(default)]
        why: String,
    },
}

impl FindingState {
    /// Whether it still stands: open or being acted on.
    pub fn stands(&self) -> bool {
        match self {
            FindingState::Open | FindingState::Acting { .. } => true,
            FindingState::Resolved { .. } | FindingState::Dismissed { .. } => false,
        }
    }

    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            FindingState::Open => "open",
            FindingState::Acting { .. } => "acting",
            FindingState::Resolved { .. } => "resolved",
            FindingState::Dismissed { .. } => "dismissed",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id: see [`Finding::id_of`].
    pub id: FindingId,
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// What it is.
    pub kind: FindingKind,
    /// What it is about: `i-...`, `vol-...`, `deployment shop/web`.
    pub subject: String,
    /// What it rests on, a sentence each.
    pub evidence: Vec<String>,
    /// What it costs per month of 730 hours, millionths of a US dollar; below zero where the remedy costs more than what is now.
    /// `None`: unpriced, which is not the same as nothing.
    pub cost_per_month: Option<MicroDollars>,
    /// What would be done, and how it could be taken back, in one or two sentences.
    pub remedy: String,
    /// Usage against requests, of a finding on the sizes of a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Box<Fit>>,
    /// When it was first seen, without a break since.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// Where it is.
    pub state: FindingState,
    /// Grows with every write; 1 when it is made.
    pub version: u64,
}

impl Finding {
    /// What a finding is called: `<kind>-<26 letters and digits>`. The same subject leads to the same id.
    pub fn id_of(cluster: &ClusterId, kind: FindingKind, subject: &str) -> FindingId {
        let mut hash = Sha256::new();
        for part in [cluster.as_str(), kind.as_str(), subject] {
            // Length first: "ab" + "c" and "a" + "bc" must differ.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut text = data_encoding::BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
        text.truncate(26);
        #[expect(clippy::unwrap_used, reason = "letters, digits and '-': always an id; a test makes all of them")]
        FindingId::parse(format!("{}-{text}", kind.as_str())).unwrap()
    }

    /// A finding that is seen for the first time.
    pub fn new(customer: CustomerId, cluster: ClusterId, kind: FindingKind, subject: &str, now: Timestamp) -> Finding {
        Finding {
            id: Finding::id_of(&cluster, kind, subject),
            customer,
            cluster,
            kind,
            subject: subject.to_owned(),
            evidence: Vec::new(),
            cost_per_month: None,
            remedy: String::new(),
            fit: None,
            first_seen: now,
            last_seen: now,
            state: FindingState::Open,
            version: 1,
        }
    }

    /// What to write when it is seen, over what stands in the table, if anything does. What was resolved opens anew, with a new
    /// first sight; what is acted on stays so. What is dismissed stays so, with the words that were dismissed, as long as it rests on
    /// the same grounds; on other grounds it opens again. `None`: it stands there on the same grounds, and was last seen less than
    /// `every` ago, so a write tells nobody anything.
    pub fn seen_over(self, before: Option<&Finding>, every: jiff::SignedDuration) -> Option<Finding> {
        let Some(before) = before else {
            return Some(self);
        };
        let seen = Finding { version: before.version + 1, ..self };
        match &before.state {
            FindingState::Resolved { .. } => Some(seen),
            FindingState::Dismissed { .. } if seen.put_aside(Some(before)) => {
                let still = Finding { last_seen: seen.last_seen, version: seen.version, ..before.clone() };
                (before.last_seen + every <= seen.last_seen).then_some(still)
            }
            FindingState::Dismissed { .. } => Some(Finding { first_seen: before.first_seen, ..seen }),
            FindingState::Open | FindingState::Acting { .. } => {
                let seen = Finding { first_seen: before.first_seen, state: before.state.clone(), ..seen };
                // Figures move from look to look; a plan is made of those of its own look, not of those that are told.
                let same = grounds::same(before, &seen) && grounds::alike(&before.remedy, &seen.remedy);
                (!same || before.last_seen + every <= seen.last_seen).then_some(seen)
            }
        }
    }

    /// Whether a person has put it aside, by what stands in the table, and it still rests on the grounds that they saw: nothing is to be
    /// done about it.
    pub fn put_aside(&self, before: Option<&Finding>) -> bool {
        before.is_some_and(|before| matches!(before.state, FindingState::Dismissed { .. }) && grounds::same(before, self))
    }

    /// The same finding in another state, to be written next.
    pub fn with(&self, state: FindingState) -> Finding {
        Finding { state, version: self.version + 1, ..self.clone() }
    }
}

mod grounds;

#[cfg(test)]
mod tests;
