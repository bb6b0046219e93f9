//! What happened in a world, for checkers.

use domain::ids::{ClusterId, InstanceId, NodeName, NodeUid};
use domain::offering::Pool;
use domain::pod::{Controller, PodRef};
use domain::workload::WorkloadRef;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A caller of the ports or of the served APIs.
    Us,
    /// AWS, an Auto Scaling group, or another controller that owns the node.
    Aws,
    /// A person.
    Human,
}

/// One entry of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// In which cluster; `None` for an instance that belongs to none.
    pub cluster: Option<ClusterId>,
    /// What.
    pub what: What,
}

/// What happened. Only real changes are entered: a repeated call that changes nothing is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An instance was launched.
    Launched {
        /// The instance.
        instance: InstanceId,
        /// Out of which pool.
        pool: Pool,
        /// By us through the port, or by its owner.
        by: By,
        /// The client token, where we did it.
        token: Option<String>,
        /// Its tags; `cloudoptim.io/plan` and `cloudoptim.io/replaces` among them.
        tags: BTreeMap<String, String>,
    },
    /// A launch found no capacity.
    NoCapacity {
        /// In this pool.
        pool: Pool,
    },
    /// A launched instance became a Ready node.
    Joined {
        /// The instance.
        instance: InstanceId,
        /// Its node.
        node: NodeName,
    },
    /// A node was made unschedulable.
    Cordoned {
        /// The node.
        node: NodeName,
        /// Its uid.
        uid: NodeUid,
        /// Who.
        by: By,
        /// The plan in the annotation, where there is one.
        plan: Option<String>,
    },
    /// A node was made schedulable again.
    Uncordoned {
        /// The node.
        node: NodeName,
        /// Its uid.
        uid: NodeUid,
        /// Who.
        by: By,
    },
    /// An eviction was accepted.
    Evicted {
        /// The pod.
        pod: PodRef,
        /// Where it ran.
        node: Option<NodeName>,
    },
    /// An eviction was refused by a budget.
    EvictionRefused {
        /// The pod.
        pod: PodRef,
        /// The budget, `namespace/name`.
        budget: String,
    },
    /// A pod was deleted past the budgets.
    Deleted {
        /// The pod.
        pod: PodRef,
        /// Where it ran.
        node: Option<NodeName>,
        /// The grace it was given, seconds.
        grace_s: u32,
    },
    /// A terminating pod ended, or a finished or unbound one was removed.
    PodGone {
        /// The pod.
        pod: PodRef,
        /// Where it ran.
        node: Option<NodeName>,
    },
    /// A pod that was running and not asked to go died with its node. Never a mirror pod or one of a DaemonSet.
    PodLost {
        /// The pod.
        pod: PodRef,
        /// Where it ran.
        node: NodeName,
        /// What makes it anew, if anything does.
        controller: Option<Controller>,
    },
    /// A pod that had been asked to go, and was still at it, died with its node. Never a mirror pod or one of a DaemonSet.
    PodCut {
        /// The pod.
        pod: PodRef,
        /// Where it ran.
        node: NodeName,
    },
    /// A budget has fewer healthy pods than it needs, because this pod went.
    BudgetViolated {
        /// The budget, `namespace/name`.
        budget: String,
        /// The pod that went.
        pod: PodRef,
        /// How it went.
        cause: Cause,
    },
    /// A spot warning was sent.
    Interrupted {
        /// The instance.
        instance: InstanceId,
        /// When it dies.
        deadline: Timestamp,
    },
    /// An instance began to end.
    Terminated {
        /// The instance.
        instance: InstanceId,
        /// Who ended it.
        by: By,
        /// Whether AWS had marked it for interruption before.
        marked: bool,
    },
    /// A Node object was removed.
    NodeRemoved {
        /// The node.
        node: NodeName,
        /// Its uid.
        uid: NodeUid,
        /// Who.
        by: By,
    },
    /// A workload was given another number of replicas.
    Scaled {
        /// The workload.
        workload: WorkloadRef,
        /// Before.
        from: u32,
        /// After.
        to: u32,
    },
    /// A lifecycle hook was let go.
    LifecycleCompleted {
        /// The instance.
        instance: InstanceId,
        /// Us, or AWS because its time was over.
        by: By,
    },
}

/// How a pod went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Evicted: the API server would not have done this.
    Evicted,
    /// Deleted past the budgets.
    Deleted,
    /// Died with its node.
    Lost,
    /// Scaled away.
    Scaled,
}
