//! What is counted.

use super::prices::Pico;
use std::collections::BTreeMap;

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    MegabyteMillis,
    /// Of visits that wait side by side: the sweeper's and those of office hours.
    VisitingMegabyteMillis,
    Invocations,
    HalfReads,
    Writes,
    Messages,
    Events,
    Unsealings,
    LogBytes,
    OutBytes,
    ApiCalls,
}

impl Part {
    pub const ALL: [Part; 11] = [
        Part::MegabyteMillis,
        Part::VisitingMegabyteMillis,
        Part::Invocations,
        Part::HalfReads,
        Part::Writes,
        Part::Messages,
        Part::Events,
        Part::Unsealings,
        Part::LogBytes,
        Part::OutBytes,
        Part::ApiCalls,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Part::MegabyteMillis => "Lambda, MB-ms",
            Part::VisitingMegabyteMillis => "Lambda, MB-ms of visits side by side",
            Part::Invocations => "Lambda, requests",
            Part::HalfReads => "DynamoDB, half read units",
            Part::Writes => "DynamoDB, write units",
            Part::Messages => "SQS, messages",
            Part::Events => "EventBridge, events and ticks",
            Part::Unsealings => "KMS, decryptions",
            Part::LogBytes => "CloudWatch, bytes of logs",
            Part::OutBytes => "bytes to clusters",
            Part::ApiCalls => "API, requests",
        }
    }

    /// Whether it depends on what is called alone, and not on how fast this machine is.
    pub fn is_counted(self) -> bool {
        self != Part::MegabyteMillis
    }
}

/// How much of each.
#[derive(Debug, Default, Clone)]
pub struct Counted {
    parts: BTreeMap<Part, u128>,
    /// How many metrics were counted.
    pub metrics: usize,
    /// What each function and each kind of row costs.
    pub shares: BTreeMap<String, Pico>,
}

impl Counted {
    pub fn of(&self, part: Part) -> u128 {
        self.parts.get(&part).copied().unwrap_or_default()
    }

    /// What is counted more here.
    pub fn without(mut self, other: &Counted) -> Counted {
        for (part, units) in &mut self.parts {
            *units = units.saturating_sub(other.of(*part));
        }
        for (name, cost) in &mut self.shares {
            *cost = cost.saturating_sub(other.shares.get(name).copied().unwrap_or_default());
        }
        self
    }

    pub fn share(&mut self, name: String, cost: Pico) {
        *self.shares.entry(name).or_default() += cost;
    }

    pub fn add(&mut self, part: Part, units: u64) {
        *self.parts.entry(part).or_default() += u128::from(units);
    }
}
