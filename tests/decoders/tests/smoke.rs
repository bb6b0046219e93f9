//! The smoke run: every decoder on its corpus and on what becomes of it, for `DECODER_SECONDS` each; `DECODER_SEED` repeats a run.

use decoders::{TARGETS, mutate};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No decoder may need more than this, in bytes: the smallest function has 256 MB.
const MEMORY_MAX: u64 = 128 << 20;

#[expect(clippy::disallowed_methods, reason = "a test's own switches")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = root().join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The most that this process ever had in memory, in bytes; `None` where the system does not say.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

#[test]
fn no_decoder_panics_or_takes_much_memory_whatever_it_is_given() {
    let seed = number("DECODER_SEED").unwrap_or(1);
    let lasting = Duration::from_millis(number("DECODER_SECONDS").map_or(300, |seconds| seconds * 1_000));
    let mut runs = 0;
    for target in TARGETS {
        let seeds = corpus(target.name);
        assert!(!seeds.is_empty(), "fuzz/corpus/{} is empty", target.name);
        match mutate::run(&target, &seeds, seed, lasting) {
            Ok(many) => runs += many,
            Err(broken) => {
                panic!("{} does not bear this (DECODER_SEED={seed}): {:?}", broken.target, String::from_utf8_lossy(&broken.input))
            }
        }
    }
    let peak = peak().unwrap_or_default();
    println!("BENCH decoder_runs {runs} runs >= {}", TARGETS.len());
    println!("BENCH decoder_peak_memory {:.1} MB <= {}", peak as f64 / f64::from(1 << 20), MEMORY_MAX >> 20);
    assert!(peak <= MEMORY_MAX, "{peak} bytes");
}

/// The two ways of fuzzing are one: each target of libFuzzer calls the function of its name, and each function has a target.
#[test]
fn every_decoder_has_a_target_of_its_own() {
    for target in TARGETS {
        let text = std::fs::read_to_string(root().join(format!("fuzz/fuzz_targets/{}.rs", target.name))).unwrap_or_default();
        assert!(text.contains(&format!("\"{}\"", target.name)), "fuzz/fuzz_targets/{}.rs", target.name);
        let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "fuzz/Cargo.toml lists no {}", target.name);
    }
    let files = std::fs::read_dir(root().join("fuzz/fuzz_targets")).unwrap().count();
    assert_eq!(files, TARGETS.len());
}
