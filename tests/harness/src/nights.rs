//! Nights by seed: office hours over faulty ports, workers that die anywhere, and people who scale by hand and roll out in the night.

use crate::system::System;
use domain::ids::{ClusterId, CustomerId};
use domain::office_hours::{Included, ORIGINAL, OfficeHoursPolicy, Rules, Spec};
use domain::plan::{Action, PlanRecord};
use domain::policy::Mode;
use domain::ports::{Nights, Registry};
use domain::workload::{Scalable, ScaleKind, ScaleRef, WorkloadKind, WorkloadRef};
use domain::{SignedDuration, Timestamp};
use execution::office_hours::OfficeHours;
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::faults::{ALL, Fault, FaultyClusters, FaultyJournal, FaultyNights, FaultyQueue, FaultyRegistry};
use sim::world::{ClusterSpec, WorkloadSpec, World};
use std::collections::BTreeMap;

const CUSTOMER: &str = "acme";
const CLUSTER: &str = "shop";
const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";
const NAMESPACE: &str = "default";
/// A day lasts for half an hour here, and so does a night.
const HALF: i64 = 30;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What a workload must have when it is up.
type Expected = BTreeMap<ScaleRef, Option<u32>>;

struct Nightly {
    system: System,
    hours: OfficeHours,
    cluster: ClusterId,
    customer: CustomerId,
    expected: Expected,
    /// What a roll-out in the night has set, until it sleeps again. What it never does is what its owner wanted last.
    rolled_out: BTreeMap<ScaleRef, u32>,
}

/// Runs one seed in a runtime of its own whose time is virtual.
///
/// # Errors
/// The law that was broken.
pub fn run(seed: u64) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(one(seed))
}

fn up(now: Timestamp) -> bool {
    now.as_second().div_euclid(60).rem_euclid(2 * HALF) < HALF
}

/// Up in the first half of every hour.
fn policy() -> OfficeHoursPolicy {
    let hours: Vec<String> = (0..24).map(|hour| format!("Mon-Sun {hour:02}:00-{hour:02}:30 UTC")).collect();
    let uptime = Spec::try_from(hours.join(", ")).unwrap();
    let cluster = Rules { uptime: Some(uptime), grace_s: Some(0), ..Rules::default() };
    let include = vec![Included::CronJobs];
    OfficeHoursPolicy { mode: Mode::Auto, cluster, lead_s: 0, include, ..OfficeHoursPolicy::default() }
}

async fn one(seed: u64) -> Result<(), String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut nightly = begin(seed, &mut rng).await;
    let (fails, crashes) = (rng.choice([0.0, 0.02, 0.1, 0.25]).unwrap_or(0.0), rng.choice([0.0, 0.01, 0.05]).unwrap_or(0.0));
    let mut dice = rng.fork();
    nightly.system.gate.script(move |_| {
        let roll = dice.f64();
        if roll < crashes {
            return dice.choice([Fault::CrashBefore, Fault::CrashAfter]);
        }
        (roll < crashes + fails).then(|| ALL[dice.usize(..5)])
    });
    for _minute in 0..6 * HALF {
        nightly.people(&mut rng).await;
        nightly.minute().await;
        nightly.originals_are_kept().await?;
    }
    nightly.system.gate.script(|_| None);
    // The faults are over. Within the next night all that may sleep does, and in the next morning all is as it was.
    for wanted in [false, true] {
        for _minute in 0..2 * HALF {
            nightly.minute().await;
            nightly.originals_are_kept().await?;
            let now = nightly.system.ports.clock.now();
            // What began before the faults ended has had its five minutes twice.
            let settled = up(now) == wanted && up(now - SignedDuration::from_mins(15)) == wanted;
            if settled {
                break;
            }
        }
        nightly.all(wanted).await?;
    }
    Ok(())
}

