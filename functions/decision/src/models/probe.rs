//! Rows on which every model is run before it is kept: the least and the most of each feature by itself, all together, and a scatter
//! between, which is the same for every model.

use super::net::Row;
use planning::predict::FEATURES;

/// How many rows there are.
const ROWS: usize = 256;

/// The rows of the probe.
pub(super) fn rows() -> Vec<Row> {
    let middle: Row = std::array::from_fn(|column| between(column, 0.5));
    let mut rows = vec![middle, std::array::from_fn(|column| between(column, 0.0)), std::array::from_fn(|column| between(column, 1.0))];
    for column in 0..FEATURES.len() {
        for end in [0.0, 1.0] {
            let mut row = middle;
            if let Some(cell) = row.get_mut(column) {
                *cell = between(column, end);
            }
            rows.push(row);
        }
    }
    // A generator of Lehmer's: the same numbers on every machine.
    let mut state: u64 = 20_251_128;
    let mut next = || {
        state = state.wrapping_mul(48_271) % 2_147_483_647;
        f32::from(u16::try_from(state % 10_001).unwrap_or_default()) / 10_000.0
    };
    while rows.len() < ROWS {
        rows.push(std::array::from_fn(|column| between(column, next())));
    }
    rows
}

/// So far between the least and the most of a feature.
fn between(column: usize, share: f32) -> f32 {
    FEATURES.get(column).map_or(0.0, |feature| feature.low + (feature.high - feature.low) * share)
}
