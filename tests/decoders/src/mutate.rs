//! Seeds, changed at random: what a fuzzer without feedback does, the same on every machine.

use crate::Target;
use fastrand::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// No input is longer, in bytes: what is larger is refused by its length, long before a decoder sees it.
const LENGTH_MAX: usize = 1 << 20;

/// Bytes that mean something to one decoder or another.
const WORDS: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b":",
    b",",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"0.1",
    b"99999999999999999999",
    b"\\ud800",
    b"\\u0000",
    b"\xff\xfe",
    b"\xf0\x9f\x92\xa9",
    b"\x00",
    b"..",
    b"//",
    b"https://",
    b"::ffff:",
    b"%00",
    b"1Ei",
];

/// An input that a decoder did not bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The decoder.
    pub target: &'static str,
    /// The seed of the generator with which it is found again.
    pub seed: u64,
    /// The input.
    pub input: Vec<u8>,
}

/// Runs a decoder on its seeds, and then on changed ones, for so long. Answers how often it ran.
///
/// # Errors
/// The first input that it panics on.
pub fn run(target: &Target, corpus: &[Vec<u8>], seed: u64, lasting: Duration) -> Result<u64, Broken> {
    let mut rng = Rng::with_seed(seed);
    let began = Instant::now();
    let mut runs = 0;
    let bear = |input: &[u8]| {
        let borne = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_ok();
        if borne { Ok(()) } else { Err(Broken { target: target.name, seed, input: input.to_vec() }) }
    };
    for input in corpus {
        bear(input)?;
        runs += 1;
    }
    let nothing = Vec::new();
    while began.elapsed() < lasting {
        // The clock is dearer than a small input.
        for _ in 0..16 {
            let mut input = rng.choice(corpus).unwrap_or(&nothing).clone();
            for _ in 0..rng.u8(1..6) {
                change(&mut input, corpus, &mut rng);
            }
            input.truncate(LENGTH_MAX);
            bear(&input)?;
            runs += 1;
        }
    }
    Ok(runs)
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut Rng) {
    let at = rng.usize(..=input.len());
    match rng.u8(..8) {
        0 if at < input.len() => input[at] ^= 1 << rng.u8(..8),
        1 if at < input.len() => input[at] = rng.u8(..),
        2 => drop(input.splice(at..at, rng.choice(WORDS).unwrap_or(b"").iter().copied())),
        3 => drop(input.drain(at..rng.usize(at..=input.len()))),
        // A part again, and again: depth and length.
        4 => {
            let end = rng.usize(at..=input.len().min(at + 64));
            let part = input[at..end].repeat(rng.usize(1..64));
            drop(input.splice(at..at, part));
        }
        5 => input.truncate(at),
        6 => {
            if let Some(other) = rng.choice(corpus) {
                let from = rng.usize(..=other.len());
                drop(input.splice(at.., other[from..].iter().copied()));
            }
        }
        // A number in place of a number.
        _ => {
            if let Some(digit) = input.iter().skip(at).position(u8::is_ascii_digit).map(|found| at + found) {
                let end = input[digit..].iter().position(|b| !b.is_ascii_digit()).map_or(input.len(), |length| digit + length);
                let number = rng.choice(["0", "-1", "1e400", "18446744073709551616", "0.0000001", "1e-400", "2147483648"]).unwrap_or("0");
                drop(input.splice(digit..end, number.bytes()));
            }
        }
    }
}
