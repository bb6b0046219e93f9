//! Counters as CloudWatch embedded metrics: one JSON line on standard output, which Lambda's log turns into a metric.

use domain::ports::{Clock, Meter};
use std::io::Write;
use std::sync::Arc;

/// Counts by printing.
pub struct EmfMeter {
    clock: Arc<dyn Clock>,
}

impl EmfMeter {
    /// A meter; the clock dates its lines.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        EmfMeter { clock }
    }
}

impl Meter for EmfMeter {
    fn count(&self, name: &'static str, kind: &str) {
        let line = line(self.clock.now().as_millisecond(), name, kind);
        // A metric that cannot be printed must not fail what it counts.
        let _written = writeln!(std::io::stdout().lock(), "{line}");
    }
}

fn line(at_ms: i64, name: &str, kind: &str) -> serde_json::Value {
    serde_json::json!({
        "_aws": {
            "Timestamp": at_ms,
            "CloudWatchMetrics": [{"Namespace": "CloudOptim", "Dimensions": [["kind"]], "Metrics": [{"Name": name, "Unit": "Count"}]}],
        },
        "kind": kind,
        (name): 1,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_names_its_metric_its_kind_and_its_time() {
        let line = super::line(7, "notices", "rebalance");
        assert_eq!(line["notices"], 1);
        assert_eq!(line["kind"], "rebalance");
        assert_eq!(line["_aws"]["Timestamp"], 7);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "notices");
    }
}
