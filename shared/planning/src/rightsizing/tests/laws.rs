//! Laws of our own: what is folded in, what is recommended, and what is left alone.

use crate::rightsizing::advise::{Autoscaled, Facts, Standing, UnitPrices, advise, may_roll_out, saving, unit_prices};
use crate::rightsizing::estimate::{confidence_percent, need, percentile};
use crate::rightsizing::fold::{fold, fold_seen, seen};
use crate::rightsizing::tests::golden::Golden;
use domain::money::MicroDollars;
use domain::plan::check::{Blocked, Rule};
use domain::sizing::{Advice, Estimator, Resource, Severity, Sizes, WorkloadPolicy};
use domain::usage::{ContainerRef, Seen, Usage};
use domain::workload::{WorkloadKind, WorkloadRef};

const DAY: i64 = 86_400;
const START: i64 = 20_000 * DAY;
const MIB: u64 = 1 << 20;

pub(super) fn shop() -> ContainerRef {
    let workload = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() };
    ContainerRef { workload, container: "web".to_owned() }
}

/// So many days of rounds, one each five minutes, two pods: CPU in thousandths of a core, memory in MiB, both by round.
pub(super) fn watched(days: i64, cpu: impl Fn(i64) -> u64, memory: impl Fn(i64) -> u64) -> (Usage, i64) {
    let mut usage = Usage::default();
    let rounds = days * 288;
    for round in 0..rounds {
        let sample = (cpu(round) * 1_000_000, memory(round) * MIB);
        assert!(fold(&mut usage, &[sample, sample], START + round * 300));
        // As the table would keep it.
        if round % 50 == 0 {
            usage = Usage::decode(&usage.encode()).unwrap();
        }
    }
    (usage, START + rounds * 300)
}

fn sizes(cpu: u64, memory_mib: u64) -> Sizes {
    Sizes { cpu_request: Some(cpu), memory_request: Some(memory_mib * MIB), ..Sizes::default() }
}

struct Case {
    usage: Usage,
    now: i64,
    current: Sizes,
    autoscaled: Autoscaled,
    policy: WorkloadPolicy,
}

impl Case {
    fn new((usage, now): (Usage, i64), current: Sizes) -> Case {
        let autoscaled = Autoscaled::By { cpu: false, memory: false };
        Case { usage, now, current, autoscaled, policy: WorkloadPolicy::default() }
    }

    fn advise(&self) -> (Advice, Vec<Blocked>) {
        let prices = Some(UnitPrices { core: MicroDollars(30_000), gib: MicroDollars(4_000) });
        let facts = Facts {
            of: &shop(),
            current: self.current,
            usage: &self.usage,
            replicas: 2,
            autoscaled: self.autoscaled,
            prices,
            interval_s: 300,
            now_s: self.now,
        };
        let (advice, notes) = advise(&facts, &self.policy);
        (advice.unwrap(), notes)
    }
}

#[test]
fn a_percentile_over_seven_days_forgets_what_is_older() {
    // A burst of a whole day, nine days ago, and another one, two hours long, yesterday.
    let burst = |round: i64| match round {
        0..288 => 4_000,
        2_600..2_624 => 1_000,
        _ => 100,
    };
    let (usage, now) = watched(10, burst, |_| 200);
    let p = |percent| percentile(&usage.cpu_days, Resource::Cpu, percent, now).unwrap();
    assert!((100..=112).contains(&p(95)), "to within a bucket: {}", p(95));
    assert_eq!(p(100), 1_000, "the burst of yesterday is in the window, and the other one is not");
}

#[test]
fn a_percentile_is_right_to_within_a_bucket_however_often_it_was_written() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20 {
        let (low, spread) = (random.u64(20..500), random.u64(1..3_000));
        let values: Vec<u64> = (0..288 * 7).map(|_| low + random.u64(..spread) * random.u64(..100) / 100).collect();
        let (usage, now) = watched(7, |round| values[usize::try_from(round).unwrap()], |_| 64);
        let mut sorted = values.clone();
        sorted.sort_unstable();
        for percent in [50, 90, 95, 99] {
            let exact = sorted[sorted.len() * percent as usize / 100] as f64;
            let found = percentile(&usage.cpu_days, Resource::Cpu, percent, now).unwrap() as f64;
            assert!(found >= exact * 0.93 && found <= exact * 1.08 + 11.0, "p{percent}: {found} instead of {exact}");
        }
    }
}

#[test]
fn a_round_counts_once_and_late_ones_not_at_all() {
    let mut usage = Usage::default();
    assert!(fold(&mut usage, &[(1, 1)], START));
    let once = usage.clone();
    assert!(!fold(&mut usage, &[(1, 1)], START));
    assert!(!fold(&mut usage, &[(9, 9)], START - 1));
    assert!(!fold(&mut usage, &[], START + 300));
    assert_eq!(usage, once);
}

