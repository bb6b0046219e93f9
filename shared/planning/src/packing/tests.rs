use super::*;
use std::collections::HashMap;

fn shape(cpu_millis: u64, memory_bytes: u64, count: u32) -> Shape {
    Shape { cpu_millis, memory_bytes, count, most_per_bin: None, allowed: Allowed::Anywhere }
}

fn bin(cpu_millis: u64, memory_bytes: u64, price: i64) -> Bin {
    Bin { cpu_millis, memory_bytes, pods: 100, price: MicroDollars(price), available: None }
}

fn free() -> MicroDollars {
    MicroDollars(0)
}

/// A small input of any kind: limits, classes, pods for each bin, zeros.
fn any(random: &mut fastrand::Rng, shapes: std::ops::Range<usize>, counts: std::ops::Range<u32>) -> (Vec<Shape>, Vec<Bin>) {
    let mut bins = Vec::new();
    for at in 0..random.usize(1..5) {
        let size = random.u64(1..6);
        let available = if at > 0 && random.u32(0..3) == 0 { Some(random.u32(0..4)) } else { None };
        let (cpu, memory) = (size * random.u64(5..10), size * random.u64(5..10));
        let pods = random.u32(1..8);
        bins.push(Bin { cpu_millis: cpu, memory_bytes: memory, pods, price: MicroDollars(random.i64(0..500_000)), available });
    }
    // One bin always takes everything.
    bins.push(Bin { cpu_millis: 40, memory_bytes: 40, pods: 6, price: MicroDollars(400_000), available: None });
    let shapes = (0..random.usize(shapes))
        .map(|_| {
            let allowed = if random.u32(0..3) == 0 {
                Allowed::Only((0..bins.len()).filter(|at| at + 1 == bins.len() || random.bool()).collect())
            } else {
                Allowed::Anywhere
            };
            let most_per_bin = if random.u32(0..4) == 0 { Some(random.u32(1..3)) } else { None };
            Shape {
                cpu_millis: random.u64(0..21),
                memory_bytes: random.u64(0..21),
                count: random.u32(counts.clone()),
                most_per_bin,
                allowed,
            }
        })
        .collect();
    (shapes, bins)
}

fn assert_true(packing: &Packing, shapes: &[Shape], bins: &[Bin], surcharge: MicroDollars) {
    let mut pods = vec![0u32; shapes.len()];
    let mut used = vec![0u32; bins.len()];
    let mut cost = MicroDollars(0);
    for Pattern { bin: index, contents, times } in &packing.patterns {
        let bin = &bins[*index];
        let (mut cpu, mut memory, mut many) = (0, 0, 0);
        for (at, each) in contents {
            let shape = &shapes[*at];
            assert!(*each > 0 && *times > 0);
            assert!(*each <= shape.most_per_bin.unwrap_or(u32::MAX));
            assert!(match &shape.allowed {
                Allowed::Anywhere => true,
                Allowed::Only(bins) => bins.contains(index),
            });
            cpu += shape.cpu_millis * u64::from(*each);
            memory += shape.memory_bytes * u64::from(*each);
            many += each;
            pods[*at] += each * times;
        }
        assert!(cpu <= bin.cpu_millis && memory <= bin.memory_bytes && many <= bin.pods);
        used[*index] += times;
        cost = cost + MicroDollars((bin.price.0 + surcharge.0) * i64::from(*times));
    }
    assert_eq!(pods, shapes.iter().map(|shape| shape.count).collect::<Vec<_>>());
    assert!(used.iter().zip(bins).all(|(used, bin)| *used <= bin.available.unwrap_or(u32::MAX)));
    assert_eq!(cost, packing.cost);
    assert!(packing.bound <= packing.cost);
}

#[test]
fn every_pod_is_packed_once_and_no_capacity_limit_or_class_is_broken() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (shapes, bins) = any(&mut random, 1..12, 0..40);
        let surcharge = MicroDollars(random.i64(0..50_000));
        let packing = pack(&shapes, &bins, surcharge, &Effort::default()).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
        assert_true(&packing, &shapes, &bins, surcharge);
    }
}

/// The least cost by trying everything: the first pod left lies in some node; try all nodes it may lie in, with all contents.
fn least(shapes: &[Shape], bins: &[Bin], left: &[u32], used: &[u32], known: &mut HashMap<(Vec<u32>, Vec<u32>), i64>) -> i64 {
    let Some(first) = left.iter().position(|left| *left > 0) else { return 0 };
    let limited: Vec<u32> = used.iter().zip(bins).map(|(used, bin)| if bin.available.is_some() { *used } else { 0 }).collect();
    let key = (left.to_vec(), limited.clone());
    if let Some(cost) = known.get(&key) {
        return *cost;
    }
    let mut best = i64::MAX;
    for (at, bin) in bins.iter().enumerate() {
        if limited[at] >= bin.available.unwrap_or(u32::MAX) {
            continue;
        }
        let mut used = limited.clone();
        used[at] += 1;
        let mut all = Vec::new();
        contents(shapes, at, (bin.cpu_millis, bin.memory_bytes, bin.pods), left, 0, &mut vec![0; shapes.len()], &mut all);
        for contents in all.into_iter().filter(|contents| contents[first] > 0) {
            let rest: Vec<u32> = left.iter().zip(&contents).map(|(left, times)| left - times).collect();
            best = best.min(bin.price.0.saturating_add(least(shapes, bins, &rest, &used, known)));
        }
    }
    known.insert(key, best);
    best
}

type Room = (u64, u64, u32);

