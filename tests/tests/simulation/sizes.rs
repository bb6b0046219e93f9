//! Sizes of workloads under faults: every fault at every call until the plan is over, two workers, and a process that dies after
//! every write. And worlds by seed in which sizes are mixed with other plans: `SIZE_SEEDS` says how many, `SIZE_SEED` replays one.

use super::number;
use domain::plan::Outcome;
use domain::workload::WorkloadKind;
use harness::plans::mixed;
use harness::plans::one_size::{KINDS, NEEDS, Need, with};
use sim::faults::{ALL, Fault, Kind};

/// Calls until the roll-out is waited for; behind them the same look is taken again and again.
const CALLS: usize = 70;

/// Every need of every kind of workload that is sized.
fn stories() -> impl Iterator<Item = (Need, WorkloadKind)> {
    KINDS.into_iter().flat_map(|kind| NEEDS.map(|need| (need, kind)))
}

fn positions(story: (Need, WorkloadKind)) -> Vec<(u64, &'static str)> {
    let need = story.0;
    let (calls, outcome) = with(story, false, |_| None).unwrap_or_else(|law| panic!("{story:?}, without faults: {law}"));
    assert_eq!(outcome == Some(Outcome::Succeeded), need != Need::TooMuch, "{need:?}: {outcome:?}");
    assert!(calls.iter().take(CALLS).any(|name| *name == "cluster.patch_requests"), "{need:?}: {calls:?}");
    (0..).zip(calls).take(CALLS).collect()
}

#[test]
fn every_fault_at_every_call_of_a_size_breaks_no_law() {
    let (mut pairs, mut broken) = (0, Vec::new());
    for need in stories() {
        for (at, name) in positions(need) {
            for fault in ALL {
                pairs += 1;
                if let Err(law) = with(need, false, move |call| (call.index == at).then_some(fault)) {
                    broken.push(format!("{need:?}: {name} (call {at}), {fault:?}: {law}"));
                }
            }
        }
    }
    println!("BENCH size_fault_pairs {pairs} count >= 400");
    println!("BENCH size_fault_violations {} count <= 0", broken.len());
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n").chars().take(6000).collect::<String>());
}

#[test]
fn every_step_of_a_size_by_two_workers_does_no_harm() {
    for need in stories() {
        with(need, true, |_| None).unwrap_or_else(|law| panic!("{need:?}, twice: {law}"));
    }
}

#[test]
fn a_process_that_dies_after_every_write_of_a_size_rolls_out_once() {
    for need in stories() {
        for writes in [
            &["journal.record"][..],
            &["journal.open"],
            &["optimizations.decide"],
            &["optimizations.put_proposal", "optimizations.put_standing"],
            &["usages.put_usages"],
            &["findings.put_finding"],
            &["cluster.patch_requests", "cluster.resize_in_place"],
        ] {
            let mut left = 30;
            let crash = move |call: sim::faults::Call| {
                let dies = writes.contains(&call.name) && left > 0;
                left -= u32::from(dies);
                dies.then_some(Fault::CrashAfter)
            };
            with(need, false, crash).unwrap_or_else(|law| panic!("{need:?}, dies after {writes:?}: {law}"));
        }
    }
}

#[test]
fn a_size_that_may_never_be_patched_is_given_up() {
    let both = KINDS.into_iter().flat_map(|kind| [Need::More, Need::Less].map(|need| (need, kind)));
    for need in both {
        let denied = |call: sim::faults::Call| (call.name == "cluster.patch_requests").then_some(Fault::Before(Kind::Denied));
        let (_, outcome) = with(need, false, denied).unwrap_or_else(|law| panic!("{need:?}: {law}"));
        assert!(matches!(outcome, Some(Outcome::RolledBack { .. })), "{need:?}: {outcome:?}");
    }
}

#[test]
fn sizes_and_moves_and_interruptions_of_one_cluster_leave_each_other_whole() {
    if let Some(seed) = number("SIZE_SEED") {
        mixed::run(seed).unwrap_or_else(|law| panic!("seed {seed}: {law}"));
        return;
    }
    let seeds = number("SIZE_SEEDS").unwrap_or(300);
    let (mut sized, mut moved, mut broken) = (0, 0, Vec::new());
    for seed in 0..seeds {
        match mixed::run(seed) {
            Ok((plans, moves)) => (sized, moved) = (sized + plans, moved + moves),
            Err(law) => broken.push(format!("seed {seed}: {law}")),
        }
    }
    println!("BENCH mixed_size_seeds {seeds} count >= 300");
    println!("BENCH mixed_size_violations {} count <= 0", broken.len());
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n").chars().take(6000).collect::<String>());
    assert!(seeds < 10 || (sized > 0 && moved > 0), "{sized} sized, {moved} moved: nothing was mixed");
}
