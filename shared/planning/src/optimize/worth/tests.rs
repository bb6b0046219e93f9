use super::{Scales, Weight, eviction};
use crate::optimize::tests::world::class;
use domain::money::MicroDollars;
use domain::policy::OptimizationPolicy;

fn weight(before: i64, after: i64, pods: i64) -> Weight {
    Weight { cost_before: before, cost_after: after, price_before: before, price_after: after, evictions: pods * 1_000, lost: 0, nodes: 1 }
}

/// Ten nodes of 0.10 USD with nine pods each.
fn scales(policy: &OptimizationPolicy) -> Scales<'_> {
    Scales { policy, cluster_cost: 1_000_000, cluster_disruption: 100_000 }
}

#[test]
fn a_replacement_in_a_uniform_cluster_must_halve_the_price() {
    let policy = OptimizationPolicy::default();
    assert!(scales(&policy).weigh(weight(100_000, 50_000, 9)).is_ok());
    assert!(scales(&policy).weigh(weight(100_000, 51_000, 9)).is_err());
    // With fewer pods to move, less will do.
    assert!(scales(&policy).weigh(weight(100_000, 75_000, 4)).is_ok());
}

#[test]
fn what_is_not_paid_back_in_time_is_not_done() {
    let policy = OptimizationPolicy { payback_minutes_max: 1, ..OptimizationPolicy::default() };
    assert!(scales(&policy).weigh(weight(100_000, 50_000, 1)).is_err());
    assert!(scales(&policy).weigh(weight(100_000, 0, 1)).is_ok());
}

#[test]
fn small_savings_are_left_alone() {
    let policy = OptimizationPolicy { saving_per_hour_min: MicroDollars(60_000), ..OptimizationPolicy::default() };
    assert!(scales(&policy).weigh(weight(100_000, 50_000, 1)).is_err());
}

#[test]
fn the_expendable_weigh_nothing_and_the_important_more() {
    let mut pod = class("web", 100, 1);
    assert_eq!(eviction(&pod), 1_000);
    pod.priority = -(1 << 25);
    assert_eq!(eviction(&pod), 0);
    pod.priority = 1 << 25;
    assert_eq!(eviction(&pod), 2_000);
}
