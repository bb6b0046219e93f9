//! Which pools a node may come from, best first, why the others may not, and how several nodes are spread over them.
//!
//! [`rank`] orders offerings by what an hour of them is expected to cost; [`spread`] distributes nodes so that no pool holds
//! too much; [`Fallback`] keeps what had to leave spot from going back and forth. All of it is deterministic: the same values
//! give the same answer, in whatever order they come.

mod commitments;
mod effective;
mod fallback;
mod policy;
mod reason;
mod refuse;
mod spread;
mod standing;

pub use commitments::{Commitments, Hour, Reserved, SavingsPlan};
pub use effective::Cost;
pub use fallback::Fallback;
pub use policy::{Floor, SpotPolicy, Trait};
pub use reason::Reason;
pub use spread::{Held, Holdings, Pick, Spread, spread};
pub use standing::standing_order;

use domain::Timestamp;
use domain::catalog::TypeInfo;
use domain::ids::{SubnetId, Zone};
use domain::market::Quote;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Offering, Pool};
use std::collections::BTreeSet;

/// A pool that could be used, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate<'a> {
    /// Type, zone and capacity type. The unit in which EC2 runs out of spot.
    pub pool: Pool,
    /// A subnet of the cluster in the zone.
    pub subnet: SubnetId,
    /// What a node of the type offers.
    pub info: &'a TypeInfo,
    /// Its price, observed or estimated; without one it is refused.
    pub price: Option<Quote>,
    /// The rate at which savings plans count an on-demand hour of it, where known.
    pub committed_rate: Option<MicroDollars>,
    /// Its risk score in [0, 1] (see [`crate::risk`]). Of no meaning for on-demand.
    pub risk: f64,
    /// How likely it is interrupted within an hour, in [0, 1] (see [`crate::predict`]). Of no meaning for on-demand.
    pub interruption_per_hour: f64,
}

/// Whether the pods may run on Arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm64 {
    /// Every image of the pod class is known to have an arm64 build.
    Allowed,
    /// It is not known, or known not to.
    NotAllowed,
}

/// Which zones the pods can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZoneChoice {
    /// This one only: a volume lives there. Prices are that zone's.
    Pinned(Zone),
    /// Any of these. Where an instance ends up is not certain before it is launched, so a type is judged by its dearest zone.
    Open(BTreeSet<Zone>),
}

/// What the node is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Pods wait for it, or a node was lost.
    Launch,
    /// It replaces a node that could as well stay, so it must be cheaper.
    Replace {
        /// What the present node is paid as.
        current: CapacityType,
        /// What ending the present node saves per hour: its price, plus its expected interruptions if it is spot
        /// ([`Cost::expected`]), less what stays paid for ([`Commitments::saved_by_one_less`]). `None`: not known.
        saves: Option<MicroDollars>,
    },
}

/// What is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// CPU that the pods take, thousandths of a core.
    pub cpu_millis: u64,
    /// Memory that the pods take, bytes.
    pub memory_bytes: u64,
    /// How many pods, those of DaemonSets included.
    pub pods: u32,
    /// How many GPUs.
    pub gpus: u32,
    /// Whether the pods may run on Arm.
    pub arm64: Arm64,
    /// Where they can go.
    pub zones: ZoneChoice,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a choice rests on besides the offerings.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What the customer allows.
    pub policy: &'a SpotPolicy,
    /// Pools that had no capacity, or interrupted, a short while ago.
    pub unavailable: &'a BTreeSet<Pool>,
    /// What is paid for already.
    pub commitments: &'a Commitments,
    /// Whether the workload or cluster has fallen back to on-demand.
    pub fallback: Option<Fallback>,
    /// Now.
    pub now: Timestamp,
}

/// An offering that may be taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Pool, subnet, and the pool's own price.
    pub offering: Offering,
    /// That price and how it is known.
    pub price: Quote,
    /// What an hour is expected to cost, and what makes it so.
    pub cost: Cost,
    /// The risk score; 0 for on-demand.
    pub risk: f64,
    /// The on-demand hour that commitments are asked about.
    hour: Hour,
}

impl std::fmt::Display for Ranked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cost { price, interruption, premium } = self.cost;
        write!(f, "{}: {price} an hour, interruptions {interruption}, risk {:.2} counted as {premium}", self.offering.pool, self.risk)
    }
}

/// An offering that may not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The pool.
    pub pool: Pool,
    /// Why not.
    pub reason: Reason,
}

/// The answer: every candidate is in one of the two lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    /// What may be taken, best first.
    pub ranked: Vec<Ranked>,
    /// What may not, and why, by pool.
    pub rejected: Vec<Rejected>,
}

/// Orders candidates by what an hour is expected to cost: price, plus expected interruptions, plus a premium for risk. An
/// on-demand hour under an unused commitment costs nothing and so comes first.
///
/// # Guarantees
/// Every candidate is answered once. Nothing is ranked without a price, on Arm without leave, in a zone that the pods cannot go
/// to, too small, of a refused sort, or out of an unavailable pool. Spot is ranked only below the cheapest on-demand price that would do, and only
/// with as much to choose from as the policy wants. Ties go to the cheaper pool, then the calmer, then by name.
pub fn rank(candidates: &[Candidate<'_>], need: &Need, given: &Given<'_>) -> Ranking {
    let mut rejected = Vec::new();
    let mut refuse = |candidate: &Candidate<'_>, reason: Reason| {
        rejected.push(Rejected { pool: candidate.pool.clone(), reason });
    };
    let on_demand = refuse::cheapest_on_demand(candidates, need, given.policy);
    let mut fit: Vec<(&Candidate<'_>, Quote)> = Vec::new();
    for candidate in candidates {
        match refuse::alone(candidate, need, given, on_demand) {
            Ok(price) => fit.push((candidate, price)),
            Err(reason) => refuse(candidate, reason),
        }
    }
    // Zones first, then whether it pays: a dear zone that is refused must not make its type look dear, so the worst is taken
    // over what is left.
    let mut ranked: Vec<Ranked> = Vec::new();
    let worst = effective::worst_prices(&fit, need);
    for (candidate, price) in &fit {
        let full = worst.get(&(&candidate.pool.instance_type, candidate.pool.capacity)).copied().unwrap_or(price.price_per_hour);
        let one = effective::ranked(candidate, *price, full, on_demand, given);
        match refuse::not_worth_it(&one, &need.purpose) {
            None => ranked.push(one),
            Some(reason) => refuse(candidate, reason),
        }
    }
    if let Some(reason) = refuse::inflexible(&ranked, &need.purpose, given.policy) {
        ranked.retain(|one| {
            let stays = one.offering.pool.capacity == CapacityType::OnDemand;
            if !stays {
                rejected.push(Rejected { pool: one.offering.pool.clone(), reason });
            }
            stays
        });
    }
    ranked.sort_by(effective::order);
    rejected.sort_by(|a, b| a.pool.cmp(&b.pool).then_with(|| a.reason.code().cmp(b.reason.code())));
    Ranking { ranked, rejected }
}

#[cfg(test)]
mod tests;
