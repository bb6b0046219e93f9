//! The Vertical Pod Autoscaler's recommender and updater.

use super::golden::{Golden, amount, list, near, number, whole};
use crate::rightsizing::buckets::Buckets;
use crate::rightsizing::decaying::{Decaying, HALF_LIFE_S};
use crate::rightsizing::vpa::{
    Admission, Cap, Controlled, Evidence, LimitRange, Priority, Range, admits, boundary_request, bounds, cap_to_limit, cap_to_policy,
    cap_to_range, confidence, evicted_for, millis, order, priority, proportional_limit, rounded_up, with_confidence, with_margin,
    with_minimum,
};
use crate::rightsizing::window::{Op, Window};
use serde_json::Value;

fn golden() -> Golden {
    Golden::read("vpa_recommender")
}

fn at_one_instant(buckets: &'static Buckets, samples: &Value, weight: Option<f64>) -> Decaying {
    let mut made = Decaying::new(buckets, HALF_LIFE_S);
    for sample in list(samples) {
        match weight {
            // (value, count)
            Some(weight) => (0..whole(&sample[1])).for_each(|_| made.add(number(&sample[0]), weight, 0)),
            None => made.add(number(&sample[0]), number(&sample[1]), 0),
        }
    }
    made
}

#[test]
fn percentiles_are_found_to_within_a_bucket() {
    let golden = golden();
    let (case, expect) = (golden.case("percentile_estimator"), &golden.case("percentile_estimator")["expect"]);
    let within = |is: f64, wanted: &Value| (is / number(wanted) - 1.0).abs() <= number(&expect["rel_tolerance"]);
    let cpu = at_one_instant(Buckets::cpu(), &case["cpu_samples"], None).percentile(number(&case["cpu_percentile"]));
    let memory = at_one_instant(Buckets::memory(), &case["memory_samples"], None).percentile(number(&case["memory_percentile"]));
    assert!(within(cpu, &expect["cpu_cores"]) && within(memory, &expect["memory_bytes"]), "{cpu} {memory}");
}

#[test]
fn little_is_known_of_few_samples() {
    let golden = golden();
    let case = golden.case("confidence_default");
    let samples = whole(&case["cpu_samples"]);
    let span = (samples - 1) * whole(&case["sample_step_s"]);
    let sure = confidence(span, u64::try_from(samples).unwrap(), 1_440.0);
    let expect = &case["expect"];
    near(sure, number(&expect["confidence"]), "confidence");
    let with = |base: &Value| with_confidence(amount(base).unwrap(), sure, number(&case["multiplier"]), number(&case["exponent"]));
    assert_eq!(Some(with(&case["base"]["cpu_milli"])), amount(&expect["cpu_milli"]));
    assert_eq!(Some(with(&case["base"]["memory_bytes"])), amount(&expect["memory_bytes"]));

    let case = golden.case("confidence_no_history");
    for row in list(&case["expect"]) {
        let base = amount(&case["base"]["cpu_milli"]).unwrap();
        let made = with_confidence(base, confidence(0, 0, 1_440.0), number(&row["multiplier"]), number(&row["exponent"]));
        assert_eq!(Some(made), amount(&row["cpu_milli"]), "{row}");
    }
}

#[test]
fn margins_and_minimums_are_added() {
    let golden = golden();
    let case = golden.case("margin");
    for name in ["cpu_milli", "memory_bytes"] {
        assert_eq!(Some(with_margin(amount(&case["base"][name]).unwrap(), number(&case["margin"]))), amount(&case["expect"][name]));
    }
    for row in list(&golden.case("min_resource")["expect"]) {
        let (base, min, wanted) = match row["base_cpu_milli"].is_null() {
            false => ("base_cpu_milli", "min_cpu_milli", "cpu_milli"),
            true => ("base_memory", "min_memory", "memory_bytes"),
        };
        assert_eq!(Some(with_minimum(amount(&row[base]).unwrap(), amount(&row[min]).unwrap())), amount(&row[wanted]));
    }
    assert_eq!(with_minimum(100, 200), 200);
    for row in list(&golden.case("cores_to_milli_truncates")["expect"]) {
        assert_eq!(Some(millis(number(&row[0]))), amount(&row[1]), "{row}");
    }
    for row in list(&golden.case("round_up_to_scale")["expect"]) {
        let made = rounded_up(amount(&row["value"]).unwrap(), whole(&row["scale"]));
        assert_eq!(made.is_none(), row["error"] == true, "{row}");
        assert_eq!(made.or_else(|| amount(&row["value"])), amount(&row["result"]), "{row}");
    }
}

