//! Waste, from the schedule to the last look: the real functions over a simulated world.

use domain::SignedDuration;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::{ClusterId, CustomerId, InstanceId, VolumeId};
use domain::node::NodeOwner;
use domain::offering::CapacityType;
use domain::plan::{Outcome, PlanKind};
use domain::policy::{ClusterPolicy, Mode, WastePolicy};
use domain::ports::estate::EbsVolume;
use domain::ports::inventory::PersistentVolume;
use domain::ports::{Clock, Findings, Instance, InstanceState, Registry};
use execution::waste::{Scanned, Scanner, Settings};
use harness::system::System;
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::store::{MemoryNotices, Which};
use sim::world::{ClusterSpec, NodeSpec, World};
use std::collections::BTreeMap;
use std::sync::Arc;

mod network;
mod nights;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-east-1";

/// A registered cluster of twelve nodes, and the scanner.
struct Bench {
    system: System,
    scanner: Scanner,
    notices: Arc<MemoryNotices>,
    customer: CustomerId,
    cluster: ClusterId,
    nodes: Vec<InstanceId>,
}

impl Bench {
    async fn new(owner: NodeOwner) -> Bench {
        Bench::spread(owner, &["us-east-1a"]).await
    }

    /// With nodes in three zones.
    async fn zonal(owner: NodeOwner) -> Bench {
        Bench::spread(owner, &["us-east-1a", "us-east-1b", "us-east-1c"]).await
    }

    /// With nodes in these zones in turn.
    async fn spread(owner: NodeOwner, zones: &[&str]) -> Bench {
        let clock = SimClock::new();
        let world = World::new(clock.clone(), 1);
        let spec = ClusterSpec::new("acme", "prod", ACCOUNT, REGION);
        let id = world.add_cluster(spec);
        let node = |n: usize| {
            let mut node = NodeSpec::new("m6i.large", zones[n % zones.len()], CapacityType::OnDemand);
            node.owner = owner.clone();
            node
        };
        let nodes = (0..12).map(|n| world.add_node(&id, node(n))).collect();
        let system = System::around(clock, world, SignedDuration::ZERO);
        let (customer, cluster) = system.register("acme", "prod", ACCOUNT, REGION).await;
        let notices = Arc::new(MemoryNotices::default());
        let scanner = Scanner {
            ports: system.ports.clone(),
            findings: system.store.clone(),
            notices: notices.clone(),
            scans: system.queue.clone(),
            inspector: None,
            settings: Settings { ghosts: true, volumes: true, network: true },
        };
        let bench = Bench { system, scanner, notices, customer, cluster, nodes };
        bench.allow(Mode::Auto).await;
        bench
    }

    async fn allow(&self, mode: Mode) {
        let mut cluster = self.system.store.cluster(&self.customer, &self.cluster).await.unwrap().unwrap();
        cluster.policy =
            ClusterPolicy { waste: WastePolicy { ghosts: mode, volumes: mode, network: mode, ..WastePolicy::default() }, ..cluster.policy };
        cluster.version += 1;
        self.system.store.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
    }

    /// The schedule's tick, and everything that comes of it; then an hour passes.
    async fn hour(&self) -> Vec<Scanned> {
        let mut scanned = Vec::new();
        self.scanner.fan_out().await.unwrap();
        // A snapshot takes some minutes, and plans come back until it is whole.
        for _ in 0..20 {
            for message in self.system.queue.take_due(self.system.clock.now()) {
                let budget = Budget::lasting(&*self.system.clock, SignedDuration::from_secs(12));
                match message.queue {
                    Which::Scans => scanned.extend(ghost_scan::body(&message.body, &self.scanner).await.unwrap()),
                    Which::Plans => executor::body(&message.body, &self.system.ports, budget).await.unwrap(),
                    Which::Interruptions | Which::Rounds | Which::Notices | Which::DeadLetters => {
                        panic!("nobody asked for this: {}", message.body)
                    }
                }
            }
            self.system.clock.sleep(SignedDuration::from_secs(60)).await;
        }
        self.system.clock.sleep(SignedDuration::from_mins(40)).await;
        scanned
    }

    async fn hours(&self, many: usize) -> Vec<Scanned> {
        let mut all = Vec::new();
        for _ in 0..many {
            all.extend(self.hour().await);
        }
        all
    }

    fn instance(&self, id: &InstanceId) -> Instance {
        self.system.world.instance(id).expect("the world knows it")
    }

    async fn finding(&self, kind: FindingKind, subject: &str) -> Finding {
        let id = Finding::id_of(&self.cluster, kind, subject);
        self.system.store.finding(&self.customer, &self.cluster, &id).await.unwrap().expect("it was found")
    }

