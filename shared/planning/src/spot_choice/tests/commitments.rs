//! What is paid for already.

use super::*;

fn hour(full: i64, rate: i64) -> Hour {
    Hour { full: MicroDollars(full), rate: Some(MicroDollars(rate)) }
}

fn plan(family: Option<&str>, committed: i64, running: i64) -> SavingsPlan {
    SavingsPlan { family: family.map(str::to_owned), committed_per_hour: MicroDollars(committed), running_per_hour: MicroDollars(running) }
}

fn node() -> Pool {
    pool("m6i.large", "a", OnDemand)
}

fn with_plans(plans: Vec<SavingsPlan>) -> Commitments {
    Commitments { reserved: Vec::new(), plans }
}

fn reserved(at: Option<&str>, count: u32, running: u32) -> Commitments {
    let instance_type = node().instance_type;
    Commitments { reserved: vec![Reserved { instance_type, zone: at.map(zone), count, running }], plans: Vec::new() }
}

#[test]
fn an_hour_under_an_unused_reservation_costs_nothing_and_the_next_costs_all() {
    let price = |commitments: &Commitments| commitments.price_of_one_more(&node(), hour(96_000, 60_000)).0;
    assert_eq!((price(&reserved(None, 3, 2)), price(&reserved(None, 3, 3))), (0, 96_000));
    assert_eq!((price(&reserved(Some("a"), 3, 2)), price(&reserved(Some("b"), 3, 2))), (0, 96_000));
    assert_eq!(price(&Commitments::default()), 96_000);
}

#[test]
fn a_savings_plan_covers_as_far_as_it_reaches() {
    let price = |plans| with_plans(plans).price_of_one_more(&node(), hour(96_000, 60_000)).0;
    assert_eq!(price(vec![plan(None, 100_000, 0)]), 0);
    assert_eq!(price(vec![plan(None, 100_000, 100_000)]), 96_000);
    // Half of the rate is unused: half of the hour is paid.
    assert_eq!(price(vec![plan(None, 100_000, 70_000)]), 48_000);
    assert_eq!(price(vec![plan(Some("m6i"), 30_000, 0), plan(None, 30_000, 0)]), 0);
    assert_eq!(price(vec![plan(Some("c5"), 100_000, 0)]), 96_000);
    assert_eq!(price(vec![plan(None, 100_000, 900_000)]), 96_000);
}

#[test]
fn ending_what_a_commitment_pays_for_saves_nothing() {
    let saved = |commitments: &Commitments| commitments.saved_by_one_less(&node(), hour(96_000, 60_000)).0;
    assert_eq!(saved(&Commitments::default()), 96_000);
    assert_eq!((saved(&reserved(None, 3, 3)), saved(&reserved(None, 3, 2)), saved(&reserved(None, 3, 4))), (0, 0, 96_000));
    assert_eq!(saved(&with_plans(vec![plan(None, 100_000, 90_000)])), 0);
    assert_eq!(saved(&with_plans(vec![plan(None, 100_000, 130_000)])), 48_000);
    assert_eq!(saved(&with_plans(vec![plan(None, 100_000, 160_000)])), 96_000);
    assert_eq!(saved(&with_plans(vec![plan(Some("m6i"), 100_000, 900_000), plan(None, 100_000, 1)])), 0);
}

#[test]
fn spot_is_never_covered() {
    let spot = pool("m6i.large", "a", Spot);
    let all = Commitments { plans: vec![plan(None, 1_000_000, 0)], ..reserved(None, 9, 0) };
    assert_eq!(all.price_of_one_more(&spot, hour(30_000, 1)), MicroDollars(30_000));
    assert_eq!(all.saved_by_one_less(&spot, hour(30_000, 1)), MicroDollars(30_000));
}

#[test]
fn a_node_under_a_commitment_is_never_moved_to_spot() {
    let large = info("m6i.large", 2);
    let mut scene = Scene::with(easy());
    scene.commitments = reserved(None, 3, 3);
    let saves = scene.commitments.saved_by_one_less(&node(), hour(96_000, 60_000));
    let need = Need { purpose: Purpose::Replace { current: OnDemand, saves: Some(saves) }, ..need() };
    let ranking = scene.rank(&[offer(&large, "b", Spot, 1_000), offer(&large, "b", OnDemand, 96_000)], &need);
    assert_eq!((ranking.ranked.len(), codes(&ranking)), (0, vec!["not-cheaper", "not-cheaper"]));
}

/// Whatever is committed: a price lies between nothing and the full price, and taking what costs nothing ends.
#[test]
fn a_price_is_never_below_nothing_nor_above_the_full_price_and_rises_with_use() {
    for seed in 0..2_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut all = reserved(dice.bool().then_some("a"), dice.u32(..4), dice.u32(..4));
        for _ in 0..dice.usize(..3) {
            all.plans.push(plan(dice.bool().then_some("m6i"), dice.i64(0..300_000), dice.i64(0..300_000)));
        }
        let hour = Hour { full: MicroDollars(96_000), rate: dice.bool().then(|| MicroDollars(dice.i64(-1..96_000))) };
        let mut before = MicroDollars(0);
        for _ in 0..20 {
            let price = all.price_of_one_more(&node(), hour);
            assert!(before <= price && price <= hour.full, "seed {seed}: {price} after {before}");
            let saved = all.saved_by_one_less(&node(), hour);
            assert!((0..=hour.full.0).contains(&saved.0), "seed {seed}: {saved}");
            all.take(&node(), hour);
            before = price;
        }
    }
}
