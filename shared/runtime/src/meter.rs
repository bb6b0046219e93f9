//! Counters as log lines in CloudWatch's embedded metric format: no call, no agent, nothing to fail.

use domain::ports::{Clock, Meter};
use jiff::Timestamp;
use serde_json::json;
use std::io::Write;
use std::sync::Arc;

/// Where all our metrics are.
pub const NAMESPACE: &str = "CloudOptim";

/// Prints each count as one line on stdout, with the dimension `kind`.
#[derive(Clone)]
pub struct EmfMeter {
    clock: Arc<dyn Clock>,
}

impl EmfMeter {
    /// A meter whose lines carry this clock's time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        EmfMeter { clock }
    }
}

impl Meter for EmfMeter {
    fn count(&self, name: &'static str, kind: &str) {
        let line = line(name, kind, self.clock.now());
        // One write per line, so that lines of concurrent records do not mix. A closed stdout loses a count, nothing else.
        std::io::stdout().lock().write_all(line.as_bytes()).ok();
    }
}

/// The line, with its line feed. CloudWatch drops a metric whose dimension is empty, so no kind is the kind `none`.
fn line(name: &str, kind: &str, now: Timestamp) -> String {
    let kind = if kind.is_empty() { "none" } else { kind };
    let mut document = json!({
        "_aws": {
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["kind"]],
                "Metrics": [{ "Name": name, "Unit": "Count" }],
            }],
        },
        "kind": kind,
    });
    document[name] = json!(1);
    format!("{document}\n")
}

#[cfg(test)]
mod tests;
