//! What is read of a whole customer, kept for a moment: sums over a thousand clusters are not read anew for each page.
//!
//! Within [`FRESH`] the kept one is shown, with its age. After that it is still shown, while one task reads anew; only what is older than
//! [`STALE`] is waited for. So pages are as fast as what they show is old, and they say how old that is.

use crate::Deps;
use crate::failure::Failure;
use domain::finding::Finding;
use domain::ids::{ClusterId, CustomerId};
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use domain::optimization::{Proposal, ProposalState};
use domain::savings::{Hour, hour_of};
use domain::tenant::Cluster;
use domain::{SignedDuration, Timestamp};
use futures::{StreamExt, TryStreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long what was read is not read anew.
pub const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How old what is shown may be.
pub const STALE: SignedDuration = SignedDuration::from_mins(10);
/// How many clusters are read at the same time.
const AT_ONCE: usize = 16;
/// How many clusters of a customer are read: beyond, sums are of the first so many, and pages say so.
pub const CLUSTERS_MAX: usize = 2_000;
/// With more clusters than this no month is summed up: it is up to 744 rows of each.
const MONTHS_MAX: usize = 50;
/// How many findings are read.
const FINDINGS_MAX: usize = 1_000;

/// One cluster in figures.
pub struct Brief {
    /// It.
    pub cluster: Cluster,
    /// Its closed hours of the last day, oldest first.
    pub day: Vec<Hour>,
    /// What its closed hours of this month (UTC) have cost, and how many there are; `None`: not summed up, for there are too many clusters.
    pub month: Option<(MicroDollars, usize)>,
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
pub struct Fleet {
    /// When it was read.
    pub at: Timestamp,
    /// The clusters, by id.
    pub clusters: Vec<Brief>,
    /// Whether there are more.
    pub more: bool,
    /// What was found, last seen first.
    pub findings: Vec<Finding>,
}

impl Fleet {
    /// A sum over the last hour of each cluster.
    pub fn now(&self, of: fn(&Hour) -> MicroDollars) -> MicroDollars {
        self.clusters.iter().filter_map(Brief::last).map(of).sum()
    }

    /// A sum over the last day of all clusters.
    pub fn day(&self, of: fn(&Hour) -> MicroDollars) -> MicroDollars {
        self.clusters.iter().flat_map(|brief| &brief.day).map(of).sum()
    }

    /// What this month (UTC) has cost by its closed hours, and what it will by its end if each hour to come costs what the last day's did on
    /// average. `None`: no month is summed up, or no hour is closed.
    pub fn month(&self, now: Timestamp) -> Option<(MicroDollars, MicroDollars)> {
        let so_far: MicroDollars =
            self.clusters.iter().map(|brief| brief.month).collect::<Option<Vec<_>>>()?.iter().map(|(cost, _)| *cost).sum();
        let mut to_come = MicroDollars::default();
        let left = month_of(now).1.duration_since(hour_of(now)).as_hours();
        for brief in self.clusters.iter().filter(|brief| !brief.day.is_empty()) {
            let sum: MicroDollars = brief.day.iter().map(|hour| hour.cost).sum();
            let hours = i64::try_from(brief.day.len()).unwrap_or(i64::MAX);
            to_come = to_come + MicroDollars((sum.0 / hours).saturating_mul(left));
        }
        self.clusters.iter().any(|brief| !brief.day.is_empty()).then(|| (so_far, so_far + to_come))
    }

    /// When the oldest of the last hours was looked at.
    pub fn seen_at(&self) -> Option<Timestamp> {
        self.clusters.iter().filter_map(Brief::last).map(|hour| hour.seen_at).min()
    }

    /// One cluster.
    pub fn find(&self, id: &ClusterId) -> Option<&Brief> {
        self.clusters.iter().find(|brief| brief.cluster.id == *id)
    }
}

#[derive(Default)]
struct Kept {
    fleet: Option<Arc<Fleet>>,
    reading: bool,
}

/// Fleets that were read.
#[derive(Clone, Default)]
pub struct Fleets(Arc<Mutex<HashMap<CustomerId, Kept>>>);

impl Fleets {
    fn with<T>(&self, customer: &CustomerId, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(customer.clone()).or_default())
    }

    /// Forgets what was read: after a write people want to see what it did.
    pub fn forget(&self, customer: &CustomerId) {
        self.with(customer, |kept| kept.fleet = None);
    }
}

/// The fleet of a customer, as it was read a moment ago.
///
/// # Errors
/// Nothing is kept, and the table did not answer.
pub async fn fleet(deps: &Arc<Deps>, customer: &CustomerId) -> Result<Arc<Fleet>, Failure> {
    let now = deps.clock.now();
    let (kept, read) = deps.fleets.with(customer, |kept| {
        let young = |limit: SignedDuration| kept.fleet.clone().filter(|fleet| now.duration_since(fleet.at) < limit);
        match (young(FRESH), young(STALE)) {
            (Some(fresh), _) => (Some(fresh), false),
            (None, Some(old)) => (Some(old), !std::mem::replace(&mut kept.reading, true)),
            (None, None) => (None, true),
        }
    });
    match kept {
        Some(fleet) => {
            if read {
                let (deps, customer) = (Arc::clone(deps), customer.clone());
                tokio::spawn(async move {
                    if let Err(error) = again(&deps, &customer).await {
                        tracing::warn!(?error, "A fleet could not be read anew; the old one is shown");
                    }
                });
            }
            Ok(fleet)
        }
        None => again(deps, customer).await,
    }
}

async fn again(deps: &Arc<Deps>, customer: &CustomerId) -> Result<Arc<Fleet>, Failure> {
    let read = read(deps, customer).await.map(Arc::new);
    deps.fleets.with(customer, |kept| {
        kept.reading = false;
        if let Ok(fleet) = &read {
            kept.fleet = Some(Arc::clone(fleet));
        }
    });
    read
}

async fn read(deps: &Arc<Deps>, customer: &CustomerId) -> Result<Fleet, Failure> {
    let at = deps.clock.now();
    let (mut clusters, mut after) = (Vec::new(), None);
    loop {
        let page = deps.registry.clusters(customer, after.as_deref(), 500).await?;
        clusters.extend(page.items);
        after = page.next;
        if after.is_none() || clusters.len() >= CLUSTERS_MAX {
            break;
        }
    }
    let months = clusters.len() <= MONTHS_MAX;
    let briefs = futures::stream::iter(clusters).map(|cluster| brief(deps, cluster, at, months)).buffered(AT_ONCE).try_collect().await?;
    let found = deps.findings.findings(customer, None, FINDINGS_MAX).await?;
    Ok(Fleet { at, clusters: briefs, more: after.is_some(), findings: found.items })
}

/// The beginning of the month (UTC) that an instant lies in, and of the next one.
pub fn month_of(at: Timestamp) -> (Timestamp, Timestamp) {
    let first = at.to_zoned(jiff::tz::TimeZone::UTC).first_of_month().and_then(|day| day.start_of_day());
    let next = first.as_ref().ok().and_then(|first| first.checked_add(jiff::Span::new().months(1)).ok());
    let begin = first.map_or(at, |first| first.timestamp());
    (begin, next.map_or(at, |next| next.timestamp()))
}

async fn brief(deps: &Arc<Deps>, cluster: Cluster, now: Timestamp, months: bool) -> Result<Brief, Failure> {
    let from = hour_of(now) - SignedDuration::from_hours(24);
    let month = month_of(now).0;
    let begin = if months { from.min(month) } else { from };
    let (hours, nodes, open) = tokio::join!(
        deps.ledger.hours(&cluster.customer, &cluster.id, begin, 770),
        deps.routes.nodes(&cluster.customer, &cluster.id),
        deps.optimizations.open_proposals(&cluster.customer, &cluster.id)
    );
    let nodes = nodes?;
    let spot = nodes.iter().filter(|node| node.pool.capacity == CapacityType::Spot).count();
    let hours = hours?;
    let of_month: Vec<MicroDollars> = hours.iter().filter(|hour| hour.begins >= month).map(|hour| hour.cost).collect();
    let month = months.then(|| (of_month.iter().copied().sum(), of_month.len()));
    let day = hours.into_iter().filter(|hour| hour.begins >= from).collect();
    Ok(Brief { day, month, spot, on_demand: nodes.len() - spot, open: open?, cluster })
}