    fn told(&self) -> Vec<String> {
        self.notices.told().into_iter().map(|notice| notice.kind).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_ghost_is_found_watched_announced_ended_and_told_of() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let ghost = bench.nodes[3].clone();
    bench.system.world.lose_node(&ghost);
    bench.hours(25).await;
    assert!(bench.instance(&ghost).state.live(), "its grace is not over");
    let found = bench.finding(FindingKind::Ghost, ghost.as_str()).await;
    assert_eq!(found.state, FindingState::Open);
    assert_eq!(found.cost_per_month.map(|cost| cost.0), Some(70_080_000), "0.096 USD per hour, 730 hours");
    assert_eq!(bench.told(), ["ghost.detected", "ghost.before"]);
    bench.hours(2).await;
    assert!(!bench.instance(&ghost).state.live(), "it was ended");
    bench.hours(1).await;
    assert_eq!(bench.told(), ["ghost.detected", "ghost.before", "ghost.after"]);
    assert!(matches!(bench.finding(FindingKind::Ghost, ghost.as_str()).await.state, FindingState::Resolved { .. }));
    let plans = bench.system.store.plans();
    let ended: Vec<_> = plans.iter().filter(|record| record.plan.kind == PlanKind::Ghost).collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].progress.outcome, Some(Outcome::Succeeded));
    assert_eq!(bench.system.world.calls().get("terminate"), Some(&1));
    let others = bench.nodes.iter().filter(|id| **id != ghost);
    assert!(others.into_iter().all(|id| bench.instance(id).state.live()));
}

#[tokio::test(start_paused = true)]
async fn a_member_goes_through_its_group_and_nothing_takes_its_place() {
    let bench = Bench::new(NodeOwner::AutoScalingGroup { group: "workers".to_owned() }).await;
    let ghost = bench.nodes[0].clone();
    bench.system.world.lose_node(&ghost);
    bench.hours(28).await;
    let calls = bench.system.world.calls();
    assert_eq!((calls.get("end_member"), calls.get("terminate")), (Some(&1), None));
    assert_eq!(bench.system.world.live_instances(&bench.cluster).len(), 11);
    // A group at its least would make another.
    let other = bench.nodes[1].clone();
    bench.system.world.set_group_min("workers", 11);
    bench.system.world.lose_node(&other);
    bench.hours(30).await;
    assert!(bench.instance(&other).state.live());
    assert!(bench.finding(FindingKind::Ghost, other.as_str()).await.remedy.contains("at its least"));
}

#[tokio::test(start_paused = true)]
async fn outside_hands_at_the_last_moment_are_seen() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let ghost = bench.nodes[3].clone();
    bench.system.world.lose_node(&ghost);
    bench.hours(20).await;
    bench.system.world.forbid_end(&ghost);
    bench.hours(10).await;
    assert!(bench.instance(&ghost).state.live(), "disableApiTermination holds");
    assert!(bench.told().iter().any(|kind| kind == "ghost.after"), "people hear that it was not ended: {:?}", bench.told());
    bench.system.world.set_tag(&ghost, "cloudoptim.io/do-not-terminate", "");
    bench.hours(2).await;
    let over = bench.finding(FindingKind::Ghost, ghost.as_str()).await;
    assert!(matches!(over.state, FindingState::Resolved { .. }), "{over:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mode_short_of_auto_ends_nothing_and_a_dismissed_ghost_stays() {
    for mode in [Mode::Observe, Mode::Recommend, Mode::Approve] {
        let bench = Bench::new(NodeOwner::CloudOptim).await;
        bench.allow(mode).await;
        bench.system.world.lose_node(&bench.nodes[3]);
        bench.hours(50).await;
        assert!(bench.instance(&bench.nodes[3]).state.live(), "{mode:?}");
        let told: &[&str] = if mode == Mode::Observe { &[] } else { &["ghost.detected"] };
        assert_eq!(bench.told(), told, "{mode:?}");
    }
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    bench.system.world.lose_node(&bench.nodes[3]);
    bench.hours(10).await;
    let found = bench.finding(FindingKind::Ghost, bench.nodes[3].as_str()).await;
    let now = bench.system.clock.now();
    bench
        .system
        .store
        .put_finding(&found.with(FindingState::Dismissed { by: "ops".to_owned(), at: now, why: "known".to_owned() }))
        .await
        .unwrap();
    bench.hours(30).await;
    assert!(bench.instance(&bench.nodes[3]).state.live());
}

#[tokio::test(start_paused = true)]
async fn mass_ghosts_stop_the_scan_and_people_are_told_once() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    bench.hours(2).await;
    for lost in &bench.nodes[..6] {
        bench.system.world.lose_node(lost);
    }
    let scanned = bench.hours(40).await;
    assert!(scanned.iter().all(|scan| matches!(scan, Scanned::Blind(_))), "{scanned:?}");
    assert_eq!(bench.told(), ["ghost.alert"]);
    assert_eq!(bench.system.world.live_instances(&bench.cluster).len(), 12);
    assert!(bench.system.store.plans().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_kill_switch_holds_what_is_due_and_lets_it_go_on() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    bench.system.world.lose_node(&bench.nodes[3]);
    bench.hours(20).await;
    bench.system.store.set_halt(Some(&bench.customer), None, Some("a test")).await.unwrap();
    bench.hours(10).await;
    assert!(bench.instance(&bench.nodes[3]).state.live());
    bench.system.store.set_halt(Some(&bench.customer), None, None).await.unwrap();
    bench.hours(2).await;
    assert!(!bench.instance(&bench.nodes[3]).state.live());
}

