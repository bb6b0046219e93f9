//! How near to the least cost a whole workload is packed, and how long that takes.
//!
//! `types.csv` holds the catalogue: c, m and r types of generations 5 to 8, amd64, without metal and GPU, with their allocatable
//! CPU and memory, pods, and the on-demand price of us-east-1.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should stop")]

use domain::money::MicroDollars;
use planning::packing::{Allowed, Bin, Effort, Packing, Shape, cpu_memory_bound, first_fit_cost, pack};
use std::time::{Duration, Instant};

const WORKLOADS: u64 = 20;

/// What a node costs besides its price: nothing here, as in the figures of others.
const SURCHARGE: MicroDollars = MicroDollars(0);

fn main() {
    let catalogue = catalogue();
    // Name, largest type, and the part of the shapes that are large pods: on small types these are what a greedy packer wastes.
    for (name, vcpus, large) in [("any_size", u64::MAX, 0.0), ("up_to_96_vcpu", 96, 0.15), ("up_to_32_vcpu", 32, 0.3)] {
        let bins: Vec<Bin> = catalogue.iter().filter(|(size, _)| *size <= vcpus).map(|(_, bin)| bin.clone()).collect();
        let runs: Vec<Run> = (0..WORKLOADS).map(|seed| run(&workload(seed, large), &bins)).collect();
        report(name, &runs);
    }
}

struct Run {
    ratio: f64,
    first_fit: f64,
    weak: f64,
    time: Duration,
}

fn run(shapes: &[Shape], bins: &[Bin]) -> Run {
    let began = Began::now();
    let packing = pack(shapes, bins, SURCHARGE, &Effort::default()).unwrap();
    let time = began.elapsed();
    check(&packing, shapes, bins);
    let over = |cost: MicroDollars| cost.0 as f64 / packing.bound.0 as f64;
    Run {
        ratio: over(packing.cost),
        first_fit: over(first_fit_cost(shapes, bins, SURCHARGE).unwrap().unwrap()),
        weak: over(cpu_memory_bound(shapes, bins, SURCHARGE).unwrap()),
        time,
    }
}

/// The figures are of packings that are true: every pod has its place, and no node holds too much.
fn check(packing: &Packing, shapes: &[Shape], bins: &[Bin]) {
    let mut left: Vec<u64> = shapes.iter().map(|shape| u64::from(shape.count)).collect();
    for pattern in &packing.patterns {
        let (mut cpu, mut memory, mut pods) = (0, 0, 0);
        for (shape, times) in &pattern.contents {
            let times = u64::from(*times);
            (cpu, memory) = (cpu + times * shapes[*shape].cpu_millis, memory + times * shapes[*shape].memory_bytes);
            pods += times;
            left[*shape] = left[*shape].checked_sub(times * u64::from(pattern.times)).unwrap();
        }
        let bin = &bins[pattern.bin];
        assert!(cpu <= bin.cpu_millis && memory <= bin.memory_bytes && pods <= u64::from(bin.pods));
    }
    assert!(left.iter().all(|left| *left == 0));
}

fn report(name: &str, runs: &[Run]) {
    let worst = |of: fn(&Run) -> f64| runs.iter().map(of).fold(0.0, f64::max);
    let least = |of: fn(&Run) -> f64| runs.iter().map(of).fold(f64::INFINITY, f64::min);
    let mean = |of: fn(&Run) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
    println!("BENCH packing_ratio_{name}_worst {:.4} ratio <= 1.01", worst(|run| run.ratio));
    println!("BENCH packing_ratio_{name}_mean {:.4} ratio <= 1.01", mean(|run| run.ratio));
    println!("BENCH packing_time_{name}_worst {:.3} s <= 1", worst(|run| run.time.as_secs_f64()));
    println!("BENCH packing_time_{name}_mean {:.3} s <= 1", mean(|run| run.time.as_secs_f64()));
    let (low, middle, high) = (least(|run| run.first_fit), mean(|run| run.first_fit), worst(|run| run.first_fit));
    println!("  beside it: first fit decreasing, cheapest fitting type: {low:.3} to {high:.3} of the bound, mean {middle:.3}");
    let (low, middle) = (least(|run| run.weak), mean(|run| run.weak));
    println!("  beside it: the bound of CPU and memory alone: at least {low:.4} of the bound, mean {middle:.4}");
}

