//! Every call of a rescue, met by every fault; and a process that dies at the same call a hundred times.

use harness::one_rescue::with;
use sim::faults::{ALL, Fault};

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

/// Two faults in one rescue. All pairs would be a million runs: some thousands are drawn, the same ones each time.
#[test]
fn two_faults_in_one_rescue_break_no_law() {
    let positions = positions();
    let mut dice = fastrand::Rng::with_seed(2);
    let mut broken = Vec::new();
    let many = 1_500;
    for _ in 0..many {
        let mut draw = || (dice.u64(..positions.len() as u64), ALL[dice.usize(..ALL.len())]);
        let (one, other) = (draw(), draw());
        let script = move |call: sim::faults::Call| [one, other].iter().find(|(at, _)| *at == call.index).map(|(_, fault)| *fault);
        if let Err(law) = with(script) {
            broken.push(format!("{one:?} and {other:?}: {law}"));
        }
    }
    println!("BENCH double_fault_pairs {many} count >= 1000");
    println!("BENCH double_fault_violations {} count <= 0", broken.len());
    assert!(broken.is_empty(), "{} broken:\n{}", broken.len(), broken.join("\n").chars().take(6000).collect::<String>());
}
