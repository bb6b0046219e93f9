//! How large the containers of workloads are, how large they should be, and why.

use crate::money::MicroDollars;
use crate::policy::Mode;
use crate::usage::ContainerRef;
use crate::workload::WorkloadRef;
use serde::{Deserialize, Serialize};

/// Hours in a month, as AWS reckons.
pub const HOURS_PER_MONTH: i64 = 730;

/// What is requested and limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// CPU, thousandths of a core.
    Cpu,
    /// Memory, bytes.
    Memory,
}

impl Resource {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
        }
    }

    /// An amount as Kubernetes writes it.
    pub fn quantity(self, amount: u64) -> String {
        match self {
            Resource::Cpu => format!("{amount}m"),
            Resource::Memory => amount.to_string(),
        }
    }

    /// An amount for a person.
    pub fn describe(self, amount: u64) -> String {
        match self {
            Resource::Cpu => format!("{amount}m"),
            Resource::Memory => format!("{} MiB", amount.div_ceil(1 << 20)),
        }
    }
}

/// Requests and limits of one container; `None`: not set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct Sizes {
    /// CPU request, thousandths of a core.
    pub cpu_request: Option<u64>,
    /// CPU limit, thousandths of a core.
    pub cpu_limit: Option<u64>,
    /// Memory request, bytes.
    pub memory_request: Option<u64>,
    /// Memory limit, bytes.
    pub memory_limit: Option<u64>,
}

impl Sizes {
    /// The request.
    pub fn request(&self, of: Resource) -> Option<u64> {
        match of {
            Resource::Cpu => self.cpu_request,
            Resource::Memory => self.memory_request,
        }
    }

    /// The limit.
    pub fn limit(&self, of: Resource) -> Option<u64> {
        match of {
            Resource::Cpu => self.cpu_limit,
            Resource::Memory => self.memory_limit,
        }
    }

    /// Sets both.
    pub fn set(&mut self, of: Resource, request: Option<u64>, limit: Option<u64>) {
        match of {
            Resource::Cpu => (self.cpu_request, self.cpu_limit) = (request, limit),
            Resource::Memory => (self.memory_request, self.memory_limit) = (request, limit),
        }
    }

    /// Why the API server would refuse them: a request of nothing, or one above its limit.
    ///
    /// # Errors
    /// One sentence.
    pub fn valid(&self) -> Result<(), String> {
        for of in [Resource::Cpu, Resource::Memory] {
            match (self.request(of), self.limit(of)) {
                (Some(0), _) => return Err(format!("the {} request is nothing", of.as_str())),
                (Some(request), Some(limit)) if request > limit => {
                    return Err(format!("the {} request {} is above the limit {}", of.as_str(), of.describe(request), of.describe(limit)));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How Kubernetes classes a container of these sizes; the class of a pod may not change while it runs.
    pub fn class(&self) -> SizeClass {
        let all = [self.cpu_request, self.cpu_limit, self.memory_request, self.memory_limit];
        if all.iter().all(Option::is_none) {
            return SizeClass::BestEffort;
        }
        // A limit alone is taken as the request, too.
        let equal = |of| self.limit(of).is_some() && self.request(of).is_none_or(|request| Some(request) == self.limit(of));
        if equal(Resource::Cpu) && equal(Resource::Memory) { SizeClass::Guaranteed } else { SizeClass::Burstable }
    }
}

/// The quality of service that sizes lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SizeClass {
    /// Nothing is set.
    BestEffort,
    /// Something is set.
    Burstable,
    /// Limits are set, and requests equal them.
    Guaranteed,
}

/// How a recommendation is reckoned from what was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// A percentile of the last seven days.
    #[default]
    Percentile,
    /// As the Vertical Pod Autoscaler does: decaying histograms, margins, bounds by confidence.
    Vpa,
    /// As KRR's `simple` does: the 95th percentile of CPU, the peak of memory and 15 %.
    Krr,
}

impl Estimator {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Estimator::Percentile => "percentile",
            Estimator::Vpa => "vpa",
            Estimator::Krr => "krr",
        }
    }
}

/// How far what is asked for is from what is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Good,
    /// A little.
    Ok,
    /// Worth a look, or one of the two is not set.
    Warning,
    /// Very far.
    Critical,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Good => "good",
            Severity::Ok => "ok",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// What a customer allows with the sizes of workloads, per cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
