//! The largest cluster that is promised.

use super::answers::check;
use super::clusters::{Shape, cluster};
use super::{Target, path};
use domain::decision::{DecisionAnswer, DecisionType};
use std::time::Instant;

/// The most that AWS Lambda takes and gives, bytes.
const WIRE_MAX: usize = 6_000_000;

/// 5,000 nodes and 150,000 pods in 120 shapes go there and back packed, within 6 MB each way. Prints how large and how long.
pub async fn five_thousand_nodes_fit_both_ways(target: &Target) {
    let request = cluster(1, DecisionType::BinPack, Shape { nodes: 5_000, classes: 120, pods_per_node: 45 });
    let pods: u32 = request.snapshot.nodes.iter().flat_map(|node| &node.pods).map(|placed| placed.count).sum();
    assert!(pods >= 140_000, "{pods}");
    let plain = serde_json::to_vec(&request).unwrap();
    let packed = runtime::gzip::pack(&plain).unwrap();
    let began = Instant::now();
    let answer = target.post(&path(DecisionType::BinPack), &[("content-type", "application/gzip")], packed.clone()).await;
    let took = began.elapsed();
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
    println!(
        "BENCH decision_round_trip nodes=5000 pods={pods} request_bytes={} packed_bytes={} answer_bytes={} answer_packed_bytes={} ms={}",
        plain.len(),
        packed.len(),
        answer.body.len(),
        answer.wire_bytes,
        took.as_millis()
    );
    assert!(packed.len() < WIRE_MAX && answer.wire_bytes < WIRE_MAX);
    let answer: DecisionAnswer = serde_json::from_slice(&answer.body).unwrap();
    check(&request, &answer, "5,000 nodes");
}
