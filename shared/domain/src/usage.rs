//! What is remembered of how much a container uses: one small item per container of a workload, folded from samples, so that no
//! history has to be kept anywhere.
//!
//! The pods of a workload share one item per container: what one of them needs, all of them may.

use crate::workload::WorkloadRef;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

mod codec;

pub use codec::{BadUsage, ENCODED_MAX};

/// Days that are kept, today among them: the seven days of the percentile reach into eight dates.
pub const DAYS_KEPT: usize = 8;
/// How many OOM kills are remembered by their name, so that none is counted twice.
pub const OOMS_KEPT: usize = 16;
/// How many raises after OOM kills are remembered, newest last.
pub const RAISES_KEPT: usize = 8;

/// Names a container of a workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContainerRef {
    /// The workload.
    pub workload: WorkloadRef,
    /// The container's name.
    pub container: String,
}

impl std::fmt::Display for ContainerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "container {} of {}", self.container, self.workload)
    }
}

/// What one container of one pod used at one time (metrics.k8s.io).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// CPU, billionths of a core: what metrics-server counts in.
    pub cpu_nanos: u64,
    /// Working set, bytes.
    pub memory_bytes: u64,
}

/// What the pods of one container used at one time, as far as it is folded in: how many of them by bucket, in order, and the highest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Pods by bucket of CPU.
    pub cpu: Vec<(u8, u32)>,
    /// Pods by bucket of memory.
    pub memory: Vec<(u8, u32)>,
    /// The highest, thousandths of a core.
    pub cpu_peak: u64,
    /// The highest, bytes.
    pub memory_peak: u64,
}

/// What all containers of a cluster used at one time, kept until it is folded in: to fold every round in at once would write every
/// container's item every time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampledRound {
    /// When, seconds since 1970.
    pub at_s: i64,
    /// By container.
    pub seen: Vec<(ContainerRef, Seen)>,
}

/// Weights by bucket, in order, without zeros. Which value a bucket stands for is the planner's business.
pub type Weights = Vec<(u8, f64)>;

/// A histogram whose old samples weigh less and less.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decayed {
    /// The time at which a sample weighs just its weight, seconds since 1970; `None`: no sample yet.
    pub reference_s: Option<i64>,
    /// The weights.
    pub weights: Weights,
}

/// What one date (UTC) showed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Day {
    /// Days since 1970.
    pub date: i64,
    /// How many samples it had.
    pub samples: u64,
    /// The highest of them: thousandths of a core, or bytes.
    pub peak: u64,
    /// Shares of the buckets, in order; they are scaled to `samples` when they are used.
    pub counts: Vec<(u8, u32)>,
}

/// Everything that is remembered of a container. Times are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// CPU, decaying.
    pub cpu: Decayed,
    /// Memory peaks, one a day, decaying.
    pub memory: Decayed,
    /// CPU by date, oldest first; at most [`DAYS_KEPT`].
    pub cpu_days: Vec<Day>,
    /// Memory by date, oldest first; at most [`DAYS_KEPT`].
    pub memory_days: Vec<Day>,
    /// The first CPU sample.
    pub first_cpu_s: Option<i64>,
    /// The newest CPU sample.
    pub last_cpu_s: Option<i64>,
    /// How many CPU samples were taken.
    pub cpu_samples: u64,
    /// In how many rounds at least one was: what confidence is reckoned from.
    pub rounds: u64,
    /// The newest memory sample.
    pub last_memory_s: Option<i64>,
    /// When the window of the peak in hand ends.
    pub window_end_s: Option<i64>,
    /// The peak of that window, from samples.
    pub memory_peak: u64,
    /// The peak of that window, from OOM kills.
    pub oom_peak: u64,
    /// OOM kills that were counted, by the hash of their name, oldest first; at most [`OOMS_KEPT`].
    pub ooms: Vec<u64>,
    /// When memory was raised after an OOM kill, oldest first; at most [`RAISES_KEPT`].
    pub raises_s: Vec<i64>,
    /// Memory below which it was killed: no recommendation goes below it while it is remembered.
    pub floor_bytes: u64,
    /// Until when it is remembered.
    pub floor_until_s: i64,
    /// When its workload was last rolled out by us.
    pub resized_s: Option<i64>,
}

impl Usage {
    /// The floor, while it is remembered.
    pub fn floor(&self, now_s: i64) -> Option<u64> {
        (self.floor_bytes > 0 && now_s < self.floor_until_s).then_some(self.floor_bytes)
    }
}

/// A container that was ended because it used more memory than it may, as its pod's status tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OomKill {
    /// Uid of the pod.
    pub pod_uid: String,
    /// Name of the container.
    pub container: String,
    /// How often the container has been started again by then.
    pub restarts: u32,
    /// When it ended, seconds since 1970.
    pub finished_s: i64,
    /// The memory request that was in effect, bytes.
    pub request: Option<u64>,
    /// The memory limit that was in effect, bytes.
    pub limit: Option<u64>,
}

impl OomKill {
    /// The name of this kill: a poll sees the same one many times, and a restart makes another one of it.
    pub fn name(&self) -> u64 {
        let mut hash = Sha256::new();
        for part in [&self.pod_uid, &self.container] {
            // Length first: "ab" + "c" and "a" + "bc" must differ.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(self.restarts.to_be_bytes());
        hash.update(self.finished_s.to_be_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        digest.iter().take(8).fold(0, |name, byte| name << 8 | u64::from(*byte))
    }
}
