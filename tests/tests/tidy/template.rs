//! `template.yaml` against the folders of `functions/`. Read as text: the file keeps to one shape, two spaces per level.

use crate::tree::{folders, read};

/// The template, taken apart.
pub(crate) struct Template(Vec<(String, String)>, String);

impl Template {
    /// Reads it.
    pub(crate) fn read() -> Template {
        let text = read("template.yaml");
        let resources = text.split_once("\nResources:\n").expect("there are resources").1;
        let resources = resources.split("\nOutputs:\n").next().unwrap_or_default();
        let mut blocks: Vec<(String, String)> = Vec::new();
        for line in resources.lines() {
            let name =
                line.strip_prefix("  ").filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase())).and_then(|l| l.strip_suffix(':'));
            match (name, blocks.last_mut()) {
                (Some(name), _) => blocks.push((name.to_owned(), String::new())),
                (None, Some((_, block))) => {
                    block.push_str(line);
                    block.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(blocks.len() > 10, "template.yaml has another shape than tidy/template.rs reads");
        let globals = text.split_once("\nGlobals:\n").and_then(|(_, rest)| rest.split_once("\nResources:\n")).expect("there are globals").0;
        Template(blocks, globals.to_owned())
    }

    /// What holds for every function.
    pub(crate) fn globals(&self) -> &str {
        &self.1
    }

    /// The block of a resource.
    pub(crate) fn resource(&self, name: &str) -> &str {
        self.0.iter().find(|(found, _)| found == name).map_or_else(|| panic!("template.yaml has no {name}"), |(_, block)| block)
    }

    /// Names of all resources of a type.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<&str> {
        let line = format!("    Type: {kind}\n");
        self.0.iter().filter(|(_, block)| block.starts_with(&line)).map(|(name, _)| name.as_str()).collect()
    }

    fn has_alarm(&self, on: &str) -> bool {
        self.of_type("AWS::CloudWatch::Alarm").iter().any(|alarm| self.resource(alarm).contains(on))
    }
}

/// What follows a key, up to a separator.
pub(crate) fn value<'a>(block: &'a str, key: &str) -> Option<&'a str> {
    let rest = block.split_once(&format!("{key}: "))?.1;
    Some(rest.lines().next().unwrap_or_default().trim_end_matches([' ', '}']).trim_matches('"'))
}

fn seconds(block: &str, key: &str) -> u64 {
    value(block, key).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{key} is no number in:\n{block}"))
}

/// `!GetAtt Name.Arn` -> `Name`.
pub(crate) fn referred<'a>(block: &'a str, key: &str) -> &'a str {
    value(block, key).and_then(|text| text.strip_prefix("!GetAtt ")?.split('.').next()).unwrap_or_else(|| panic!("no {key} in:\n{block}"))
}

/// The folders of functions that run on Lambda, with their names in the template.
pub(crate) fn functions() -> Vec<(String, String)> {
    let on_lambda = folders("functions").into_iter().filter(|name| name != "local");
    on_lambda
        .map(|name| {
            let logical = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            (name, logical)
        })
        .collect()
}

#[test]
fn every_function_has_its_crate_and_every_crate_its_function() {
    let template = Template::read();
    let mut named = template.of_type("AWS::Serverless::Function");
    named.sort_unstable();
    let expected: Vec<String> = functions().into_iter().map(|(_, logical)| format!("{logical}Function")).collect();
    assert_eq!(named, expected);
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        assert_eq!(value(block, "Binary"), Some(name.as_str()), "the binary of {logical}Function");
        assert!(read(&format!("functions/{name}/Cargo.toml")).contains(&format!("name = \"{name}\"\n")), "the package in functions/{name}");
    }
}

#[test]
fn every_function_has_a_role_a_log_that_ends_and_an_alarm() {
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        assert_eq!(referred(block, "Role"), format!("{logical}Role"), "{name} has a role of its own");
        assert_eq!(value(block, "LogGroup"), Some(format!("!Ref {logical}Logs").as_str()));
        assert!(template.resource(&format!("{logical}Role")).contains(&format!("PolicyName: {name}\n")), "{name} has its policy");
        assert!(template.resource(&format!("{logical}Logs")).contains("RetentionInDays:"), "the log of {name} never ends");
        assert!(template.has_alarm(&format!("!Ref {logical}Function")), "nobody hears when {name} fails");
    }
}

#[test]
fn what_arrives_unasked_has_a_dead_letter_queue_that_somebody_watches() {
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        let dead_letters = if block.contains("Type: SQS\n          Properties") {
            let queue = template.resource(referred(block, "Queue"));
            assert!(
                block.contains("FunctionResponseTypes: [ReportBatchItemFailures]"),
                "one bad message of {name} brings back its neighbours"
            );
            assert!(seconds(queue, "maxReceiveCount") >= 3, "one throttle dead-letters a message of {name}");
            referred(queue, "deadLetterTargetArn")
        } else if block.contains("Type: ScheduleV2") {
            referred(block, "DeadLetterConfig: { Arn")
        } else {
            let waits = block.contains("Type: HttpApi") || block.contains("FunctionUrlConfig: ");
            assert!(waits, "say in tidy/template.rs what the trigger of {name} needs");
            continue;
        };
        assert!(template.resource(dead_letters).starts_with("    Type: AWS::SQS::Queue"));
        assert!(template.has_alarm(&format!("!GetAtt {dead_letters}.QueueName")), "nobody hears of the dead letters of {name}");
    }
}

/// A message must come back soon, because a spot notice leaves two minutes; but never while its invocation may still run.
#[test]
fn a_message_comes_back_after_its_invocation_and_soon_after() {
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        if !block.contains("Type: SQS\n          Properties") {
            continue;
        }
        let queue = template.resource(referred(block, "Queue"));
        let (timeout, visibility) = (seconds(block, "Timeout"), seconds(queue, "VisibilityTimeout"));
        assert!((timeout + 1..=timeout + 10).contains(&visibility), "{name}: {visibility} s after {timeout} s");
        let tries = seconds(queue, "maxReceiveCount");
        assert!(
            seconds(queue, "MessageRetentionPeriod") >= visibility * tries,
            "messages of {name} expire before they reach the dead letters"
        );
    }
}
