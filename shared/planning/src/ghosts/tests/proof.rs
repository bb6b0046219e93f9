//! The last look.

use super::make::{CLUSTER, World, at, id, member, node};
use crate::ghosts::{End, Look, Proof, verify};
use domain::node::NodeView;
use domain::plan::action::AskedBy;
use domain::plan::precondition::PROTECT_TAG;
use domain::ports::InstanceState;

/// A world whose twelfth instance was seen as a ghost every hour of a day and one more.
fn due() -> World {
    let mut world = World::new();
    assert_eq!(world.hours(0, 25).due, [id(12)]);
    world
}

struct Asked {
    namesake: Option<NodeView>,
    end_forbidden: bool,
    by: AskedBy,
    minutes: i64,
}

fn verdict(world: &World, asked: Asked) -> Result<End, String> {
    let wanted = id(12);
    let found: Vec<_> = world.instances.iter().filter(|instance| instance.id == wanted).cloned().collect();
    let look = Look { instances: &found, ..world.look(at(asked.minutes)) };
    assert_eq!(look.cluster_name, CLUSTER);
    verify(&Proof {
        wanted: &wanted,
        look,
        namesake: asked.namesake.as_ref(),
        end_forbidden: asked.end_forbidden,
        book: &world.book,
        settings: world.settings,
        by: asked.by,
    })
}

fn scan_asks() -> Asked {
    Asked { namesake: None, end_forbidden: false, by: AskedBy::Scan, minutes: 25 * 60 + 1 }
}

fn refused(change: impl FnOnce(&mut World, &mut Asked)) -> String {
    let (mut world, mut asked) = (due(), scan_asks());
    change(&mut world, &mut asked);
    verdict(&world, asked).unwrap_err()
}

#[test]
fn what_is_still_a_ghost_may_be_ended() {
    assert_eq!(verdict(&due(), scan_asks()), Ok(End::Direct));
    let mut world = due();
    world.members = Some(vec![member(12, "workers", "InService")]);
    assert_eq!(verdict(&world, scan_asks()), Ok(End::ThroughGroup));
    world.first().state = InstanceState::ShuttingDown;
    assert_eq!(verdict(&world, scan_asks()), Ok(End::Gone));
}

#[test]
fn whatever_has_changed_since_the_scan_stops_it() {
    refused(|world, _| world.nodes.push(node(12)));
    refused(|_, asked| asked.namesake = Some(node(12)));
    refused(|_, asked| asked.end_forbidden = true);
    refused(|world, _| world.nodes.truncate(8));
    refused(|world, _| world.nodes.clear());
    refused(|world, _| world.members = None);
    refused(|world, _| world.members = Some(vec![member(12, "workers", "Standby")]));
    refused(|world, _| world.members = Some(vec![domain::ports::Member { desired: 1, ..member(12, "workers", "InService") }]));
    refused(|world, _| drop(world.first().tags.insert(PROTECT_TAG.into(), String::new())));
    refused(|world, _| world.first().tags.clear());
    refused(|world, _| world.first().state = InstanceState::Stopped);
    refused(|world, _| world.instances.clear());
    refused(|world, _| world.book.watches.clear());
    refused(|world, _| world.book.stopped = Some((at(0), "half a list".to_owned())));
    refused(|_, asked| asked.minutes = 25 * 60 + 361);
    refused(|_, asked| asked.minutes = 24 * 60);
}

#[test]
fn a_namesake_is_nobody() {
    let asked = Asked { namesake: Some(NodeView { provider_id: format!("aws:///us-east-1a/{}", id(77)), ..node(12) }), ..scan_asks() };
    assert_eq!(verdict(&due(), asked), Ok(End::Direct));
}

#[test]
fn a_person_need_not_wait_for_the_grace_but_for_a_second_sighting() {
    let by_hand = |minutes| Asked { by: AskedBy::Person, minutes, ..scan_asks() };
    let mut world = World::new();
    world.scan(0);
    verdict(&world, by_hand(90)).unwrap_err();
    world.scan(60);
    assert_eq!(verdict(&world, by_hand(90)), Ok(End::Direct));
    verdict(&world, Asked { minutes: 90, ..scan_asks() }).unwrap_err();
}