async fn begin(seed: u64, rng: &mut fastrand::Rng) -> Nightly {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), seed);
    let cluster = world.add_cluster(ClusterSpec::new(CUSTOMER, CLUSTER, ACCOUNT, REGION));
    for index in 0..rng.u32(1..=4) {
        world.add_deployment(&cluster, spec(&format!("app-{index}"), rng.u32(1..=6)));
    }
    world.add_stateful_set(&cluster, spec("db", 3));
    world.add_stateful_set(&cluster, spec("precious", 2));
    world.delete_volumes_when_scaled(&cluster, NAMESPACE, "precious");
    world.add_deployment(&cluster, spec("busy", 4));
    world.add_scaler(&cluster, NAMESPACE, "busy", Some(2), 9);
    world.add_deployment(&cluster, spec("worker", 2));
    world.add_scaler(&cluster, NAMESPACE, "worker", None, 9);
    world.add_cron_job(&cluster, NAMESPACE, "reports", false);
    world.add_cron_job(&cluster, NAMESPACE, "suspended-by-its-owner", true);
    let mut system = System::around(clock.clone(), world, SignedDuration::ZERO);
    let (customer, _) = system.register(CUSTOMER, CLUSTER, ACCOUNT, REGION).await;
    let mut record = system.store.cluster(&customer, &cluster).await.unwrap().unwrap();
    *record.policy.office_hours = policy();
    record.version += 1;
    system.store.put_cluster(&record, Some(record.version - 1)).await.unwrap();
    system.swept();
    let gate = &system.gate;
    let hours = OfficeHours {
        registry: FaultyRegistry::new(system.store.clone(), gate.clone()),
        journal: FaultyJournal::new(system.store.clone(), gate.clone()),
        clusters: FaultyClusters::new(system.world.clone(), gate.clone()),
        nights: FaultyNights::new(system.store.clone(), gate.clone()),
        queue: FaultyQueue::new(system.queue.clone(), gate.clone()),
        clock,
        meter: system.counts.clone(),
        enabled: true,
        idle: Default::default(),
        roster: Default::default(),
    };
    let expected = system.world.sizes(&cluster).into_iter().map(|object| (object.target, object.size)).collect();
    Nightly { system, hours, cluster, customer, expected, rolled_out: BTreeMap::new() }
}

fn spec(name: &str, replicas: u32) -> WorkloadSpec {
    WorkloadSpec { namespace: NAMESPACE.to_owned(), ..WorkloadSpec::new(name, replicas) }
}

impl Nightly {
    fn sizes(&self) -> Vec<Scalable> {
        self.system.world.sizes(&self.cluster)
    }

    /// Which objects office hours put to sleep themselves: an autoscaler of Kubernetes rests by itself, a KEDA object goes before its
    /// workload, and what would lose its volumes is refused.
    fn sleeps(object: &Scalable) -> bool {
        object.target.kind != ScaleKind::HorizontalPodAutoscaler && object.target.name != "precious" && !Self::of_keda(object)
    }

    fn of_keda(object: &Scalable) -> bool {
        object.target.name == "worker" && object.target.kind == ScaleKind::Deployment
    }

    async fn minute(&mut self) {
        let budget = Budget::lasting(&*self.system.clock, SignedDuration::from_secs(40));
        tokio::select! {
            biased;
            () = self.system.gate.crashed() => {}
            // A minute that fails is healed by the next.
            _looked = office_hours::handle(&self.hours, budget) => {}
        }
        self.system.run(MINUTE, |_| {}).await;
        for object in self.sizes() {
            if let Some(size) = self.rolled_out.get(&object.target).copied() {
                if object.size != Some(size) {
                    self.rolled_out.remove(&object.target);
                } else if up(self.system.ports.clock.now()) && !self.in_hand(&object.target) {
                    self.rolled_out.remove(&object.target);
                    self.expected.insert(object.target, Some(size));
                }
            }
        }
    }

    /// Whether a plan is under way for it: one that was decided in the night may still put it to sleep, with what it had before the night
    /// (seed 104), and the next minute wakes it.
    fn in_hand(&self, target: &ScaleRef) -> bool {
        let resizes = |action: &Action| matches!(action, Action::Resize { target: of, .. } if of == target);
        let open = |record: &PlanRecord| record.progress.outcome.is_none();
        self.system.store.plans().iter().any(|record| open(record) && record.plan.steps.iter().any(|step| resizes(&step.action)))
    }

