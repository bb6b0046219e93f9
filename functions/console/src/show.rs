//! How figures are written: money, times and shares, each in one place, always with its unit.

use domain::money::MicroDollars;
use domain::{SignedDuration, Timestamp};

/// Hours of a month, as AWS's own calculator counts them.
pub const HOURS_OF_A_MONTH: i64 = 730;

/// Money: `$1,234`, `$12.50`, `$0.0960`.
pub fn money(amount: MicroDollars) -> String {
    let sign = if amount.0 < 0 { "−" } else { "" };
    let micros = amount.0.unsigned_abs();
    match micros {
        0 => "$0".to_owned(),
        1_000_000_000.. => format!("{sign}${}", grouped((micros + 500_000) / 1_000_000)),
        1_000_000.. => {
            let cents = (micros + 5_000) / 10_000;
            format!("{sign}${}.{:02}", grouped(cents / 100), cents % 100)
        }
        _ => format!("{sign}$0.{:04}", (micros + 50) / 100).replace("$0.10000", "$1.00"),
    }
}

/// Money per hour.
pub fn hourly(amount: MicroDollars) -> String {
    format!("{}/h", money(amount))
}

/// What an hourly amount is in a month of 730 hours.
pub fn of_month(per_hour: MicroDollars) -> MicroDollars {
    MicroDollars(per_hour.0.saturating_mul(HOURS_OF_A_MONTH))
}

/// Money per month.
pub fn monthly(amount: MicroDollars) -> String {
    format!("{}/mo", money(amount))
}

/// Money as a plain decimal, for programs: dollars with six decimals.
pub fn decimal(amount: MicroDollars) -> String {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let micros = amount.0.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A count with thousands apart.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 node`, `2 nodes`.
pub fn count_of(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count.try_into().unwrap_or(u64::MAX)))
}

/// A share in percent; a dash where there is no whole.
pub fn percent(part: i64, whole: i64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{} %", (i128::from(part) * 100 / i128::from(whole))) }
}

/// How long ago: `12 s ago`. What is ahead of our clock is now.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    format!("{} ago", lasting(now.duration_since(at)))
}

/// How far ahead: `in 3 h`.
pub fn ahead(now: Timestamp, at: Timestamp) -> String {
    if at <= now { "over".to_owned() } else { format!("in {}", lasting(at.duration_since(now))) }
}

/// A span in its largest unit.
pub fn lasting(span: SignedDuration) -> String {
    match span.as_secs().max(0) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// An instant, to the second: `2026-08-01 12:00:00 UTC`.
pub fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, rest) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", rest.get(..8).unwrap_or(rest))
}

/// What other parts of the system say, as whole sentences: each begins with a capital, ends with a full stop, and names instants as pages do.
pub fn sentences<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    all.into_iter().map(sentence).filter(|one| !one.is_empty()).collect::<Vec<_>>().join(" ")
}

/// One of them.
pub fn sentence(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(instant).collect();
    let mut said = words.join(" ");
    // A name keeps its letters: `ip-10-0-0-1 goes`.
    let word = words.first().filter(|word| word.bytes().all(|b| b.is_ascii_lowercase()));
    let letters = if word.is_some_and(|word| word == "cpu") { 3 } else { 1 };
    if let (Some(_), Some(first)) = (word, said.get_mut(..letters)) {
        first.make_ascii_uppercase();
    }
    if !said.is_empty() && !said.ends_with(['.', '!', '?', ':']) {
        said.push('.');
    }
    said
}

/// An instant within a text, to the second; any other word as it is.
fn instant(word: &str) -> String {
    let core = word.trim_end_matches([',', '.', ';', ':', ')']);
    let parsed = core.ends_with('Z').then(|| core.parse().ok()).flatten();
    parsed.map_or_else(|| word.to_owned(), |at: Timestamp| format!("{}{}", utc(at), word.get(core.len()..).unwrap_or_default()))
}

/// Bytes: `15.5 GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, size)| count >= *size);
    unit.map_or_else(|| format!("{count} B"), |(name, size)| format!("{}.{} {name}", count / size, count % size * 10 / size))
}

/// CPU: `3.9 vCPU`.
pub fn cpu(millis: u64) -> String {
    format!("{}.{} vCPU", millis / 1_000, millis % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_as_many_decimals_as_matter() {
        let all =
            [(0, "$0"), (96_000, "$0.0960"), (999_999, "$1.00"), (12_504_999, "$12.50"), (-1_500_000, "−$1.50"), (1_234_567_890, "$1,235")];
        for (micros, text) in all {
            assert_eq!(money(MicroDollars(micros)), text);
        }
        assert_eq!(decimal(MicroDollars(-1_500_001)), "-1.500001");
    }

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        let all = [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 d"), (-5, "0 s")];
        for (seconds, text) in all {
            assert_eq!(lasting(SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_others_say_becomes_whole_sentences_with_readable_instants() {
        let said = ["no move was proposed", "ip-10-0-0-1 waits until 2026-11-30T17:07:50.041620514Z; then it goes.", ""];
        assert_eq!(sentences(said), "No move was proposed. ip-10-0-0-1 waits until 2026-11-30 17:07:50 UTC; then it goes.");
        assert_eq!(sentence("äh, <b> stays as it is"), "äh, <b> stays as it is.");
        assert_eq!(sentence("cpu request 150m"), "CPU request 150m.");
    }

    #[test]
    fn counts_and_sizes_are_readable() {
        assert_eq!((grouped(1_234_567), grouped(999)), ("1,234,567".to_owned(), "999".to_owned()));
        assert_eq!((bytes(16 << 30), cpu(3_920)), ("16.0 GiB".to_owned(), "3.9 vCPU".to_owned()));
        assert_eq!((percent(1, 3), percent(1, 0)), ("33 %".to_owned(), "–".to_owned()));
    }
}