#[test]
fn confidence_honours_our_sampling_rate() {
    let (usage, now) = watched(7, |_| 100, |_| 100);
    assert_eq!(confidence_percent(&usage, 300, now), 100);
    // Somebody who expects a sample each minute has seen a fifth.
    assert_eq!(confidence_percent(&usage, 60, now), 20);
    let (usage, now) = watched(1, |_| 100, |_| 100);
    assert_eq!(confidence_percent(&usage, 300, now), 14);
    assert_eq!(confidence_percent(&Usage::default(), 300, now), 0);
}

#[test]
fn up_goes_at_once_and_all_the_way() {
    let case = Case::new(watched(1, |_| 900, |_| 700), sizes(100, 128));
    let (advice, notes) = case.advise();
    assert_eq!(notes, []);
    assert_eq!(advice.next, advice.target);
    assert!(advice.next.cpu_request.unwrap() >= 900 && advice.next.memory_request.unwrap() >= 805 * MIB, "{advice:?}");
    assert_eq!(advice.severity, Severity::Critical);
    assert!(advice.saving_per_month.unwrap() < MicroDollars(0), "more is dearer, and says so");
}

#[test]
fn down_goes_slowly_and_only_when_it_is_sure() {
    let (advice, notes) = Case::new(watched(1, |_| 100, |_| 100), sizes(2_000, 4_096)).advise();
    assert_eq!(advice.next, advice.current);
    assert_eq!(notes.iter().map(|note| note.rule).collect::<Vec<_>>(), [Rule::Confidence, Rule::Confidence]);

    let mut case = Case::new(watched(7, |_| 100, |_| 100), sizes(2_000, 4_096));
    let (advice, notes) = case.advise();
    assert_eq!(notes, []);
    assert_eq!(advice.next.cpu_request, Some(1_400), "a step of 30 %");
    assert!(advice.target.cpu_request.unwrap() <= 105);
    assert_eq!(
        advice.saving_per_month,
        Some(saving(&advice.current, &advice.next, 2, UnitPrices { core: MicroDollars(30_000), gib: MicroDollars(4_000) }))
    );
    // Step after step it gets there, and then stays.
    for _ in 0..30 {
        case.current = case.advise().0.next;
    }
    let (advice, _) = case.advise();
    assert_eq!(advice.next, advice.current);
    assert!(advice.current.cpu_request.unwrap() <= 116, "{advice:?}");
}

#[test]
fn nothing_goes_below_what_was_seen_in_memory() {
    // One sample in a day is high: no percentile sees it.
    let (advice, _) = Case::new(watched(7, |_| 100, |round| if round == 700 { 900 } else { 100 }), sizes(100, 950)).advise();
    assert!(advice.target.memory_request.unwrap() >= 900 * MIB, "{advice:?}");
}

#[test]
fn an_autoscaler_keeps_its_metric_and_an_unknown_one_keeps_both() {
    let mut case = Case::new(watched(7, |_| 100, |_| 100), sizes(2_000, 4_096));
    case.autoscaled = Autoscaled::By { cpu: true, memory: false };
    let (advice, notes) = case.advise();
    assert_eq!(advice.next.cpu_request, advice.current.cpu_request);
    assert!(advice.next.memory_request < advice.current.memory_request);
    assert_eq!(notes.iter().map(|note| note.rule).collect::<Vec<_>>(), [Rule::Autoscaled]);
    case.autoscaled = Autoscaled::Unknown;
    let (advice, notes) = case.advise();
    assert_eq!(advice.next, advice.current);
    assert_eq!(notes.len(), 2);
}

#[test]
fn limits_keep_their_ratio_and_no_limit_of_cpu_is_invented() {
    let mut case = Case::new(watched(7, |_| 100, |_| 100), sizes(1_000, 1_000));
    case.current.memory_limit = Some(2_000 * MIB);
    let (advice, _) = case.advise();
    assert_eq!(advice.next.cpu_limit, None);
    assert_eq!(advice.next.memory_request, Some(700 * MIB));
    assert_eq!(advice.next.memory_limit, Some(1_400 * MIB));
    case.current.memory_limit = case.current.memory_request;
    let (advice, _) = case.advise();
    assert_eq!(advice.next.memory_limit, advice.next.memory_request);
    assert_eq!(advice.next.valid(), Ok(()));
}

#[test]
fn every_estimator_finds_what_is_used() {
    for (estimator, cpu, memory) in
        [(Estimator::Percentile, 400..=430, 300..=365), (Estimator::Vpa, 400..=500, 300..=420), (Estimator::Krr, 400..=430, 345..=346)]
    {
        let mut case = Case::new(watched(7, |_| 400, |_| 300), sizes(400, 300));
        case.policy.estimator = estimator;
        let (advice, _) = case.advise();
        let (found_cpu, found_memory) = (advice.target.cpu_request.unwrap(), advice.target.memory_request.unwrap() / MIB);
        assert!(cpu.contains(&found_cpu) && memory.contains(&found_memory), "{estimator:?}: {found_cpu}m, {found_memory} MiB");
        assert!(!advice.reasons.is_empty());
    }
}

