//! Plans of the optimizer under faults: every kind, failing at every call and at every step, each step twice, and a process that
//! dies after every write.

use domain::plan::Outcome;
use harness::plans::one_plan::{SHAPES, Shape, with};
use sim::faults::{ALL, Fault, Kind};

/// Calls until the plan is over; behind them only the sweep goes on.
fn positions(shape: Shape) -> Vec<(u64, &'static str)> {
    let (calls, outcome) = with(shape, false, |_| None).unwrap_or_else(|law| panic!("{shape:?}, without faults: {law}"));
    assert_eq!(outcome, Some(Outcome::Succeeded), "{shape:?}");
    let last = calls.iter().rposition(|name| *name == "cloud.terminate").expect("the nodes were ended") + 4;
    (0..).zip(calls).take(last).collect()
}

#[test]
fn every_fault_at_every_call_of_a_plan_breaks_no_law() {
    let (mut pairs, mut broken) = (0, Vec::new());
    for shape in SHAPES {
        for (at, name) in positions(shape) {
            for fault in ALL {
                pairs += 1;
                if let Err(law) = with(shape, false, move |call| (call.index == at).then_some(fault)) {
                    broken.push(format!("{shape:?}: {name} (call {at}), {fault:?}: {law}"));
                }
            }
        }
    }
    println!("BENCH plan_fault_pairs {pairs} count >= 400");
    println!("BENCH plan_fault_violations {} count <= 0", broken.len());
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n").chars().take(6000).collect::<String>());
}

/// A step that can never be done: its call is refused for good, until the plan has given up.
#[test]
fn a_plan_that_fails_at_any_step_is_taken_back_and_tells_of_no_saving() {
    for shape in SHAPES {
        for name in ["cloud.launch", "cluster.cordon", "cluster.evict", "cluster.pods", "cluster.nodes"] {
            if name == "cloud.launch" && shape.come == 0 {
                continue;
            }
            let mut seen = 0;
            let always = move |call: sim::faults::Call| {
                seen += u32::from(call.name == name);
                // The first looks at nodes and pods are the survey's: without them there is no plan to fail.
                let first = if name == "cluster.pods" || name == "cluster.nodes" { 4 } else { 0 };
                (call.name == name && (first < seen && seen < 20_000)).then_some(Fault::Before(Kind::Denied))
            };
            let (_, outcome) = with(shape, false, always).unwrap_or_else(|law| panic!("{shape:?}, {name} never works: {law}"));
            assert_ne!(outcome, Some(Outcome::Succeeded), "{shape:?}, {name}");
        }
    }
}

#[test]
fn every_step_by_two_workers_does_no_harm() {
    for shape in SHAPES {
        let (_, outcome) = with(shape, true, |_| None).unwrap_or_else(|law| panic!("{shape:?}, twice: {law}"));
        assert_eq!(outcome, Some(Outcome::Succeeded), "{shape:?}");
    }
}

#[test]
fn a_process_that_dies_after_every_write_makes_one_plan_and_leaks_nothing() {
    for shape in SHAPES {
        for writes in [
            &["journal.record"][..],
            &["journal.open"],
            &["optimizations.decide"],
            &["optimizations.put_proposal", "optimizations.put_standing"],
            &["cloud.launch", "cloud.terminate", "cluster.cordon", "cluster.evict"],
        ] {
            let mut left = 30;
            let crash = move |call: sim::faults::Call| {
                let dies = writes.contains(&call.name) && left > 0;
                left -= u32::from(dies);
                dies.then_some(Fault::CrashAfter)
            };
            with(shape, false, crash).unwrap_or_else(|law| panic!("{shape:?}, dies after {writes:?}: {law}"));
        }
    }
}
