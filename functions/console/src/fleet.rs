//! What is read of a whole customer, kept for a moment: sums over a thousand clusters are not read anew for each page.
//!
//! Within [`FRESH`] the kept one is shown, with its age. After that it is still shown, while one task reads the next [`STEP`] clusters anew,
//! so that a walk goes round all of them again and again; only what is older than [`STALE`] is waited for. So pages are as fast as what they
//! show is old, and they say how old the oldest of it is.

use domain::Timestamp;
use domain::finding::Finding;
use domain::ids::ClusterId;
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState};
use domain::savings::{Hour, hour_of};
use domain::tenant::Cluster;
use std::sync::Arc;

mod reading;

pub use reading::{CLUSTERS_MAX, FRESH, Fleets, STALE, STEP, fleet};

/// One cluster in figures.
pub struct Brief {
    /// When this was read.
    pub at: Timestamp,
    /// It.
    pub cluster: Cluster,
    /// Its closed hours of the last day, oldest first.
    pub day: Vec<Hour>,
    /// Its nodes, by capacity type.
    pub spot: usize,
    /// The others.
    pub on_demand: usize,
    /// Proposals from which something may still come.
    pub open: Vec<Proposal>,
}

impl Brief {
    /// The last closed hour.
    pub fn last(&self) -> Option<&Hour> {
        self.day.last()
    }

    /// Proposals that wait for a person.
    pub fn waiting(&self) -> impl Iterator<Item = &Proposal> {
        self.open.iter().filter(|proposal| matches!(proposal.state, ProposalState::Waiting { .. }))
    }
}

/// A customer in figures.
#[derive(Clone, Default)]
pub struct Fleet {
    /// When the oldest part of it was read.
    pub at: Timestamp,
    /// The clusters, by id.
    pub clusters: Vec<Arc<Brief>>,
    /// Whether there are more.
    pub more: bool,
    /// What was found, last seen first.
    pub findings: Arc<Vec<Finding>>,
    /// What the closed hours of this month (UTC) have cost, those of clusters that are gone included.
    pub month_cost: MicroDollars,
    /// How many hours those are, of all clusters.
    pub month_hours: u64,
    /// Plans that nobody works on: their time to be looked at passed more than three minutes ago.
    pub overdue: usize,
    /// When the findings, the month and those plans were read.
    pub sums_at: Timestamp,
}

impl Fleet {
    fn lasts(&self) -> impl Iterator<Item = &Hour> {
        self.clusters.iter().filter_map(|brief| brief.last())
    }

    /// A sum over the last hour of each cluster.
    pub fn now(&self, of: fn(&Hour) -> MicroDollars) -> MicroDollars {
        self.lasts().map(of).sum()
    }

    /// A sum over the last day of all clusters.
    pub fn day(&self, of: fn(&Hour) -> MicroDollars) -> MicroDollars {
        self.clusters.iter().flat_map(|brief| &brief.day).map(of).sum()
    }

    /// What this month (UTC) has cost by its closed hours, and what it will by its end if each hour to come costs what the last day's did on
    /// average. `None`: no hour is closed.
    pub fn month(&self, now: Timestamp) -> Option<(MicroDollars, MicroDollars)> {
        let mut to_come = MicroDollars::default();
        let left = month_of(now).1.duration_since(hour_of(now)).as_hours();
        for brief in self.clusters.iter().filter(|brief| !brief.day.is_empty()) {
            let sum: MicroDollars = brief.day.iter().map(|hour| hour.cost).sum();
            let hours = i64::try_from(brief.day.len()).unwrap_or(i64::MAX);
            to_come = to_come + MicroDollars((sum.0 / hours).saturating_mul(left));
        }
        self.clusters.iter().any(|brief| !brief.day.is_empty()).then(|| (self.month_cost, self.month_cost + to_come))
    }

    /// When the oldest of the last hours was looked at.
    pub fn seen_at(&self) -> Option<Timestamp> {
        self.lasts().map(|hour| hour.seen_at).min()
    }

    /// One cluster.
    pub fn find(&self, id: &ClusterId) -> Option<&Arc<Brief>> {
        let at = self.clusters.binary_search_by(|brief| brief.cluster.id.cmp(id)).ok()?;
        self.clusters.get(at)
    }
}

/// The beginning of the month (UTC) that an instant lies in, and of the next one.
pub fn month_of(at: Timestamp) -> (Timestamp, Timestamp) {
    let first = at.to_zoned(jiff::tz::TimeZone::UTC).first_of_month().and_then(|day| day.start_of_day());
    let next = first.as_ref().ok().and_then(|first| first.checked_add(jiff::Span::new().months(1)).ok());
    let begin = first.map_or(at, |first| first.timestamp());
    (begin, next.map_or(at, |next| next.timestamp()))
}
