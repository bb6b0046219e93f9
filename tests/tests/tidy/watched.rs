//! What is watched, bounded, stopped and taken back: `template.yaml` against what it must hold for every function.

use crate::policies::allowed;
use crate::template::{Template, functions, value};
use crate::tree::read;
use std::collections::{BTreeMap, BTreeSet};

/// Names of counters in docs/METRICS.md, each with the words of its row.
fn counters() -> BTreeMap<String, BTreeSet<String>> {
    let page = read("docs/METRICS.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let words: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        (words[0].to_owned(), words[1..].iter().map(|word| (*word).to_owned()).collect())
    })
    .collect()
}

#[test]
fn alarms_and_dashboard_name_counters_that_are_counted_with_kinds_that_they_have() {
    let (template, counters) = (Template::read(), counters());
    let mut named: Vec<(String, Option<String>)> = Vec::new();
    for alarm in template.of_type("AWS::CloudWatch::Alarm") {
        let block = template.resource(alarm);
        if value(block, "Namespace") == Some("CloudOptim") {
            named.push((
                value(block, "MetricName").expect("an alarm has a metric").to_owned(),
                value(block, "Name: kind, Value").map(|kind| kind.trim_end_matches(['}', ']', ' ']).to_owned()),
            ));
        }
    }
    for rest in template.resource("Dashboard").split("[\"CloudOptim\", \"").skip(1) {
        let words: Vec<&str> = rest.split('"').step_by(2).collect();
        named.push((words[0].to_owned(), Some(words[2].to_owned())));
    }
    assert!(named.len() > 20, "tidy/watched.rs cannot read the dashboard any more: {named:?}");
    for (name, kind) in named {
        let kinds = counters.get(&name).unwrap_or_else(|| panic!("{name} is shown or watched, and nobody counts it"));
        // Kinds of some counters are those of another, and their row says so in words.
        let closed = kinds.len() > 1 || !kinds.iter().any(|word| counters.contains_key(word));
        assert!(kind.as_ref().is_none_or(|kind| !closed || kinds.contains(kind)), "{name} has no kind {kind:?}: {kinds:?}");
    }
}

fn alarms_on<'a>(template: &'a Template, metric: &str, on: &str) -> Vec<&'a str> {
    let all = template.of_type("AWS::CloudWatch::Alarm").into_iter();
    all.filter(|alarm| {
        let block = template.resource(alarm);
        value(block, "MetricName") == Some(metric) && block.contains(on)
    })
    .collect()
}

#[test]
fn somebody_hears_when_messages_grow_old_or_die() {
    let template = Template::read();
    for queue in template.of_type("AWS::SQS::Queue") {
        let metric = if queue.ends_with("DeadLetters") { "ApproximateNumberOfMessagesVisible" } else { "ApproximateAgeOfOldestMessage" };
        assert!(!alarms_on(&template, metric, &format!("!GetAtt {queue}.QueueName")).is_empty(), "nobody watches {metric} of {queue}");
    }
}

/// A schedule that stands still makes no error: only its heartbeat tells.
#[test]
fn every_schedule_has_a_heartbeat() {
    let template = Template::read();
    for (name, logical) in functions() {
        if !template.resource(&format!("{logical}Function")).contains("Type: ScheduleV2") {
            continue;
        }
        let beat = template.resource(&format!("{logical}Heartbeat"));
        assert_eq!(value(beat, "LogGroupName"), Some(format!("!Ref {logical}Logs").as_str()), "the heartbeat of {name}");
        let metric = value(beat, "MetricName").expect("a filter has a metric");
        assert!(beat.contains(&format!("$.{metric} = 1")), "{name} beats with another line than it writes");
        assert!(counters().contains_key(metric), "{name} never writes {metric}");
        let alarms = alarms_on(&template, metric, "TreatMissingData: breaching");
        assert_eq!(alarms, [format!("{logical}HeartbeatAlarm")], "{name}");
        assert!(template.resource(alarms[0]).contains("LessThanThreshold"));
    }
}

/// A notice has two minutes: the function that handles it is never left half old and half new.
#[test]
fn every_function_but_interruption_is_replaced_by_and_by_and_taken_back_when_it_fails() {
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        let alarms = value(block, "Alarms").unwrap_or_default();
        assert_eq!(block.contains("DeploymentPreference:"), name != "interruption", "{name}");
        assert_eq!(block.contains("AutoPublishAlias: live\n"), name != "interruption", "{name}");
        assert_eq!(block.contains("AutoPublishAliasAllProperties: true\n"), name != "interruption", "{name}");
        if name == "interruption" {
            continue;
        }
        let alarms: Vec<&str> = alarms.trim_matches(['[', ']']).split(", ").map(|alarm| alarm.trim_start_matches("!Ref ")).collect();
        assert!(alarms.contains(&format!("{logical}ErrorsAlarm").as_str()), "{name} is not taken back when it fails: {alarms:?}");
        // What fails without an error is told by what is left: dead letters, or answers of the API.
        assert!(alarms.len() > 1, "{name}: {alarms:?}");
        let all = template.of_type("AWS::CloudWatch::Alarm");
        assert!(alarms.iter().all(|alarm| all.contains(alarm)), "{name}: {alarms:?}");
    }
}