#[test]
fn only_what_is_controlled_is_set() {
    for row in list(&golden().case("controlled_resources_filter")["expect"]) {
        let controls = |name: &str| row["controlled"].is_null() || list(&row["controlled"]).iter().any(|one| one == name);
        let range = |name: &str| Range { request: Some(100), target: controls(name).then_some(200), ..Range::default() };
        let found = priority(&[(range("cpu"), range("memory"))]);
        let present = list(&row["present"]).len() as f64;
        near(found.difference, present, &row.to_string());
    }
}

/// The operations of a case, with what a sequence of samples and kills leads to.
fn played(case: &Value) -> (Vec<Op>, Vec<Op>) {
    let interval = whole(&case["interval_s"]);
    let mut window = Window::default();
    let mut ops = Vec::new();
    for one in case["samples"].as_array().into_iter().flatten() {
        ops.extend(window.sample(amount(&one["mem"]).unwrap(), whole(&one["t"]), interval).unwrap());
    }
    for one in case["sequence"].as_array().into_iter().flatten() {
        let made = match one["mem"].is_null() {
            false => window.sample(amount(&one["bytes"]).unwrap(), whole(&one["mem"]), interval),
            true => window.oom(amount(&one["request"]).unwrap(), whole(&one["oom"]), interval),
        };
        assert_eq!(made.is_none(), one["expect"] == "rejected", "{one}");
        ops.extend(made.unwrap_or_default());
    }
    let op = |row: &Value| match row[0].as_str().unwrap() {
        "add" => Op::Add(amount(&row[1]).unwrap(), whole(&row[2])),
        "subtract" => Op::Subtract(amount(&row[1]).unwrap(), whole(&row[2])),
        other => panic!("{other}"),
    };
    (ops, list(&case["expect_memory_ops"]).iter().map(op).collect())
}

#[test]
fn memory_counts_by_the_peaks_of_its_windows_and_kills_are_peaks() {
    let golden = golden();
    let mut checked = 0;
    for case in golden.cases().iter().filter(|case| !case["expect_memory_ops"].is_null()) {
        let (is, wanted) = played(case);
        assert_eq!(is, wanted, "{}", case["id"]);
        checked += 1;
    }
    assert!(checked >= 9, "{checked}");
}

#[test]
fn an_eviction_for_want_of_memory_counts_where_its_lists_fit() {
    for row in list(&golden().case("eviction_event")["cases"]) {
        let text = |name: &str| row[name].as_str().unwrap();
        let found = evicted_for(text("containers"), text("usage"), text("starved"));
        let wanted = list(&row["ooms"]);
        assert_eq!(found.len(), wanted.len(), "{row}");
        for (is, wanted) in found.iter().zip(wanted) {
            let kib: u64 = is.usage.strip_suffix("Ki").unwrap().parse().unwrap();
            assert_eq!((Some(is.container.as_str()), Some(kib << 10)), (wanted[0].as_str(), amount(&wanted[1])));
        }
    }
}

#[test]
fn what_needs_more_goes_first_and_then_what_is_farther_off() {
    for row in list(&golden().case("update_priority")["cases"]) {
        let at = |list: &Value, index: usize, name: &str| amount(&list[index][name]);
        let range = |index: usize, name: &str| Range {
            request: at(&row["requests"], index, name),
            target: at(&row["target"], index, name),
            lower: at(&row["lower"], index, name),
            upper: at(&row["upper"], index, name),
        };
        let pods: Vec<(Range, Range)> = (0..list(&row["requests"]).len()).map(|index| (range(index, "cpu"), range(index, "mem"))).collect();
        let (is, wanted) = (priority(&pods), &row["expect"]);
        assert_eq!((Some(is.outside_range), Some(is.scale_up)), (wanted["outside_range"].as_bool(), wanted["scale_up"].as_bool()), "{row}");
        near(is.difference, number(&wanted["resource_diff"]), &row.to_string());
    }
    let missing = priority(&[(Range { target: Some(5), ..Range::default() }, Range::default())]);
    assert!(missing.outside_range && missing.scale_up);
}

