//! Which namespaces are looked at.

use regex_lite::Regex;

/// Namespaces of Kubernetes itself: left alone unless they are named.
const OWN: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];
/// Signs by which an entry is a regular expression, and no name.
const SIGNS: [char; 10] = ['*', '(', ')', '[', ']', '^', '$', '\\', '+', '?'];

/// The namespaces that a setting selects: names, regular expressions that match from the start of the name, or a single `*` for all of
/// them. An empty setting selects all but those of Kubernetes itself. What is no expression selects nothing but itself.
pub fn namespaces<'a>(setting: &[String], existing: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let existing = existing.into_iter();
    if setting.is_empty() {
        return existing.filter(|name| !OWN.contains(name)).collect();
    }
    if setting.iter().any(|entry| entry == "*") {
        return existing.collect();
    }
    let (expressions, names): (Vec<&String>, Vec<&String>) = setting.iter().partition(|entry| entry.contains(SIGNS));
    let expressions: Vec<Regex> = expressions.into_iter().filter_map(|entry| Regex::new(&format!("^(?:{entry})")).ok()).collect();
    let wanted = |name: &&str| names.iter().any(|entry| entry == name) || expressions.iter().any(|expression| expression.is_match(name));
    existing.filter(wanted).collect()
}

/// Entries that are no regular expressions although they look like some, each with what is wrong.
pub fn broken(setting: &[String]) -> Vec<String> {
    let expressions = setting.iter().filter(|entry| entry.as_str() != "*" && entry.contains(SIGNS));
    expressions.filter_map(|entry| Regex::new(entry).err().map(|error| format!("{entry}: {error}"))).collect()
}