#[test]
fn a_workload_is_rolled_out_once_a_day_and_not_while_something_speaks_against_it() {
    let policy = WorkloadPolicy::default();
    let quiet = Standing { name: "web", replicas: 2, rolling: false, managed_by: None, resized_s: None, budget_full: false, now_s: START };
    assert_eq!(may_roll_out(&quiet, &policy), []);
    let rules = |of: Standing<'_>| may_roll_out(&of, &policy).into_iter().map(|note| note.rule).collect::<Vec<_>>();
    assert_eq!(rules(Standing { rolling: true, ..quiet }), [Rule::RollOut]);
    assert_eq!(rules(Standing { managed_by: Some("argocd"), ..quiet }), [Rule::ManagedElsewhere]);
    assert_eq!(rules(Standing { replicas: 1, ..quiet }), [Rule::Policy]);
    assert_eq!(rules(Standing { budget_full: true, ..quiet }), [Rule::PodBudgetFull]);
    assert_eq!(rules(Standing { resized_s: Some(START - DAY + 1), ..quiet }), [Rule::CoolDown]);
    assert_eq!(rules(Standing { resized_s: Some(START - DAY), ..quiet }), []);
}

#[test]
fn a_nodes_price_is_split_and_the_parts_make_the_whole() {
    let prices = unit_prices([(4_000, 16 << 30, MicroDollars(192_000)), (2_000, 4 << 30, MicroDollars(85_000))]).unwrap();
    let whole = prices.core.0 * 6 + prices.gib.0 * 20;
    assert!((276_900..=277_000).contains(&whole), "{whole}");
    assert_eq!(unit_prices([]), None);
    assert_eq!(unit_prices([(4_000, 16 << 30, MicroDollars(0))]), None);
}

#[test]
fn what_was_not_seen_for_days_is_forgotten_and_its_kills_are_not() {
    let (mut usage, now) = watched(1, |_| 100, |_| 100);
    (usage.floor_bytes, usage.floor_until_s) = (500 * MIB, now + 30 * DAY);
    assert!(fold(&mut usage, &[(1_000_000, MIB)], now + 9 * DAY));
    assert_eq!((usage.rounds, usage.cpu_days.len()), (1, 1));
    assert_eq!(usage.floor(now + 9 * DAY), Some(500 * MIB));
}

/// Kubecost's worked example: no single replica needs it all, and the size that all of them get fits each.
#[test]
fn a_size_fits_every_replica() {
    let golden = Golden::read("savings_accounting");
    let case = golden.case("max_over_replicas");
    let of = |one: &serde_json::Value| (one["cpu_milli"].as_u64().unwrap(), one["ram_mib"].as_u64().unwrap() * MIB);
    let round: Vec<(u64, u64)> = case["input"].as_array().unwrap().iter().map(of).map(|(cpu, ram)| (cpu * 1_000_000, ram)).collect();
    let mut usage = Usage::default();
    assert!(fold(&mut usage, &round, START));
    let policy = WorkloadPolicy {
        cpu_percentile: 100,
        memory_percentile: 100,
        cpu_margin_percent: 0,
        memory_margin_percent: 0,
        ..WorkloadPolicy::default()
    };
    let found = need(&usage, &policy, 300, START);
    assert_eq!(found.cpu.zip(found.memory), Some(of(&case["expect"])));
}

#[test]
fn rounds_that_are_folded_in_later_come_to_the_same() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut sample = || (random.u64(0..4_000_000_000), random.u64(MIB..9_000 * MIB));
    let rounds: Vec<[(u64, u64); 5]> = (0..200).map(|_| [(); 5].map(|()| sample())).collect();
    let (mut at_once, mut later) = (Usage::default(), Usage::default());
    let mut kept = Vec::new();
    for (number, round) in (0_i64..).zip(&rounds) {
        let at_s = START + number * 600;
        assert!(fold(&mut at_once, round, at_s));
        // As the table has them.
        let json = serde_json::to_string(&seen(round)).unwrap();
        kept.push((at_s, serde_json::from_str::<Seen>(&json).unwrap()));
        if kept.len() == 6 {
            for (at_s, seen) in kept.drain(..) {
                assert!(fold_seen(&mut later, &seen, at_s));
            }
        }
    }
    for (at_s, seen) in kept {
        assert!(fold_seen(&mut later, &seen, at_s));
        assert!(!fold_seen(&mut later, &seen, at_s), "twice counts once");
    }
    assert_eq!(later, at_once);
}
