//! Nights by seed. `NIGHT_SEEDS` says how many, `NIGHT_SEED` replays one.

use super::number;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn whoever_dies_in_the_night_everything_is_up_again_in_the_morning() {
    if let Some(seed) = number("NIGHT_SEED") {
        harness::nights::run(seed).unwrap_or_else(|law| panic!("seed {seed}: {law}"));
        return;
    }
    let seeds = number("NIGHT_SEEDS").unwrap_or(40);
    let next = AtomicU64::new(0);
    let broken: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if let Err(law) = harness::nights::run(seed) {
                        broken.lock().unwrap().push((seed, law));
                    }
                }
            });
        }
    });
    let mut broken = broken.into_inner().unwrap();
    broken.sort();
    println!("BENCH night_seeds {seeds} count >= 0");
    assert!(
        broken.is_empty(),
        "{} of {seeds} seeds broke a law; NIGHT_SEED={} replays: {:#?}",
        broken.len(),
        broken[0].0,
        &broken[..broken.len().min(5)]
    );
}
