//! Who may be ranked, and in which order.

use super::*;
use crate::spot_choice::standing_order;

fn replace(current: CapacityType, saves: i64) -> Need {
    Need { purpose: Purpose::Replace { current, saves: Some(MicroDollars(saves)) }, ..need() }
}

#[test]
fn nothing_is_ranked_that_a_rule_forbids_and_every_candidate_is_answered_once() {
    let types = types();
    for seed in 0..2_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (mut candidates, scene) = any_market(&mut dice, &types);
        let purpose = match dice.u8(..3) {
            0 => Purpose::Launch,
            1 => Purpose::Replace { current: Spot, saves: Some(MicroDollars(dice.i64(1..150_000))) },
            _ => Purpose::Replace { current: OnDemand, saves: Some(MicroDollars(dice.i64(1..150_000))) },
        };
        let need = Need { purpose, ..need() };
        let ranking = scene.rank(&candidates, &need);
        assert_eq!(ranking.ranked.len() + ranking.rejected.len(), candidates.len(), "seed {seed}");
        let cheapest = candidates.iter().filter(|c| c.pool.capacity == OnDemand && c.info.vcpu > 1 && c.info.arch == Arch::Amd64);
        let cheapest = cheapest.filter(|c| c.pool.zone != zone("d")).filter_map(|c| c.price).map(|q| q.price_per_hour).min();
        for one in &ranking.ranked {
            let pool = &one.offering.pool;
            let candidate = candidates.iter().find(|c| c.pool == *pool).unwrap();
            assert_eq!(one.offering.price_per_hour, candidate.price.map(|q| q.price_per_hour), "seed {seed}");
            assert!(one.price.price_per_hour.0 > 0 && !scene.unavailable.contains(pool), "seed {seed}: {pool}");
            assert!(candidate.info.arch == Arch::Amd64 && candidate.info.vcpu > 1 && pool.zone != zone("d"), "seed {seed}: {pool}");
            if pool.capacity == Spot {
                assert!(scene.fallback.is_none_or(|f| f.closed_until(&scene.policy, now()).is_none()), "seed {seed}");
                assert!(one.price.price_per_hour < cheapest.unwrap(), "seed {seed}: {pool}");
                assert!(one.risk * 100.0 <= f64::from(scene.policy.risk_percent_max), "seed {seed}: {pool}");
            }
            if let Purpose::Replace { saves: Some(saves), .. } = need.purpose {
                assert!(one.cost.expected() < saves, "seed {seed}: {pool}");
            }
        }
        assert!(ranking.ranked.is_sorted_by_key(|one| one.cost.effective()), "seed {seed}");
        dice.shuffle(&mut candidates);
        assert_eq!(scene.rank(&candidates, &need), ranking, "seed {seed}: the order of the candidates matters");
    }
}

#[test]
fn each_refusal_has_its_code() {
    let (large, small, arm) = (info("m6i.large", 2), info("m6i.medium", 1), info("m6g.large", 2));
    let mut scene = Scene::with(SpotPolicy { risk_percent_max: 50, ..easy() });
    let mut bad: Vec<(Candidate<'_>, &str)> = vec![
        (Candidate { price: None, ..offer(&large, "a", Spot, 1) }, "price-unknown"),
        (offer(&large, "a", Spot, 0), "price-unknown"),
        (Candidate { price: None, ..offer(&large, "b", OnDemand, 1) }, "price-unknown"),
        (offer(&arm, "a", Spot, 30_000), "arm64-not-allowed"),
        (offer(&small, "a", Spot, 30_000), "too-small"),
        (offer(&large, "d", Spot, 30_000), "wrong-zone"),
        (Candidate { risk: f64::NAN, ..offer(&large, "a", Spot, 30_000) }, "risk-unknown"),
        (Candidate { interruption_per_hour: 1.5, ..offer(&large, "a", Spot, 30_000) }, "risk-unknown"),
        (Candidate { risk: 0.51, ..offer(&large, "a", Spot, 30_000) }, "risk-too-high"),
        (offer(&large, "a", Spot, 96_000), "dearer-than-on-demand"),
    ];
    for (candidate, code) in bad.drain(..) {
        let ranking = scene.rank(&[candidate, offer(&large, "c", OnDemand, 96_000)], &need());
        assert_eq!(codes(&ranking), [code]);
        assert_eq!(names(&ranking), ["m6i.large in us-east-1c (on-demand)"]);
    }
    scene.unavailable.insert(pool("m6i.large", "a", Spot));
    let both = [offer(&large, "a", Spot, 30_000), offer(&large, "b", OnDemand, 96_000)];
    assert_eq!(codes(&scene.rank(&both, &need())), ["unavailable"]);
    assert_eq!(codes(&scene.rank(&[offer(&large, "b", Spot, 30_000)], &need())), ["on-demand-unknown"]);
}

