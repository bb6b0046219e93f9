//! Plans are true: after what was planned is carried out, no pod waits that did not before, no budget was broken, and no pod is where
//! it may not be, as a scheduler sees it that shares no code with the planner.

use super::carried::carry_out;
use super::coverage::{Coverage, MOVED, SUM};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "a test's own switches")]
    std::env::var(name).ok()?.parse().ok()
}

/// Carries out the plans of many seeds on two threads.
fn carry_out_all(first: u64, seeds: u64) -> (Coverage, Vec<(u64, String)>) {
    let next = AtomicU64::new(first);
    let all: Mutex<(Coverage, Vec<(u64, String)>)> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + seeds || all.lock().unwrap().1.len() > 20 {
                        return;
                    }
                    let run = std::panic::catch_unwind(|| carry_out(seed, None)).unwrap_or_else(|_| Err("it panicked".to_owned()));
                    let mut all = all.lock().unwrap();
                    match run {
                        Ok(coverage) => all.0.merge(&coverage),
                        Err(law) => all.1.push((seed, law)),
                    }
                }
            });
        }
    });
    let (coverage, mut broken) = all.into_inner().unwrap();
    broken.sort();
    (coverage, broken)
}

#[test]
fn the_plans_of_random_clusters_are_true() {
    if let Some(seed) = number("PLAN_SEED") {
        let coverage = carry_out(seed, None).unwrap_or_else(|law| panic!("seed {seed}: {law}"));
        println!("{coverage}");
        return;
    }
    let (first, seeds) = (number("PLAN_FIRST").unwrap_or(0), number("PLAN_SEEDS").unwrap_or(200));
    let began = std::time::Instant::now();
    let (coverage, broken) = carry_out_all(first, seeds);
    println!("{coverage}\n{seeds} clusters from {first} in {:.1} s", began.elapsed().as_secs_f64());
    println!("BENCH plan_clusters {seeds} count >= 0");
    println!("BENCH plan_clusters_broken {} count <= 0", broken.len());
    for (seed, law) in broken.iter().take(10) {
        let law: String = law.chars().take(1_500).collect();
        println!("seed {seed}: {law}\n  replay: PLAN_SEED={seed} cargo test --workspace --test plans random -- --nocapture");
    }
    assert!(broken.is_empty(), "{} of {seeds} seeds broke a law; the first is {:?}", broken.len(), broken.first().map(|b| b.0));
    covered(&coverage, seeds);
}

/// The laws were held against something.
fn covered(coverage: &Coverage, seeds: u64) {
    let moves = coverage.many(SUM, "moves carried out");
    println!("BENCH plan_moves_per_cluster {:.2} moves >= 0.5", moves as f64 / seeds.max(1) as f64);
    if seeds < 200 {
        return;
    }
    assert!(moves * 2 >= seeds, "{moves} moves in {seeds} clusters: too few to say anything");
    for word in [
        "a node selector",
        "required nodes",
        "preferred nodes",
        "a tolerated taint",
        "affinity",
        "anti-affinity",
        "preferred affinity or anti-affinity",
        "hard spread",
        "soft spread",
        "a host port",
        "a volume in its zone",
        "a disruption budget",
        "a priority",
        "an emptyDir",
        "a StatefulSet",
        "a Job",
    ] {
        assert!(coverage.many(MOVED, word) > 0, "no pod with {word} was moved");
    }
}
