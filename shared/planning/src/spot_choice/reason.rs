//! Why an offering was not taken.

use super::Trait;
use domain::Timestamp;
use domain::money::MicroDollars;

/// Why an offering was not taken. The text is for people, the code for everything that counts and compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Its price is not known: nothing is bought blindly.
    #[error("its price is not known")]
    PriceUnknown,
    /// No on-demand price is known to compare spot with.
    #[error("no on-demand price is known to compare it with")]
    OnDemandUnknown,
    /// Its risk or its probability is no number from 0 to 1.
    #[error("its risk is not known")]
    RiskUnknown,
    /// The price of what would be replaced is not known, so no saving can be shown.
    #[error("the price of the node that it would replace is not known")]
    CurrentPriceUnknown,
    /// It is Arm, and the pods' images are not known to run there.
    #[error("the pods are not known to run on arm64")]
    Arm64NotAllowed,
    /// The policy wants no type of this sort.
    #[error("the policy wants no type that is {}", sort(*.0))]
    Unwanted(Trait),
    /// The pods cannot go to its zone.
    #[error("the pods cannot go to its zone")]
    WrongZone,
    /// A node of the type is too small for the pods.
    #[error("a node of the type is too small")]
    TooSmall,
    /// The pool had no capacity, or interrupted, a short while ago.
    #[error("the pool had no capacity a short while ago")]
    Unavailable,
    /// The risk is above the policy's limit.
    #[error("its risk is above what the policy allows")]
    RiskTooHigh,
    /// Spot costs as much as on-demand, or more.
    #[error("spot at {spot} is not cheaper than on-demand at {on_demand}")]
    DearerThanOnDemand {
        /// Its price per hour.
        spot: MicroDollars,
        /// The cheapest on-demand price per hour that would do.
        on_demand: MicroDollars,
    },
    /// It costs as much as what it would replace, or more.
    #[error("at {expected} it saves nothing: the node that it would replace costs {saves}")]
    NotCheaper {
        /// What it is expected to cost per hour, interruptions included.
        expected: MicroDollars,
        /// What ending the present node saves per hour.
        saves: MicroDollars,
    },
    /// Too few pools would do: with few to choose from the next interruption finds no way out.
    #[error("only {have} would do where the policy wants {need} to choose from")]
    TooInflexible {
        /// Types (spot to spot) or pools (else) that would do.
        have: u32,
        /// What the policy wants.
        need: u32,
    },
    /// Spot had trouble, and has not been quiet for long enough.
    #[error("spot had trouble; it is tried again from {until}")]
    QuietTime {
        /// When it may be tried again.
        until: Timestamp,
    },
    /// One pool would hold too much of the workload.
    #[error("the pool would hold too much of the workload")]
    PoolShareWorkload,
    /// One pool would hold too much of the cluster.
    #[error("the pool would hold too much of the cluster")]
    PoolShareCluster,
    /// The policy wants on-demand here, and no on-demand offering is left.
    #[error("the policy keeps a part on on-demand, and no on-demand offering is left")]
    OnDemandFloor,
    /// Nothing is left to choose from.
    #[error("no offering is left")]
    NothingLeft,
}

impl Reason {
    /// The code in answers, logs and counters. It never changes.
    pub fn code(self) -> &'static str {
        match self {
            Reason::PriceUnknown => "price-unknown",
            Reason::OnDemandUnknown => "on-demand-unknown",
            Reason::RiskUnknown => "risk-unknown",
            Reason::CurrentPriceUnknown => "current-price-unknown",
            Reason::Arm64NotAllowed => "arm64-not-allowed",
            Reason::Unwanted(Trait::Burstable) => "burstable",
            Reason::Unwanted(Trait::PreviousGeneration) => "previous-generation",
            Reason::Unwanted(Trait::Metal) => "metal",
            Reason::Unwanted(Trait::Accelerated) => "accelerated",
            Reason::WrongZone => "wrong-zone",
            Reason::TooSmall => "too-small",
            Reason::Unavailable => "unavailable",
            Reason::RiskTooHigh => "risk-too-high",
            Reason::DearerThanOnDemand { .. } => "dearer-than-on-demand",
            Reason::NotCheaper { .. } => "not-cheaper",
            Reason::TooInflexible { .. } => "too-inflexible",
            Reason::QuietTime { .. } => "quiet-time",
            Reason::PoolShareWorkload => "pool-share-workload",
            Reason::PoolShareCluster => "pool-share-cluster",
            Reason::OnDemandFloor => "on-demand-floor",
            Reason::NothingLeft => "nothing-left",
        }
    }
}

fn sort(of: Trait) -> &'static str {
    match of {
        Trait::Burstable => "burstable",
        Trait::PreviousGeneration => "of a previous generation",
        Trait::Metal => "a whole machine",
        Trait::Accelerated => "accelerated, where the pods ask for no GPU",
    }
}
