//! Money, in whole millionths of a US dollar: never a float.

use serde::{Deserialize, Serialize};

/// Millionths of a US dollar. AWS prices have at most ten decimals, an hour of any instance is far below 2^63 of these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct MicroDollars(pub i64);

impl std::ops::Add for MicroDollars {
    type Output = MicroDollars;
    fn add(self, other: MicroDollars) -> MicroDollars {
        MicroDollars(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for MicroDollars {
    type Output = MicroDollars;
    fn sub(self, other: MicroDollars) -> MicroDollars {
        MicroDollars(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for MicroDollars {
    fn sum<I: Iterator<Item = MicroDollars>>(all: I) -> MicroDollars {
        all.fold(MicroDollars::default(), std::ops::Add::add)
    }
}

impl std::fmt::Display for MicroDollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:04} USD", micros / 1_000_000, micros % 1_000_000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::MicroDollars;

    #[test]
    fn money_prints_four_decimals_and_its_currency() {
        assert_eq!(MicroDollars(96_000).to_string(), "0.0960 USD");
        assert_eq!(MicroDollars(-1_234_567).to_string(), "-1.2345 USD");
    }

    #[test]
    fn sums_saturate_and_never_wrap_around() {
        assert_eq!(MicroDollars(i64::MAX) + MicroDollars(1), MicroDollars(i64::MAX));
    }
}
