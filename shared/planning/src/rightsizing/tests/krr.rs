//! KRR's strategies.

use super::golden::{Golden, amount, list, number, whole};
use crate::rightsizing::krr::{History, Proposal, Rule, Settings, rounded, score, severity, simple, simple_limit, worth_a_change};
use crate::rightsizing::select::{broken, namespaces};
use domain::sizing::{Resource, Severity, Sizes};
use serde_json::Value;

fn by_pod(value: &Value) -> std::collections::BTreeMap<String, f64> {
    value.as_object().into_iter().flatten().map(|(pod, amount)| (pod.clone(), number(amount))).collect()
}

fn is(of: Resource, rule: Rule, wanted: &Value, slack: f64, what: &str) {
    match rule {
        Rule::Unset => assert!(wanted.is_null(), "{what}: unset instead of {wanted}"),
        Rule::Unknown => assert_eq!(wanted, "NaN", "{what}"),
        Rule::Set(value) => {
            let made = rounded(of, value);
            assert!((made - number(wanted)).abs() <= slack + 1e-9 * number(wanted), "{what}: {made} instead of {wanted}");
        }
    }
}

fn check(of: Resource, proposal: Proposal, expect: &Value, what: &str) {
    is(of, proposal.request, &expect["request"], 0.0, what);
    is(of, proposal.limit, &expect["limit"], 0.0, what);
    assert_eq!(proposal.info, expect["info"].as_str(), "{what}");
}

