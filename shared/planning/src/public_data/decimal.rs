//! Prices as text into whole millionths of a dollar, without a float in between.

use domain::money::MicroDollars;

/// Reads a price in dollars: `0.096`, `12`, `0.0960000000`. Decimals after the sixth are rounded, half up: AWS prints up to
/// ten of them. `None` for everything else: signs, exponents, spaces, empty parts, and more than a million dollars an hour.
pub fn usd(text: &str) -> Option<MicroDollars> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 6) || !digits(decimals, 18) {
        return None;
    }
    let mut micros: i64 = whole.parse().ok()?;
    for place in 0..6 {
        micros = micros * 10 + decimals.as_bytes().get(place).map_or(0, |digit| i64::from(digit - b'0'));
    }
    let half = decimals.as_bytes().get(6).is_some_and(|digit| *digit >= b'5');
    Some(MicroDollars(micros + i64::from(half)))
}
