//! Several nodes over several pools.

use super::*;
use crate::spot_choice::{Floor, Held, Holdings, Spread, spread};
use std::collections::BTreeMap;

fn placed(answer: &Spread) -> u32 {
    answer.picks.iter().map(|pick| pick.count).sum()
}

fn on_demand(answer: &Spread) -> u32 {
    answer.picks.iter().filter(|pick| pick.offering.pool.capacity == OnDemand).map(|pick| pick.count).sum()
}

fn any_held(dice: &mut fastrand::Rng, candidates: &[Candidate<'_>]) -> Held {
    let mut pools: BTreeMap<Pool, u32> = BTreeMap::new();
    for candidate in candidates.iter().filter(|c| c.pool.capacity == Spot) {
        if dice.u8(..4) == 0 {
            pools.insert(candidate.pool.clone(), dice.u32(1..4));
        }
    }
    let on_demand = dice.u32(..4);
    Held { nodes: on_demand + pools.values().sum::<u32>(), on_demand, pools }
}

#[test]
fn shares_and_floors_hold_every_node_is_accounted_for_and_the_same_question_has_the_same_answer() {
    let types = types();
    for seed in 0..3_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (candidates, mut scene) = any_market(&mut dice, &types);
        let floor = |dice: &mut fastrand::Rng| Floor { count: dice.u32(..3), percent: dice.u32(..40) };
        scene.policy.on_demand_floor_workload = floor(&mut dice);
        scene.policy.on_demand_floor_cluster = floor(&mut dice);
        scene.policy.pool_percent_max_workload = dice.u32(0..=100);
        scene.policy.pool_percent_max_cluster = dice.u32(0..=100);
        let ranking = scene.rank(&candidates, &need());
        let (policy, count) = (&scene.policy, dice.u32(..30));
        let held = Holdings { workload: any_held(&mut dice, &candidates), cluster: any_held(&mut dice, &candidates) };
        let answer = spread(&ranking, count, &held, &scene.commitments, policy);
        let unplaced = answer.unplaced.map_or(0, |(left, _)| left);
        assert_eq!(placed(&answer) + unplaced, count, "seed {seed}");
        assert!(answer.picks.iter().all(|pick| pick.count > 0), "seed {seed}");
        for pick in answer.picks.iter().filter(|pick| pick.offering.pool.capacity == Spot) {
            for (before, percent) in [(&held.workload, policy.pool_percent_max_workload), (&held.cluster, policy.pool_percent_max_cluster)]
            {
                let after = before.pools.get(&pick.offering.pool).copied().unwrap_or_default() + pick.count;
                let cap = ((before.nodes + count) * percent / 100).max(1);
                assert!(after <= cap, "seed {seed}: {after} of {} where {cap} may be", before.nodes + count);
            }
        }
        let floors = [(&held.workload, policy.on_demand_floor_workload), (&held.cluster, policy.on_demand_floor_cluster)];
        for (before, floor) in floors {
            let wanted = floor.of(before.nodes + count).saturating_sub(before.on_demand).min(count);
            assert!(on_demand(&answer) >= wanted.min(placed(&answer)), "seed {seed}: {answer:?}");
        }
        assert_eq!(spread(&ranking, count, &held, &scene.commitments, policy), answer, "seed {seed}");
    }
}

fn market(types: &[TypeInfo]) -> Vec<Candidate<'_>> {
    let spot = types.iter().zip([40_000, 42_000, 44_000, 46_000, 90_000]);
    let mut market: Vec<Candidate<'_>> = spot.map(|(info, micros)| offer(info, "a", Spot, micros)).collect();
    market.push(offer(&types[0], "a", OnDemand, 120_000));
    market
}

fn five() -> Vec<TypeInfo> {
    ["m5", "m6i", "c5", "c6i", "r5"].map(|family| info(&format!("{family}.large"), 2)).into()
}

#[test]
fn nodes_are_spread_over_the_pools_that_are_nearly_as_good_and_more_go_to_the_cheaper() {
    let types = five();
    let scene = Scene::with(SpotPolicy { pool_percent_max_workload: 100, pool_percent_max_cluster: 100, ..easy() });
    let ranking = scene.rank(&market(&types), &need());
    let answer = spread(&ranking, 20, &Holdings::default(), &scene.commitments, &scene.policy);
    let counts: Vec<u32> = answer.picks.iter().map(|pick| pick.count).collect();
    assert_eq!(counts.iter().sum::<u32>(), 20);
    // Four pools are within 20 % of the best; the fifth is twice as dear.
    assert_eq!(counts.len(), 4, "{answer:?}");
    assert!(counts.is_sorted_by(|a, b| a >= b) && counts[3] >= 4, "{counts:?}");
}

