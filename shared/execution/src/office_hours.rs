//! Office hours: once a minute, what should sleep is put to sleep and what should be up is woken, as plans.
//!
//! # Guarantees
//! Before a plan that puts something to sleep is opened, its original stands in the table; the plan writes it on the object, too, in
//! the very patch that changes the size. Whoever dies in between, the next minute finds one of the two. What sleeps is woken in every
//! mode and also where the capability is switched off: only the kill switch keeps it asleep.
//! What cannot be seen is not touched.

use crate::SIDE_BY_SIDE;
use crate::ports::Trouble;
use crate::roster::Roster;
use domain::ids::{ClusterId, CustomerId};
use domain::office_hours::{APPROVED_KEY, AWAKE_KEY, Asleep, CUSTOMER_KEY, OfficeHoursPolicy, Rules, fingerprint, of_cluster};
use domain::plan::PlanKey;
use domain::policy::Mode;
use domain::ports::{Clock, Clusters, Journal, Meter, Nights, Queue, Registry};
use domain::tenant::Cluster;
use domain::workload::{Scalables, ScaleRef};
use domain::{SignedDuration, Timestamp};
use futures::StreamExt;
use planning::office_hours::{Judged, Sight, judge};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::{info, warn};

mod plans;
mod rows;

/// Everything that office hours work with. There is no cloud in it: no instance is touched.
#[derive(Clone)]
pub struct OfficeHours {
    /// Clusters with their policies.
    pub registry: Arc<dyn Registry>,
    /// Where plans are opened.
    pub journal: Arc<dyn Journal>,
    /// The Kubernetes APIs: read here, changed by the executor.
    pub clusters: Arc<dyn Clusters>,
    /// What sleeps.
    pub nights: Arc<dyn Nights>,
    /// Where plans are announced.
    pub queue: Arc<dyn Queue>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub meter: Arc<dyn Meter>,
    /// Whether anything is put to sleep at all (`OFFICE_HOURS_ENABLED`).
    pub enabled: bool,
    /// Clusters in which nothing sleeps and nothing may be put to sleep.
    pub idle: Idle,
    /// All clusters, as this process has read them last.
    pub roster: Roster,
}

/// Where nothing slept when it was last looked, and when that was: most clusters have no office hours, and each look is paid for. Nothing
/// rests on it but when the next look comes: rows are written by this function alone, and while nothing may be put to sleep none comes about.
#[derive(Debug, Clone, Default)]
pub struct Idle(Arc<Mutex<BTreeMap<(CustomerId, ClusterId), Timestamp>>>);

/// How long a cluster counts as idle. It bounds how late another process's sleeper is woken in a cluster whose office hours were switched off.
const IDLE_FOR: SignedDuration = SignedDuration::from_mins(10);

impl Idle {
    fn holds(&self, cluster: &Cluster, now: Timestamp) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(cluster.customer.clone(), cluster.id.clone())).is_some_and(|looked| now < *looked + IDLE_FOR)
    }

    fn set(&self, cluster: &Cluster, idle: Option<Timestamp>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (cluster.customer.clone(), cluster.id.clone());
        match idle {
            Some(looked) => drop(known.insert(of, looked)),
            None => drop(known.remove(&of)),
        }
    }
}

/// What came of a minute of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Minute {
    /// Nothing is set for it, and nothing sleeps: it was not looked at.
    Idle,
    /// It could not be looked at, and why: nothing was touched.
    Blind(String),
    /// It was looked at, and these plans were opened.
    Looked(Vec<PlanKey>),
}

/// What a customer has set for one cluster, as the table has it.
struct Set {
    cluster: Cluster,
    customer: Option<Rules>,
    awake_until: Option<Timestamp>,
    approved: bool,
}

impl Set {
    fn policy(&self) -> &OfficeHoursPolicy {
        &self.cluster.policy.office_hours
    }

    /// Whether anything may be put to sleep.
    fn may_sleep(&self) -> bool {
        match self.policy().mode {
            Mode::Observe | Mode::Recommend => false,
            Mode::Approve => self.approved,
            Mode::Auto => true,
        }
    }
}

impl OfficeHours {
    /// One minute of every cluster. A cluster in trouble does not keep the others waiting.
    ///
    /// # Errors
    /// [`Trouble`]: the list of clusters could not be read; the next minute tries again.
    pub async fn tick(&self, until: Timestamp) -> Result<usize, Trouble> {
        let clusters = self.roster.every(self.registry.as_ref(), self.clock.now()).await?;
        let minutes = futures::stream::iter(clusters).map(|cluster| self.timed(cluster, until)).buffer_unordered(SIDE_BY_SIDE);
        let looked = minutes.filter(|looked| futures::future::ready(*looked)).count().await;
        self.meter.count("office_hours", "finished");
        Ok(looked)
    }

