//! The whole system by seed. `SIM_SEEDS` says how many, `SIM_SEED` replays one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test's own switches")]
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn no_seed_breaks_a_law() {
    if let Some(seed) = number("SIM_SEED") {
        harness::world_by_seed::run(seed).unwrap_or_else(|law| panic!("seed {seed}: {law}"));
        return;
    }
    let seeds = number("SIM_SEEDS").unwrap_or(1_000);
    let first = number("SIM_FIRST").unwrap_or(0);
    let next = AtomicU64::new(first);
    let broken: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());
    let began = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || broken.lock().unwrap().len() > 20 {
                        return;
                    }
                    let run = std::panic::catch_unwind(|| harness::world_by_seed::run(seed));
                    if let Err(law) = run.unwrap_or_else(|_| Err("it panicked".to_owned())) {
                        broken.lock().unwrap().push((seed, law));
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().unwrap();
    broken.sort();
    println!("BENCH simulation_seeds {seeds} count >= 0");
    println!("{seeds} seeds from {first} in {:.1} s", began.elapsed().as_secs_f64());
    for (seed, law) in broken.iter().take(10) {
        println!(
            "seed {seed}: {}\n  replay: SIM_SEED={seed} cargo test --workspace --test simulation",
            law.chars().take(1500).collect::<String>()
        );
    }
    assert!(broken.is_empty(), "{} of {seeds} seeds broke a law; the first is {:?}", broken.len(), broken.first().map(|b| b.0));
}

#[path = "simulation/single_fault.rs"]
mod single_fault;

#[path = "simulation/rebalance.rs"]
mod rebalance;

#[path = "simulation/events.rs"]
mod events;

#[path = "simulation/open_rows.rs"]
mod open_rows;

#[path = "simulation/scenarios.rs"]
mod scenarios;

#[path = "simulation/bodies.rs"]
mod bodies;

#[path = "simulation/mutants.rs"]
mod mutants;

#[path = "simulation/plans.rs"]
mod plans;

#[path = "simulation/optimizing.rs"]
mod optimizing;

#[path = "simulation/nights.rs"]
mod nights;
#[path = "simulation/notices.rs"]
mod notices;

#[path = "simulation/sizes.rs"]
mod sizes;
#[path = "simulation/sweeps.rs"]
mod sweeps;
#[path = "simulation/traces.rs"]
mod traces;