fn contents(shapes: &[Shape], bin: usize, room: Room, left: &[u32], at: usize, chosen: &mut Vec<u32>, all: &mut Vec<Vec<u32>>) {
    let Some(shape) = shapes.get(at) else {
        all.push(chosen.clone());
        return;
    };
    let may = match &shape.allowed {
        Allowed::Anywhere => true,
        Allowed::Only(bins) => bins.contains(&bin),
    };
    let most = if may { left[at].min(shape.most_per_bin.unwrap_or(u32::MAX)).min(room.2) } else { 0 };
    for times in 0..=most {
        let (cpu, memory) = (shape.cpu_millis * u64::from(times), shape.memory_bytes * u64::from(times));
        if cpu <= room.0 && memory <= room.1 {
            chosen[at] = times;
            contents(shapes, bin, (room.0 - cpu, room.1 - memory, room.2 - times), left, at + 1, chosen, all);
        }
    }
    chosen[at] = 0;
}

#[test]
fn the_bound_is_never_above_the_least_possible_cost() {
    let (mut costs, mut leasts) = (0, 0);
    for seed in 0..300 {
        let (shapes, bins) = any(&mut fastrand::Rng::with_seed(seed), 1..4, 0..5);
        let packing = pack(&shapes, &bins, free(), &Effort::default()).unwrap();
        let left: Vec<u32> = shapes.iter().map(|shape| shape.count).collect();
        let least = least(&shapes, &bins, &left, &vec![0; bins.len()], &mut HashMap::new());
        assert!(packing.bound.0 <= least, "seed {seed}: bound {} above the least cost {least}", packing.bound.0);
        assert!(packing.cost.0 >= least, "seed {seed}: cost {} below the least cost {least}", packing.cost.0);
        costs += packing.cost.0;
        leasts += least;
    }
    assert!(costs <= leasts * 102 / 100, "tiny inputs cost {costs} in all, and could cost {leasts}");
}

#[test]
fn the_weak_bound_holds_too_and_first_fit_is_never_cheaper() {
    for seed in 0..100 {
        let (shapes, bins) = any(&mut fastrand::Rng::with_seed(seed), 1..8, 1..30);
        let packing = pack(&shapes, &bins, free(), &Effort::default()).unwrap();
        assert!(cpu_memory_bound(&shapes, &bins, free()).unwrap() <= packing.cost);
        assert!(first_fit_cost(&shapes, &bins, free()).unwrap().is_none_or(|cost| cost >= packing.cost));
    }
}

#[test]
fn the_same_input_gives_the_same_packing() {
    let (shapes, bins) = any(&mut fastrand::Rng::with_seed(7), 8..12, 10..200);
    let packings: Vec<_> = (0..3).map(|_| pack(&shapes, &bins, free(), &Effort::default())).collect();
    assert!(packings.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_shape_larger_than_every_bin_is_named() {
    let shapes = [shape(10, 10, 1), shape(200, 10, 1)];
    assert_eq!(pack(&shapes, &[bin(100, 100, 1)], free(), &Effort::default()), Err(Unpackable::FitsNowhere { shape: 1 }));
}

#[test]
fn a_shape_that_is_not_wanted_may_be_of_any_size() {
    let packing = pack(&[shape(10, 10, 1), shape(200, 10, 0)], &[bin(100, 100, 1)], free(), &Effort::default()).unwrap();
    assert_eq!(packing.patterns, [Pattern { bin: 0, contents: vec![(0, 1)], times: 1 }]);
}

#[test]
fn a_price_below_zero_is_refused() {
    let bins = [bin(100, 100, 1), bin(100, 100, -1)];
    assert_eq!(pack(&[shape(1, 1, 1)], &bins, free(), &Effort::default()), Err(Unpackable::PriceBelowZero { bin: 1 }));
}

#[test]
fn bins_that_run_out_are_a_refusal() {
    let bins = [Bin { available: Some(2), ..bin(100, 100, 1) }];
    assert_eq!(pack(&[shape(60, 60, 3)], &bins, free(), &Effort::default()), Err(Unpackable::TooFewBins));
}

#[test]
fn no_pods_need_no_nodes() {
    let packing = pack(&[], &[bin(100, 100, 1)], free(), &Effort::default()).unwrap();
    assert_eq!((packing.nodes(), packing.cost, packing.gap_ppm()), (0, free(), Some(0)));
}

#[test]
fn nodes_that_are_there_and_free_are_filled_before_any_is_bought() {
    let bins = [Bin { available: Some(3), ..bin(100, 100, 0) }, bin(100, 100, 70_000)];
    let packing = pack(&[shape(50, 50, 8)], &bins, free(), &Effort::default()).unwrap();
    assert_eq!(packing.cost, MicroDollars(70_000));
    assert!(packing.gap_ppm().is_some_and(|gap| gap <= 2_000));
}

#[test]
fn a_surcharge_makes_few_large_nodes_cheaper_than_many_small() {
    let bins = [bin(100, 100, 10_000), bin(1_000, 1_000, 101_000)];
    let nodes = |surcharge| pack(&[shape(100, 100, 10)], &bins, MicroDollars(surcharge), &Effort::default()).unwrap().nodes();
    assert_eq!((nodes(0), nodes(1_000)), (10, 1));
}

#[test]
fn a_spread_of_one_pod_for_each_node_takes_as_many_nodes() {
    let alone = Shape { most_per_bin: Some(1), ..shape(1, 1, 5) };
    let packing = pack(&[alone], &[bin(100, 100, 1_000)], free(), &Effort::default()).unwrap();
    assert_eq!((packing.nodes(), packing.cost), (5, MicroDollars(5_000)));
    assert!(packing.gap_ppm().is_some_and(|gap| gap <= 2_000));
}
