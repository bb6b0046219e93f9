//! What is counted.

use super::prices::Pico;
use std::collections::BTreeMap;

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    MegabyteMillis,
    /// Of visits that wait side by side: the sweeper's and those of office hours.
    VisitingMegabyteMillis,
    /// Of rounds, which wait side by side, too: those of one batch.
    RoundMegabyteMillis,
    /// The same of scans.
    ScanMegabyteMillis,
    Invocations,
    /// Rounds: a batch of them is one invocation.
    Rounds,
    /// Scans, too.
    Scans,
    HalfReads,
    Writes,
    Messages,
    /// Messages of rounds, which are sent, received and deleted by the batch.
    RoundMessages,
    /// Messages of scans, which are sent one by one, received and deleted by the batch.
    ScanMessages,
    Events,
    Unsealings,
    LogBytes,
    OutBytes,
}

impl Part {
    pub const ALL: [Part; 16] = [
        Part::MegabyteMillis,
        Part::VisitingMegabyteMillis,
        Part::RoundMegabyteMillis,
        Part::ScanMegabyteMillis,
        Part::Invocations,
        Part::Rounds,
        Part::Scans,
        Part::HalfReads,
        Part::Writes,
        Part::Messages,
        Part::RoundMessages,
        Part::ScanMessages,
        Part::Events,
        Part::Unsealings,
        Part::LogBytes,
        Part::OutBytes,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Part::MegabyteMillis => "Lambda, MB-ms",
            Part::VisitingMegabyteMillis => "Lambda, MB-ms of visits side by side",
            Part::RoundMegabyteMillis => "Lambda, MB-ms of rounds in batches",
            Part::ScanMegabyteMillis => "Lambda, MB-ms of scans in batches",
            Part::Invocations => "Lambda, requests",
            Part::Rounds => "Lambda, rounds in batches",
            Part::Scans => "Lambda, scans in batches",
            Part::HalfReads => "DynamoDB, half read units",
            Part::Writes => "DynamoDB, write units",
            Part::Messages => "SQS, messages",
            Part::RoundMessages => "SQS, messages in batches",
            Part::ScanMessages => "SQS, messages of scans",
            Part::Events => "EventBridge, events and ticks",
            Part::Unsealings => "KMS, decryptions",
            Part::LogBytes => "CloudWatch, bytes of logs",
            Part::OutBytes => "bytes sent to clusters",
        }
    }

    /// Whether it depends on what is called alone, and not on how fast this machine is.
    pub fn is_counted(self) -> bool {
        ![Part::MegabyteMillis, Part::RoundMegabyteMillis, Part::ScanMegabyteMillis].contains(&self)
    }

    /// By how many its units are shared where there are so many clusters: what waits side by side is paid by the one that waits longest.
    pub fn shared_by(self, clusters: u128) -> u128 {
        match self {
            Part::VisitingMegabyteMillis => clusters.clamp(1, execution::SIDE_BY_SIDE as u128),
            Part::RoundMegabyteMillis | Part::Rounds => clusters.clamp(1, super::month::batch_of("optimizer")),
            Part::ScanMegabyteMillis | Part::Scans => clusters.clamp(1, super::month::batch_of("ghost-scan")),
            Part::MegabyteMillis
            | Part::Invocations
            | Part::HalfReads
            | Part::Writes
            | Part::Messages
            | Part::RoundMessages
            | Part::ScanMessages
            | Part::Events
            | Part::Unsealings
            | Part::LogBytes
            | Part::OutBytes => 1,
        }
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
