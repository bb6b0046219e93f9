//! Which workloads are meant, by their labels.

use regex_lite::Regex;
use std::collections::BTreeMap;

/// Whether any label, written `key=value`, is matched as a whole by any of the patterns. An empty pattern, or none, selects all; one
/// that is no pattern selects nothing.
pub fn selected(labels: &BTreeMap<String, String>, patterns: &[String]) -> bool {
    if patterns.iter().all(String::is_empty) {
        return true;
    }
    let read = |pattern: &String| Regex::new(&format!("^(?:{pattern})$")).ok();
    let patterns: Vec<Regex> = patterns.iter().filter(|pattern| !pattern.is_empty()).filter_map(read).collect();
    labels.iter().any(|(key, value)| {
        let written = format!("{key}={value}");
        patterns.iter().any(|pattern| pattern.is_match(&written))
    })
}
