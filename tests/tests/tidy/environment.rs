//! The environment: what the template sets is what the configuration reads.

use crate::template::{Template, functions, value};
use crate::tree::{File, files, read};
use std::collections::BTreeSet;

/// Set by Lambda itself.
const BY_LAMBDA: [&str; 1] = ["AWS_REGION"];

fn is_name(text: &str) -> bool {
    text.contains('_') && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Keys under `Variables:`, anywhere in the template.
fn set() -> BTreeSet<String> {
    set_in(&read("template.yaml"))
}

fn set_in(text: &str) -> BTreeSet<String> {
    let keys = text.lines().filter_map(|line| line.trim().split_once(':').map(|(key, _)| key.to_owned()));
    keys.filter(|key| is_name(key)).collect()
}

/// Names in quotes in the configuration.
fn known() -> BTreeSet<String> {
    let sources = files(&[".rs"]);
    let config = |file: &&File| file.path.starts_with("shared/runtime/src/config") && !file.is_test();
    let quoted = sources.iter().filter(config).flat_map(|file| file.text.split('"').skip(1).step_by(2));
    quoted.filter(|text| is_name(text)).map(str::to_owned).collect()
}

#[test]
fn what_the_template_sets_is_read_and_what_is_read_is_set() {
    let (set, mut known) = (set(), known());
    for name in BY_LAMBDA {
        assert!(known.remove(name), "{name} is not read any more: take it off the list");
    }
    assert_eq!(set, known, "left: template.yaml, right: shared/runtime/src/config");
}

#[test]
fn every_variable_is_explained_where_the_function_is() {
    let template = Template::read();
    let globals = set_in(read("template.yaml").split("\nResources:\n").next().unwrap_or_default());
    for (name, logical) in functions() {
        let readme = read(&format!("functions/{name}/README.md"));
        let own = set_in(template.resource(&format!("{logical}Function")));
        // The queue of rounds is set for all and read by two: an address is no right.
        let read_here = |variable: &&str| *variable != "ROUNDS_QUEUE_URL" || name == "api" || name == "optimizer";
        for variable in globals.union(&own).map(String::as_str).chain(BY_LAMBDA).filter(read_here) {
            assert!(readme.contains(variable), "functions/{name}/README.md does not name {variable}");
        }
    }
}

#[test]
fn only_the_api_knows_the_first_administrators_key() {
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        assert_eq!(block.contains("BOOTSTRAP_ADMIN_KEY_SHA256"), name == "api", "{name}");
    }
    assert!(!read("template.yaml").split("\nResources:\n").next().unwrap_or_default().contains("BOOTSTRAP_ADMIN_KEY_SHA256:"));
}

#[test]
fn a_call_to_a_cluster_ends_before_the_invocation_does() {
    let template = read("template.yaml");
    let globals = template.split("\nResources:\n").next().unwrap_or_default();
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u64>().ok());
    let usual = number(value(globals, "K8S_API_TIMEOUT_SECONDS")).expect("the globals set it");
    let template = Template::read();
    for (name, logical) in functions() {
        let block = template.resource(&format!("{logical}Function"));
        let call = number(value(block, "K8S_API_TIMEOUT_SECONDS")).unwrap_or(usual);
        let timeout = number(value(block, "Timeout")).expect("a function has a timeout");
        assert!(call < timeout, "{name}: a call of {call} s in an invocation of {timeout} s");
    }
}
