use super::make::{World, at, id, instance, member, node, plan, tagged};
use crate::ghosts::{News, Stop, Way, WhyNot, scan, suspects};
use domain::plan::action::AskedBy;
use domain::plan::precondition::{PLAN_TAG, PROTECT_TAG};
use domain::plan::{Action, PlanKind};
use domain::ports::InstanceState;
use domain::watch::Told;
use domain::{SignedDuration, Timestamp};

/// What the twelfth instance is, after a whole day of scans.
fn ghosts_after_a_day(world: &mut World) -> (usize, usize) {
    let last = world.hours(0, 26);
    (last.ghosts.len(), last.due.len())
}

#[test]
fn a_ghost_is_due_after_a_day_of_our_own_sightings_and_people_hear_of_it_twice_before() {
    let mut world = World::new();
    let first = world.scan(0);
    assert_eq!(first.news, [News::Found(id(12))]);
    let mut told = Vec::new();
    for hour in 1..=24 {
        let scan = world.scan(hour * 60);
        assert_eq!(scan.due, [], "hour {hour} is within the grace");
        told.extend(scan.news.into_iter().map(|news| (hour, news)));
    }
    assert_eq!(told, [(19, News::Warned(id(12)))]);
    assert_eq!(world.scan(25 * 60).due, [id(12)]);
}

#[test]
fn the_launch_of_an_instance_begins_no_grace() {
    let mut world = World::new();
    world.first().launched_at = Some(at(-60 * 24 * 100));
    assert_eq!(world.hours(0, 24).due, []);
}

#[test]
fn one_sighting_as_a_node_begins_the_grace_anew() {
    let mut world = World::new();
    world.hours(0, 23);
    world.nodes.push(node(12));
    let recovered = world.scan(24 * 60);
    assert_eq!(recovered.news, [News::Recovered(id(12), at(0), WhyNot::Node)]);
    world.nodes.pop();
    assert_eq!(world.hours(25, 49).due, [], "its day begins with hour 25");
    assert_eq!(world.scan(50 * 60).due, [id(12)]);
}

#[test]
fn a_gap_in_which_nobody_looked_begins_the_grace_anew() {
    let mut world = World::new();
    world.hours(0, 3);
    world.scan(3 * 60 + 361);
    assert_eq!(world.book.watches[id(12).as_str()].sightings, 1);
    assert_eq!(world.book.watches[id(12).as_str()].told, Told::Found, "it is told as if it were found now");
    let jumped = scan(&world.look(at(60 * 24 * 30)), &world.book, world.settings).unwrap();
    assert_eq!(jumped.due, [], "a clock that leaps ahead is a gap");
}

#[test]
fn two_scans_at_once_are_one_sighting_and_a_clock_that_goes_back_is_none() {
    let mut world = World::new();
    world.scan(0);
    world.scan(29);
    let late = world.scan(-30);
    assert_eq!((late.news.len(), late.due.len()), (0, 0));
    let watch = &world.book.watches[id(12).as_str()];
    assert_eq!((watch.sightings, watch.last_seen), (1, at(0)));
    world.scan(30);
    assert_eq!(world.book.watches[id(12).as_str()].sightings, 2);
}

#[test]
fn a_scan_of_an_unchanged_healthy_cluster_changes_nothing_but_its_time() {
    let mut world = World::new();
    world.nodes.push(node(12));
    world.scan(0);
    let before = world.book.clone();
    let next = world.scan(60);
    assert_eq!((next.news.len(), next.ghosts.len(), next.due.len()), (0, 0, 0));
    let after = domain::watch::Watchbook { scanned_at: before.scanned_at, version: before.version, ..world.book.clone() };
    assert_eq!(after, before);
}

