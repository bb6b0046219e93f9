//! What other controllers make of the same sight. They are the measure: whatever we end, each of them would have ended long before.

use super::make::{World, at, id};
use crate::ghosts::tags::Tags;
use crate::ghosts::{group_room, overdue};
use domain::SignedDuration;

/// The tags by which Karpenter's instance collection lists (as the golden cases call them).
pub(super) const LISTED_BY: [&str; 3] = ["nodepool", "nodeclass", "eks-cluster-name"];

/// Karpenter's collection of instances: listed by its tags, older than thirty seconds, and no NodeClaim names it. Its Node goes, too.
pub(super) fn karpenter_ends(tags: &[String], age: SignedDuration, claimed: bool) -> bool {
    LISTED_BY.iter().all(|tag| tags.iter().any(|have| have == tag)) && !claimed && age > SignedDuration::from_secs(30)
}

/// Karpenter's collection of NodeClaims: registered, without an instance, and its Node not Ready.
pub(super) fn karpenter_forgets(registered: bool, instance: bool, node: Option<&str>) -> bool {
    registered && !instance && node != Some("Ready")
}

/// How many unregistered instances of one group the cluster-autoscaler removes.
pub(super) fn autoscaler_removes(unregistered: u32, first_seen: SignedDuration, provision: SignedDuration, target: u32, min: u32) -> u32 {
    let old = overdue(at(0), provision, at(0) + first_seen);
    if old { unregistered.min(group_room(target, min)) } else { 0 }
}

/// What the cloud node lifecycle controller makes of an instance: whether it exists; `None`: it does nothing.
pub(super) fn exists(provider_id: Option<&str>, api: Option<&str>, state: Option<&str>, listed: Option<bool>) -> Option<bool> {
    if provider_id.is_some_and(|id| id.contains("/fargate-")) {
        return listed;
    }
    match (api, state) {
        (Some("InvalidInstanceID.NotFound"), _) => Some(false),
        (Some(_), _) => None,
        (None, None | Some("terminated")) => Some(false),
        (None, Some(_)) => Some(true),
    }
}

/// And what it does to the Node.
pub(super) fn node_action(ready: &str, cloud: &str) -> &'static str {
    match (ready, cloud) {
        ("True", _) | (_, "exists" | "error") => "keep",
        (_, "stopped") => "shutdown taint",
        _ => "delete node",
    }
}

#[test]
fn whatever_we_end_the_others_would_have_ended_long_before() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut ended = 0;
    for _ in 0..300 {
        let mut world = World::new();
        let room = rng.u32(0..3);
        let grouped = rng.bool();
        if grouped {
            let member = super::make::member(12, "workers", "InService");
            world.members = Some(vec![domain::ports::Member { desired: 2 + room, min: 2, ..member }]);
        }
        let hours = rng.i64(20..30);
        let due = world.hours(0, hours).due;
        let Some(first) = due.first() else { continue };
        ended += 1;
        let watch = &world.book.watches[first.as_str()];
        let seen_for = at(hours * 60).duration_since(watch.first_seen);
        assert_eq!(*first, id(12));
        let tags: Vec<String> = LISTED_BY.map(str::to_owned).into();
        assert!(karpenter_ends(&tags, seen_for, false));
        if grouped {
            assert_eq!(autoscaler_removes(1, seen_for, SignedDuration::from_mins(15), 2 + room, 2), 1);
        }
    }
    assert!(ended > 50, "{ended}");
    let _: Tags = Tags::new();
}