#[test]
fn a_young_pod_is_left_alone_unless_it_is_outside_or_was_killed_soon() {
    for row in list(&golden().case("update_admission")["cases"]) {
        let by = Admission {
            age_s: Some(whole(&row["age_h"]) * 3_600),
            oom_after_s: row["quick_oom_runtime_min"].as_i64().map(|minutes| minutes * 60),
            change_min: number(&row["threshold"]),
        };
        let pod = |pod: &Value| Priority {
            outside_range: pod[1].as_bool().unwrap(),
            scale_up: pod[2].as_bool().unwrap(),
            difference: number(&pod[3]),
        };
        let mut admitted: Vec<(&Value, Priority)> = list(&row["pods"]).iter().map(|one| (&one[0], pod(one))).collect();
        admitted.retain(|(_, priority)| admits(priority, &by));
        admitted.sort_by(|(_, a), (_, b)| order(a, b));
        let names: Vec<&Value> = admitted.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, list(&row["expect_order"]).iter().collect::<Vec<_>>(), "{row}");
    }
}

#[test]
fn recommendations_stay_within_limits_and_policies() {
    let golden = golden();
    let case = &golden.case("capping")["limit_capping"];
    for row in list(&case["expect"]) {
        let controlled = if row["mode"] == "RequestsOnly" { Controlled::RequestsOnly } else { Controlled::RequestsAndLimits };
        for (part, name) in [("target", "cpu"), ("target", "memory"), ("upper", "cpu"), ("upper", "memory")] {
            let capped = cap_to_limit(amount(&case[part][name]).unwrap(), amount(&case["limits"][name]), controlled);
            assert_eq!(Some(capped), amount(&row[part][name]), "{row} {part} {name}");
        }
    }
    let case = &golden.case("capping")["policy"];
    for part in ["target", "lower", "upper"] {
        for name in ["cpu", "memory"] {
            let cap = Cap { min: amount(&case["min"][name]), max: amount(&case["max"][name]) };
            assert_eq!(Some(cap_to_policy(amount(&case[part][name]).unwrap(), cap)), amount(&case["expect"][part][name]), "{part} {name}");
        }
    }
}

#[test]
fn a_limit_keeps_its_ratio_and_none_is_invented() {
    assert_eq!(proportional_limit(None, Some(100), 200, None), None);
    assert_eq!(proportional_limit(None, Some(100), 200, Some(300)), Some(600));
    assert_eq!(proportional_limit(Some(100), None, 200, None), Some(200));
    assert_eq!(proportional_limit(Some(100), Some(100), 200, None), Some(200));
    assert_eq!(proportional_limit(Some(300), Some(100), 200, None), Some(600));
    assert_eq!(proportional_limit(Some(300), Some(100), 0, None), None);
    assert_eq!(boundary_request(Some(300), Some(100), 600, None), Some(200));
    assert_eq!(boundary_request(Some(300), None, 600, None), Some(600));
    assert_eq!(boundary_request(None, Some(100), 600, None), None);
    let range = LimitRange { min: Some(50), max: Some(600), default_limit: None };
    assert_eq!(cap_to_range(400, Some(100), Some(300), range), 200, "its limit would be 1200");
    assert_eq!(cap_to_range(10, Some(100), None, range), 50);
    assert_eq!(cap_to_range(900, Some(100), None, range), 600);
}

#[test]
fn the_whole_of_it_leads_to_the_same_numbers() {
    for case in list(&golden().case("full_pipeline")["cases"]) {
        let samples = u64::try_from(whole(&case["total_cpu_samples"])).unwrap();
        let made = bounds(&Evidence {
            cpu: &at_one_instant(Buckets::cpu(), &case["cpu_samples"], Some(0.1)),
            memory: &at_one_instant(Buckets::memory(), &case["memory_peaks"], Some(1.0)),
            confidence: confidence(whole(&case["span_h"]) * 3_600, samples, 1_440.0),
            containers: amount(&case["containers_in_pod"]).unwrap(),
        });
        for (part, is) in [("target", made.target), ("lower", made.lower), ("upper", made.upper)] {
            let wanted = &case["expect"][part];
            assert_eq!(
                (Some(is.0), Some(is.1)),
                (amount(&wanted["cpu_milli"]), amount(&wanted["memory_bytes"])),
                "{} {part}",
                case["name"]
            );
        }
    }
}

#[test]
fn at_our_rate_a_sampled_day_is_as_sure_as_a_day_of_the_autoscalers_own() {
    near(confidence(86_400, 288, 288.0), confidence(86_400, 1_440, 1_440.0), "confidence");
}
