//! From a notice to a rescue: whose node it is, what is to be done, who owns the work, and the first steps of it.
//!
//! The conditional write of the plan decides who owns a rescue. Its key is derived from the instance, so that a duplicate or
//! a second kind of notice finds the same plan: it helps to finish, or presses harder, and never launches again.

use crate::drive::{Driven, drive, drive_from};
use crate::perform::launch::AVOID_POOL;
use crate::ports::{Home, Ports, Site, Trouble};
use crate::tell;
use domain::ids::{ClusterId, CustomerId, InstanceId, InstanceKey, PlanId};
use domain::interruption::{Notice, NoticeKind, Takeback};
use domain::node::NodeRecord;
use domain::offering::CapacityType;
use domain::plan::{EVENT, Outcome, PlanKey, PlanRecord, Urgency};
use domain::ports::{Change, NewPlan, Opened, StoreError};
use domain::spot_event::SpotEvent;
use domain::tenant::Cluster;
use domain::{SignedDuration, Timestamp};
use tracing::{Instrument, info, info_span, warn};

pub mod decide;
mod lookup;
pub mod relate;

use decide::Decision;
use relate::Relation;

/// What came of a notice for one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rescued {
    /// The account or the instance is none of ours: counted, nothing called.
    NotOurs,
    /// It was recorded, and nothing else was to be done; the sentence says why.
    Recorded(String),
    /// A rescue was begun here.
    Opened(Driven),
    /// A rescue was under way; this notice helped.
    Helped(Driven),
    /// The rescue is over already.
    Over(Outcome),
}

/// How many rescues one instance can have: a rebalance that was rolled back, then an interruption. More is a fault.
const GENERATIONS_MAX: u32 = 8;

/// Handles a notice for each of its instances, side by side.
///
/// # Errors
/// The first [`Trouble`] of any instance, after all were tried: the message must come back.
pub async fn handle(ports: &Ports, notice: &Notice, until: Timestamp) -> Result<Vec<Rescued>, Trouble> {
    // Every line below says which event it began with; the plan carries it on to whoever goes on with it.
    all(ports, notice, until).instrument(info_span!("event", trace.id = notice.event_id)).await
}

async fn all(ports: &Ports, notice: &Notice, until: Timestamp) -> Result<Vec<Rescued>, Trouble> {
    let instances = match &notice.reservation {
        Some(reservation) if notice.instances.is_empty() => lookup::of_reservation(ports, notice, reservation).await?,
        _ => notice.instances.clone(),
    };
    let all = instances.iter().map(|instance| one(ports, notice, instance, until));
    futures::future::join_all(all).await.into_iter().collect()
}

async fn one(ports: &Ports, notice: &Notice, instance: &InstanceId, until: Timestamp) -> Result<Rescued, Trouble> {
    let key = InstanceKey { account: notice.account.clone(), region: notice.region.clone(), instance: instance.clone() };
    let record = match ports.routes.route(&key).await? {
        Some(record) => record,
        None => match lookup::of_unknown(ports, &key).await? {
            Some(record) => record,
            None => return Ok(Rescued::NotOurs),
        },
    };
    let now = ports.clock.now();
    let (home, avoided) =
        futures::join!(Home::read(ports, &record.customer, &record.cluster), ports.pools.avoided(&key.account, &key.region, now));
    let Some(home) = home? else {
        ports.meter.count("unknown_account", "cluster_removed");
        return Ok(Rescued::NotOurs);
    };
    // Without its memory of shortages a rescue still launches; it may only meet one more of them.
    let mut avoided = avoided.unwrap_or_default();
    if record.pool.capacity == CapacityType::Spot {
        avoided.push(record.pool.clone());
    }
    let context = decide::Context { notice, record: &record, policy: &home.cluster.policy, avoided: &avoided, now };
    match decide::decide(&context) {
        Decision::RecordOnly(why) => record_only(ports, notice, &record, why).await,
        Decision::Act(_) if notice.kind == NoticeKind::Rebalance && too_many_rebalances(ports, &home.cluster, now).await? => {
            record_only(ports, notice, &record, "too many rebalance recommendations led to replacements in this hour".to_owned()).await
        }
        Decision::Act(act) => Box::pin(begin(ports, notice, &record, home, &act, until)).await,
        Decision::Withdraw => withdraw(ports, notice, &record, home, until).await,
    }
}

/// The guard against rebalance storms: recommendations often come for a whole zone at once, and replacements are recommended away
/// again within minutes. Events of this hour that have a plan are counted.
async fn too_many_rebalances(ports: &Ports, cluster: &Cluster, now: Timestamp) -> Result<bool, Trouble> {
    let events = ports.journal.spot_events(&cluster.customer, None, 200).await?;
    let begun = events.iter().filter(|e| {
        let this_hour = e.received_at > now - SignedDuration::from_hours(1);
        e.cluster == cluster.id && e.event_type == NoticeKind::Rebalance && e.plan.is_some() && this_hour
    });
    Ok(begun.count() >= cluster.policy.interruption.rebalances_per_hour_max as usize)
}

