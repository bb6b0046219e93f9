//! How good and how fast a packing is.
use domain::money::MicroDollars;
use planning::packing::{Allowed, Bin, Shape};

struct Kind { vcpu: u64, bin: Bin }

fn catalogue() -> Vec<Kind> {
    include_str!("types.csv").lines().skip(1).map(|line| {
        let f: Vec<&str> = line.split(',').collect();
        let n = |i: usize| f[i].parse::<u64>().unwrap();
        Kind { vcpu: n(1), bin: Bin { cpu_millis: n(2), memory_bytes: n(3) << 20, pods: n(4) as u32, price: MicroDollars(n(5) as i64), available: None } }
    }).collect()
}

const CPUS: [(u64, u32); 14] = [(50, 6), (100, 16), (150, 4), (200, 8), (250, 12), (300, 4), (500, 14), (750, 4), (1000, 12), (1500, 4), (2000, 8), (4000, 6), (8000, 3), (16000, 1)];

fn workload(random: &mut fastrand::Rng, large: bool) -> Vec<Shape> {
    let shapes = random.usize(25..=120);
    let pods = random.usize(1_000..=10_000);
    let weights: Vec<f64> = (0..shapes).map(|rank| 1.0 / ((rank + 1) as f64).powf(1.0)).collect();
    let total: f64 = weights.iter().sum();
    let mut counts: Vec<u32> = weights.iter().map(|w| ((w / total * pods as f64) as u32).max(1)).collect();
    let sum: u32 = counts.iter().sum();
    if (sum as usize) < pods { counts[0] += pods as u32 - sum; }
    counts.into_iter().map(|count| {
        let sum: u32 = CPUS.iter().map(|c| c.1).sum();
        let mut at = random.u32(0..sum);
        let mut cpu = CPUS.iter().find(|c| { if at < c.1 { true } else { at -= c.1; false } }).unwrap().0;
        if large && random.u32(0..3) == 0 { cpu = [4000, 6000, 7000, 8000, 12000, 16000][random.usize(0..6)]; }
        if random.u32(0..5) == 0 { cpu = cpu * random.u64(70..=130) / 100; }
        let ratio = 0.5 * 2f64.powf(random.f64() * 4.0);
        let mut mib = cpu as f64 / 1000.0 * ratio * 1024.0;
        match random.u32(0..30) { 0 => mib *= 4.0, 1 => mib /= 4.0, _ => {} }
        let step = if mib > 4096.0 { 1024.0 } else if mib > 512.0 { 128.0 } else { 32.0 };
        let mib = ((mib / step).round().max(1.0) * step).min(220.0 * 1024.0);
        Shape { cpu_millis: cpu, memory_bytes: (mib as u64) << 20, count, most_per_bin: None, allowed: Allowed::Anywhere }
    }).collect()
}

struct Cpu(u64);
impl Cpu {
    fn read() -> u64 { std::fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap() }
    fn now() -> Cpu { Cpu(Cpu::read()) }
    fn elapsed(&self) -> std::time::Duration { std::time::Duration::from_nanos(Cpu::read() - self.0) }
}

fn main() {
    let types = catalogue();
    for (name, most) in [("any_size", u64::MAX), ("up_to_96", 96), ("up_to_32", 32)] {
        let bins: Vec<Bin> = types.iter().filter(|k| k.vcpu <= most).map(|k| k.bin.clone()).collect();
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let shapes = workload(&mut random, most == 32 || seed % 3 == 0);
            let t = Cpu::now();
            let p = planning::packing::pack(&shapes, &bins, MicroDollars(0), &Default::default()).unwrap();
            let t = t.elapsed().as_secs_f64();
            let w = planning::packing::cpu_memory_bound(&shapes, &bins, MicroDollars(0)).unwrap();
            let tf = Cpu::now();
            let f = planning::packing::first_fit_cost(&shapes, &bins, MicroDollars(0)).unwrap().unwrap();
            let b = p.bound.0 as f64;
            println!("{name} {seed} shapes {} ratio {:.4} time {t:.3} nodes {} {:?} cols {} rounds {} ffd {:.3} ({:.3}s) weak {:.4}", shapes.len(), p.cost.0 as f64 / b, p.nodes(), p.method, p.columns, p.rounds, f.0 as f64 / b, tf.elapsed().as_secs_f64(), w.0 as f64 / b);
        }
    }
}