    fn a_day_since(&self, then: Timestamp) -> bool {
        let now = self.system.ports.clock.now();
        (0..=now.duration_since(then).as_mins()).any(|minutes| up(now - SignedDuration::from_mins(minutes)))
    }

    /// Now and then somebody scales by day, rolls out by night, or takes the note off.
    async fn people(&mut self, rng: &mut fastrand::Rng) {
        let objects: Vec<Scalable> =
            self.sizes().into_iter().filter(|o| o.target.kind == ScaleKind::Deployment && Self::sleeps(o)).collect();
        let rows = self.system.store.asleep(&self.customer, &self.cluster).await.unwrap();
        let object = &objects[rng.usize(..objects.len())];
        let target = &object.target;
        let workload = WorkloadRef { kind: WorkloadKind::Deployment, namespace: target.namespace.clone(), name: target.name.clone() };
        let row = rows.iter().find(|row| row.target == *target);
        let awake = object.size == self.expected[target] && row.is_none() && !object.annotations.contains_key(ORIGINAL);
        let asleep = object.size == Some(0) && row.is_some_and(|row| row.seen_at.is_some());
        match rng.u8(..12) {
            0 if awake && target.name != "busy" => {
                let size = rng.u32(1..=8);
                self.system.world.scale_by_hand(&self.cluster, &workload, size);
                self.expected.insert(target.clone(), Some(size));
            }
            // The manifest sets its own number, and perhaps knows nothing of notes.
            1 if asleep => {
                let size = rng.u32(1..=8);
                self.system.world.scale_by_hand(&self.cluster, &workload, size);
                // Nobody looked in all of the day before: then nobody can tell it from what was set by day, which counts (seed 547).
                if row.and_then(|row| row.seen_at).is_some_and(|seen| self.a_day_since(seen)) {
                    self.expected.insert(target.clone(), Some(size));
                } else {
                    self.rolled_out.insert(target.clone(), size);
                }
                if rng.bool() {
                    self.system.world.annotate(&self.cluster, target, ORIGINAL, None);
                }
            }
            2 if asleep => self.system.world.annotate(&self.cluster, target, ORIGINAL, None),
            _ => {}
        }
    }

    /// Whatever sleeps has its original in one of two places, and no volume is ever lost.
    async fn originals_are_kept(&self) -> Result<(), String> {
        if self.system.world.volumes_lost(&self.cluster) > 0 {
            return Err("volumes were deleted by putting their workload to sleep".to_owned());
        }
        let rows = self.system.store.asleep(&self.customer, &self.cluster).await.unwrap();
        for object in self.sizes().iter().filter(|object| Self::sleeps(object)) {
            let wanted = self.expected[&object.target];
            let asleep = object.size == Some(0) && wanted != Some(0);
            let noted = object.annotations.get(ORIGINAL).map(String::as_str);
            let note = wanted.map_or_else(|| "-1".to_owned(), |size| size.to_string());
            let row = rows.iter().find(|row| row.target == object.target);
            if asleep && noted != Some(note.as_str()) && row.is_none_or(|row| row.original != wanted) {
                let now = self.system.ports.clock.now();
                return Err(format!("{now}: {} sleeps, had {wanted:?}, is noted {noted:?} and {row:?}", object.target));
            }
        }
        Ok(())
    }

    /// At rest: all is up as it was, or all sleeps that may.
    async fn all(&self, up: bool) -> Result<(), String> {
        let now = self.system.ports.clock.now();
        for object in self.sizes() {
            let wanted = if up || !Self::sleeps(&object) { self.expected[&object.target] } else { Some(0) };
            // KEDA scales its workload as there is work: it has some replicas, or none.
            let follows = Self::of_keda(&object) && (object.size > Some(0)) == up;
            if object.size != wanted && !follows {
                return Err(format!("{now}: {} has {:?} instead of {wanted:?}", object.target, object.size));
            }
            if up && object.annotations.contains_key(ORIGINAL) {
                return Err(format!("{now}: {} is up and still noted", object.target));
            }
        }
        let rows = self.system.store.asleep(&self.customer, &self.cluster).await.unwrap();
        if up && !rows.is_empty() {
            return Err(format!("{now}: all is up, and the table has {rows:?} asleep"));
        }
        Ok(())
    }
}