#[test]
fn where_the_good_pools_are_full_the_next_best_are_taken_and_on_demand_at_last() {
    let types = five();
    let scene = Scene::with(SpotPolicy { pool_percent_max_workload: 10, pool_percent_max_cluster: 100, ..easy() });
    let ranking = scene.rank(&market(&types), &need());
    let answer = spread(&ranking, 10, &Holdings::default(), &scene.commitments, &scene.policy);
    let counts: Vec<u32> = answer.picks.iter().map(|pick| pick.count).collect();
    assert_eq!((counts.as_slice(), on_demand(&answer), answer.unplaced), (&[1, 1, 1, 1, 1, 5][..], 5, None));
}

#[test]
fn spot_that_is_expected_to_cost_more_than_on_demand_gets_no_node() {
    let types = five();
    let scene = Scene::with(easy());
    let mut all = market(&types);
    for candidate in all.iter_mut().filter(|c| c.pool.capacity == Spot) {
        candidate.interruption_per_hour = 0.9;
    }
    let ranking = scene.rank(&all, &need());
    let answer = spread(&ranking, 4, &Holdings::default(), &scene.commitments, &scene.policy);
    assert_eq!((on_demand(&answer), placed(&answer)), (4, 4));
}

#[test]
fn what_finds_no_place_says_why() {
    let types = five();
    let mut scene = Scene::with(SpotPolicy { pool_percent_max_workload: 10, ..easy() });
    let mut all = market(&types);
    scene.unavailable.insert(pool("m5.large", "a", OnDemand));
    let spread_of = |scene: &Scene, all: &[Candidate<'_>]| {
        spread(&scene.rank(all, &need()), 10, &Holdings::default(), &scene.commitments, &scene.policy).unplaced
    };
    assert_eq!(spread_of(&scene, &all), Some((5, Reason::PoolShareWorkload)));
    scene.policy.on_demand_floor_cluster = Floor { count: 3, percent: 0 };
    assert_eq!(spread_of(&scene, &all), Some((10, Reason::OnDemandFloor)));
    all.clear();
    scene.policy.on_demand_floor_cluster = Floor::default();
    assert_eq!(spread_of(&scene, &all), Some((10, Reason::NothingLeft)));
}

#[test]
fn the_floor_is_the_larger_of_count_and_share_and_never_more_than_all() {
    assert_eq!(Floor { count: 2, percent: 30 }.of(10), 3);
    assert_eq!(Floor { count: 4, percent: 30 }.of(10), 4);
    assert_eq!(Floor { count: 0, percent: 1 }.of(10), 1);
    assert_eq!(Floor { count: 9, percent: 500 }.of(5), 5);
    assert_eq!(Floor::default().of(10), 0);
}

#[test]
fn unused_reservations_are_taken_first_and_only_as_many_as_there_are() {
    let types = five();
    let mut scene = Scene::with(SpotPolicy { pool_percent_max_workload: 100, pool_percent_max_cluster: 100, ..easy() });
    scene.commitments.reserved.push(Reserved { instance_type: types[0].name.clone(), zone: None, count: 5, running: 2 });
    let ranking = scene.rank(&market(&types), &need());
    assert_eq!(ranking.ranked[0].offering.pool, pool("m5.large", "a", OnDemand));
    assert_eq!(ranking.ranked[0].cost.price, MicroDollars(0));
    let answer = spread(&ranking, 8, &Holdings::default(), &scene.commitments, &scene.policy);
    assert_eq!((on_demand(&answer), placed(&answer)), (3, 8));
}

#[test]
fn a_policy_that_is_misspelt_is_refused_and_an_empty_one_is_the_default() {
    assert_eq!(serde_json::from_str::<SpotPolicy>("{}").unwrap(), SpotPolicy::default());
    assert!(serde_json::from_str::<SpotPolicy>(r#"{"flexibilty":3}"#).is_err());
    let floor = serde_json::from_str::<SpotPolicy>(r#"{"on_demand_floor_cluster":{"percent":20}}"#).unwrap();
    assert_eq!(floor.on_demand_floor_cluster, Floor { count: 0, percent: 20 });
}
