//! What happens to the cluster in a year, drawn from the seed.

use crate::world::World;
use domain::plan::precondition::PROTECT_TAG;
use domain::ports::InstanceState;
use std::collections::BTreeMap;

/// Something that happens at its time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    Join(usize),
    Lose(usize),
    /// Ended by somebody else.
    End(usize),
    Protect(usize, bool),
    Share(usize, bool),
    EndForbidden(usize, bool),
    ScaleInProtected(usize, bool),
    Lifecycle(usize, &'static str),
    /// Stopped or started.
    State(usize, InstanceState),
    /// A rescue has it in hand for so many minutes.
    Hold(usize, i64),
    /// The group must have this many at the least.
    Min(usize, u32),
    /// Launched into a group or none, with the private name of this machine where one is given; joins after so many minutes, if ever.
    Launch(Option<usize>, Option<usize>, Option<i64>),
}

/// What is still to come, by minute.
pub(crate) type Agenda = BTreeMap<(i64, u32), Turn>;

/// The last minute of the year; what comes after it is quiet.
pub(crate) const YEAR: i64 = 365 * 24 * 60;
const DAY: i64 = 24 * 60;

/// Lets happen what is due.
pub(crate) fn advance(world: &mut World, agenda: &mut Agenda, to: i64) {
    while let Some(entry) = agenda.first_entry() {
        if entry.key().0 > to {
            break;
        }
        world.now = entry.key().0.max(world.now);
        let turn = entry.remove();
        happen(world, agenda, turn);
    }
    world.now = world.now.max(to);
}

fn happen(world: &mut World, agenda: &mut Agenda, turn: Turn) {
    let now = world.now;
    world.changed();
    let tag = |world: &mut World, index: usize, key: String, value: Option<&str>| {
        world.machines[index].instance.set(now, |shown| {
            if let Some(instance) = shown {
                match value {
                    Some(value) => drop(instance.tags.insert(key, value.to_owned())),
                    None => drop(instance.tags.remove(&key)),
                }
            }
        });
    };
    match turn {
        Turn::Join(index) => world.join(index),
        Turn::Lose(index) => world.lose(index),
        Turn::End(index) => world.end(index, true),
        Turn::Protect(index, on) => tag(world, index, PROTECT_TAG.to_owned(), on.then_some("")),
        Turn::Share(index, on) => {
            tag(world, index, "kubernetes.io/cluster/other".to_owned(), on.then_some("owned"));
        }
        Turn::EndForbidden(index, on) => world.machines[index].end_forbidden = on,
        Turn::ScaleInProtected(index, on) => world.machines[index].scale_in_protected = on,
        Turn::Lifecycle(index, state) => world.machines[index].lifecycle = state,
        Turn::State(index, state) => {
            world.machines[index].instance.set(now, |shown| {
                if let Some(instance) = shown {
                    instance.state = state;
                    if state == InstanceState::Running {
                        instance.launched_at = Some(crate::world::clock(now, 0));
                    }
                }
            });
            world.lose(index);
        }
        Turn::Hold(index, minutes) => world.machines[index].in_hand_until = now + minutes,
        Turn::Min(group, min) => world.groups[group].min = min,
        Turn::Launch(group, namesake, joins) => {
            let dns =
                namesake.and_then(|index| world.machines[index].instance.now.as_ref()).and_then(|instance| instance.private_dns.clone());
            let index = world.launch(group, dns);
            if let Some(minutes) = joins {
                put(agenda, now + minutes, Turn::Join(index));
            }
        }
    }
}

pub(crate) fn put(agenda: &mut Agenda, minute: i64, turn: Turn) {
    let serial = agenda.range((minute, 0)..=(minute, u32::MAX)).next_back().map_or(0, |((_, serial), _)| serial + 1);
    agenda.insert((minute, serial), turn);
}

/// A cluster of a few nodes, and what will happen to it.
pub(crate) fn grow(rng: &mut fastrand::Rng) -> (World, Agenda) {
    let mut world = World {
        now: -3 * 60,
        machines: Vec::new(),
        groups: (0..rng.usize(0..=2)).map(|_| crate::world::Group { desired: 0, min: 0 }).collect(),
        named_by_dns: rng.u8(0..4) > 0,
        serial: 0,
        version: 0,
        changed_at: 0,
    };
    let mut agenda = Agenda::new();
    for _ in 0..rng.usize(4..=9) {
        let group = (!world.groups.is_empty() && rng.bool()).then(|| rng.usize(..world.groups.len()));
        let index = world.launch(group, None);
        world.join(index);
    }
    for group in &mut world.groups {
        group.min = rng.u32(0..=group.desired);
    }
    for _ in 0..rng.usize(2..=5) {
        let begins = rng.i64(0..YEAR - 6 * DAY);
        episode(&world, &mut agenda, begins, rng);
    }
    (world, agenda)
}