#[test]
fn simple_takes_the_highest_percentile_and_the_highest_peak() {
    let golden = Golden::read("krr");
    let mut checked = 0;
    for case in golden.cases().iter().filter(|case| case["strategy"] == "simple") {
        let (id, input) = (case["id"].as_str().unwrap(), &case["input"]);
        let history = History {
            cpu_p95: by_pod(&input["cpu_p95_by_pod_cores"]),
            memory_max: by_pod(&input["memory_max_by_pod_bytes"]),
            cpu_points: amount(&input["cpu_points"]).unwrap(),
            memory_points: amount(&input["memory_points"]).unwrap(),
            oom_limit: number(&input["max_oomkill_limit_bytes"]),
            ..History::default()
        };
        let settings = Settings {
            use_oomkill_data: input["use_oomkill_data"] == true,
            allow_hpa: input["allow_hpa"] == true,
            hpa_cpu: !input["hpa_target_cpu"].is_null(),
            hpa_memory: !input["hpa_target_memory"].is_null(),
            ..Settings::default()
        };
        let (cpu, memory) = simple(&history, settings);
        check(Resource::Cpu, cpu, &case["expect"]["cpu"], id);
        check(Resource::Memory, memory, &case["expect"]["memory"], id);
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn too_few_points_of_all_pods_together_say_nothing() {
    let history = |points| History { cpu_p95: by_pod(&serde_json::json!({"a": 0.2})), cpu_points: points, ..History::default() };
    assert_eq!(simple(&history(99), Settings::default()).0.info, Some("Not enough data"));
    assert_eq!(simple(&history(100), Settings::default()).0.info, None);
}

#[test]
fn simple_limit_takes_percentiles_of_all_samples_of_all_pods() {
    let golden = Golden::read("krr");
    let mut checked = 0;
    for case in golden.cases().iter().filter(|case| case["strategy"] == "simple_limit") {
        let samples = case["input"]["cpu_samples_by_pod"].as_object().unwrap();
        let history = History {
            cpu_samples: samples.iter().map(|(pod, all)| (pod.clone(), list(all).iter().map(number).collect())).collect(),
            cpu_points: 100,
            ..History::default()
        };
        let (cpu, _) = simple_limit(&history, Settings::default());
        let expect = &case["expect"]["cpu"];
        for (rule, raw, wanted) in [(cpu.request, "request_raw", "request"), (cpu.limit, "limit_raw", "limit")] {
            let Rule::Set(value) = rule else { panic!("{case}: {rule:?}") };
            super::golden::near(value, number(&expect[raw]), raw);
            // A value one step above a boundary may be rounded either way, as the file says.
            is(Resource::Cpu, rule, &expect[wanted], 0.001, wanted);
        }
        checked += 1;
    }
    assert!(checked >= 2, "{checked}");
}

#[test]
fn amounts_are_rounded_up_and_have_a_least() {
    for row in list(&Golden::read("krr").case("rounding")["expect"]) {
        let of = if row["resource"] == "cpu" { Resource::Cpu } else { Resource::Memory };
        super::golden::near(rounded(of, number(&row["in"])), number(&row["out"]), &row.to_string());
    }
}

#[test]
fn severity_goes_by_the_difference() {
    for row in list(&Golden::read("krr").case("severity_memory")["expect"]) {
        let made = severity(Resource::Memory, amount(&row["current"]), amount(&row["recommended"]));
        assert_eq!(Some(format!("{made:?}").to_uppercase().as_str()), row["severity"].as_str(), "{row}");
    }
    let cpu = |current, recommended| severity(Resource::Cpu, Some(current), Some(recommended));
    assert_eq!(
        [cpu(1_000, 500), cpu(1_000, 501), cpu(350, 250), cpu(349, 250)],
        [Severity::Critical, Severity::Warning, Severity::Ok, Severity::Good]
    );
}

#[test]
fn a_cluster_gets_its_mark() {
    for row in list(&Golden::read("krr").case("score")["expect"]) {
        let mut all = Vec::new();
        for (name, count) in row["counts"].as_object().unwrap() {
            let severity = match name.as_str() {
                "GOOD" => Severity::Good,
                "OK" => Severity::Ok,
                "WARNING" => Severity::Warning,
                "CRITICAL" => Severity::Critical,
                other => panic!("{other}"),
            };
            all.extend((0..whole(count)).map(|_| severity));
        }
        let made = score(&all);
        assert_eq!(
            (i64::from(made.points), made.letter.to_string().as_str()),
            (whole(&row["score"]), row["letter"].as_str().unwrap()),
            "{row}"
        );
    }
}

#[test]
fn a_small_difference_is_no_reason_and_nothing_set_is_one() {
    let golden = Golden::read("krr");
    let case = golden.case("enforcer_threshold");
    for row in list(&case["expect"]) {
        let made = worth_a_change(row["old"].as_f64(), number(&row["new"]), number(&case["threshold_percent"]));
        assert_eq!(Some(made), row["apply"].as_bool(), "{row}");
    }
}

#[test]
fn what_the_server_would_refuse_is_not_sent() {
    let amount = |of: Resource, value: &Value| {
        let text = value.as_str()?;
        Some(match of {
            Resource::Cpu => text.strip_suffix('m').unwrap_or(text).parse().unwrap(),
            Resource::Memory => text.strip_suffix("Mi").unwrap().parse::<u64>().unwrap() << 20,
        })
    };
    for row in list(&Golden::read("krr").case("enforcer_validity")["expect"]) {
        let part = |part: &str, of: Resource| amount(of, &row[part][of.as_str()]);
        let sizes = Sizes {
            cpu_request: part("requests", Resource::Cpu),
            cpu_limit: part("limits", Resource::Cpu),
            memory_request: part("requests", Resource::Memory),
            memory_limit: part("limits", Resource::Memory),
        };
        assert_eq!(Some(sizes.valid().is_ok()), row["valid"].as_bool(), "{row}");
    }
}

#[test]
fn namespaces_are_selected_by_name_or_expression() {
    for row in list(&Golden::read("krr").case("namespace_selection")["expect"]) {
        let texts = |value: &Value| list(value).iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<String>>();
        let setting = if row["setting"].is_string() { vec!["*".to_owned()] } else { texts(&row["setting"]) };
        let existing = texts(&row["existing"]);
        let mut made: Vec<String> = namespaces(&setting, existing.iter().map(String::as_str)).into_iter().map(str::to_owned).collect();
        // A name that is there is selected, and one that is not cannot be looked at.
        let mut wanted = if row["selected"] == "*" { existing.clone() } else { texts(&row["selected"]) };
        wanted.retain(|name| existing.contains(name));
        made.sort();
        wanted.sort();
        assert_eq!(made, wanted, "{row}");
    }
    assert_eq!(namespaces(&[], ["kube-system", "shop"]), ["shop"]);
    assert_eq!(namespaces(&["(".to_owned(), "shop".to_owned()], ["(", "shop"]), ["shop"]);
    assert_eq!(broken(&["(".to_owned(), "shop".to_owned(), "*".to_owned()]).len(), 1);
}