async fn record_only(ports: &Ports, notice: &Notice, record: &NodeRecord, why: String) -> Result<Rescued, Trouble> {
    if notice.kind == NoticeKind::MissedInterruption && recorded(ports, record).await? {
        return Ok(Rescued::Recorded(why));
    }
    ports.journal.put_spot_event(&spot_event(notice, record, None, why.clone())).await?;
    if notice.kind == NoticeKind::Rebalance {
        shun(ports, record, "rebalance recommendation").await;
    }
    info!(instance = %record.key, kind = notice.kind.as_str(), why, "Recorded a notice");
    Ok(Rescued::Recorded(why))
}

/// Whether an interruption of this instance is recorded already: the sweep meets it every minute for as long as EC2 shows it.
async fn recorded(ports: &Ports, record: &NodeRecord) -> Result<bool, Trouble> {
    let events = ports.journal.spot_events(&record.customer, None, 200).await?;
    Ok(events.iter().any(|e| e.instance == record.key && e.event_type >= NoticeKind::SpotInterruption))
}

/// Opens the rescue, or joins the one that is there; behind that, tells the ends of earlier ones: whoever ended one may have died
/// before it could tell, and been followed by this message.
async fn begin(
    ports: &Ports,
    notice: &Notice,
    record: &NodeRecord,
    home: Home,
    act: &decide::Act,
    until: Timestamp,
) -> Result<Rescued, Trouble> {
    let mut earlier = Vec::new();
    let rescued = Box::pin(begin_or_join(ports, notice, record, home, act, until, &mut earlier)).await?;
    for record in &earlier {
        tell::ended(ports, record).await?;
    }
    Ok(rescued)
}

async fn begin_or_join(
    ports: &Ports,
    notice: &Notice,
    record: &NodeRecord,
    home: Home,
    act: &decide::Act,
    until: Timestamp,
    earlier: &mut Vec<PlanRecord>,
) -> Result<Rescued, Trouble> {
    let (mut home, mut site) = (Some(home), None);
    for generation in 0..GENERATIONS_MAX {
        let key = plan_key(record, &act.prefix, generation);
        let mut new = decide::new_plan(key, act, record, ports.clock.now());
        new.plan.evidence.push(format!("{EVENT}{}", notice.event_id));
        let event = spot_event(notice, record, Some(new.plan.key.plan.clone()), act.what.clone());
        new.progress.spot_event = Some(event.clone());
        new.spot_event = Some(event);
        if notice.kind == NoticeKind::MissedInterruption {
            // No message would come back for a rescue that the sweep begins. It has one before it is there, so that its end is told
            // whoever dies; without a plan the message says nothing, and the next sweep tries again.
            ports.queue.continue_plan(&new.plan.key, SignedDuration::from_secs(60)).await?;
        }
        // The intent waits for nothing: the credential is opened and the stops are read beside its write.
        let connect = async {
            match home.take() {
                Some(home) => Some(home.connect(ports).await),
                None => None,
            }
        };
        let stops = ports.registry.halted(&record.customer, &record.cluster);
        let (opened, connected, stops) = futures::join!(open(ports, &new), connect, stops);
        site = connected.or(site);
        match opened? {
            Opened::Created => {
                ports.meter.count("rescues_opened", notice.kind.as_str());
                info!(plan.id = %new.plan.key, node = %record.target.name, kind = notice.kind.as_str(), "A rescue begins");
                let shunned = async {
                    if notice.takeback != Takeback::None {
                        shun(ports, record, notice.kind.as_str()).await;
                    }
                };
                let begun = PlanRecord { plan: new.plan, progress: new.progress };
                let story = begun.clone();
                let (driven, ()) = futures::join!(drive_from(ports, begun, site, stops.ok(), until), shunned);
                let driven = driven?;
                heard(ports, &story, &driven).await?;
                return Ok(Rescued::Opened(driven));
            }
            Opened::Exists(existing) => match relate::relate(&existing, act) {
                Relation::Again => earlier.push(*existing),
                Relation::Over(outcome) => {
                    // Whoever ended it may have died before it could tell.
                    tell::ended(ports, &existing).await?;
                    return Ok(Rescued::Over(outcome));
                }
                Relation::Help => {
                    ports.meter.count("rescues_helped", notice.kind.as_str());
                    return help(ports, *existing, site, until).await;
                }
                Relation::Press(pressed) => {
                    ports.meter.count("rescues_helped", notice.kind.as_str());
                    let key = pressed.plan.key.clone();
                    let change =
                        Change { progress: pressed.progress.clone(), audit: Vec::new(), spot_event: pressed.progress.spot_event.clone() };
                    ports.journal.record(&key, &change).await?;
                    return help(ports, *pressed, site, until).await;
                }
            },
        }
    }
    warn!(instance = %record.key, "An instance has had {GENERATIONS_MAX} rescues; no further one is begun");
    Ok(Rescued::Recorded("too many rescues of one instance".to_owned()))
}

