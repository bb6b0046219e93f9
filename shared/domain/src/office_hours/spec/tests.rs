use super::*;
use serde_json::Value;

fn cases() -> Value {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/downscaler_timespec.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// What a text means at a moment, in the words of the golden cases.
fn said(spec: &str, dialect: Dialect, defaults: Defaults<'_>, now: &str) -> String {
    let now: Timestamp = now.parse().unwrap();
    let held = Spec::parse(spec, dialect, defaults).and_then(|spec| spec.holds(now));
    held.map_or_else(|_| "error".to_owned(), |held| held.to_string())
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn every_golden_case_of_both_dialects_holds() {
    let (all, mut wrong) = (cases(), Vec::new());
    for case in all["cases"].as_array().unwrap() {
        let dialect = if case["dialect"] == "py" { Dialect::Python } else { Dialect::Go };
        let got = said(case["spec"].as_str().unwrap(), dialect, Defaults::default(), case["now"].as_str().unwrap());
        if got != word(&case["expect"]) {
            wrong.push(format!("{case}: {got}"));
        }
    }
    for case in all["derived_cases"].as_array().unwrap() {
        let defaults = Defaults { zone: case["default_timezone"].as_str(), weekdays: case["default_weekframe"].as_str() };
        for (dialect, name) in [(Dialect::Python, "py"), (Dialect::Go, "go")] {
            let got = said(case["spec"].as_str().unwrap(), dialect, defaults, case["now"].as_str().unwrap());
            if got != word(&case["expect"][name]) {
                wrong.push(format!("{name} {case}: {got}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn our_own_are_read_whole_when_they_are_written() {
    assert!(serde_json::from_str::<Spec>(r#""Mon-Fri 09:00-17:00 UTC, nonsense""#).is_err());
    let spec: Spec = serde_json::from_str(r#""Mon-Fri 20:00-06:00 Europe/Berlin, never""#).unwrap();
    assert_eq!(serde_json::to_string(&spec).unwrap(), r#""Mon-Fri 20:00-06:00 Europe/Berlin, never""#);
}

#[test]
fn a_policy_says_what_of_it_makes_no_sense() {
    let policy = |text: &str| serde_json::from_str::<crate::office_hours::OfficeHoursPolicy>(text).unwrap().check();
    assert_eq!(policy("{}"), Ok(()));
    assert!(policy(r#"{"cluster":{"uptime":"always","downtime":"never"}}"#).unwrap_err().contains("both uptime and downtime"));
    assert!(policy(r#"{"default_zone":"Mars/Olympus"}"#).unwrap_err().contains("Mars/Olympus"));
    assert!(policy(r#"{"default_weekdays":"Monday"}"#).unwrap_err().contains("Monday"));
    assert!(policy(r#"{"lead_s":90000}"#).unwrap_err().contains("7200"));
    assert!(policy(r#"{"workloads":{"web":{"uptime":"never"}}}"#).unwrap_err().contains("namespace/name"));
}
