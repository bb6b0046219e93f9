//! A simulated year of a cluster by seed: nothing may be ended that is not waste, whatever lists, clocks and people do.
//!
//! The world is small and fast, and knows the truth. The scan's own code decides; what lies between it and the world (stale lists,
//! lost pages, names that are used again, groups that churn, clocks that are off, outside hands) is drawn from the seed. Hours in
//! which nothing is watched and nothing happens are passed over: a scan of an unchanged healthy cluster changes nothing but its
//! time, which is a law of its own.
//!
//! `GHOST_SEEDS=100000` runs that many, `GHOST_SEED=7` replays one.

mod check;
mod life;
mod world;
mod year;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "the simulation's own switches")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_but_waste_is_ended_in_any_year() {
    if let Some(seed) = number("GHOST_SEED") {
        println!("seed {seed}: {:?}", year::run(seed));
        return;
    }
    let seeds = number("GHOST_SEEDS").unwrap_or(300);
    let (next, ended, refused, recovered, scans) =
        (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    let told = Seed(seed);
                    let year = year::run(seed);
                    std::mem::forget(told);
                    ended.fetch_add(year.ended, Ordering::Relaxed);
                    refused.fetch_add(year.refused, Ordering::Relaxed);
                    recovered.fetch_add(year.recovered, Ordering::Relaxed);
                    scans.fetch_add(year.scans, Ordering::Relaxed);
                }
            });
        }
    });
    let sum = |of: &AtomicU64| of.load(Ordering::Relaxed);
    println!(
        "{seeds} years: {} scans, {} ghosts ended, {} spared at the last look, {} recovered, in {:.1} s",
        sum(&scans),
        sum(&ended),
        sum(&refused),
        sum(&recovered),
        started.elapsed().as_secs_f64()
    );
    println!("BENCH wrong_ends_in_{seeds}_simulated_years 0 ends <= 0");
    assert!(sum(&ended) > seeds / 4, "a scan that ends nothing is no scan");
    assert!(sum(&refused) > 0 && sum(&recovered) > seeds / 4, "the years were too quiet");
}

/// Names the seed when it is dropped by a panic.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        eprintln!("GHOST_SEED={} replays it", self.0);
    }
}
