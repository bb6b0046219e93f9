//! What workloads exchange, asked of a Prometheus in the cluster: the API server leads there, so nothing else need be reachable.

use crate::call::{Api, Call, Patience};
use crate::endpoint::{query_value, segment};
use domain::policy::TrafficSource;
use domain::ports::ClusterError;
use domain::ports::inventory::Flow;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The labels that a sample must have: those of Istio's standard metrics.
const FROM: [&str; 2] = ["source_workload_namespace", "source_workload"];
const TO: [&str; 2] = ["destination_service_namespace", "destination_service_name"];
/// Istio's counters of bytes (Istio standard metrics): requests and answers over HTTP and gRPC, and what goes over TCP both ways.
const ISTIO: [&str; 4] =
    ["istio_request_bytes_sum", "istio_response_bytes_sum", "istio_tcp_sent_bytes_total", "istio_tcp_received_bytes_total"];
/// A query of a customer's own may be this long: API servers cut off longer lines.
const QUERY_MAX: usize = 4_000;

/// What Prometheus answers to an instant query.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    data: Data,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Data {
    result: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    /// When, and how much, as a text.
    value: (f64, String),
}

impl Sample {
    fn flow(&self) -> Option<Flow> {
        let named = |[namespace, name]: [&str; 2]| Some((self.metric.get(namespace)?.clone(), self.metric.get(name)?.clone()));
        Some(Flow { from: named(FROM)?, to: named(TO)?, bytes_per_day: bytes(&self.value.1)? })
    }
}

/// A number as Prometheus prints it: `1024`, `1024.75`, `1.5e+10`, `NaN`.
fn bytes(text: &str) -> Option<u64> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)?;
    // Exact up to 2^53: nobody's day has more bytes.
    format!("{:.0}", number.trunc()).parse().ok()
}

/// The bytes of a day by who called what: each counter by itself, for a sum of counters that have the same labels would lose one.
fn query() -> String {
    let labels = [FROM, TO].concat().join(",");
    let part = |name: &&str| format!("label_replace(increase({name}{{reporter=\"source\"}}[1d]),\"part\",\"{name}\",\"\",\"\")");
    format!("sum by ({labels}) ({})", ISTIO.iter().map(part).collect::<Vec<_>>().join(" or "))
}

/// What workloads sent to Services in the last day.
pub(crate) async fn traffic(api: &Api, source: &TrafficSource) -> Result<Vec<Flow>, ClusterError> {
    let query = source.query.clone().unwrap_or_else(query);
    if query.len() > QUERY_MAX {
        return Err(ClusterError::Refused(format!("the query of the source of traffic is longer than {QUERY_MAX} bytes")));
    }
    let (namespace, service) = (segment(&source.namespace)?, segment(&source.service)?);
    let path =
        format!("/api/v1/namespaces/{namespace}/services/{service}:{}/proxy/api/v1/query?query={}", source.port, query_value(&query));
    let answer: Answer = api.call(&Call::get(path).patience(Patience::Page)).await?.decode()?;
    Ok(answer.data.result.iter().filter_map(Sample::flow).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(json: &str) -> Vec<Flow> {
        serde_json::from_str::<Answer>(json).unwrap().data.result.iter().filter_map(Sample::flow).collect()
    }

    fn answer(value: &str) -> String {
        format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{
                "source_workload_namespace":"shop","source_workload":"cart",
                "destination_service_namespace":"shop","destination_service_name":"web"}},"value":[1.7e9,"{value}"]}}]}}}}"#
        )
    }

    #[test]
    fn a_sample_is_a_flow_in_every_form_of_a_number_that_prometheus_prints() {
        for (value, bytes) in [("1024", 1_024), ("1024.75", 1_024), ("1.5e+10", 15_000_000_000), ("0", 0)] {
            let named = |name: &str| ("shop".to_owned(), name.to_owned());
            assert_eq!(flows(&answer(value)), [Flow { from: named("cart"), to: named("web"), bytes_per_day: bytes }], "{value}");
        }
    }

    #[test]
    fn what_is_no_number_of_bytes_or_has_no_names_is_left_out() {
        for value in ["NaN", "+Inf", "-Inf", "-5", "-1e3", ""] {
            assert_eq!(flows(&answer(value)), [], "{value}");
        }
        assert_eq!(flows(r#"{"data":{"result":[{"metric":{"source_workload":"cart"},"value":[0,"1"]}]}}"#), []);
        assert_eq!(flows(r#"{"status":"success"}"#), []);
    }
}