#[test]
fn types_that_a_cluster_seldom_wants_are_refused_unless_the_policy_or_the_pods_ask_for_them() {
    let plain = info("m6i.large", 2);
    let sorts: [(TypeInfo, &str); 4] = [
        (TypeInfo { category: "t".to_owned(), ..info("t3.large", 2) }, "burstable"),
        (TypeInfo { current: false, ..info("m4.large", 2) }, "previous-generation"),
        (TypeInfo { hypervisor: Hypervisor::Metal, ..info("m6i.metal", 2) }, "metal"),
        (TypeInfo { gpu_count: 1, ..info("g4dn.large", 2) }, "accelerated"),
    ];
    let wants_all = SpotPolicy { refused_traits: BTreeSet::new(), ..easy() };
    for (odd, code) in &sorts {
        let market = [offer(odd, "a", Spot, 1_000), offer(&plain, "a", Spot, 40_000), offer(&plain, "a", OnDemand, 96_000)];
        let ranking = Scene::with(easy()).rank(&market, &need());
        assert_eq!((codes(&ranking), ranking.ranked.len()), (vec![*code], 2));
        assert_eq!(Scene::with(wants_all.clone()).rank(&market, &need()).ranked.len(), 3);
    }
    let asks = Need { gpus: 1, ..need() };
    let (gpu, _) = &sorts[3];
    let market = [offer(gpu, "a", Spot, 100_000), offer(gpu, "a", OnDemand, 500_000), offer(&plain, "a", Spot, 40_000)];
    assert_eq!(codes(&Scene::with(easy()).rank(&market, &asks)), ["too-small"]);
}

#[test]
fn arm_is_ranked_where_the_pods_may_run_on_it() {
    let (amd, arm) = (info("m6i.large", 2), info("m6g.large", 2));
    let both = [offer(&arm, "a", Spot, 25_000), offer(&amd, "a", Spot, 30_000), offer(&amd, "a", OnDemand, 96_000)];
    let allowed = Need { arm64: Arm64::Allowed, ..need() };
    assert_eq!(names(&Scene::with(easy()).rank(&both, &allowed))[0], "m6g.large in us-east-1a (spot)");
}

#[test]
fn an_open_zone_is_priced_by_the_dearest_and_a_pinned_one_by_its_own() {
    let (m5, m6) = (info("m5.large", 2), info("m6i.large", 2));
    let market = [
        offer(&m5, "a", Spot, 30_000),
        offer(&m5, "b", Spot, 60_000),
        offer(&m6, "a", Spot, 40_000),
        offer(&m6, "b", Spot, 41_000),
        offer(&m5, "a", OnDemand, 96_000),
    ];
    let open = Scene::with(easy()).rank(&market, &need());
    assert_eq!(open.ranked[0].offering.pool, pool("m6i.large", "a", Spot));
    assert_eq!(open.ranked[0].cost.price, MicroDollars(41_000));
    assert!(open.ranked.iter().filter(|one| one.offering.pool.instance_type == m5.name).all(|one| one.cost.price.0 >= 60_000));
    let pinned = Scene::with(easy()).rank(&market, &Need { zones: ZoneChoice::Pinned(zone("a")), ..need() });
    assert_eq!(pinned.ranked[0].offering.pool, pool("m5.large", "a", Spot));
    assert_eq!(pinned.ranked[0].cost.price, MicroDollars(30_000));
}

#[test]
fn at_equal_price_the_calmer_pool_comes_first() {
    let (m5, m6) = (info("m5.large", 2), info("m6i.large", 2));
    let calm = Candidate { risk: 0.1, ..offer(&m6, "a", Spot, 40_000) };
    let wild = Candidate { risk: 0.9, ..offer(&m5, "a", Spot, 40_000) };
    let ranking = Scene::with(easy()).rank(&[wild, calm, offer(&m5, "a", OnDemand, 96_000)], &need());
    assert_eq!(ranking.ranked[0].offering.pool, pool("m6i.large", "a", Spot));
}

#[test]
fn more_risk_or_more_interruptions_never_make_an_offering_cheaper() {
    let large = info("m6i.large", 2);
    let cost = |risk: f64, often: f64| {
        let spot = Candidate { risk, interruption_per_hour: often, ..offer(&large, "a", Spot, 40_000) };
        Scene::with(easy()).rank(&[spot, offer(&large, "a", OnDemand, 96_000)], &need()).ranked[0].cost.effective()
    };
    for step in 0..20 {
        let (here, next) = (f64::from(step) / 20.0, f64::from(step + 1) / 20.0);
        assert!(cost(here, 0.01) <= cost(next, 0.01) && cost(0.3, here / 10.0) <= cost(0.3, next / 10.0), "step {step}");
    }
}

#[test]
fn a_cost_is_price_interruptions_and_premium_as_the_policy_says() {
    let large = info("m6i.large", 2);
    let spot = Candidate { risk: 0.5, interruption_per_hour: 0.01, ..offer(&large, "a", Spot, 40_000) };
    let ranking = Scene::with(easy()).rank(&[spot, offer(&large, "a", OnDemand, 100_000)], &need());
    let cost = ranking.ranked[0].cost;
    // 1 % of an hour of on-demand; half of 20 % of the price.
    assert_eq!(cost, Cost { price: MicroDollars(40_000), interruption: MicroDollars(1_000), premium: MicroDollars(4_000) });
    assert_eq!((cost.expected(), cost.effective()), (MicroDollars(41_000), MicroDollars(45_000)));
    assert_eq!(
        ranking.ranked[0].to_string(),
        "m6i.large in us-east-1a (spot): 0.0400 USD an hour, interruptions 0.0010 USD, risk 0.50 counted as 0.0040 USD"
    );
}

