//! Whether a finding still rests on what a person saw when they dismissed it.
//!
//! Figures move from scan to scan: a percentile, a count of pods, a price. They are the same grounds while each stays within a quarter
//! of what it was; another word, another sentence or a figure further off is something that the person has not seen.

use super::Finding;
use crate::money::MicroDollars;

/// A figure may move by this share of the larger of the two, in percent, and still be the same.
const TOLERANCE_PERCENT: f64 = 25.0;

/// Whether both rest on the same grounds.
pub(super) fn same(before: &Finding, now: &Finding) -> bool {
    let worth = |cost: Option<MicroDollars>| cost.map(|cost| cost.0.to_string()).unwrap_or_default();
    before.evidence.len() == now.evidence.len()
        && before.evidence.iter().zip(&now.evidence).all(|(before, now)| alike(before, now))
        && alike(&worth(before.cost_per_month), &worth(now.cost_per_month))
}

/// The same words with figures that are near each other.
pub(super) fn alike(before: &str, now: &str) -> bool {
    let (mut before, mut now) = (before.split_whitespace(), now.split_whitespace());
    loop {
        match (before.next(), now.next()) {
            (None, None) => return true,
            (Some(before), Some(now)) if before == now || near(before, now) => {}
            (Some(_), Some(_)) | (Some(_), None) | (None, Some(_)) => return false,
        }
    }
}

/// Whether both words are figures of one unit, near each other: `213m` and `250m`, `1.5GiB,` and `1.4GiB,`.
fn near(before: &str, now: &str) -> bool {
    let ((before, of), (now, also)) = (figure(before), figure(now));
    let (Some(before), Some(now)) = (before, now) else { return false };
    let larger = before.abs().max(now.abs());
    of == also && (before - now).abs() * 100.0 <= larger * TOLERANCE_PERCENT
}

/// The number that a word begins with, and what is around it. An id, a date or an address is none.
fn figure(word: &str) -> (Option<f64>, (&str, &str)) {
    let from = word.find(|c: char| c.is_ascii_digit()).unwrap_or(word.len());
    let (head, rest) = word.split_at(from);
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, tail) = rest.split_at(end);
    // A full stop that ends the sentence belongs to it.
    let number = number.trim_end_matches('.');
    let plain = head.chars().all(|c| "(-+~".contains(c)) && !tail.contains(|c: char| c.is_ascii_digit());
    (number.parse().ok().filter(|_| plain), (head, tail))
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn figures_within_a_quarter_are_the_same_grounds() {
        for (before, now) in [
            ("It uses 213m of 1000m at p95.", "It uses 250m of 1000m at p95."),
            ("4 pods, 66 % of them away.", "5 pods, 60 % of them away."),
            ("It costs 70.08 USD.", "It costs 71.2 USD."),
            ("9733333", "9000000"),
            ("", ""),
        ] {
            assert!(alike(before, now) && alike(now, before), "{before} / {now}");
        }
    }

    #[test]
    fn other_words_ids_dates_and_figures_further_off_are_other_grounds() {
        for (before, now) in [
            ("It uses 213m of 1000m.", "It uses 400m of 1000m."),
            ("It uses 900m.", "It uses 1.1 cores."),
            ("It is tagged owned.", "It is tagged shared."),
            ("i-0123 runs since 2026-11-01T00:00:00Z.", "i-0123 runs since 2026-11-02T00:00:00Z."),
            ("i-0123 runs.", "i-0124 runs."),
            ("10.0.0.1 stands for nothing.", "10.0.0.2 stands for nothing."),
            ("It runs.", "It runs. It leaks."),
            ("70080000", ""),
            ("0 requests.", "1 requests."),
        ] {
            assert!(!alike(before, now) && !alike(now, before), "{before} / {now}");
        }
    }
}