#[test]
fn what_is_not_the_clusters_own_running_unwanted_worker_is_no_ghost() {
    let tag = |key: &'static str, value: &'static str| move |world: &mut World| drop(world.first().tags.insert(key.into(), value.into()));
    type Change = Box<dyn Fn(&mut World)>;
    let changes: Vec<(&str, Change)> = vec![
        ("shared", Box::new(tag("kubernetes.io/cluster/shop", "shared"))),
        ("two clusters", Box::new(tag("kubernetes.io/cluster/other", "owned"))),
        ("legacy of another", Box::new(tag("KubernetesCluster", "other"))),
        ("no tag", Box::new(|world| world.first().tags.clear())),
        ("protected", Box::new(tag(PROTECT_TAG, ""))),
        ("excluded", Box::new(tag("cloud-nuke-excluded", "TRUE"))),
        ("excluded for long", Box::new(tag("cloud-nuke-after", "2027-01-01T00:00:00Z"))),
        ("excluded by a word", Box::new(tag("cloud-nuke-after", "never"))),
        ("control plane", Box::new(tag("k8s.io/role/control-plane", "1"))),
        ("etcd", Box::new(tag("k8s.io/etcd/events", "a/a,b,c"))),
        ("bastion", Box::new(tag("sigs.k8s.io/cluster-api-provider-aws/role", "bastion"))),
        ("stopped", Box::new(|world| world.first().state = InstanceState::Stopped)),
        ("pending", Box::new(|world| world.first().state = InstanceState::Pending)),
        ("no age", Box::new(|world| world.first().launched_at = None)),
        ("leaving its group", Box::new(tag("aws:autoscaling:groupName", "workers"))),
        ("warm", Box::new(|world| world.members = Some(vec![member(12, "workers", "Warmed:Running")]))),
        ("standby", Box::new(|world| world.members = Some(vec![member(12, "workers", "Standby")]))),
        ("detaching", Box::new(|world| world.members = Some(vec![member(12, "workers", "Detaching")]))),
        ("going", Box::new(|world| world.members = Some(vec![member(12, "workers", "Terminating:Wait")]))),
        (
            "scale-in protection",
            Box::new(|world| {
                world.members = Some(vec![domain::ports::Member { protected: true, ..member(12, "workers", "InService") }]);
            }),
        ),
        ("no word of groups", Box::new(|world| world.members = None)),
        (
            "in hand by the journal",
            Box::new(|world| {
                let of = domain::plan::action::Which::Instance(id(12));
                world.plans = vec![plan("p", PlanKind::Rescue, Action::AwaitReady { of, within_s: 60 })];
            }),
        ),
        (
            "launched by a plan whose answer is lost",
            Box::new(|world| {
                let of = domain::plan::action::Which::Instance(id(1));
                world.plans = vec![plan("p", PlanKind::Rescue, Action::AwaitReady { of, within_s: 60 })];
                world.first().tags.insert(PLAN_TAG.into(), "p".into());
            }),
        ),
    ];
    for (name, change) in changes {
        let mut world = World::new();
        change(&mut world);
        assert_eq!(ghosts_after_a_day(&mut world), (0, 0), "{name}");
        assert!(world.book.watches.is_empty(), "{name}");
    }
    assert_eq!(ghosts_after_a_day(&mut World::new()), (1, 1));
}

#[test]
fn the_tag_of_a_plan_that_is_over_protects_nothing() {
    let mut world = World::new();
    world.first().tags.insert(PLAN_TAG.into(), "over".into());
    assert_eq!(ghosts_after_a_day(&mut world), (1, 1));
}

#[test]
fn an_instance_is_known_by_its_id_and_never_by_a_name() {
    let mut world = World::new();
    world.nodes.push(domain::node::NodeView { provider_id: String::new(), ..node(12) });
    assert_eq!(ghosts_after_a_day(&mut world).1, 1, "a node of the same name that stands for nothing");
    let mut world = World::new();
    world.nodes.push(domain::node::NodeView { provider_id: format!("aws:///us-east-1a/{}", id(12)), ..node(99) });
    assert_eq!(ghosts_after_a_day(&mut world).0, 0, "whatever the node is called");
}