#[tokio::test(start_paused = true)]
async fn a_volume_goes_after_a_week_and_leaves_a_snapshot() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let claimed = |id: &str, retain| PersistentVolume { name: format!("pv-{id}"), volume: Some(id.to_owned()), retain };
    bench.system.world.set_persistent_volumes(vec![claimed("vol-0a", false), claimed("vol-0b", true)]);
    bench.hours(7).await;
    bench.system.world.set_persistent_volumes(Vec::new());
    for id in ["vol-0a", "vol-0b", "vol-0c"] {
        bench.system.world.put_volume(volume(id));
    }
    bench.hours(24 * 7 + 2).await;
    assert_eq!(bench.system.world.all_volumes().len(), 3, "within the week");
    let found = bench.finding(FindingKind::ZombieVolume, "vol-0a").await;
    assert!(found.remedy.contains("create-volume"), "how to have it back: {}", found.remedy);
    assert_eq!(found.cost_per_month.map(|cost| cost.0), Some(3_000_000), "a snapshot is still paid for");
    bench.hours(24).await;
    let left: Vec<String> = bench.system.world.all_volumes().into_iter().map(|volume| volume.id.to_string()).collect();
    assert_eq!(left, ["vol-0b", "vol-0c"], "one said Retain, and of the other nobody knows");
    let snapshots: Vec<VolumeId> = bench.system.world.all_snapshots().into_iter().map(|(of, _)| of).collect();
    assert_eq!(snapshots, [VolumeId::parse("vol-0a").unwrap()]);
    assert!(bench.told().contains(&"zombie-volume.before".to_owned()), "{:?}", bench.told());
}

fn volume(id: &str) -> EbsVolume {
    EbsVolume {
        id: VolumeId::parse(id).unwrap(),
        zone: "us-east-1a".to_owned().try_into().unwrap(),
        size_gib: 100,
        volume_type: "gp3".to_owned(),
        iops: 3_000,
        throughput_mib: 125,
        available: true,
        attached: false,
        created_at: None,
        tags: BTreeMap::from([
            ("ebs.csi.aws.com/cluster-name".to_owned(), "prod".to_owned()),
            ("CSIVolumeName".to_owned(), format!("pvc-of-{id}")),
        ]),
    }
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_fails_anywhere_is_no_look_and_ends_nothing_wrong() {
    let mut ended = 0;
    for seed in 0..40_u64 {
        let bench = Bench::new(NodeOwner::CloudOptim).await;
        let mut rng = fastrand::Rng::with_seed(seed);
        let ghost = bench.nodes[3].clone();
        bench.system.world.lose_node(&ghost);
        bench.system.gate.script(move |_| match rng.u8(0..40) {
            0 => Some(sim::faults::Fault::Before(sim::faults::Kind::Unavailable)),
            1 => Some(sim::faults::Fault::After),
            _ => None,
        });
        for _ in 0..60 {
            // A message that fails comes back with the next tick.
            let _ = bench.scanner.fan_out().await;
            for _ in 0..5 {
                for message in bench.system.queue.take_due(bench.system.clock.now()) {
                    let budget = Budget::lasting(&*bench.system.clock, SignedDuration::from_secs(12));
                    match message.queue {
                        Which::Scans => drop(ghost_scan::body(&message.body, &bench.scanner).await),
                        Which::Plans if executor::body(&message.body, &bench.system.ports, budget).await.is_err() => {
                            bench.system.queue.give_back(message, SignedDuration::from_secs(35));
                        }
                        _ => {}
                    }
                }
                bench.system.clock.sleep(SignedDuration::from_mins(12)).await;
            }
        }
        ended += usize::from(!bench.instance(&ghost).state.live());
        let others = bench.nodes.iter().filter(|id| **id != ghost);
        assert!(others.into_iter().all(|id| bench.instance(id).state == InstanceState::Running), "seed {seed}");
    }
    assert!(ended > 30, "faults hold up, they do not forbid: {ended} of 40");
}

/// What scans ask of AWS and of API servers: one by hand and those of six hours.
#[tokio::test(start_paused = true)]
async fn a_scan_of_two_hundred_clusters_stays_within_its_requests() {
    let cost = harness::scan_cost::measure(200, 50).await;
    // Not only in the mean: no scan asks more, whoever asked for it.
    assert!(cost.kubernetes_max <= 6.0 && cost.ec2_max <= 4.0, "{cost:?}");
    assert!(cost.kubernetes <= 4.0 && cost.ec2 <= 3.0, "{cost:?}");
    assert!(cost.account_share_percent() <= 50.0 && cost.balancing_share_percent() <= 50.0, "{cost:?}");
}
