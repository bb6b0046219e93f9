//! Kubernetes quantities: `100m`, `1Gi`, `1e3`.

use std::str::FromStr;

/// A quantity in thousandths, rounded up. Negative ones and rubbish are `None`; too large ones saturate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Thousandths(u128);

impl FromStr for Thousandths {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.strip_prefix('+').unwrap_or(text);
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.len() + fraction.len() == 0 || fraction.contains('.') {
            return Err(());
        }
        // Digits beyond what any resource can mean are cut: 18 of a fraction, and a whole number that saturates.
        let fraction = &fraction[..fraction.len().min(18)];
        let digits = format!("{whole}{fraction}");
        let mantissa: u128 = digits.trim_start_matches('0').parse().or_else(|_| saturated(&digits))?;
        let places = i32::try_from(fraction.len()).map_err(|_| ())?;
        let (ten, two) = scale(suffix).ok_or(())?;
        // times 2^two, times 10^(ten + 3 - places), upwards
        let shifted = mantissa.saturating_mul(1_u128 << two);
        let exponent = ten + 3 - places;
        let power = 10_u128.checked_pow(exponent.unsigned_abs());
        Ok(Self(match (exponent >= 0, power) {
            (true, power) => shifted.saturating_mul(power.unwrap_or(u128::MAX)),
            (false, Some(power)) => shifted.div_ceil(power),
            (false, None) => u128::from(shifted > 0),
        }))
    }
}

/// All zeros parse to nothing after trimming; everything else that does not fit is huge.
fn saturated(digits: &str) -> Result<u128, ()> {
    Ok(if digits.bytes().all(|b| b == b'0') { 0 } else { u128::MAX })
}

/// A suffix as powers of (ten, two).
fn scale(suffix: &str) -> Option<(i32, u32)> {
    Some(match suffix {
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "" => (0, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok().filter(|exponent| (-60..=60).contains(exponent))?, 0),
    })
}

/// What nearly every quantity looks like: digits and a common suffix, in units and far from any limit.
fn plain(text: &str) -> Option<(u64, u64)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, suffix) = text.split_at_checked(end).filter(|(digits, _)| (1..=9).contains(&digits.len()))?;
    let number: u64 = digits.parse().ok()?;
    // As (amount, parts per unit): exact, so that nothing has to be rounded before the caller says in what.
    Some(match suffix {
        "" => (number, 1),
        "m" => (number, 1000),
        "k" => (number * 1000, 1),
        "M" => (number * 1_000_000, 1),
        "Ki" => (number << 10, 1),
        "Mi" => (number << 20, 1),
        "Gi" => (number << 30, 1),
        _ => return None,
    })
}

/// In thousandths, rounded up; what cannot be read counts as 0.
pub fn millis(text: &str) -> u64 {
    if let Some((amount, parts)) = plain(text) {
        return amount.saturating_mul(1000 / parts);
    }
    text.parse().map_or(0, |Thousandths(value)| u64::try_from(value).unwrap_or(u64::MAX))
}

/// In whole units, rounded up; what cannot be read counts as 0.
pub fn units(text: &str) -> u64 {
    if let Some((amount, parts)) = plain(text) {
        return amount.div_ceil(parts);
    }
    text.parse().map_or(0, |Thousandths(value)| u64::try_from(value.div_ceil(1000)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
