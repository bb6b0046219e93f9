//! Counting.

/// Counts what happens, in words of [the metrics page]. Never fails, never blocks.
///
/// [the metrics page]: the page `docs/METRICS.md`
pub trait Meter: Send + Sync {
    /// Adds to a counter; `kind` says which sort, from a small closed set.
    fn count(&self, name: &'static str, kind: &str);
}
