//! The sweeper: what nobody works on, and what never arrived. EventBridge is best effort, so EC2 itself is the second source.

use crate::ports::{Ports, Site, Trouble, scope};
use crate::{SIDE_BY_SIDE, refresh, rescue};
use domain::ids::CustomerId;
use domain::interruption::{Notice, NoticeKind, SPOT_NOTICE, Takeback};
use domain::plan::PlanKey;
use domain::ports::{Change, Instance, InstanceFilter, StoreError};
use domain::tenant::{Cluster, Customer};
use domain::{SignedDuration, Timestamp};
use futures::StreamExt;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use tracing::{info, warn};

/// What one sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    /// Plans that were brought back to the queue.
    pub resumed: usize,
    /// Interruptions that had not been announced.
    pub missed: usize,
    /// Clusters whose index was refreshed.
    pub refreshed: usize,
}

/// How old a cluster's index may get (the brief's OPTIMIZATION_INTERVAL_MINUTES).
const INDEX_AGE_MAX: SignedDuration = SignedDuration::from_mins(10);
/// How many overdue plans one sweep brings back; the next one, a minute later, takes the rest.
const RESUME_MAX: usize = 200;

/// A change that was begun this long ago and has no result is told: no single call takes as long, and its plan has no worker.
const OPEN_ROW_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Sweeps once. A cluster that fails is told and passed over: it must not keep the sweeper from the others.
///
/// # Errors
/// The table or the queue did not answer.
pub async fn sweep(ports: &Ports, until: Timestamp) -> Result<Swept, Trouble> {
    let resumed = resume(ports).await?;
    let now = ports.clock.now();
    let read = futures::try_join!(ports.roster.every(ports.registry.as_ref(), now), ports.registry.every_customer())?;
    let (mut clusters, customers) = read;
    let customers: BTreeMap<CustomerId, Customer> = customers.into_iter().map(|customer| (customer.id.clone(), customer)).collect();
    clusters.sort_by_cached_key(|cluster| turn(cluster, now));
    // Who has gone in the meantime is not there, and nor is their cluster to be looked at.
    let theirs = clusters.into_iter().filter_map(|cluster| Some((customers.get(&cluster.customer)?, cluster)));
    let visits = futures::stream::iter(theirs).map(|(customer, cluster)| timed(ports, customer, cluster, until));
    let visits = visits.buffer_unordered(SIDE_BY_SIDE);
    let visits: Vec<(usize, bool)> = visits.collect().await;
    Ok(Swept {
        resumed,
        missed: visits.iter().map(|(missed, _)| missed).sum(),
        refreshed: visits.iter().filter(|(_, refreshed)| *refreshed).count(),
    })
}

/// When a cluster's turn is. Where the minute is too short for all of them, no cluster is always among the last: those whose index has been
/// old for longest come first, the others in an order that is another one each minute.
fn turn(cluster: &Cluster, now: Timestamp) -> (Timestamp, u64) {
    let fresh = cluster.seen_at.filter(|seen| now <= *seen + INDEX_AGE_MAX);
    let seen = if fresh.is_some() { now } else { cluster.seen_at.unwrap_or(Timestamp::UNIX_EPOCH) };
    let mut lot = DefaultHasher::new();
    (&cluster.customer, &cluster.id, now.as_second() / 60).hash(&mut lot);
    (seen, lot.finish())
}

/// A visit, unless the time is out. What fails is told: it must not keep the sweeper from the others.
async fn timed(ports: &Ports, customer: &Customer, cluster: Cluster, until: Timestamp) -> (usize, bool) {
    if ports.clock.now() >= until {
        ports.meter.count("sweeps", "out_of_time");
        return (0, false);
    }
    match visit(ports, customer, &cluster, until).await {
        Ok(done) => done,
        Err(error) => {
            warn!(cluster.id = %cluster.id, %error, "A cluster could not be swept");
            (0, false)
        }
    }
}

