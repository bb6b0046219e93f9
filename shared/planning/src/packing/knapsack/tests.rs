use super::*;
use crate::packing::model::Fit;

/// A node of 40 to 200 units of each kind, and up to 14 shapes, some of which can take each other's place.
fn any(random: &mut fastrand::Rng) -> (Kind, Vec<Amount>, Vec<f64>, Vec<u32>) {
    let capacity = [random.u64(40..200), random.u64(40..200), random.u64(3..30)];
    let shapes = random.usize(1..15);
    let needs: Vec<Amount> = (0..shapes).map(|_| [random.u64(0..capacity[0] / 2), random.u64(0..capacity[1] / 2), 1]).collect();
    let left: Vec<u32> = (0..shapes).map(|_| random.u32(1..9)).collect();
    let value = |need: &Amount| (need[0] as f64 + need[1] as f64 / 2.0 + 5.0) * (0.95 + random.f64() / 10.0);
    let values = needs.iter().map(value).collect();
    let most = |at: usize| {
        let rooms = capacity.iter().zip(&needs[at]).filter_map(|(capacity, need)| capacity.checked_div(*need));
        u32::try_from(rooms.min().unwrap()).unwrap().min(left[at])
    };
    let fits = (0..shapes).map(|shape| Fit { shape, most: most(shape) }).collect();
    (Kind { bin: 0, capacity, price: 100.0, micros: 100_000_000, available: None, fits }, needs, values, left)
}

/// The most value by dynamic programming over every room.
fn most_value(kind: &Kind, needs: &[Amount], values: &[f64], left: &[u32]) -> f64 {
    let size: [usize; 3] = kind.capacity.map(|amount| usize::try_from(amount).unwrap() + 1);
    let at = |cpu: usize, memory: usize, pods: usize| (cpu * size[1] + memory) * size[2] + pods;
    let mut best = vec![0.0_f64; size[0] * size[1] * size[2]];
    for ((need, value), left) in needs.iter().zip(values).zip(left) {
        let [cpu, memory, pod] = need.map(|amount| usize::try_from(amount).unwrap());
        for _ in 0..*left {
            // From the largest room down, so that each pod is taken once.
            for c in (cpu..size[0]).rev() {
                for m in (memory..size[1]).rev() {
                    for p in (pod..size[2]).rev() {
                        best[at(c, m, p)] = best[at(c, m, p)].max(best[at(c - cpu, m - memory, p - pod)] + value);
                    }
                }
            }
        }
    }
    best[best.len() - 1]
}

#[test]
fn no_contents_are_worth_more_than_is_proved_however_little_was_searched() {
    for seed in 0..60 {
        let (kind, needs, values, left) = any(&mut fastrand::Rng::with_seed(seed));
        let most = most_value(&kind, &needs, &values, &left);
        for effort in [0, 1, 5, 20, 150] {
            for threshold in [0.0, most * 0.9, most * 0.999, most * 1.01] {
                let filled = fill(&kind, &needs, &values, &left, threshold, effort);
                assert!(filled.at_most >= most * (1.0 - 1e-9), "seed {seed}, effort {effort}: {} proved, {most} possible", filled.at_most);
                assert!(filled.value <= most * (1.0 + 1e-9));
            }
        }
    }
}

#[test]
fn with_enough_effort_the_proof_is_exact() {
    for seed in 0..60 {
        let (kind, needs, values, left) = any(&mut fastrand::Rng::with_seed(seed));
        let most = most_value(&kind, &needs, &values, &left);
        let filled = fill(&kind, &needs, &values, &left, most * 0.95, 150);
        assert!((filled.at_most / most - 1.0).abs() < 1e-9 && (filled.value / most - 1.0).abs() < 1e-9, "seed {seed}");
    }
}

#[test]
fn contents_fit_and_are_worth_what_is_said() {
    for seed in 0..100 {
        let (kind, needs, values, left) = any(&mut fastrand::Rng::with_seed(seed));
        let filled = fill(&kind, &needs, &values, &left, 0.0, 3);
        let mut load = [0; 3];
        let mut value = 0.0;
        for (shape, times) in &filled.contents {
            assert!(*times > 0 && *times <= left[*shape]);
            load.iter_mut().zip(&needs[*shape]).for_each(|(load, need)| *load += need * u64::from(*times));
            value += values[*shape] * f64::from(*times);
        }
        assert!(load.iter().zip(&kind.capacity).all(|(load, capacity)| load <= capacity));
        assert!((value - filled.value).abs() < 1e-6);
    }
}
