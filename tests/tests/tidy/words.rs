//! Sizes, and words that must not stand anywhere.

use crate::tree::{File, files};

const LINES_MAX: usize = 400;
const TEST_LINES_MAX: usize = 700;

/// Forbidden everywhere in Rust, with what to do instead. Taken apart, so that this file does not hold them itself.
const NEVER: [(&str, &str); 6] = [
    (concat!("to", "do!("), "finish it, or leave it out"),
    (concat!("unimplemen", "ted!("), "finish it, or leave it out"),
    (concat!("#[ig", "nore"), "a test that does not run is no test"),
    (concat!("#[al", "low("), "write #[expect(lint, reason = \"..\")]"),
    (concat!("#![al", "low("), "write #![expect(lint, reason = \"..\")]"),
    (concat!("thread::sl", "eep"), "waiting for the world is a status"),
];

/// Folders of somebody's machine.
const MACHINE: [&str; 4] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tm", "p/")];

fn lines_with<'a>(file: &'a File, word: &'a str) -> impl Iterator<Item = String> + 'a {
    let lines = file.text.lines().enumerate().filter(move |(_, line)| line.contains(word));
    lines.map(move |(number, _)| format!("{}:{}: {word}", file.path, number + 1))
}

#[test]
fn no_file_is_longer_than_can_be_read_in_one_go() {
    let long: Vec<String> = files(&[".rs"])
        .iter()
        .map(|file| (file, file.text.lines().count()))
        .filter(|(file, lines)| *lines > if file.is_test() { TEST_LINES_MAX } else { LINES_MAX })
        .map(|(file, lines)| format!("{} has {lines} lines", file.path))
        .collect();
    assert!(long.is_empty(), "take them apart: {long:#?}");
}

#[test]
fn nothing_is_left_open_ignored_or_silenced() {
    let rust = files(&[".rs"]);
    let found: Vec<String> = rust
        .iter()
        .flat_map(|file| NEVER.iter().flat_map(move |(word, instead)| lines_with(file, word).map(move |at| format!("{at} ({instead})"))))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_test_sleeps() {
    let rust = files(&[".rs"]);
    let found: Vec<String> =
        rust.iter().filter(|file| file.is_test()).flat_map(|file| lines_with(file, concat!("time::sl", "eep"))).collect();
    assert!(found.is_empty(), "the clock is a port: {found:#?}");
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    let all = files(&[".rs", ".toml", ".md", ".yaml", ".json", ".py", "run", "justfile"]);
    let found: Vec<String> = all.iter().flat_map(|file| MACHINE.iter().flat_map(move |word| lines_with(file, word))).collect();
    assert!(found.is_empty(), "{found:#?}");
}