/// Brings plans back whose worker is gone: every write names a time by which the next must have come.
async fn resume(ports: &Ports) -> Result<usize, Trouble> {
    let now = ports.clock.now();
    let mut resumed = 0;
    for key in ports.journal.due(now, RESUME_MAX).await? {
        ports.queue.continue_plan(&key, SignedDuration::ZERO).await?;
        resumed += 1;
        let Some(mut record) = ports.journal.load(&key).await? else {
            continue;
        };
        tell_open_rows(ports, &key, now).await?;
        // Pushed on, so that one plan is not brought back every minute while its worker waits for something slow.
        record.progress.due_at = now + SignedDuration::from_mins(5);
        record.progress.version += 1;
        match ports.journal.record(&key, &Change { progress: record.progress, audit: Vec::new(), spot_event: None }).await {
            Ok(()) => info!(plan.id = %key, "A plan without a worker was brought back"),
            // Its worker is alive after all.
            Err(StoreError::Conflict) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(resumed)
}

/// Counts the changes of a plan whose results nobody has written for too long.
async fn tell_open_rows(ports: &Ports, key: &PlanKey, now: Timestamp) -> Result<(), Trouble> {
    for row in ports.journal.audit(key).await? {
        if row.closed_at.is_none() && now > row.opened_at + OPEN_ROW_MAX {
            ports.meter.count("audit_rows_open", "overdue");
            warn!(plan.id = %key, audit.id = row.id, audit.action = row.action, "A change was begun and nobody knows how it ended");
        }
    }
    Ok(())
}

/// Most minutes nothing is taken and the index is young: then the list of clusters, which may be a moment old, is all that is read of one.
async fn visit(ports: &Ports, customer: &Customer, cluster: &Cluster, until: Timestamp) -> Result<(usize, bool), Trouble> {
    let instances = ports.cloud.instances(&scope(cluster, customer), &InstanceFilter::Cluster(cluster.name.clone())).await?;
    let lost: Vec<Instance> = instances.into_iter().filter(taken).collect();
    let now = ports.clock.now();
    let stale = |cluster: &Cluster| cluster.seen_at.is_none_or(|seen| now > seen + INDEX_AGE_MAX);
    if lost.is_empty() && !stale(cluster) {
        return Ok((0, false));
    }
    let Some(site) = Site::open(ports, &cluster.customer, &cluster.id).await? else {
        return Ok((0, false));
    };
    let missed = missed(ports, &site, &lost, until).await?;
    // The roster may not know yet that it was looked at, and does not know what comes now.
    ports.roster.forget(cluster);
    let stale = stale(&site.cluster);
    if stale {
        refresh::refresh(ports, &site).await?;
    }
    Ok((missed, stale))
}

/// Instances that EC2 says are being taken, or were taken, while no notice of it came.
async fn missed(ports: &Ports, site: &Site, lost: &[Instance], until: Timestamp) -> Result<usize, Trouble> {
    let now = ports.clock.now();
    let mut found = 0;
    for instance in lost {
        if rescue::known(ports, &site.cluster, &instance.id).await? {
            continue;
        }
        let notice = notice(site, instance, now);
        for rescued in rescue::handle(ports, &notice, until).await? {
            if let rescue::Rescued::Opened(_) = rescued {
                found += 1;
                ports.meter.count("missed_interruptions", "found_by_sweep");
            }
        }
    }
    Ok(found)
}

fn taken(instance: &Instance) -> bool {
    instance.marked_for_interruption
        || (!instance.state.live() && instance.state_reason.as_deref() == Some("Server.SpotInstanceTermination"))
}

/// The notice that should have come. When it was given is unknown: half of the two minutes is assumed to be left.
fn notice(site: &Site, instance: &Instance, now: Timestamp) -> Notice {
    let live = instance.state.live();
    Notice {
        kind: NoticeKind::MissedInterruption,
        event_id: format!("sweep-{}", instance.id),
        account: site.cluster.account.clone(),
        region: site.cluster.region.clone(),
        instances: vec![instance.id.clone()],
        reservation: None,
        takeback: if live { Takeback::Terminate } else { Takeback::Gone },
        at: now,
        received_at: now,
        deadline: Some(if live { now + SPOT_NOTICE / 2 } else { now }),
        lifecycle: None,
        withdrawn: false,
    }
}
