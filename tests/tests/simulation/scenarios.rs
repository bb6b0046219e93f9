//! The golden stories of `tests/scenarios`: each is played, and what is told must stand beside it. `UPDATE=1` writes it there.

use harness::events::sequences;
use harness::scenario::{cases, play};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn stories() -> Vec<(String, String)> {
    let mut stories: Vec<(String, String)> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    stories.sort();
    assert!(!stories.is_empty());
    stories
}

fn update() -> bool {
    #[expect(clippy::disallowed_methods, reason = "a test's own switch")]
    std::env::var("UPDATE").is_ok_and(|v| v == "1")
}

#[test]
fn every_story_is_told_as_it_stands() {
    let mut other = Vec::new();
    for (name, story) in stories() {
        let told = play(&story).unwrap_or_else(|why| panic!("{name}: {why}"));
        let path = folder().join(format!("{name}.out"));
        if update() {
            std::fs::write(&path, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some((line, (is, was))) =
            told.lines().zip(expected.lines().chain(std::iter::repeat(""))).enumerate().find(|(_, (a, b))| a != b)
        {
            other.push(format!("{name}, line {}:\n  expected {was:?}\n  told     {is:?}", line + 1));
        } else if told != expected {
            other.push(format!("{name}: more was expected"));
        }
        assert!(!told.contains("BROKEN"), "{name}:\n{told}");
    }
    assert!(other.is_empty(), "{}\nRead the difference, then accept it with UPDATE=1.", other.join("\n"));
}

#[test]
fn every_sequence_of_the_events_has_its_story() {
    let stories = stories();
    for (name, events) in sequences() {
        let file = name.replace('_', "-");
        let story = stories.iter().find(|(of, _)| *of == file);
        let (_, story) = story.unwrap_or_else(|| panic!("{file}.txt is missing"));
        assert_eq!(cases(story), events, "{file}");
    }
}
