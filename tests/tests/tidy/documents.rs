//! Pages say what is.

use crate::tree::{File, exists, files, read};
use std::collections::BTreeSet;

/// Counters: the first word in quotes after `.count(`.
fn counted() -> BTreeSet<String> {
    let sources = files(&[".rs"]);
    let code = |file: &&File| !file.is_test() && (file.path.starts_with("shared/") || file.path.starts_with("functions/"));
    let calls = sources.iter().filter(code).flat_map(|file| file.text.split(".count(").skip(1));
    calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn the_page_of_metrics_names_every_counter_and_no_other() {
    let page = read("docs/METRICS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let named: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert_eq!(named, counted(), "left: docs/METRICS.md, right: the code");
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for page in files(&[".md"]) {
        let folder = page.path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        for target in page.text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !exists(&format!("{folder}{target}")) {
                broken.push(format!("{}: {target}", page.path));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
