use super::arithmetic::{allocation, efficiency, idle, month_of, per_month, request_for, split, with_margin};
use super::*;
use crate::ids::InstanceId;
use crate::money::MicroDollars;
use crate::plan::from_move::tests::{a_cluster, a_move, noon, plan, request};
use crate::plan::{Action, Effect, Event, Outcome, Urgency};
use serde_json::Value;

fn cases() -> Value {
    serde_json::from_str(include_str!("../../../../conformance/savings_accounting.json")).unwrap()
}

fn case(id: &str) -> Value {
    cases()["cases"].as_array().unwrap().iter().find(|case| case["id"] == id).unwrap().clone()
}

fn f(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn near(found: f64, wanted: f64, within: f64) {
    assert!((found - wanted).abs() <= within, "{found} is not {wanted}");
}

#[test]
fn the_worked_examples_of_opencost_and_kubecost_come_out() {
    let split_case = case("node_price_split");
    let (base, amount) = (&split_case["input"]["base"], &split_case["input"]["amount"]);
    let names = ["gpu", "cpu", "ram_gib"];
    let parts: Vec<(f64, f64)> = names.iter().map(|n| (f(&base[n]), f(&amount[n]))).collect();
    for (share, name) in split(f(&split_case["input"]["node_month"]), &parts).into_iter().zip(names) {
        near(share, f(&split_case["expect"][name]), 1e-9);
    }
    for row in case("target_utilisation")["expect"].as_array().unwrap() {
        near(request_for(f(&row["base_milli"]), f(&row["target"])), f(&row["request_milli"]), 1e-9);
    }
    let efficient = case("efficiency");
    let of = |name: &str| {
        let part = &efficient["input"][name];
        (f(&part["request"]), f(&part["usage"]), f(&part["price"]))
    };
    near(efficiency(of("cpu"), of("ram")), f(&efficient["expect"]["efficiency"]), 5e-5);
    let most = case("allocation_is_max");
    for (used, wanted) in most["input"]["usage"].as_array().unwrap().iter().zip(most["expect"].as_array().unwrap()) {
        near(allocation(f(&most["input"]["request"]), f(used)), f(wanted), 0.0);
    }
    let month = case("cost_event");
    let input = &month["input"];
    let cpu = f(&input["cpu_request_milli"]) / 1000.0 * f(&input["cpu_core_hour"]) * arithmetic::HOURS_PER_MONTH;
    let memory = f(&input["ram_mib"]) * f64::from(1 << 20) * f(&input["ram_byte_hour"]) * arithmetic::HOURS_PER_MONTH;
    near(cpu, f(&month["expect"]["cpu_month"]), 1e-6);
    near(memory, f(&month["expect"]["ram_month"]), 1e-3);
    near(cpu + memory, f(&month["expect"]["total_month"]), 1e-3);
}

#[test]
fn projections_are_stretched_from_the_hours_of_data_and_not_of_the_window() {
    let monthly = |case: &Value| -> Vec<f64> {
        let input = &case["input"];
        let hours = f(&input["data_window_min"]) / 60.0;
        let pods = input["pods"].as_array().unwrap().iter();
        pods.map(|p| per_month(f(&p["alloc"]), f(&p["target"]), f(&p["run_min"]) / 60.0, f(&input["price_core_hour"]), hours)).collect()
    };
    let two = case("savings_projection_two_controllers");
    for (found, wanted) in monthly(&two).iter().zip(two["expect"]["monthly"].as_array().unwrap()) {
        near(*found, f(wanted), 0.005);
    }
    near(monthly(&two).iter().sum(), f(&two["expect"]["total"]), 0.005);
    let shared = case("savings_projection_shared_controller");
    near(monthly(&shared).iter().sum(), f(&shared["expect"]["monthly_total"]), 0.01);
    assert!(per_month(1.0, 2.0, 1.0, 1.0, 1.0) < 0.0, "an upsize costs");
}

#[test]
fn idle_is_never_negative_and_is_the_same_by_node_and_by_cluster() {
    let sharing = case("idle_sharing");
    let nodes = sharing["input"]["nodes"].as_array().unwrap();
    let each: Vec<f64> = nodes.iter().map(|n| idle(f(&n["units"]), f(&n["used"]))).collect();
    let wanted: Vec<f64> = sharing["expect"]["by_node"].as_array().unwrap().iter().map(f).collect();
    assert_eq!(each, wanted);
    near(each.iter().sum(), f(&sharing["expect"]["by_cluster"]), 0.0);
    near(idle(2.0, 3.0), 0.0, 0.0);
}

/// The margin that every recommended size has over what was used; Kubecost's example asks it of a disk.
#[test]
fn what_is_asked_for_keeps_its_room_over_what_is_used() {
    let disk = case("disk_resize");
    let percent = (f(&disk["input"]["overhead"]) * 100.0).round();
    let percent: u32 = format!("{percent:.0}").parse().unwrap();
    let used = disk["input"]["used_gib"].as_u64().unwrap();
    assert_eq!(with_margin(used, percent), disk["expect"]["recommended_gib"].as_u64().unwrap());
    assert_eq!((with_margin(0, 50), with_margin(7, 0), with_margin(1, 1), with_margin(u64::MAX, 15)), (0, 7, 2, u64::MAX));
}

fn baseline() -> Baseline {
    let seen = seen(&request().snapshot, MicroDollars(7_200)).unwrap();
    Baseline::of(a_cluster().customer, a_cluster().id, &seen)
}

fn at(cost: i64, cpu_millis: u64) -> Seen {
    Seen {
        at: noon(),
        cost_per_hour: MicroDollars(cost),
        nodes: 3,
        vcpus: 6,
        requested: Resources::new(cpu_millis, 9 << 20),
        spot_per_hour: MicroDollars(0),
    }
}

fn books(entries: &[(Lever, i64)]) -> Books {
    let mut books = Books::new(a_cluster().customer, a_cluster().id);
    books.per_hour = entries.iter().map(|(lever, sum)| (*lever, MicroDollars(*sum))).collect();
    books
}

fn hour(books: &Books, seen: &Seen) -> Hour {
    close(&baseline(), books, seen, hour_of(noon()), MicroDollars(1), MicroDollars(2)).unwrap()
}

#[test]
fn a_baseline_is_what_the_nodes_cost_and_the_pods_asked_for() {
    let baseline = baseline();
    assert_eq!((baseline.cost_per_hour, baseline.nodes, baseline.requested.cpu_millis), (MicroDollars(3 * 107_200), 3, 900));
    assert_eq!(baseline.expected(&baseline.requested), baseline.cost_per_hour);
    let double = Resources::new(1_800, 18 << 20);
    assert_eq!(baseline.expected(&double), MicroDollars(2 * 321_600), "twice the work would have cost twice as much");
}

#[test]
fn what_is_not_seen_whole_is_no_ground_for_a_baseline() {
    let mut snapshot = request().snapshot;
    snapshot.nodes[1].price = None;
    assert!(matches!(seen(&snapshot, MicroDollars(0)), Err(NotWhole::Price(_))));
    let mut snapshot = request().snapshot;
    let part = |name: &str| Part { name: name.to_owned(), taken_at: noon(), gap: Some("not read".to_owned()) };
    snapshot.parts = vec![part("usage")];
    assert!(seen(&snapshot, MicroDollars(0)).is_ok());
    snapshot.parts.push(part("prices"));
    assert!(matches!(seen(&snapshot, MicroDollars(0)), Err(NotWhole::Gap(_))));
    snapshot.parts.clear();
    snapshot.nodes.clear();
    assert_eq!(seen(&snapshot, MicroDollars(0)), Err(NotWhole::Empty));
}

#[test]
fn realised_is_what_the_levers_did_and_never_more_than_the_hour_is_cheaper() {
    let two = books(&[(Lever::SpotOptimize, 60_000), (Lever::BinPack, 30_001)]);
    let cheap = hour(&two, &at(221_600, 900));
    assert_eq!(cheap.realised_sum(), MicroDollars(90_001), "100,000 cheaper, of which the levers did this much");
    let half = hour(&two, &at(276_600, 900));
    assert_eq!(half.realised_sum(), MicroDollars(45_000), "the parts add up to the whole");
    assert_eq!(half.realised[&Lever::SpotOptimize], MicroDollars(29_999));
    assert_eq!(hour(&two, &at(400_000, 900)).realised_sum(), MicroDollars(0), "dearer than ever: nothing is claimed");
    assert_eq!(hour(&two, &at(443_200, 1_800)).realised_sum(), MicroDollars(90_001).min(MicroDollars(200_000)), "twice the work");
    assert_eq!((cheap.estimated, cheap.freed), (MicroDollars(1), MicroDollars(2)), "kept apart");
    assert_eq!(hour(&books(&[]), &at(1, 900)).realised_sum(), MicroDollars(0), "what others made cheaper is not ours");
}

#[test]
fn upsizes_and_memory_after_an_oom_count_negative_and_whole() {
    let charged = books(&[(Lever::BinPack, 50_000)]).charged(Lever::OutOfMemory, MicroDollars(20_000));
    assert_eq!(charged.per_hour[&Lever::OutOfMemory], MicroDollars(-20_000));
    assert_eq!(hour(&charged, &at(221_600, 900)).realised_sum(), MicroDollars(30_000));
    assert_eq!(hour(&charged, &at(400_000, 900)).realised[&Lever::OutOfMemory], MicroDollars(-20_000));
    let only = books(&[]).charged(Lever::OutOfMemory, MicroDollars(20_000));
    assert_eq!(hour(&only, &at(221_600, 900)).realised_sum(), MicroDollars(-20_000));
}

#[test]
fn an_hour_is_closed_by_what_was_seen_in_it() {
    assert_eq!(hour_of("2026-11-24T12:59:59.9Z".parse().unwrap()), noon());
    let late = Seen { at: noon() + SignedDuration::from_hours(1), ..at(1, 900) };
    assert_eq!(close(&baseline(), &books(&[]), &late, noon(), MicroDollars(0), MicroDollars(0)), None);
}

#[test]
fn nothing_is_saved_before_a_node_is_ended_whatever_the_plan_expected() {
    let plan = plan(&request(), &a_cluster(), &a_move(&[1], 1)).unwrap();
    let mut progress = Progress::new(&plan, Urgency::Normal, None);
    let empty = books(&[]);
    for step in 0..plan.steps.len() {
        assert_eq!((saved(&plan, &progress), empty.entered(&plan, &progress)), (MicroDollars(0), None));
        for outcome in [Outcome::RolledBack { why: String::new() }, Outcome::Parked { why: String::new() }] {
            let ended = Progress { outcome: Some(outcome), ..progress.clone() };
            assert_eq!((saved(&plan, &ended), empty.entered(&plan, &ended)), (MicroDollars(0), None));
        }
        progress.apply(step, Event::Started, noon()).unwrap();
        if let Action::LaunchNode { offerings, .. } = &plan.steps[step].action {
            // The second offering: dearer than hoped.
            let instance = InstanceId::parse("i-12345678").unwrap();
            progress.steps[step].effect = Effect::Launched { instance, offering: offerings[1].clone() };
        }
        progress.apply(step, Event::Succeeded, noon()).unwrap();
    }
    assert_eq!(plan.expected_saving, MicroDollars(70_000));
    assert_eq!(saved(&plan, &progress), MicroDollars(0), "at what it really cost, nothing was saved");
    assert_eq!(empty.entered(&plan, &progress), None, "and nothing is entered before the plan has ended");
    progress.outcome = Some(Outcome::Succeeded);
    let entered = empty.entered(&plan, &progress).unwrap();
    assert_eq!((entered.plans, entered.version), (1, 1));
    let Action::LaunchNode { offerings, .. } = &plan.steps[0].action else { panic!("a launch") };
    progress.steps[0].effect = Effect::Launched { instance: InstanceId::parse("i-12345678").unwrap(), offering: offerings[0].clone() };
    assert_eq!(empty.entered(&plan, &progress).unwrap().per_hour[&Lever::SpotOptimize], MicroDollars(70_000));
    assert_eq!(month_of(MicroDollars(70_000)), MicroDollars(51_100_000));
}