fn catalogue() -> Vec<(u64, Bin)> {
    let mut catalogue = Vec::new();
    for line in include_str!("types.csv").lines().skip(1) {
        let fields: Vec<u64> = line.split(',').skip(1).map(|field| field.parse().unwrap()).collect();
        let [vcpus, cpu_millis, memory_mib, pods, price] = fields[..] else { unreachable!("five numbers follow the name") };
        let price = MicroDollars(i64::try_from(price).unwrap());
        let pods = u32::try_from(pods).unwrap();
        catalogue.push((vcpus, Bin { cpu_millis, memory_bytes: memory_mib << 20, pods, price, available: None }));
    }
    catalogue
}

/// Thousandths of a core as people write them, and how often.
const CPUS: [(u64, u32); 14] = [
    (50, 6),
    (100, 16),
    (150, 4),
    (200, 8),
    (250, 12),
    (300, 4),
    (500, 14),
    (750, 4),
    (1_000, 12),
    (1_500, 4),
    (2_000, 8),
    (4_000, 6),
    (8_000, 3),
    (16_000, 1),
];

/// The large ones.
const LARGE_CPUS: [u64; 6] = [4_000, 6_000, 7_000, 8_000, 12_000, 16_000];

/// 1,000 to 10,000 pods in 25 to 120 shapes. Few shapes have most of the pods (Zipf); CPU at the usual values, a fifth of them
/// not; memory from 0.5 to 8 GiB for each core, one shape in fifteen four times more or less.
fn workload(seed: u64, large: f64) -> Vec<Shape> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (shapes, pods) = (random.usize(25..=120), random.u32(1_000..=10_000));
    let whole: f64 = (1..=shapes).map(|rank| 1.0 / rank as f64).sum();
    let mut left = pods;
    let mut workload = Vec::new();
    for rank in 1..=shapes {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of 10,000")]
        let part = (f64::from(pods) / rank as f64 / whole) as u32;
        let count = if rank == shapes { left.max(1) } else { part.clamp(1, left.max(1)) };
        left = left.saturating_sub(count);
        workload.push(shape(&mut random, count, large));
    }
    workload
}

fn shape(random: &mut fastrand::Rng, count: u32, large: f64) -> Shape {
    let mut at = random.u32(0..CPUS.iter().map(|(_, often)| often).sum());
    let mut cpu_millis = CPUS[0].0;
    for (cpu, often) in CPUS {
        cpu_millis = cpu;
        if at < often {
            break;
        }
        at -= often;
    }
    if random.f64() < large {
        cpu_millis = LARGE_CPUS[random.usize(0..LARGE_CPUS.len())];
    }
    if random.u32(0..5) == 0 {
        cpu_millis = cpu_millis * random.u64(70..=130) / 100;
    }
    let mut mib = cpu_millis as f64 / 1_000.0 * 512.0 * (random.f64() * 4.0).exp2();
    match random.u32(0..30) {
        0 => mib *= 4.0,
        1 => mib /= 4.0,
        _ => {}
    }
    // Rounded as people round; the largest still fits a type with 32 vCPU.
    let step = if mib > 4_096.0 {
        1_024.0
    } else if mib > 512.0 {
        128.0
    } else {
        32.0
    };
    let mib = ((mib / step).round().max(1.0) * step).min(225_280.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 32 and 225,280")]
    let memory_bytes = (mib as u64) << 20;
    Shape { cpu_millis, memory_bytes, count, most_per_bin: None, allowed: Allowed::Anywhere }
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

    fn elapsed(&self) -> Duration {
        match (self.processor, processor_ns()) {
            (Some(before), Some(after)) => Duration::from_nanos(after - before),
            (Some(_), None) | (None, _) => self.wall.elapsed(),
        }
    }
}

/// Nanoseconds this thread has run, as Linux counts them.
fn processor_ns() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
