//! The table of all classes of attacks (`tests/attacks/classes.json`): each has cases in the corpus, a law elsewhere that holds it, or both.

use crate::corpus::{FILES, cases};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The classes that are known.
const CLASSES: u64 = 64;
/// What the corpus has at least.
const CASES_MIN: usize = 500;

#[test]
fn every_class_of_attack_is_held_by_cases_or_by_a_law_that_exists() {
    let mut counted: BTreeMap<u64, usize> = BTreeMap::new();
    let mut all = 0;
    for file in FILES {
        for case in cases(file) {
            *counted.entry(case["class"].as_u64().unwrap()).or_default() += 1;
            all += 1;
        }
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    let classes = cases("classes.json");
    assert_eq!(classes.iter().filter_map(|class| class["class"].as_u64()).collect::<Vec<_>>(), (1..=CLASSES).collect::<Vec<_>>());
    for class in &classes {
        let laws = class["laws"].as_array().unwrap();
        let number = class["class"].as_u64().unwrap();
        if laws.is_empty() && !counted.contains_key(&number) {
            missing.push(format!("class {number} ({}) has no case and no law", class["attack"]));
        }
        for law in laws.iter().map(|law| law.as_str().unwrap()) {
            let (file, name) = law.rsplit_once("::").unwrap();
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
            if !text.contains(&format!("fn {name}(")) && !text.contains(&format!("{name}()")) {
                missing.push(format!("class {number}: there is no law {law}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(all >= CASES_MIN, "{all}");
    println!("BENCH attack_cases {all} cases >= {CASES_MIN}");
    println!("BENCH attack_classes {} classes >= {CLASSES}", classes.len());
}
