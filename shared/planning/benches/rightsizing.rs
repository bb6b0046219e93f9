//! What one container takes in the table, and how long 10,000 of them take to be updated: each is read, one round of samples is folded
//! in, a recommendation is made of it, and it is written again.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

use domain::sizing::{Sizes, WorkloadPolicy};
use domain::usage::{ContainerRef, Day, Decayed, OOMS_KEPT, RAISES_KEPT, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};
use planning::rightsizing::advise::{Autoscaled, Facts, advise};
use planning::rightsizing::fold::fold;
use std::time::Instant;

const CONTAINERS: usize = 10_000;
const PODS: usize = 3;
const ROUND_S: i64 = 300;
const START_S: i64 = 20_000 * 86_400;
/// The longest names that Kubernetes allows (63, 253 and 63 letters), those of customer and cluster, the names of attributes and their
/// share of the index: what stands in an item besides the usage itself.
const NAMES: usize = 700;

fn main() {
    let worn: Vec<Vec<u8>> = (0..100).map(|seed| aged(seed, 9).encode()).collect();
    let worst = worst().encode();
    let largest = worn.iter().chain([&worst]).map(Vec::len).max().unwrap() + NAMES;
    let usual = worn.iter().map(Vec::len).sum::<usize>() / worn.len() + NAMES;
    println!("BENCH rightsizing_item_of_a_container_mean {usual} bytes <= 4096");
    println!("BENCH rightsizing_item_of_a_container_worst {largest} bytes <= 4096");

    let kept: Vec<Vec<u8>> = (0..CONTAINERS).map(|index| worn[index % worn.len()].clone()).collect();
    let mut best = f64::MAX;
    for round in 0..5 {
        let began = Began::now();
        let advised: usize = kept.iter().map(|bytes| update(bytes, round)).sum();
        best = best.min(began.elapsed());
        assert_eq!(advised, CONTAINERS);
    }
    println!("BENCH rightsizing_10000_containers_updated {best:.3} s <= 1");
}

fn update(bytes: &[u8], round: i64) -> usize {
    let mut usage = Usage::decode(bytes).unwrap();
    let now_s = usage.last_cpu_s.unwrap() + ROUND_S * (round + 1);
    let sample = (170_000_000, 300 << 20);
    assert!(fold(&mut usage, &[sample; PODS], now_s));
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() };
    let facts = Facts {
        of: &ContainerRef { workload, container: "web".to_owned() },
        current: Sizes { cpu_request: Some(1_000), memory_request: Some(1 << 30), ..Sizes::default() },
        usage: &usage,
        replicas: 3,
        autoscaled: Autoscaled::By { cpu: false, memory: false },
        prices: None,
        interval_s: ROUND_S,
        now_s,
    };
    let (advice, _) = advise(&facts, &WorkloadPolicy::default());
    usize::from(advice.is_some() && !usage.encode().is_empty())
}

/// A container that was watched for so many days: with a daily rhythm, noise and bursts.
fn aged(seed: u64, days: i64) -> Usage {
    let mut random = fastrand::Rng::with_seed(seed);
    let (base, swing) = (random.u64(5..800), random.u64(1..2_000));
    let mut usage = Usage::default();
    for round in 0..days * 86_400 / ROUND_S {
        let hour = (round * ROUND_S / 3_600) % 24;
        let busy = if (8..20).contains(&hour) { swing } else { swing / 10 };
        let mut sample = || {
            let burst = if random.u32(..200) == 0 { 2_000 } else { 0 };
            let cpu = base + random.u64(..=busy) + burst;
            (cpu * 1_000_000, (200 + cpu / 3 + random.u64(..50)) << 20)
        };
        fold(&mut usage, &[sample(), sample(), sample()], START_S + round * ROUND_S);
    }
    usage
}

/// More than any container can show: something in every bucket of every day.
fn worst() -> Usage {
    let counts = |day: u32| (0..176_u8).map(|bucket| (bucket, 1 + (u32::from(bucket) * 7_919 + day * 104_729) % 90_000)).collect();
    let day = |day: u32| Day { date: 20_000 + i64::from(day), samples: u64::MAX, peak: u64::MAX, counts: counts(day) };
    let days: Vec<Day> = (0..8).map(day).collect();
    let decayed = Decayed { reference_s: Some(i64::MAX), weights: (0..176_u8).map(|bucket| (bucket, f64::from(bucket) + 1.0)).collect() };
    Usage {
        cpu: decayed.clone(),
        memory: decayed,
        cpu_days: days.clone(),
        memory_days: days,
        ooms: vec![u64::MAX; OOMS_KEPT],
        raises_s: vec![i64::MAX; RAISES_KEPT],
        cpu_samples: u64::MAX,
        rounds: u64::MAX,
        ..Usage::default()
    }
}

/// Time on the processor where the system tells it, so that a busy machine does not count; else time on the wall.
struct Began {
    wall: Instant,
    processor: Option<u64>,
}

impl Began {
    fn now() -> Began {
        Began { wall: Instant::now(), processor: processor_ns() }
    }

    fn elapsed(&self) -> f64 {
        match (self.processor, processor_ns()) {
            (Some(before), Some(after)) => (after - before) as f64 / 1e9,
            (Some(_), None) | (None, _) => self.wall.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds this thread has run, as Linux counts them.
fn processor_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
