//! No file lies about that nothing compiles.

use crate::tree::{File, files};
use std::collections::BTreeMap;

/// Files that cargo compiles by themselves.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        [.., "src", "lib.rs" | "main.rs"] | [.., "build.rs"] => true,
        [.., "tests" | "benches" | "examples", name, "main.rs"] => !name.ends_with(".rs") && !path.contains("/src/"),
        [.., "tests" | "benches" | "examples", _] => !path.contains("/src/"),
        [.., "src", "bin", _] | ["fuzz", "fuzz_targets", _] => true,
        _ => false,
    }
}

/// Where a module may be declared: `a/b.rs` in `a.rs`, or in the root file of the folder.
fn parents(path: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parents = vec![format!("{folder}.rs")];
    parents.extend(["lib.rs", "main.rs", "mod.rs"].map(|name| format!("{folder}/{name}")));
    parents
}

fn declares(parent: &str, module: &str) -> bool {
    let declaration = format!("mod {module};");
    parent
        .lines()
        .map(str::trim)
        .any(|line| line == declaration || line.strip_suffix(&declaration).is_some_and(|before| before.ends_with(' ')))
}

#[test]
fn every_rust_file_is_declared_as_a_module() {
    let all: Vec<File> = files(&[".rs"]);
    let by_path: BTreeMap<&str, &str> = all.iter().map(|file| (file.path.as_str(), file.text.as_str())).collect();
    let lost: Vec<&str> = all
        .iter()
        .map(|file| file.path.as_str())
        .filter(|path| !is_root(path))
        .filter(|path| {
            let module = path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs")).unwrap_or_default();
            !parents(path).iter().filter_map(|parent| by_path.get(parent.as_str())).any(|text| declares(text, module))
        })
        .collect();
    assert!(lost.is_empty(), "nothing compiles these: {lost:#?}");
}