#[test]
fn spot_to_spot_wants_fifteen_cheaper_types_and_other_moves_five_pools() {
    let types: Vec<TypeInfo> = (0..15).map(|n| info(&format!("m{n}i.large"), 2)).collect();
    let full = info("z1.large", 2);
    let market = |n: usize| {
        let mut market: Vec<Candidate<'_>> = types.iter().take(n).map(|t| offer(t, "a", Spot, 30_000)).collect();
        market.push(offer(&full, "a", OnDemand, 96_000));
        market
    };
    let scene = Scene::with(SpotPolicy::default());
    let spot = |n: usize, need: &Need| scene.rank(&market(n), need).ranked.iter().filter(|one| one.offering.pool.capacity == Spot).count();
    assert_eq!((spot(14, &replace(Spot, 60_000)), spot(15, &replace(Spot, 60_000))), (0, 15));
    assert_eq!((spot(4, &replace(OnDemand, 96_000)), spot(5, &replace(OnDemand, 96_000))), (0, 5));
    assert_eq!((spot(4, &need()), spot(5, &need())), (0, 5));
    let refused = scene.rank(&market(4), &need());
    assert_eq!(refused.rejected[0].reason, Reason::TooInflexible { have: 4, need: 5 });
    assert_eq!(refused.ranked.len(), 1, "on-demand is still there");
}

#[test]
fn a_replacement_must_be_cheaper_and_both_prices_known() {
    let large = info("m6i.large", 2);
    let market = [offer(&large, "a", Spot, 40_000), offer(&large, "a", OnDemand, 96_000)];
    let scene = Scene::with(easy());
    assert_eq!(names(&scene.rank(&market, &replace(OnDemand, 96_000))), ["m6i.large in us-east-1a (spot)"]);
    assert_eq!(codes(&scene.rank(&market, &replace(Spot, 40_000))), ["not-cheaper", "not-cheaper"]);
    let unknown = Need { purpose: Purpose::Replace { current: Spot, saves: None }, ..need() };
    assert_eq!(codes(&scene.rank(&market, &unknown)), ["current-price-unknown", "current-price-unknown"]);
}

#[test]
fn after_a_trouble_spot_stays_closed_until_it_was_quiet_for_long_enough() {
    let large = info("m6i.large", 2);
    let market = [offer(&large, "a", Spot, 40_000), offer(&large, "a", OnDemand, 96_000)];
    let after = |minutes: i64| {
        let first = now() - SignedDuration::from_hours(5);
        let trouble = Fallback::after_trouble(Some(Fallback::after_trouble(None, first)), now() - SignedDuration::from_mins(minutes));
        assert_eq!(trouble.since, first);
        Scene { fallback: Some(trouble), ..Scene::with(easy()) }.rank(&market, &need())
    };
    assert_eq!(codes(&after(29)), ["quiet-time"]);
    assert_eq!(after(29).rejected[0].reason, Reason::QuietTime { until: now() + SignedDuration::from_mins(1) });
    assert_eq!(after(30).ranked.len(), 2);
}

#[test]
fn troubles_told_out_of_order_or_twice_are_the_same_troubles() {
    let at = |minutes: i64| now() - SignedDuration::from_mins(minutes);
    let told = |order: &[i64]| order.iter().fold(None, |before, minutes| Some(Fallback::after_trouble(before, at(*minutes))));
    assert_eq!(told(&[50, 20, 10]), told(&[10, 50, 20, 10, 50]));
}

#[test]
fn standing_advice_comes_back_in_order_of_risk_and_complete() {
    let list: Vec<Offering> = [("m5.large", Spot), ("m6i.large", Spot), ("c5.large", Spot), ("m5.large", OnDemand), ("c5.large", OnDemand)]
        .map(|(kind, capacity)| {
            let subnet = SubnetId::parse("subnet-a").unwrap();
            Offering { pool: pool(kind, "a", capacity), subnet, price_per_hour: None }
        })
        .into();
    let risk = |pool: &Pool| match pool.instance_type.as_str() {
        "m5.large" => Some(0.42),
        "m6i.large" => Some(0.49),
        _ => Some(0.1),
    };
    let ordered: Vec<String> = standing_order(list.clone(), risk).iter().map(|o| o.pool.instance_type.to_string()).collect();
    // Within a tenth the advice's own order stays; on-demand is left as it is, behind spot.
    assert_eq!(ordered, ["c5.large", "m5.large", "m6i.large", "m5.large", "c5.large"]);
    assert_eq!(standing_order(list.clone(), |_| None), list);
    assert_eq!(standing_order(list.clone(), |_| Some(f64::NAN)), list);
    let unknown_last = standing_order(list.clone(), |pool| (pool.instance_type.as_str() != "m5.large").then_some(1.0));
    assert_eq!(unknown_last[2].pool, pool("m5.large", "a", Spot));
}
