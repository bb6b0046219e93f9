//! The counters of docs/METRICS.md for Prometheus, at `/metrics`.
//!
//! In its text format: `cloudoptim_notices_total{kind="spot_interruption"} 3`. Since the start of the process, as counters are.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::ports::Meter;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// The version of the format that is written (Prometheus documentation, "Exposition formats").
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How often each was counted, by name and kind.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<BTreeMap<(&'static str, String), u64>>);

impl Meter for Counters {
    fn count(&self, name: &'static str, kind: &str) {
        // A count is one addition: a thread that panicked between two of them has left nothing half done.
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((name, kind.to_owned())).or_default() += 1;
    }
}

impl Counters {
    fn text(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut text, mut last) = (String::new(), "");
        for ((name, kind), count) in counts.iter() {
            if *name != last {
                // Writing to a text cannot fail.
                writeln!(text, "# TYPE cloudoptim_{name}_total counter").ok();
                last = name;
            }
            writeln!(text, "cloudoptim_{name}_total{{kind=\"{}\"}} {count}", escaped(kind)).ok();
        }
        text
    }
}

/// A label's value: backslash, quote and line feed are escaped.
fn escaped(kind: &str) -> String {
    kind.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Serves them.
pub(crate) fn router(counters: Arc<Counters>) -> Router {
    Router::new().route("/metrics", get(move || async move { answer(&counters) }))
}

fn answer(counters: &Counters) -> Response {
    ([(header::CONTENT_TYPE, FORMAT)], counters.text()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_written_by_name_with_a_line_per_kind() {
        let counters = Counters::default();
        for (name, kind) in [("sweeps", "finished"), ("notices", "rebalance"), ("notices", "a\"b\\c\nd"), ("notices", "rebalance")] {
            counters.count(name, kind);
        }
        let expected = "# TYPE cloudoptim_notices_total counter\n\
            cloudoptim_notices_total{kind=\"a\\\"b\\\\c\\nd\"} 1\n\
            cloudoptim_notices_total{kind=\"rebalance\"} 2\n\
            # TYPE cloudoptim_sweeps_total counter\n\
            cloudoptim_sweeps_total{kind=\"finished\"} 1\n";
        assert_eq!(counters.text(), expected);
        assert_eq!(answer(&counters).headers()[header::CONTENT_TYPE], FORMAT);
    }
}
