//! Who checks the laws? A planner that does not see one of the things that bind pods to places must break them somewhere.

use super::carried::carry_out;
use super::market::Eyes;
use domain::decision::DecisionRequest;
use domain::snapshot::PodClass;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many clusters a blind planner may get away with, from the one on in which it was noticed last.
const SEEDS: u64 = 400;

fn each(request: &mut DecisionRequest, change: fn(&mut PodClass)) {
    request.snapshot.classes.iter_mut().for_each(change);
}

/// What is not seen, how, and from which cluster on it is looked for.
const BLIND: [(&str, u64, Eyes); 10] = [
    ("half of the requests", 7, |request| {
        each(request, |class| {
            class.requests.cpu_millis /= 2;
            class.requests.memory_bytes /= 2;
        });
    }),
    ("DaemonSets", 342, |request| {
        each(request, |class| {
            if class.daemon {
                class.requests.cpu_millis = 0;
                class.requests.memory_bytes = 0;
            }
        });
    }),
    ("node selectors", 84, |request| each(request, |class| class.scheduling.node_selector.clear())),
    ("required nodes", 28, |request| each(request, |class| class.scheduling.required_nodes.clear())),
    ("taints", 33, |request| request.snapshot.nodes.iter_mut().for_each(|node| node.taints.clear())),
    ("affinity", 124, |request| each(request, |class| class.scheduling.affinity.clear())),
    ("anti-affinity", 41, |request| each(request, |class| class.scheduling.anti_affinity.clear())),
    ("spread", 4, |request| each(request, |class| class.scheduling.spread.clear())),
    ("host ports", 0, |request| each(request, |class| class.scheduling.host_ports.clear())),
    ("volumes", 166, |request| each(request, |class| class.scheduling.volume_zones = None)),
];

/// The first seed that shows it, and how.
fn noticed(first: u64, eyes: Eyes) -> Option<(u64, String)> {
    (first..first + SEEDS).find_map(|seed| {
        let run = std::panic::catch_unwind(|| carry_out(seed, Some(eyes)));
        run.unwrap_or_else(|_| Err("it panicked".to_owned())).err().map(|law| (seed, law))
    })
}

#[test]
fn a_planner_that_is_blind_to_anything_is_noticed() {
    let next = AtomicUsize::new(0);
    let survived: Mutex<Vec<&str>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((name, first, eyes)) = BLIND.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match noticed(*first, *eyes) {
                        Some((seed, law)) => {
                            println!("blind to {name}: noticed in cluster {seed}: {}", law.chars().take(200).collect::<String>());
                        }
                        None => survived.lock().unwrap().push(name),
                    }
                }
            });
        }
    });
    let survived = survived.into_inner().unwrap();
    println!("BENCH plan_blindness_noticed {} count >= {}", BLIND.len() - survived.len(), BLIND.len());
    assert!(survived.is_empty(), "nobody noticed blindness to {survived:?} within {SEEDS} clusters");
}
