//! How a fleet is read: once as a whole, then a stretch of it at a time, and at once what a form has changed.

use super::{Brief, Fleet};
use crate::Deps;
use crate::failure::Failure;
use domain::finding::Finding;
use domain::ids::{ClusterId, CustomerId};
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use domain::ports::StoreError;
use domain::savings::{Month, hour_of};
use domain::tenant::Cluster;
use domain::{SignedDuration, Timestamp};
use futures::{StreamExt, TryStreamExt};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How long what was read is not read anew.
pub const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How old what is shown may be.
pub const STALE: SignedDuration = SignedDuration::from_mins(10);
/// How many clusters are read anew after each [`FRESH`]: a thousand are gone round in 100 s, with some ten reads a second.
pub const STEP: usize = 50;
/// How many clusters of a customer are read: beyond, sums are of the first so many, and pages say so.
pub const CLUSTERS_MAX: usize = 2_000;
/// How many clusters are read at the same time while somebody waits.
const AT_ONCE: usize = 16;
/// Between two clusters while nobody waits: pages that are asked for meanwhile share the processor with one read at most.
const PAUSE: SignedDuration = SignedDuration::from_millis(20);
/// A plan is overdue when its time to be looked at passed so long ago: the sweeper looks each minute.
const OVERDUE: SignedDuration = SignedDuration::from_mins(3);
/// So many plans are looked at: unfinished ones are among the newest.
const PLANS_MAX: usize = 200;
/// How many clusters one list holds.
const LIST: usize = 500;
/// How many findings are read.
const FINDINGS_MAX: usize = 1_000;

#[derive(Default)]
struct Kept {
    fleet: Option<Arc<Fleet>>,
    /// When a stretch of it was last read.
    read_at: Timestamp,
    /// Where the next stretch begins; `None`: at the beginning.
    after: Option<String>,
    /// Whether a task is at it.
    reading: bool,
    /// What forms have changed since.
    changed: BTreeSet<ClusterId>,
}

/// Fleets that were read.
#[derive(Clone, Default)]
pub struct Fleets(Arc<Mutex<HashMap<CustomerId, Kept>>>);

impl Fleets {
    fn with<T>(&self, customer: &CustomerId, change: impl FnOnce(&mut Kept) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(customer.clone()).or_default())
    }

    /// A form has changed something of a cluster: people want to see at once what it did. The others are not read anew for it.
    pub fn changed(&self, customer: &CustomerId, cluster: &ClusterId) {
        self.with(customer, |kept| kept.changed.insert(cluster.clone()));
    }
}

/// The fleet of a customer, as it was read a moment ago.
///
/// # Errors
/// Nothing is kept, or a form has changed something, and the table did not answer.
pub async fn fleet(deps: &Arc<Deps>, customer: &CustomerId) -> Result<Arc<Fleet>, Failure> {
    let now = deps.clock.now();
    let (kept, changed, behind) = deps.fleets.with(customer, |kept| {
        let young = kept.fleet.clone().filter(|fleet| now.duration_since(fleet.at) < STALE);
        let due = young.is_some() && !kept.reading && now.duration_since(kept.read_at) >= FRESH;
        kept.reading |= due;
        (young, std::mem::take(&mut kept.changed), due)
    });
    if behind {
        let (deps, customer) = (Arc::clone(deps), customer.clone());
        tokio::spawn(async move {
            if let Err(error) = walk(&deps, &customer).await {
                tracing::warn!(?error, "A part of a fleet could not be read anew; the old one is shown");
            }
            deps.fleets.with(&customer, |kept| kept.reading = false);
        });
    }
    match kept {
        None => whole(deps, customer).await,
        Some(fleet) if changed.is_empty() => Ok(fleet),
        Some(_) => some(deps, customer, changed).await,
    }
}

