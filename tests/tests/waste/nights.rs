//! What sleeps is not waste: its volumes hang on nothing for as long as it sleeps, and are there in the morning.

use super::Bench;
use domain::SignedDuration;
use domain::finding::{FindingKind, FindingState};
use domain::node::NodeOwner;
use domain::office_hours::{OfficeHoursPolicy, Rules, Spec};
use domain::policy::Mode;
use domain::ports::estate::VolumeFilter;
use domain::ports::{Estate, Findings, Registry};
use domain::tenant::AwsScope;
use execution::office_hours::OfficeHours;
use runtime::deadline::Budget;
use sim::world::{PodShape, Volume, WorkloadSpec};

impl Bench {
    /// Sets when the cluster sleeps, and lets the minute come.
    async fn hours_are(&self, downtime: &str) {
        let mut cluster = self.system.store.cluster(&self.customer, &self.cluster).await.unwrap().unwrap();
        let downtime = Some(Spec::try_from(downtime.to_owned()).unwrap());
        let rules = Rules { downtime, grace_s: Some(0), ..Rules::default() };
        *cluster.policy.office_hours = OfficeHoursPolicy { mode: Mode::Auto, cluster: rules, ..OfficeHoursPolicy::default() };
        cluster.version += 1;
        self.system.store.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
        let hours = OfficeHours {
            registry: self.system.store.clone(),
            journal: self.system.store.clone(),
            clusters: self.system.world.clone(),
            nights: self.system.store.clone(),
            queue: self.system.queue.clone(),
            clock: self.system.clock.clone(),
            meter: self.system.counts.clone(),
            enabled: true,
            idle: Default::default(),
            roster: Default::default(),
        };
        office_hours::handle(&hours, Budget::lasting(&*self.system.clock, SignedDuration::from_secs(40))).await.unwrap();
        // The executor carries it out with the messages of the next hour.
        self.hour().await;
    }

    fn scope(&self) -> AwsScope {
        AwsScope {
            customer: self.customer.clone(),
            cluster: self.cluster.clone(),
            cluster_name: "prod".to_owned(),
            account: super::ACCOUNT.to_owned().try_into().unwrap(),
            region: super::REGION.to_owned().try_into().unwrap(),
            role_arn: String::new(),
            external_id: String::new(),
        }
    }

    async fn loose_volumes(&self) -> usize {
        self.system.world.volumes(&self.scope(), &VolumeFilter::Unattached).await.unwrap().len()
    }
}

#[tokio::test(start_paused = true)]
async fn volumes_of_what_sleeps_for_weeks_are_no_zombies_and_are_there_in_the_morning() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let mut db = WorkloadSpec::new("db", 3);
    db.pod = PodShape { volume: Some(Volume::Zonal), ..PodShape::default() };
    db.on = bench.nodes[..3].to_vec();
    bench.system.world.add_stateful_set(&bench.cluster, db);
    bench.hours(2).await;
    assert_eq!(bench.loose_volumes().await, 0, "they are mounted");
    bench.hours_are("always").await;
    assert_eq!(bench.loose_volumes().await, 3, "all sleep, and their volumes hang on nothing");
    // Three times the grace, with a scan that may delete by itself.
    bench.hours(24 * 21).await;
    let found = bench.system.store.findings_of(&bench.customer, &bench.cluster, Some(FindingKind::ZombieVolume)).await.unwrap();
    assert_eq!(found, [], "a claim holds each of them");
    bench.hours_are("never").await;
    assert_eq!((bench.loose_volumes().await, bench.system.world.volumes_lost(&bench.cluster)), (0, 0));
    let ready = bench.system.world.pods(&bench.cluster).iter().filter(|pod| pod.ready).count();
    assert_eq!(ready, 3, "all are up again");
}

#[tokio::test(start_paused = true)]
async fn a_volume_whose_claim_goes_while_its_workload_sleeps_is_waste_only_from_then_on() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let claimed = domain::ports::inventory::PersistentVolume { name: "pv-1".to_owned(), volume: Some("vol-0a".to_owned()), retain: false };
    bench.system.world.set_persistent_volumes(vec![claimed]);
    bench.system.world.put_volume(super::volume("vol-0a"));
    bench.hours(24 * 10).await;
    assert_eq!(bench.system.world.all_volumes().len(), 1, "held by its claim, however long it sleeps");
    bench.system.world.set_persistent_volumes(Vec::new());
    bench.hours(24 * 6).await;
    assert_eq!(bench.system.world.all_volumes().len(), 1, "its grace begins when its claim has gone");
    assert_eq!(bench.finding(FindingKind::ZombieVolume, "vol-0a").await.state, FindingState::Open);
    bench.hours(24 * 3).await;
    assert_eq!(bench.system.world.all_volumes(), []);
}
