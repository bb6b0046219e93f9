//! Sizes of workloads under faults: every fault at every call until the plan is over, two workers, and a process that dies after
//! every write.

use domain::plan::Outcome;
use sim::faults::{ALL, Fault, Kind};
use tests::plans::one_size::{NEEDS, Need, with};

/// Calls until the roll-out is waited for; behind them the same look is taken again and again.
const CALLS: usize = 70;

fn positions(need: Need) -> Vec<(u64, &'static str)> {
    let (calls, outcome) = with(need, false, |_| None).unwrap_or_else(|law| panic!("{need:?}, without faults: {law}"));
    assert_eq!(outcome == Some(Outcome::Succeeded), need != Need::TooMuch, "{need:?}: {outcome:?}");
    assert!(calls.iter().take(CALLS).any(|name| *name == "cluster.patch_requests"), "{need:?}: {calls:?}");
    (0..).zip(calls).take(CALLS).collect()
}

#[test]
fn every_fault_at_every_call_of_a_size_breaks_no_law() {
    let (mut pairs, mut broken) = (0, Vec::new());
    for need in NEEDS {
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
    for need in NEEDS {
        with(need, true, |_| None).unwrap_or_else(|law| panic!("{need:?}, twice: {law}"));
    }
}

#[test]
fn a_process_that_dies_after_every_write_of_a_size_rolls_out_once() {
    for need in NEEDS {
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
    for need in [Need::More, Need::Less] {
        let denied = |call: sim::faults::Call| (call.name == "cluster.patch_requests").then_some(Fault::Before(Kind::Denied));
        let (_, outcome) = with(need, false, denied).unwrap_or_else(|law| panic!("{need:?}: {law}"));
        assert!(matches!(outcome, Some(Outcome::RolledBack { .. })), "{need:?}: {outcome:?}");
    }
}