#[test]
fn no_function_can_use_up_the_accounts_concurrency() {
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        let bounded = if block.contains("Type: SQS\n") {
            block.contains("MaximumConcurrency:")
        } else if block.contains("Type: ScheduleV2") {
            block.contains("ReservedConcurrentExecutions: 1\n")
        } else if block.contains("FunctionUrlConfig: ") {
            // Nobody calls it but functions of ours, each of which has a bound itself.
            block.contains("AuthType: AWS_IAM")
        } else {
            let api = referred_ref(block, "ApiId");
            template.resource(api).contains("ThrottlingRateLimit:")
        };
        assert!(bounded, "{name} has no bound");
    }
}

fn referred_ref<'a>(block: &'a str, key: &str) -> &'a str {
    let rest = block.split_once(&format!("{key}: !Ref ")).unwrap_or_else(|| panic!("no {key} in:\n{block}")).1;
    rest.split([',', ' ', '\n']).next().unwrap_or_default()
}

/// `Stopped=true` stops what acts or plans, and leaves what only shows and tells.
#[test]
fn the_kill_switch_of_the_stack_stops_whatever_acts_or_plans() {
    let template = Template::read();
    let acting = ["executor", "ghost-scan", "interruption", "office-hours", "optimizer", "poller", "sweeper"];
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        let triggers = block.matches("Type: SQS\n          Properties").count() + block.matches("Type: ScheduleV2").count();
        let stopped = block.matches("Enabled: !If [IsStopped, false, true]").count()
            + block.matches("State: !If [IsStopped, DISABLED, ENABLED]").count();
        assert_eq!(stopped, if acting.contains(&name.as_str()) { triggers } else { 0 }, "{name}");
    }
}

/// The boundary is the union of what the roles may do, and what a schedule needs: no more, or it bounds nothing; no less, or it breaks them.
#[test]
fn the_boundary_is_the_union_of_the_roles() {
    let template = Template::read();
    let actions = |role: &str| allowed(&template, role).into_iter().map(|(action, _)| action);
    let mut union: BTreeSet<String> = template.of_type("AWS::IAM::Role").into_iter().flat_map(actions).collect();
    union.insert("lambda:InvokeFunction".to_owned());
    assert_eq!(actions("Boundary").collect::<BTreeSet<String>>(), union);
    for role in template.of_type("AWS::IAM::Role") {
        assert!(
            template.resource(role).contains("PermissionsBoundary: !If [HasBoundary, !Ref PermissionsBoundaryArn, !Ref Boundary]"),
            "{role}"
        );
    }
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        assert_eq!(block.matches("OmitName: true").count(), block.matches("PermissionsBoundary: !If").count(), "the schedule of {name}");
    }
}

#[test]
fn both_stages_can_be_deployed() {
    let (config, template) = (read("samconfig.toml"), read("template.yaml"));
    let parameters =
        template.split_once("\nParameters:\n").and_then(|(_, rest)| rest.split_once("\nConditions:")).expect("there are parameters").0;
    for stage in ["dev", "prod"] {
        let deploy = config.split_once(&format!("[{stage}.deploy.parameters]")).unwrap_or_else(|| panic!("no stage {stage}")).1;
        let deploy = deploy.split("\n[").next().unwrap_or_default();
        assert!(deploy.contains(&format!("\"Stage={stage}\"")), "{stage} deploys another stage");
        let overrides = deploy.split_once("parameter_overrides = [").expect("a stage has parameters").1;
        for given in overrides.split('"').skip(1).step_by(2) {
            let (name, value) = given.split_once('=').expect("a parameter has a value");
            let declared =
                parameters.split_once(&format!("  {name}:\n")).unwrap_or_else(|| panic!("{stage} gives {name}, which is no parameter")).1;
            let declared = declared.split("\n  ").take_while(|line| line.starts_with("  ")).collect::<String>();
            assert!(!declared.contains("AllowedValues") || declared.contains(value), "{stage}: {name} cannot be {value}");
        }
    }
}

/// A check that is passed over says why, in words of this house.
#[test]
fn whoever_passes_over_a_check_says_why() {
    for file in crate::tree::files(&[".yaml", ".tf"]) {
        for line in file.text.lines().filter_map(|line| line.split_once("checkov:skip=").map(|(_, rest)| rest)) {
            let why = line.split_once(':').map_or("", |(_, why)| why);
            assert!(why.split(' ').count() >= 3, "{}: {line}", file.path);
        }
    }
}