#[test]
fn what_is_protected_meanwhile_begins_anew() {
    let mut world = World::new();
    world.hours(0, 20);
    world.first().tags.insert(PROTECT_TAG.into(), String::new());
    assert!(matches!(world.scan(21 * 60).news[..], [News::Recovered(_, _, WhyNot::LeftAlone(PROTECT_TAG))]));
    world.first().tags.remove(PROTECT_TAG);
    assert_eq!(world.hours(22, 46).due, []);
}

#[test]
fn members_go_through_their_group_and_only_where_it_has_room() {
    let mut world = World::new();
    world.members = Some(vec![member(12, "workers", "InService")]);
    let last = world.hours(0, 25);
    assert_eq!(last.ghosts[0].way, Way::ThroughGroup("workers".to_owned()));
    assert_eq!(last.due, [id(12)]);
    world.members = Some(vec![domain::ports::Member { desired: 1, ..member(12, "workers", "InService") }]);
    let last = world.scan(26 * 60);
    assert!(matches!(last.ghosts[0].way, Way::HandsOff(_)));
    assert_eq!(last.due, [], "the group would make another");
}

#[test]
fn karpenter_collects_its_own() {
    let mut world = World::new();
    world.first().tags.insert("karpenter.sh/nodepool".into(), "default".into());
    assert_eq!(ghosts_after_a_day(&mut world), (1, 0), "reported, never ended");
    assert_eq!(world.book.watches[id(12).as_str()].told, Told::Found, "nobody is warned of what will not happen");
}

#[test]
fn a_scan_ends_no_more_than_its_cap_oldest_first() {
    let mut world = World::new();
    world.instances = (1..=40).map(instance).collect();
    world.nodes = (1..=36).map(node).collect();
    assert_eq!(world.hours(0, 25).due, [id(37), id(38)]);
    let ending = |n| plan(&format!("g-{n}"), PlanKind::Ghost, Action::TerminateGhost { instance: id(n), by: AskedBy::Scan });
    world.plans = vec![ending(37)];
    assert_eq!(world.scan(26 * 60).due, [id(38)], "what is under way counts");
    assert!(world.book.watches.contains_key(id(37).as_str()), "a ghost that is being ended is still a ghost");
    world.plans = vec![ending(37), ending(38)];
    assert_eq!(world.scan(27 * 60).due, []);
}

#[test]
fn mass_ghosts_an_empty_list_and_a_shrunken_one_stop_everything() {
    let mut world = World::new();
    world.hours(0, 24);
    let book = world.book.clone();
    let mut check = |nodes: Vec<domain::node::NodeView>, wanted: fn(&Stop) -> bool| {
        world.book = book.clone();
        world.nodes = nodes;
        let stopped = world.scan(25 * 60);
        assert!(matches!(&stopped.news[..], [News::Stopped(stop)] if wanted(stop)), "{:?}", stopped.news);
        assert_eq!((stopped.due.len(), stopped.ghosts.len()), (0, 0));
        assert_eq!(world.scan(26 * 60).news, [], "it is told once");
        assert_eq!(world.book.watches, book.watches, "nothing is learnt from such a look");
    };
    check(Vec::new(), |stop| matches!(stop, Stop::NoNodes { running: 12 }));
    check((1..=8).map(node).collect(), |stop| matches!(stop, Stop::Shrunken { before: 11, now: 8 }));
    check((1..=9).map(node).collect(), |stop| matches!(stop, Stop::Mass { ghosts: 3, running: 12 }));
    let unready = |n| domain::node::NodeView { ready: n > 6, ..node(n) };
    check((1..=11).map(unready).collect(), |stop| matches!(stop, Stop::Unhealthy { unready: 6, nodes: 11 }));
    world.nodes = (1..=11).map(node).collect();
    let resumed = world.scan(27 * 60);
    assert_eq!(resumed.news, [News::Resumed]);
    assert_eq!(resumed.due, [id(12)], "what was seen before stands, as long as the gap was short");
}

