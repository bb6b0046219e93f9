//! What containers use.

use domain::usage::Sample;
use serde::Deserialize;
use slim::{Amounts, Meta, nullable};

/// A metrics.k8s.io PodMetrics.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metrics {
    metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    containers: Vec<ContainerMetrics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerMetrics {
    name: String,
    usage: Amounts,
}

impl Metrics {
    /// Figures that are missing are not figures of nothing.
    pub(super) fn samples(self) -> Vec<Sample> {
        let meta = self.metadata;
        let known = self.containers.into_iter().filter(|one| one.usage.names("cpu") && one.usage.names("memory"));
        let sample = |one: ContainerMetrics| Sample {
            namespace: meta.namespace.clone(),
            pod: meta.name.clone(),
            // Thousandths of a core, rounded up: far finer than the first bucket.
            cpu_nanos: one.usage.of("cpu").saturating_mul(1_000_000),
            memory_bytes: one.usage.of("memory"),
            container: one.name,
        };
        known.map(sample).collect()
    }
}
