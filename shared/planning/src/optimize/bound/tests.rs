use super::{Vessel, worth};

const GIB: i64 = 1 << 30;

fn vessel(cpu: i64, gib: i64, cost: i64) -> Vessel {
    Vessel { cpu, memory: gib * GIB, pods: 100, cost }
}

#[test]
fn one_kind_of_vessel_proves_what_its_scarcest_resource_proves() {
    let found = worth(&[vessel(2_000, 8, 96_000)], &[20_000, 8 * GIB, 10]).bound(&[20_000, 8 * GIB, 10]).0;
    assert!((959_000..=960_000).contains(&found), "{found}");
}

#[test]
fn no_vessel_ever_holds_more_value_than_it_costs() {
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..200 {
        let vessels: Vec<Vessel> =
            (0..rng.usize(1..12)).map(|_| vessel(rng.i64(500..64_000), rng.i64(1..256), rng.i64(10_000..3_000_000))).collect();
        let demand = [rng.i64(0..1_000_000), rng.i64(0..4_000) * GIB, rng.i64(0..5_000)];
        let found = worth(&vessels, &demand);
        for vessel in &vessels {
            let holds = found.of(&[vessel.cpu, vessel.memory, vessel.pods]);
            assert!(holds <= vessel.cost as f64 * (1.0 + 1e-9), "{holds} in {vessel:?}");
        }
    }
}

#[test]
fn two_kinds_prove_the_cost_of_their_best_mix() {
    let (compute, memory) = (vessel(2_000, 4, 85_000), vessel(2_000, 16, 126_000));
    let demand = [8_000, 40 * GIB, 8];
    // Two of each hold exactly this.
    let found = worth(&[compute, memory], &demand).bound(&demand).0;
    assert!((421_000..=422_000).contains(&found), "{found}");
}
