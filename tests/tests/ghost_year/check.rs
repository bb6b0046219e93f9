//! The judge: it knows the truth and nothing of the scan's code.

use crate::world::World;
use domain::ports::InstanceState;
use planning::ghosts::End;

/// How much of a day the clocks of two workers, off by ten minutes each, may take or give, and the minute they round to.
const OFF: i64 = 21;

/// Panics where this end is wrong.
pub(crate) fn ends(world: &World, index: usize, end: &End, in_hand_at_once: usize, cap: usize) {
    let machine = &world.machines[index];
    let say = |what: &str| -> ! { panic!("machine {index} was ended at minute {}: {what}", world.now) };
    let Some(instance) = &machine.instance.now else { say("it was gone") };
    if machine.node.now.is_some() {
        say("it is a node");
    }
    // What joins and leaves between two looks nobody can know; what any look has shown counts.
    let shown = world.now - machine.on_a_list_at;
    if shown < 24 * 60 - OFF {
        say(&format!("it was a node {shown} minutes ago"));
    }
    if instance.state != InstanceState::Running {
        say("it does not run");
    }
    if instance.tags.len() > 1 + usize::from(machine.group.is_some()) {
        say("it is protected or contested");
    }
    if machine.end_forbidden {
        say("ending it is forbidden");
    }
    if machine.in_hand_until > world.now {
        say("a plan has it in hand");
    }
    match machine.group {
        None if *end == End::Direct => {}
        None => say("it was ended through a group that it is not in"),
        Some(_) if *end != End::ThroughGroup => say("its group replaces it"),
        Some(_) if machine.lifecycle != "InService" || machine.scale_in_protected => say("its group has something else in mind"),
        Some(group) if world.groups[group].desired <= world.groups[group].min => say("its group is at its least"),
        Some(_) => {}
    }
    if in_hand_at_once > cap {
        say("more were in hand at once than a scan may end");
    }
}

/// Machines that should have been ended by now: alone for a day and the hours of two scans, all of them quiet.
pub(crate) fn left(world: &World) -> Vec<usize> {
    let running = (0..world.machines.len()).filter(|index| world.runs(*index));
    let (nodes, ghosts): (Vec<usize>, Vec<usize>) = running.partition(|index| world.machines[*index].node.now.is_some());
    // As many as that are a symptom, and without nodes nothing is believed.
    if nodes.is_empty() || ghosts.len() * 10 > nodes.len() + ghosts.len() + 9 {
        return Vec::new();
    }
    let should_end = |index: &usize| {
        let machine = &world.machines[*index];
        let tags = machine.instance.now.as_ref().map_or(0, |instance| instance.tags.len());
        let room = machine.group.is_none_or(|group| world.groups[group].desired > world.groups[group].min);
        let free = !machine.end_forbidden && !machine.scale_in_protected && machine.lifecycle == "InService";
        tags <= 1 + usize::from(machine.group.is_some()) && room && free && machine.in_hand_until <= world.now - 30 * 60
    };
    ghosts.into_iter().filter(should_end).filter(|index| world.now - world.machines[*index].alone_since > 30 * 60).collect()
}
