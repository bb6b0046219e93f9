//! Every call of a rescue, met by every fault; and a process that dies at the same call a hundred times.

use sim::faults::{ALL, Fault};
use tests::one_rescue::with;

/// Calls of the first two minutes are enough: after that only the replacement is waited for.
fn positions() -> Vec<(u64, &'static str)> {
    let calls = with(|_| None).expect("a rescue without faults breaks no law");
    assert!(calls.contains(&"cloud.launch") && calls.contains(&"cluster.cordon") && calls.contains(&"cluster.evict"));
    (0..).zip(calls).take(120).collect()
}

#[test]
fn every_fault_at_every_call_breaks_no_law() {
    let positions = positions();
    let mut broken = Vec::new();
    for (at, name) in &positions {
        for fault in ALL {
            let at = *at;
            if let Err(law) = with(move |call| (call.index == at).then_some(fault)) {
                broken.push(format!("{name} (call {at}), {fault:?}: {law}"));
            }
        }
    }
    println!("BENCH single_fault_pairs {} count >= 100", positions.len() * ALL.len());
    println!("BENCH single_fault_violations {} count <= 0", broken.len());
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n").chars().take(6000).collect::<String>());
}

#[test]
fn a_hundred_crashes_in_a_row_at_any_call_never_double_or_leak() {
    let mut names: Vec<&str> = positions().into_iter().map(|(_, name)| name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        for fault in [Fault::CrashBefore, Fault::CrashAfter] {
            let mut left = 100;
            let crash = move |call: sim::faults::Call| {
                let dies = call.name == name && left > 0;
                left -= u32::from(dies);
                dies.then_some(fault)
            };
            with(crash).unwrap_or_else(|law| panic!("{name}, {fault:?} x 100: {law}"));
        }
    }
}
