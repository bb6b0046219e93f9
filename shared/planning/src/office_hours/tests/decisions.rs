//! The golden decisions of kube-downscaler.

use super::*;
use domain::office_hours::ORIGINAL;

/// An object, and what stands around it, from a golden case.
struct Stage {
    object: Scalable,
    namespace: Namespace,
    policy: OfficeHoursPolicy,
    forced_up: bool,
    now: Timestamp,
}

fn stage(input: &Value) -> Stage {
    let kind = if input["kind"] == "Deployment" { ScaleKind::Deployment } else { ScaleKind::HorizontalPodAutoscaler };
    let mut object = web(u32::try_from(input["replicas"].as_u64().unwrap()).unwrap());
    object.target.kind = kind;
    object.created_at = Some(at(input["created"].as_str().unwrap()));
    object.annotations = annotated(&input["annotations"]);
    object.size_max = input["max_replicas"].as_u64().map(|max| u32::try_from(max).unwrap());
    object.owner = input["owner_kind"].as_str().map(|kind| (kind.to_owned(), "stack".to_owned()));
    if object.annotations.get(ORIGINAL).is_some_and(|text| text == "> maxReplicas") {
        object.size_max = Some(10);
        object.annotations.insert(ORIGINAL.to_owned(), "11".to_owned());
    }
    let flag = |key: &str| python(input[key].as_str().unwrap());
    let number = |key: &str| Some(u32::try_from(input[key].as_u64().unwrap()).unwrap());
    let cluster = Rules {
        uptime: flag("default_uptime"),
        downtime: flag("default_downtime"),
        upscale_period: flag("upscale_period"),
        downscale_period: flag("downscale_period"),
        force_downtime: input["forced_downtime"].as_bool().unwrap().then(Spec::always),
        grace_s: number("grace_period_s"),
        downtime_replicas: number("downtime_replicas"),
        ..Rules::default()
    };
    let policy = OfficeHoursPolicy {
        dialect: Dialect::Python,
        cluster,
        upscale_target_only: input["upscale_target_only"].as_bool().unwrap(),
        lead_s: 0,
        ..OfficeHoursPolicy::default()
    };
    let namespace = Namespace { annotations: annotated(&input["namespace_annotations"]), terminating: false };
    let (forced_up, now) = (input["forced_uptime"].as_bool().unwrap(), at(input["now"].as_str().unwrap()));
    Stage { object, namespace, policy, forced_up, now }
}

impl Stage {
    /// One pass: whether anything was changed.
    fn pass(&mut self) -> bool {
        let situation = Situation {
            namespace: Some(&self.namespace),
            forced_up: self.forced_up,
            now: self.now,
            ..on(&self.object, &self.policy, "2020-01-01T00:00:00Z")
        };
        let (size, note) = match decide(&situation).verdict {
            Verdict::Leave => return false,
            Verdict::Sleep { to, original, .. } => (Some(to), Some(original.note())),
            Verdict::Wake { to, .. } => (to, None),
            Verdict::ClearNote => (self.object.size, None),
        };
        self.object.size = size;
        match note {
            Some(note) => self.object.annotations.insert(ORIGINAL.to_owned(), note),
            None => self.object.annotations.remove(ORIGINAL),
        };
        true
    }

    fn check(&mut self, expect: &Value) -> Result<(), String> {
        let updated = self.pass();
        let max = self.object.size_max.map(Value::from).unwrap_or_default();
        let wanted = if expect["replicas"] == "maxReplicas" { &max } else { &expect["replicas"] };
        if Value::from(self.object.size) != *wanted {
            return Err(format!("{:?} replicas", self.object.size));
        }
        if expect.get("updated").is_some_and(|expected| *expected != updated) {
            return Err(format!("updated: {updated}"));
        }
        match expect.get("original_replicas") {
            Some(note) if Value::from(self.object.annotations.get(ORIGINAL).map(String::as_str)) != *note => {
                Err(format!("its note is {:?}", self.object.annotations.get(ORIGINAL)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[test]
fn every_golden_decision_holds() {
    let mut wrong = Vec::new();
    for case in golden("downscaler_decisions")["cases"].as_array().unwrap() {
        let mut stage = stage(&case["input"]);
        let expect = &case["expect"];
        let checked = match expect.get("first") {
            Some(first) => stage.check(first).and_then(|()| stage.check(&expect["second_pass"])),
            None => stage.check(expect),
        };
        if let Err(why) = checked {
            wrong.push(format!("{}: {why}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_golden_grace_holds() {
    let now = at("2026-01-01T00:00:00Z");
    for case in golden("downscaler_decisions")["grace_cases"]["cases"].as_array().unwrap() {
        let ago = |key: &str| case[key].as_i64().map(|age| now - domain::SignedDuration::from_secs(age));
        let mut object = web(1);
        object.created_at = ago("created_age_s");
        let mut note = |key: &str, value: Option<String>| value.map(|value| object.annotations.insert(key.to_owned(), value));
        note("downscaler/grace-period", case["annotation"].as_str().map(str::to_owned));
        note("rolled-out", case["deployment_time"].as_str().map(str::to_owned));
        note("rolled-out", ago("deployment_time_age_s").map(|at| at.to_string()));
        let policy = OfficeHoursPolicy {
            dialect: Dialect::Python,
            cluster: Rules { grace_s: case["grace_s"].as_u64().map(|s| u32::try_from(s).unwrap()), ..Rules::default() },
            deployment_time_annotation: Some("rolled-out".to_owned()),
            ..OfficeHoursPolicy::default()
        };
        let situation = Situation { now, ..on(&object, &policy, "2020-01-01T00:00:00Z") };
        let scopes = super::super::scopes::of(&situation).unwrap();
        assert_eq!(grace::within(&situation, &scopes).unwrap(), case["expect"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn every_golden_label_and_pod_holds() {
    let all = golden("downscaler_decisions");
    for case in all["label_cases"]["cases"].as_array().unwrap() {
        let patterns: Vec<String> = serde_json::from_value(case["patterns"].clone()).unwrap();
        assert_eq!(!labels::selected(&annotated(&case["labels"]), &patterns), case["ignored"].as_bool().unwrap(), "{case}");
    }
    for case in all["pod_force_uptime"]["cases"].as_array().unwrap() {
        let forces = |pod: &Value| {
            let annotations = BTreeMap::from([("downscaler/force-uptime".to_owned(), pod[1].as_str().unwrap().to_owned())]);
            annotations::pod_forces_up(pod[0] == "Succeeded" || pod[0] == "Failed", &annotations)
        };
        assert_eq!(case["pods"].as_array().unwrap().iter().any(forces), case["force"].as_bool().unwrap(), "{case}");
    }
}