/// Something that begins here and is over some days later.
fn episode(world: &World, agenda: &mut Agenda, begins: i64, rng: &mut fastrand::Rng) {
    let index = rng.usize(..world.machines.len());
    let group = (!world.groups.is_empty()).then(|| rng.usize(..world.groups.len()));
    // Around the end of the grace a thing hurts most.
    let near_the_end = begins + DAY + rng.i64(-120..180);
    match rng.u8(0..12) {
        0 => put(agenda, begins, Turn::Lose(index)),
        1 | 2 => {
            put(agenda, begins, Turn::Lose(index));
            put(agenda, near_the_end, Turn::Join(index));
        }
        3 => {
            put(agenda, begins, Turn::Lose(index));
            let at = begins + rng.i64(1..30 * 60);
            put(agenda, at, Turn::Join(index));
            put(agenda, at + rng.i64(1..180), Turn::Lose(index));
        }
        4 => outside_hand(agenda, begins, near_the_end, index, group, rng),
        5 => {
            // Half of the cluster is cut off, and comes back.
            let back = begins + rng.i64(30..36 * 60);
            for index in 0..world.machines.len() {
                if rng.bool() {
                    continue;
                }
                put(agenda, begins + rng.i64(0..20), Turn::Lose(index));
                put(agenda, back + rng.i64(0..20), Turn::Join(index));
            }
        }
        6 | 7 => put(agenda, begins, Turn::Launch(group.filter(|_| rng.bool()), None, rng.bool().then(|| rng.i64(5..45)))),
        8 => {
            // A ghost's private name is given to a new machine, whose node is called like the old one's was.
            put(agenda, begins, Turn::Lose(index));
            put(agenda, begins + rng.i64(60..30 * 60), Turn::Launch(None, Some(index), Some(rng.i64(3..20))));
        }
        9 => {
            // A group churns: one goes, one comes, over some days.
            for round in 0..rng.i64(2..5) {
                put(agenda, begins + round * 7 * 60, Turn::Launch(group, None, Some(rng.i64(3..30))));
                if round == 1 {
                    put(agenda, begins + round * 7 * 60 + 30, Turn::End(index));
                }
            }
        }
        10 => {
            put(agenda, begins, Turn::State(index, InstanceState::Stopped));
            let again = begins + rng.i64(60..3 * DAY);
            put(agenda, again, Turn::State(index, InstanceState::Running));
            if rng.bool() {
                put(agenda, again + rng.i64(5..40), Turn::Join(index));
            }
        }
        _ => {
            put(agenda, begins, Turn::Lose(index));
            put(agenda, near_the_end, Turn::Hold(index, rng.i64(30..600)));
        }
    }
}

/// A ghost that somebody takes into their own hands shortly before it would be ended.
fn outside_hand(agenda: &mut Agenda, begins: i64, late: i64, index: usize, group: Option<usize>, rng: &mut fastrand::Rng) {
    put(agenda, begins, Turn::Lose(index));
    let over = late + rng.i64(60..3 * DAY);
    let (turn, back) = match rng.u8(0..7) {
        0 => (Turn::Protect(index, true), Turn::Protect(index, false)),
        1 => (Turn::Share(index, true), Turn::Share(index, false)),
        2 => (Turn::EndForbidden(index, true), Turn::EndForbidden(index, false)),
        3 => (Turn::ScaleInProtected(index, true), Turn::ScaleInProtected(index, false)),
        4 => (Turn::Lifecycle(index, "Standby"), Turn::Lifecycle(index, "InService")),
        5 => (Turn::Lifecycle(index, "Warmed:Running"), Turn::Lifecycle(index, "InService")),
        _ => match group {
            Some(group) => (Turn::Min(group, 9), Turn::Min(group, 0)),
            None => (Turn::End(index), Turn::Join(index)),
        },
    };
    put(agenda, late, turn);
    put(agenda, over, back);
}