/// Goes on with a rescue that is there.
async fn help(ports: &Ports, record: PlanRecord, site: Option<Site>, until: Timestamp) -> Result<Rescued, Trouble> {
    let story = record.clone();
    let driven = drive(ports, record, site, until).await?;
    heard(ports, &story, &driven).await?;
    Ok(Rescued::Helped(driven))
}

/// Tells that a rescue is under way, unless its end was told by now. Behind the drive: its first acts are done.
async fn heard(ports: &Ports, record: &PlanRecord, driven: &Driven) -> Result<(), Trouble> {
    match driven {
        Driven::Rest(_) => tell::begun(ports, record).await,
        Driven::Finished(_) | Driven::Overtaken | Driven::Unknown => Ok(()),
    }
}

/// Creates the plan. An ambiguous answer is read back: what stands there with our very bytes is ours.
async fn open(ports: &Ports, new: &NewPlan) -> Result<Opened, StoreError> {
    match ports.journal.open(new).await {
        Err(StoreError::Ambiguous(why)) => match ports.journal.load(&new.plan.key).await? {
            Some(stored) if stored.plan == new.plan && stored.progress == new.progress => Ok(Opened::Created),
            Some(stored) => Ok(Opened::Exists(Box::new(stored))),
            None => Err(StoreError::Ambiguous(why)),
        },
        other => other,
    }
}

/// A notice that is taken back stops the rescue that it began, if that is still under way.
async fn withdraw(ports: &Ports, notice: &Notice, record: &NodeRecord, home: Home, until: Timestamp) -> Result<Rescued, Trouble> {
    for generation in (0..GENERATIONS_MAX).rev() {
        let Some(mut existing) = ports.journal.load(&plan_key(record, "rescue", generation)).await? else {
            continue;
        };
        if !relate::may_withdraw(&existing) {
            break;
        }
        existing.progress.unwinding = Some(Outcome::Cancelled { why: "AWS has withdrawn the scheduled change".to_owned() });
        existing.progress.version += 1;
        let change = Change { progress: existing.progress.clone(), audit: Vec::new(), spot_event: None };
        ports.journal.record(&existing.plan.key, &change).await?;
        return Ok(Rescued::Helped(drive(ports, existing, Some(home.connect(ports).await), until).await?));
    }
    record_only(ports, notice, record, "AWS has withdrawn the scheduled change; nothing was under way".to_owned()).await
}

/// Avoids the pool of a lost or endangered instance. A help, not a promise: a failure here stops nothing.
async fn shun(ports: &Ports, record: &NodeRecord, why: &str) {
    if record.pool.capacity != CapacityType::Spot {
        return;
    }
    let until = ports.clock.now() + AVOID_POOL;
    if let Err(error) = ports.pools.avoid(&record.key.account, &record.key.region, &record.pool, until, why).await {
        warn!(pool = %record.pool, %error, "A pool to avoid could not be noted");
    }
}

/// Whether a rescue that goes forward is known for this instance: a sweep then has nothing to add, and saves its write.
///
/// # Errors
/// The table did not answer.
pub async fn known(ports: &Ports, cluster: &Cluster, instance: &InstanceId) -> Result<bool, StoreError> {
    for generation in 0..GENERATIONS_MAX {
        match ports.journal.load(&key_of(&cluster.customer, &cluster.id, instance, "rescue", generation)).await? {
            Some(existing) if existing.progress.urgency == Urgency::Forced => return Ok(true),
            Some(_) => {}
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn plan_key(record: &NodeRecord, prefix: &str, generation: u32) -> PlanKey {
    key_of(&record.customer, &record.cluster, &record.key.instance, prefix, generation)
}

fn key_of(customer: &CustomerId, cluster: &ClusterId, instance: &InstanceId, prefix: &str, generation: u32) -> PlanKey {
    PlanKey {
        customer: customer.clone(),
        cluster: cluster.clone(),
        // Prefix and instance id are slugs of our own making, far below the limit.
        plan: PlanId::parse(format!("{prefix}-{instance}-{generation}")).unwrap_or_else(|_| decide::fallback_plan_id()),
    }
}

fn spot_event(notice: &Notice, record: &NodeRecord, plan: Option<PlanId>, action_taken: String) -> SpotEvent {
    let at = notice.at.as_second();
    let event_id = match &plan {
        Some(plan) => plan.to_string(),
        None => format!("{}-{}-{at}", notice.kind.as_str(), record.key.instance),
    };
    SpotEvent {
        event_id,
        customer: record.customer.clone(),
        cluster: record.cluster.clone(),
        instance: record.key.clone(),
        event_type: notice.kind,
        event_time: notice.at,
        received_at: notice.received_at,
        deadline: notice.deadline.unwrap_or(notice.at),
        action_taken,
        plan,
        replacement_instance_id: None,
        drain_duration_s: None,
        processed_at: None,
    }
}