/// Reads all of it.
async fn whole(deps: &Arc<Deps>, customer: &CustomerId) -> Result<Arc<Fleet>, Failure> {
    let at = deps.clock.now();
    let (mut clusters, mut after) = (Vec::new(), None);
    loop {
        let page = deps.registry.clusters(customer, after.as_deref(), LIST).await?;
        clusters.extend(page.items);
        after = page.next;
        if after.is_none() || clusters.len() >= CLUSTERS_MAX {
            break;
        }
    }
    let briefs = futures::stream::iter(clusters).map(|cluster| brief(deps, cluster, at, None)).buffered(AT_ONCE).try_collect();
    let (clusters, sums): (Vec<Arc<Brief>>, _) = tokio::try_join!(briefs, sums(deps, customer, at))?;
    let fleet = Arc::new(sums.onto(Fleet { at, clusters, more: after.is_some(), ..Fleet::default() }));
    Ok(deps.fleets.with(customer, |kept| {
        // Somebody else may have read it later and be done sooner.
        if let Some(newer) = kept.fleet.clone().filter(|kept| kept.at > at) {
            return newer;
        }
        (kept.fleet, kept.read_at, kept.after) = (Some(Arc::clone(&fleet)), at, None);
        fleet
    }))
}

/// Reads the next stretch; and the ones after it at once where nobody has looked for a while, so that all of it is of now soon.
async fn walk(deps: &Arc<Deps>, customer: &CustomerId) -> Result<(), Failure> {
    for _ in 0..CLUSTERS_MAX / STEP {
        let (old, after) = deps.fleets.with(customer, |kept| (kept.fleet.clone(), kept.after.clone()));
        let Some(old) = old else { return Ok(()) };
        let at = deps.clock.now();
        let page = deps.registry.clusters(customer, after.as_deref(), STEP).await?;
        let mut read = Vec::with_capacity(page.items.len());
        for cluster in page.items {
            deps.clock.sleep(PAUSE).await;
            let before = old.find(&cluster.id).cloned();
            read.push(brief(deps, cluster, at, before).await?);
        }
        // Sums are of everybody: once a round is enough.
        let sums = if after.is_none() { Some(sums(deps, customer, at).await?) } else { None };
        let stretch = Stretch { after: after.as_deref(), until: page.next.as_deref() };
        let fleet = deps.fleets.with(customer, |kept| {
            // What a form has changed meanwhile was read after this, and stays.
            let fleet = kept.fleet.take().map(|fleet| stretch.joined(&fleet, read, sums)).map(Arc::new);
            let round = page.next.clone().filter(|_| fleet.as_ref().is_some_and(|fleet| !stretch.last(fleet)));
            (kept.fleet, kept.after, kept.read_at) = (fleet.clone(), round, at);
            fleet
        });
        let Some(fleet) = fleet else { return Ok(()) };
        let round = FRESH * i32::try_from(fleet.clusters.len() / STEP + 1).unwrap_or(i32::MAX);
        if deps.clock.now().duration_since(fleet.at) <= round + round {
            break;
        }
    }
    Ok(())
}

/// A cluster that was read again; `None`: it is gone.
type Again = (ClusterId, Option<Arc<Brief>>);

/// Reads a few clusters that a form has changed something of.
async fn some(deps: &Arc<Deps>, customer: &CustomerId, changed: BTreeSet<ClusterId>) -> Result<Arc<Fleet>, Failure> {
    let at = deps.clock.now();
    let one = |id: ClusterId| async move {
        match deps.registry.cluster(customer, &id).await? {
            Some(cluster) => brief(deps, cluster, at, None).await.map(|brief| (id, Some(brief))),
            None => Ok((id, None)),
        }
    };
    let briefs = futures::stream::iter(changed.clone()).map(one).buffered(AT_ONCE).try_collect();
    let read: Result<(Vec<Again>, Sums), Failure> = tokio::try_join!(briefs, sums(deps, customer, at));
    let (read, sums) = read.inspect_err(|_| deps.fleets.with(customer, |kept| kept.changed.extend(changed)))?;
    deps.fleets.with(customer, |kept| {
        let mut fleet = kept.fleet.as_deref().cloned().unwrap_or_default();
        for (id, brief) in read {
            fleet.clusters.retain(|old| old.cluster.id != id);
            fleet.clusters.extend(brief);
        }
        fleet.clusters.sort_by(|a, b| a.cluster.id.cmp(&b.cluster.id));
        let fleet = Arc::new(sums.onto(fleet));
        kept.fleet = Some(Arc::clone(&fleet));
        Ok(fleet)
    })
}

/// A part of the list of clusters: behind one id, up to another.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    after: Option<&'a str>,
    until: Option<&'a str>,
}

