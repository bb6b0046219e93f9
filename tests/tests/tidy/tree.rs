//! The files of the house.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what tools made.
const MADE: [&str; 7] = ["target", ".git", ".venv", "node_modules", ".cloudoptim", ".aws-sam", "__pycache__"];

/// A file of the house.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

impl File {
    /// Whether it holds tests only.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_owned()
}

/// The text of one file.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether it is there.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// Names of the folders in a folder, in order.
pub(crate) fn folders(path: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(path)).expect("the folder is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry can be read"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// All files whose names end so, in order of their paths. What is no text is passed over.
pub(crate) fn files(ends: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), "", ends, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no file ends in {ends:?}");
    found
}

fn walk(folder: &Path, prefix: &str, ends: &[&str], found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let entry = entry.expect("an entry can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if !MADE.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{path}/"), ends, found);
            }
        } else if ends.iter().any(|end| name.ends_with(end))
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            found.push(File { path, text });
        }
    }
}