    async fn timed(&self, cluster: Cluster, until: Timestamp) -> bool {
        let id = cluster.id.clone();
        if self.clock.now() >= until {
            self.meter.count("office_hours", "out_of_time");
            return false;
        }
        match self.minute(cluster).await {
            Ok(Minute::Idle) => false,
            Ok(Minute::Blind(why)) => {
                self.meter.count("office_hours", "blind");
                warn!(cluster.id = %id, why, "A cluster's office hours could not be looked at");
                false
            }
            Ok(Minute::Looked(plans)) => {
                if !plans.is_empty() {
                    info!(cluster.id = %id, plans = plans.len(), "Office hours opened plans");
                }
                true
            }
            Err(error) => {
                self.meter.count("office_hours", "failed");
                warn!(cluster.id = %id, error = &error as &dyn std::error::Error, "A minute of office hours failed; the next one heals it");
                false
            }
        }
    }

    /// One minute of one cluster. It bears repeating, and two at once: plans of a minute have the same names.
    ///
    /// # Errors
    /// [`Trouble`]: the table did not answer; the next minute begins anew.
    pub async fn minute(&self, cluster: Cluster) -> Result<Minute, Trouble> {
        let mode = cluster.policy.office_hours.mode;
        let may = self.enabled && (mode == Mode::Approve || mode == Mode::Auto);
        let now = self.clock.now();
        if !may && self.idle.holds(&cluster, now) {
            return Ok(Minute::Idle);
        }
        let rows = self.nights.asleep(&cluster.customer, &cluster.id).await?;
        let idle = rows.is_empty() && !may;
        self.idle.set(&cluster, idle.then_some(now));
        if idle {
            return Ok(Minute::Idle);
        }
        // What people have set since the roster was read holds for everything that is done.
        let Some(cluster) = self.registry.cluster(&cluster.customer, &cluster.id).await? else {
            return Ok(Minute::Idle);
        };
        let set = self.set(cluster).await?;
        let kubernetes = match self.clusters.connect(&set.cluster).await {
            Ok(kubernetes) => kubernetes,
            Err(error) => return Ok(Minute::Blind(error.to_string())),
        };
        let scalables = match kubernetes.scalables(set.policy().beside(&rows)).await {
            Ok(scalables) => scalables,
            Err(error) => return Ok(Minute::Blind(error.to_string())),
        };
        let busy = self.busy(&set.cluster.customer, &set.cluster.id).await?;
        let now = self.clock.now();
        let judged: Vec<Judged<'_>> = judge(sight(&set, &scalables, &rows, now));
        self.keep(&rows, &judged, &busy, &scalables, now).await?;
        let free = |judged: &&Judged<'_>| !busy.contains(&judged.on.object.target);
        let judged: Vec<&Judged<'_>> = judged.iter().filter(free).collect();
        let sleepers = if self.enabled && set.may_sleep() { plans::sleepers(&judged) } else { Vec::new() };
        self.write_down(&set.cluster, &sleepers, now).await?;
        let plans = plans::plans(&set.cluster, &sleepers, &plans::wakers(&judged), now);
        let mut opened = Vec::new();
        for plan in plans {
            opened.extend(self.open(plan).await?);
        }
        Ok(Minute::Looked(opened))
    }

    async fn set(&self, cluster: Cluster) -> Result<Set, Trouble> {
        let (whose, id) = (cluster.customer.clone(), cluster.id.clone());
        let (approved, awake) = (of_cluster(APPROVED_KEY, &id), of_cluster(AWAKE_KEY, &id));
        let (customer, approved, awake) = futures::try_join!(
            self.registry.config(&whose, CUSTOMER_KEY),
            self.registry.config(&whose, &approved),
            self.registry.config(&whose, &awake),
        )?;
        // Checked when it was written; what cannot be read all the same says nothing.
        let customer: Option<Rules> = customer.and_then(|value| serde_json::from_value(value).ok());
        let print = fingerprint(&cluster.policy.office_hours, customer.as_ref());
        Ok(Set {
            approved: approved.is_some_and(|value| value.as_str() == Some(print.as_str())),
            awake_until: awake.and_then(|value| serde_json::from_value(value).ok()),
            customer,
            cluster,
        })
    }

    /// What open plans have in hand.
    async fn busy(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<BTreeSet<ScaleRef>, Trouble> {
        let open = self.journal.open_plans(customer, cluster).await?;
        Ok(open.iter().flat_map(|record| &record.plan.steps).filter_map(|step| plans::target(&step.action)).collect())
    }
}

fn sight<'a>(set: &'a Set, scalables: &'a Scalables, rows: &'a [Asleep], now: Timestamp) -> Sight<'a> {
    Sight {
        scalables,
        policy: set.policy(),
        customer: set.customer.as_ref(),
        asleep: rows,
        forced_up: set.awake_until.is_some_and(|until| now < until),
        now,
    }
}