impl Stretch<'_> {
    fn holds(&self, brief: &Brief) -> bool {
        let id = brief.cluster.id.as_str();
        self.after.is_none_or(|after| id > after) && self.until.is_none_or(|until| id <= until)
    }

    /// Whether nothing is read behind it.
    fn last(&self, fleet: &Fleet) -> bool {
        self.until.is_none_or(|until| fleet.clusters.iter().take_while(|brief| brief.cluster.id.as_str() <= until).count() >= CLUSTERS_MAX)
    }

    /// A fleet with this part of it as it was read now. What is not among it is gone.
    fn joined(&self, fleet: &Fleet, read: Vec<Arc<Brief>>, sums: Option<Sums>) -> Fleet {
        let newer = |brief: Arc<Brief>| match fleet.find(&brief.cluster.id) {
            Some(old) if old.at > brief.at => Arc::clone(old),
            _ => brief,
        };
        let mut clusters: Vec<Arc<Brief>> = fleet.clusters.iter().filter(|brief| !self.holds(brief)).cloned().collect();
        clusters.extend(read.into_iter().map(newer));
        clusters.sort_by(|a, b| a.cluster.id.cmp(&b.cluster.id));
        let more = clusters.len() > CLUSTERS_MAX || (self.until.is_some() && fleet.more);
        clusters.truncate(CLUSTERS_MAX);
        let joined = Fleet { clusters, more, ..fleet.clone() };
        let mut joined = match sums {
            Some(sums) if sums.at >= fleet.sums_at => sums.onto(joined),
            _ => joined,
        };
        joined.at = joined.clusters.iter().map(|brief| brief.at).min().unwrap_or(joined.sums_at);
        joined
    }
}

/// What is read of all clusters at once.
struct Sums {
    at: Timestamp,
    findings: Vec<Finding>,
    month_cost: MicroDollars,
    month_hours: u64,
    overdue: usize,
}

impl Sums {
    fn onto(self, fleet: Fleet) -> Fleet {
        let Sums { at, findings, month_cost, month_hours, overdue } = self;
        Fleet { sums_at: at, findings: Arc::new(findings), month_cost, month_hours, overdue, ..fleet }
    }
}

async fn sums(deps: &Arc<Deps>, customer: &CustomerId, at: Timestamp) -> Result<Sums, Failure> {
    let (found, month, newest) = tokio::try_join!(
        deps.findings.findings(customer, None, FINDINGS_MAX),
        deps.ledger.metered(customer, Month::of(at)),
        deps.trail.plans(customer, None, PLANS_MAX)
    )?;
    Ok(Sums {
        at,
        findings: found.items,
        month_cost: month.iter().map(|one| one.cost).sum(),
        month_hours: month.iter().map(|one| one.hours).sum(),
        overdue: newest.items.iter().filter(|one| one.progress.outcome.is_none() && one.progress.due_at <= at - OVERDUE).count(),
    })
}

/// One cluster, as it is now. Of what was read before, what cannot have changed is kept: closed hours, and nodes since the last look.
async fn brief(deps: &Arc<Deps>, cluster: Cluster, at: Timestamp, before: Option<Arc<Brief>>) -> Result<Arc<Brief>, Failure> {
    let from = hour_of(at) - SignedDuration::from_hours(24);
    let mut day = before.as_ref().map(|before| before.day.clone()).unwrap_or_default();
    day.retain(|hour| hour.begins >= from);
    let unread = day.last().map_or(from, |last| last.begins + SignedDuration::from_hours(1));
    let hours = async {
        // The hour that runs is closed once: behind it there is none.
        if unread > hour_of(at) { Ok(Vec::new()) } else { deps.ledger.hours(&cluster.customer, &cluster.id, unread, 25).await }
    };
    let looked = before.filter(|before| before.cluster.seen_at.is_some() && before.cluster.seen_at == cluster.seen_at);
    let nodes = async {
        if let Some(before) = &looked {
            return Ok((before.spot, before.on_demand));
        }
        let nodes = deps.routes.nodes(&cluster.customer, &cluster.id).await?;
        let spot = nodes.iter().filter(|node| node.pool.capacity == CapacityType::Spot).count();
        Ok::<_, StoreError>((spot, nodes.len() - spot))
    };
    let (hours, nodes, open) = tokio::join!(hours, nodes, deps.optimizations.open_proposals(&cluster.customer, &cluster.id));
    day.extend(hours?);
    let (spot, on_demand) = nodes?;
    Ok(Arc::new(Brief { at, cluster, day, spot, on_demand, open: open? }))
}