#[serde(default)]
pub struct WorkloadPolicy {
    /// Requests and limits that fit what is used. `observe` after registration.
    pub rightsizing: Mode,
    /// More memory for what is killed for lack of it. `observe` after registration.
    pub oom_remediation: Mode,
    /// See [`Estimator`].
    pub estimator: Estimator,
    /// Which percentile of CPU, of the percentile estimator.
    pub cpu_percentile: u32,
    /// Which percentile of memory, of the percentile estimator. The highest sample of the window is a floor besides.
    pub memory_percentile: u32,
    /// Added to what CPU is found to be needed, in percent.
    pub cpu_margin_percent: u32,
    /// Added to what memory is found to be needed, in percent: samples miss peaks.
    pub memory_margin_percent: u32,
    /// No CPU request goes below this, thousandths of a core.
    pub cpu_min_millis: u64,
    /// No memory request goes below this, bytes.
    pub memory_min_bytes: u64,
    /// No CPU request goes above this, thousandths of a core.
    pub cpu_max_millis: Option<u64>,
    /// No memory request or limit goes above this, bytes; also the cap of what OOM kills can lead to.
    pub memory_max_bytes: Option<u64>,
    /// Nothing is lowered before this share of the samples of seven days was taken, in percent.
    pub confidence_percent_min: u32,
    /// A difference below this share of the request is left alone, in percent.
    pub change_percent_min: u32,
    /// One step down takes at most this share of the request away, in percent.
    pub down_step_percent_max: u32,
    /// A workload is rolled out at most once within this time, in hours.
    pub roll_out_hours_min: u32,
    /// How often memory is raised within a day before it is called a leak.
    pub raises_per_day_max: u32,
    /// How long the memory at which a container was killed is remembered, in days.
    pub floor_days: u32,
    /// Whether workloads with one replica may be rolled out.
    pub single_replica: bool,
    /// Whether pods may be resized in place where the cluster can do that.
    pub in_place: bool,
    /// Namespaces whose workloads are looked at: names, or regular expressions that match from the start; empty: all but those of
    /// Kubernetes itself.
    pub namespaces: Vec<String>,
}

impl Default for WorkloadPolicy {
    fn default() -> Self {
        WorkloadPolicy {
            rightsizing: Mode::Observe,
            oom_remediation: Mode::Observe,
            estimator: Estimator::Percentile,
            cpu_percentile: 95,
            memory_percentile: 95,
            cpu_margin_percent: 0,
            memory_margin_percent: 15,
            cpu_min_millis: 10,
            memory_min_bytes: 32 << 20,
            cpu_max_millis: None,
            memory_max_bytes: None,
            confidence_percent_min: 50,
            change_percent_min: 10,
            down_step_percent_max: 30,
            roll_out_hours_min: 24,
            raises_per_day_max: 3,
            floor_days: 30,
            single_replica: false,
            in_place: true,
            namespaces: Vec::new(),
        }
    }
}

/// What one container is recommended, with everything that the number was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The container.
    pub of: ContainerRef,
    /// What it has.
    pub current: Sizes,
    /// What it should have in the end.
    pub target: Sizes,
    /// What it should get now: a step towards the target where that is below.
    pub next: Sizes,
    /// See [`Severity`]: the worse of CPU and memory.
    pub severity: Severity,
    /// How much of the seven days was seen, in percent: 100 is all that our sampling can show.
    pub confidence_percent: u32,
    /// How many replicas share it.
    pub replicas: u32,
    /// What `next` frees in a month, all replicas; below zero where it asks for more. `None`: no price is known.
    pub saving_per_month: Option<MicroDollars>,
    /// What the numbers were made from, in sentences.
    pub reasons: Vec<String>,
}

/// What a container uses of one resource over the last seven days: thousandths of a core, or bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Used {
    /// Half of the samples are not above this.
    pub p50: u64,
    /// 95 of 100 are not.
    pub p95: u64,
    /// The highest.
    pub peak: u64,
}

/// Usage against requests of one container: the figures behind a finding on its sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Fit {
    /// Its workload.
    pub workload: WorkloadRef,
    /// Its name.
    pub container: String,
    /// How many replicas share it.
    pub replicas: u32,
    /// CPU, thousandths of a core; `None`: no sample says anything.
    pub cpu: Option<Used>,
    /// Memory, bytes; `None`: no sample says anything.
    pub memory: Option<Used>,
    /// What it requests and is limited to.
    pub current: Sizes,
    /// What it should in the end.
    pub target: Sizes,
    /// How far the two are apart.
    pub severity: Severity,
}

/// New sizes of one container, with those from before: what undoes it stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SizeChange {
    /// The container's name.
    pub container: String,
    /// What it had when the plan was made.
    pub from: Sizes,
    /// What it gets.
    pub to: Sizes,
}

mod seen;

pub use seen::{AutoscalerView, ContainerSizes, ContainerState, InPlace, PodContainers, WorkloadView};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_limits_are_guaranteed_and_nothing_at_all_is_best_effort() {
        let all = |request, limit| Sizes { cpu_request: request, cpu_limit: limit, memory_request: request, memory_limit: limit };
        assert_eq!(all(None, None).class(), SizeClass::BestEffort);
        assert_eq!(all(Some(1), None).class(), SizeClass::Burstable);
        assert_eq!(all(None, Some(1)).class(), SizeClass::Guaranteed);
        assert_eq!(all(Some(1), Some(1)).class(), SizeClass::Guaranteed);
        assert_eq!(all(Some(1), Some(2)).class(), SizeClass::Burstable);
        assert_eq!(Sizes { cpu_limit: None, ..all(Some(1), Some(1)) }.class(), SizeClass::Burstable);
    }
}
