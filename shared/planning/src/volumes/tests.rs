use super::*;
use domain::ids::{ClusterId, CustomerId, VolumeId};

const CLUSTER: &str = "shop";
const SETTINGS: Settings = Settings { grace: SignedDuration::from_hours(7 * 24), per_scan_max: 5, acts: true };

fn at(hours: i64) -> Timestamp {
    "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
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
        created_at: Some(at(-1_000)),
        tags: [("ebs.csi.aws.com/cluster-name".to_owned(), CLUSTER.to_owned()), ("CSIVolumeName".to_owned(), "pvc-1".to_owned())].into(),
    }
}

fn claimed(id: &str, retain: bool) -> PersistentVolume {
    PersistentVolume { name: format!("pv-of-{id}"), volume: Some(id.to_owned()), retain }
}

struct World {
    volumes: Vec<EbsVolume>,
    persistent: Vec<PersistentVolume>,
    book: Watchbook,
}

impl World {
    /// A volume that was claimed, and was seen so.
    fn once_claimed(retain: bool) -> World {
        let book = Watchbook::new(CustomerId::parse("acme").unwrap(), ClusterId::parse("c-1").unwrap());
        let mut world = World { volumes: Vec::new(), persistent: vec![claimed("vol-1", retain)], book };
        world.scan(-6);
        world.persistent.clear();
        world.volumes.push(volume("vol-1"));
        world
    }

    fn look(&self, hours: i64) -> Look<'_> {
        Look { now: at(hours), cluster_name: CLUSTER, volumes: &self.volumes, persistent: &self.persistent }
    }

    fn scan(&mut self, hours: i64) -> Scan {
        let scan = scan(&self.look(hours), &self.book, SETTINGS).unwrap();
        self.book = scan.book.clone();
        scan
    }

    /// Scans every six hours.
    fn days(&mut self, from: i64, to: i64) -> Scan {
        let mut last = self.scan(from * 24);
        for step in from * 4 + 1..=to * 4 {
            last = self.scan(step * 6);
        }
        last
    }
}

#[test]
fn a_volume_that_nothing_claims_is_due_after_a_week_and_people_hear_of_it_before() {
    let mut world = World::once_claimed(false);
    assert_eq!(world.scan(0).news, [News::Found("vol-1".to_owned())]);
    let mut told = Vec::new();
    for step in 1..=28 {
        let scan = world.scan(step * 6);
        assert_eq!(scan.due, Vec::<String>::new(), "hour {} is within the grace", step * 6);
        told.extend(scan.news);
    }
    assert_eq!(told, [News::Warned("vol-1".to_owned())]);
    assert_eq!(world.scan(29 * 6).due, ["vol-1"]);
    let look = world.look(29 * 6);
    assert_eq!(verify(&world.volumes[0], &look, &world.book, SETTINGS, false), Ok(()));
}

#[test]
fn what_its_owner_wants_kept_is_reported_and_never_deleted() {
    let mut world = World::once_claimed(true);
    let last = world.days(0, 30);
    assert_eq!((last.zombies.len(), last.due.len()), (1, 0));
    assert!(last.zombies[0].kept.as_ref().unwrap().contains("Retain"));
    assert!(verify(&world.volumes[0], &world.look(720), &world.book, SETTINGS, false).is_err());
    assert_eq!(verify(&world.volumes[0], &world.look(720), &world.book, SETTINGS, true), Ok(()), "a person may");
}

#[test]
fn a_volume_whose_claim_nobody_saw_is_reported_and_never_deleted() {
    let mut world = World::once_claimed(false);
    world.volumes = vec![volume("vol-2")];
    let last = world.days(0, 30);
    assert_eq!((last.zombies.len(), last.due.len()), (1, 0));
}

#[test]
fn a_word_of_retain_is_not_taken_back() {
    let mut world = World::once_claimed(true);
    world.persistent = vec![claimed("vol-1", false)];
    world.scan(0);
    world.persistent.clear();
    assert_eq!(world.days(1, 30).due, Vec::<String>::new());
}

#[test]
fn whatever_is_used_again_begins_anew() {
    let mut world = World::once_claimed(false);
    world.days(0, 6);
    world.persistent = vec![claimed("vol-1", false)];
    world.scan(6 * 24 + 6);
    world.persistent.clear();
    assert_eq!(world.days(7, 13).due, Vec::<String>::new());
    assert!(!world.book.watches.is_empty());
    world.volumes[0].available = false;
    world.volumes[0].attached = true;
    world.scan(14 * 24);
    assert!(world.book.watches.is_empty());
}

#[test]
fn a_gap_begins_the_grace_anew() {
    let mut world = World::once_claimed(false);
    world.days(0, 6);
    assert_eq!(world.scan(8 * 24).due, Vec::<String>::new());
    assert_eq!(world.book.watches["vol-1"].first_seen, at(8 * 24));
}

#[test]
fn a_volume_that_is_not_provably_this_clusters_is_left_alone() {
    type Change = (&'static str, fn(&mut EbsVolume));
    let changes: [Change; 6] = [
        ("no tags", |v| v.tags.clear()),
        ("another cluster's", |v| drop(v.tags.insert("ebs.csi.aws.com/cluster-name".into(), "other".into()))),
        ("a driver without a name", |v| drop(v.tags.remove("ebs.csi.aws.com/cluster-name"))),
        ("shared", |v| drop(v.tags.insert("kubernetes.io/cluster/shop".into(), "shared".into()))),
        ("protected", |v| drop(v.tags.insert("cloudoptim.io/do-not-terminate".into(), String::new()))),
        ("not the driver's", |v| drop(v.tags.remove("CSIVolumeName"))),
    ];
    for (name, change) in changes {
        let mut world = World::once_claimed(false);
        change(&mut world.volumes[0]);
        if name == "not the driver's" {
            world.volumes[0].tags.insert("Name".into(), "data".into());
        }
        let last = world.days(0, 10);
        assert_eq!((last.zombies.len(), last.due.len()), (0, 0), "{name}");
    }
    let legacy = [("kubernetes.io/cluster/shop", "owned"), ("kubernetes.io/created-for/pvc/name", "data-0")];
    let mut world = World::once_claimed(false);
    world.volumes[0].tags = legacy.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(world.days(0, 10).due, ["vol-1"], "volumes from before the driver");
}

#[test]
fn a_cluster_without_a_name_is_an_error() {
    let world = World::once_claimed(false);
    assert!(scan(&Look { cluster_name: "", ..world.look(0) }, &world.book, SETTINGS).is_err());
}

#[test]
fn what_is_neither_claimed_nor_there_is_forgotten() {
    let mut world = World::once_claimed(true);
    assert_eq!(world.book.retained.len(), 1);
    world.volumes.clear();
    world.scan(0);
    assert!(world.book.retained.is_empty());
}
