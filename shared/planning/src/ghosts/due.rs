//! Which ghosts are to be ended now.

use super::{Ghost, Look, Settings, Sight, Way};
use domain::ids::InstanceId;
use domain::watch::{Told, Watchbook};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Whether more time has passed than the grace.
pub fn overdue(first_seen: Timestamp, grace: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(first_seen) > grace
}

/// How many members a group can lose before it makes new ones.
pub fn group_room(desired: u32, min: u32) -> u32 {
    desired.saturating_sub(min)
}

/// Those that are due, oldest first: people were warned at an earlier look, the grace is over, and neither the cap of the scan nor
/// the room of a group is used up.
pub(super) fn due(
    look: &Look<'_>,
    sight: &Sight<'_>,
    (before, book): (&Watchbook, &Watchbook),
    ghosts: &[Ghost],
    settings: Settings,
) -> Vec<InstanceId> {
    let mut waiting: Vec<(Timestamp, &Ghost)> = Vec::new();
    for ghost in ghosts {
        let Some(watch) = book.watches.get(ghost.instance.as_str()) else {
            continue;
        };
        // At an earlier look: whoever is warned has until the next one to say no.
        let warned =
            before.watches.get(ghost.instance.as_str()).is_some_and(|then| then.told == Told::Warned) && watch.told == Told::Warned;
        let ending = sight.ending.contains(ghost.instance.as_str());
        if settings.acts && warned && !ending && overdue(watch.first_seen, settings.grace, look.now) {
            waiting.push((watch.first_seen, ghost));
        }
    }
    waiting.sort_by(|a, b| (a.0, &a.1.instance).cmp(&(b.0, &b.1.instance)));
    let mut room = groups(look, sight);
    let mut left = settings.per_scan_max.saturating_sub(sight.ending.len());
    let mut due = Vec::new();
    for (_, ghost) in waiting {
        let fits = match &ghost.way {
            Way::Direct => true,
            Way::ThroughGroup(group) => room.get_mut(group.as_str()).is_some_and(take),
            Way::HandsOff(_) => false,
        };
        if left > 0 && fits {
            left -= 1;
            due.push(ghost.instance.clone());
        }
    }
    due
}

fn take(room: &mut u32) -> bool {
    let some = *room > 0;
    *room = room.saturating_sub(1);
    some
}

/// The room of each group, less what is being ended already.
fn groups<'a>(look: &Look<'a>, sight: &Sight<'_>) -> BTreeMap<&'a str, u32> {
    let mut room = BTreeMap::new();
    let members = look.members.unwrap_or_default();
    for member in members {
        room.insert(member.group.as_str(), group_room(member.desired, member.min));
    }
    for member in members.iter().filter(|member| sight.ending.contains(member.instance.as_str())) {
        if let Some(left) = room.get_mut(member.group.as_str()) {
            *left = left.saturating_sub(1);
        }
    }
    room
}