#[test]
fn what_is_a_node_is_one_even_while_everything_else_is_stopped() {
    let mut world = World::new();
    world.hours(0, 20);
    world.nodes = vec![node(12)];
    assert!(matches!(world.scan(21 * 60).news[..], [News::Stopped(_), News::Recovered(_, _, WhyNot::Node)]));
    world.nodes = (1..=11).map(node).collect();
    assert_eq!(world.hours(22, 46).due, [], "its day begins with hour 22");
}

#[test]
fn a_cluster_that_is_scaled_down_is_not_shrunken() {
    let mut world = World::new();
    world.hours(0, 2);
    world.instances.retain(|instance| instance.id > id(6));
    world.nodes.retain(|node| node.instance().unwrap() > id(6));
    let scan = world.scan(3 * 60);
    assert_eq!((scan.news.len(), scan.ghosts.len()), (0, 1));
}

#[test]
fn a_cluster_that_grows_has_no_mass_of_ghosts() {
    let mut world = World::new();
    world.hours(0, 2);
    let young: Vec<_> = (13..=60).map(|n| domain::ports::Instance { launched_at: Some(at(170)), ..instance(n) }).collect();
    world.instances.extend(young);
    assert_eq!(world.scan(3 * 60).news, []);
}

#[test]
fn a_cluster_without_a_name_is_an_error_and_never_everything() {
    let world = World::new();
    for name in ["", " "] {
        let look = crate::ghosts::Look { cluster_name: name, ..world.look(at(0)) };
        assert!(scan(&look, &world.book, world.settings).is_err());
        assert!(suspects(&look).is_err());
    }
}

#[test]
fn only_suspects_are_asked_for_and_without_an_answer_nothing_is_learnt() {
    let mut world = World::new();
    world.instances.push(tagged(13, &[(PROTECT_TAG, "")]));
    world.members = None;
    assert_eq!(suspects(&world.look(at(0))).unwrap(), [id(12)]);
    world.members = Some(Vec::new());
    world.hours(0, 20);
    let before = world.book.watches.clone();
    world.members = None;
    let scan = world.scan(21 * 60);
    assert_eq!((scan.news.len(), scan.due.len()), (0, 0));
    assert_eq!(world.book.watches, before);
}

#[test]
fn an_ended_ghost_is_forgotten() {
    let mut world = World::new();
    world.hours(0, 25);
    world.instances.retain(|instance| instance.id != id(12));
    assert_eq!(world.scan(26 * 60).news, [News::Recovered(id(12), at(0), WhyNot::Gone)]);
    assert!(world.book.watches.is_empty());
}

#[test]
fn what_else_is_in_the_book_is_left_there() {
    let mut world = World::new();
    world.book.watches.insert("vol-1".to_owned(), domain::watch::Watch::new(at(0)));
    world.scan(60);
    assert!(world.book.watches.contains_key("vol-1"));
}

#[test]
fn whoever_switches_it_on_is_warned_first() {
    let mut world = World::new();
    world.settings.acts = false;
    let watched = world.hours(0, 100);
    assert_eq!((watched.ghosts.len(), watched.due.len()), (1, 0));
    world.settings.acts = true;
    let first = world.scan(101 * 60);
    assert_eq!((first.news, first.due), (vec![News::Warned(id(12))], vec![]));
    assert_eq!(world.scan(102 * 60).due, [id(12)]);
}

#[test]
fn a_grace_is_never_shorter_than_an_hour() {
    let policy = domain::policy::WastePolicy { ghost_grace_hours: 0, ..Default::default() };
    let settings = crate::ghosts::Settings::from(&policy);
    assert_eq!(settings.grace, SignedDuration::from_hours(1));
    let _: Timestamp = at(0);
}
