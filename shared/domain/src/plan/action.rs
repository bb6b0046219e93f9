//! What a step does, and how it is taken back.

use crate::ids::{InstanceId, InstanceKey, VolumeId};
use crate::node::{NodeTarget, NodeTemplate};
use crate::offering::Offering;
use crate::pod::filter::Accepts;
use crate::policy::AtDeadline;
use crate::sizing::SizeChange;
use crate::workload::{Resize, ScaleRef, WorkloadRef};
use serde::{Deserialize, Serialize};

/// Which instance a step waits for or ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The one that this step of the same plan launched.
    LaunchedBy(usize),
    /// This one.
    Instance(InstanceId),
}

/// How carefully a drain treats what is on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Care {
    /// The node dies at the plan's deadline: move everything, and say goodbye in time.
    Dying,
    /// A person or the optimizer wants it empty: pods that would be lost or asked to be left alone forbid it.
    Voluntary,
}

impl Care {
    /// Which pods may be lost.
    pub fn accepts(self) -> Accepts {
        match self {
            Care::Dying => Accepts::DYING,
            Care::Voluntary => Accepts { daemon_sets: true, empty_dir: true, no_controller: false },
        }
    }
}

/// Who wants something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AskedBy {
    /// A scheduled scan: every grace must be over.
    Scan,
    /// A person: no grace is waited for, everything else holds.
    Person,
}

/// One effect on the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Action {
    /// Launches one instance from the first offering that has capacity.
    LaunchNode {
        /// How it is made.
        template: Box<NodeTemplate>,
        /// Where, best first.
        offerings: Vec<Offering>,
        /// The instance it takes the place of.
        replaces: Option<InstanceKey>,
    },
    /// Waits until an instance is a Ready node.
    AwaitReady {
        /// Which instance.
        of: Which,
        /// For how long after the step began, in seconds.
        within_s: u32,
    },
    /// Marks the node unschedulable, taints it and takes it out of load balancers, in one patch.
    Cordon {
        /// The node.
        node: NodeTarget,
    },
    /// Lets new pods onto the node again, if the cordon is ours or a person asks.
    Uncordon {
        /// The node.
        node: NodeTarget,
    },
    /// Moves the pods off the node and waits until they are gone.
    Drain {
        /// The node.
        node: NodeTarget,
        /// How carefully.
        care: Care,
        /// What happens to those that are left at the deadline.
        at_deadline: AtDeadline,
    },
    /// Ends an instance. Cannot be taken back, so it stands last.
    Terminate {
        /// The node; it must be drained.
        node: NodeTarget,
    },
    /// Ends an instance that is no node, once everything was looked at again. Cannot be taken back, so it stands last.
    TerminateGhost {
        /// The instance.
        instance: InstanceId,
        /// Who wants it.
        by: AskedBy,
    },
    /// Deletes a volume that nothing uses, once a snapshot of it is whole and everything was looked at again.
    DeleteVolume {
        /// The volume.
        volume: VolumeId,
        /// Who wants it.
        by: AskedBy,
    },
    /// Removes the Node object of an instance that EC2 confirms to be gone.
    RemoveNode {
        /// The node.
        node: NodeTarget,
    },
    /// Sets the number of replicas of a workload.
    Scale {
        /// The workload.
        workload: WorkloadRef,
        /// How many replicas it gets.
        replicas: u32,
    },
    /// Gives containers of a workload other requests and limits. What they had stands beside it.
    PatchRequests {
        /// The workload.
        workload: WorkloadRef,
        /// The containers that change.
        changes: Vec<SizeChange>,
        /// Whether running pods are resized, too, without waiting for their turn.
        in_place: bool,
    },
    /// Waits until all pods of a workload have its newest template and can be used.
    AwaitRollOut {
        /// The workload.
        workload: WorkloadRef,
        /// For how long after the step began, in seconds.
        within_s: u32,
    },
    /// Changes the size of an object together with the note of what it was: puts it to sleep, or wakes it.
    Resize {
        /// The object.
        target: ScaleRef,
        /// How.
        resize: Box<Resize>,
    },
    /// Tells an Auto Scaling group that it may go on with an instance.
    CompleteLifecycle {
        /// Name of the group.
        group: String,
        /// Name of the hook.
        hook: String,
        /// Token of this one action.
        token: Option<String>,
        /// The instance.
        instance: InstanceId,
    },
}

/// How a step is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// Nothing was changed, or what was changed needs no care: evicted pods run elsewhere.
    Nothing,
    /// Ends the launched instance, after draining it if pods run on it by now.
    EndLaunched,
    /// Takes our cordon back.
    Uncordon,
    /// Sets the number of replicas from before.
    ScaleBack,
    /// Gives containers the requests and limits from before, unless somebody else has changed them meanwhile.
    PatchBack,
    /// Changes the size and the note back, unless somebody else has changed the size meanwhile.
    ResizeBack,
    /// Cannot be taken back.
    Impossible,
}

impl Action {
    /// How this is taken back.
    pub fn undo(&self) -> Undo {
        match self {
            Action::LaunchNode { .. } => Undo::EndLaunched,
            Action::AwaitReady { .. } | Action::Drain { .. } | Action::Uncordon { .. } | Action::AwaitRollOut { .. } => Undo::Nothing,
            Action::PatchRequests { .. } => Undo::PatchBack,
            Action::Cordon { .. } => Undo::Uncordon,
            Action::Scale { .. } => Undo::ScaleBack,
            Action::Resize { .. } => Undo::ResizeBack,
            Action::Terminate { .. }
            | Action::TerminateGhost { .. }
            | Action::DeleteVolume { .. }
            | Action::RemoveNode { .. }
            | Action::CompleteLifecycle { .. } => Undo::Impossible,
        }
    }

    /// The word for it in logs, tables and the API.
    pub fn kind(&self) -> &'static str {
        match self {
            Action::LaunchNode { .. } => "launch-node",
            Action::AwaitReady { .. } => "await-ready",
            Action::Cordon { .. } => "cordon",
            Action::Uncordon { .. } => "uncordon",
            Action::Drain { .. } => "drain",
            Action::Terminate { .. } => "terminate",
            Action::TerminateGhost { .. } => "terminate-ghost",
            Action::DeleteVolume { .. } => "delete-volume",
            Action::RemoveNode { .. } => "remove-node",
            Action::Scale { .. } => "scale",
            Action::PatchRequests { .. } => "patch-requests",
            Action::AwaitRollOut { .. } => "await-roll-out",
            Action::Resize { .. } => "resize",
            Action::CompleteLifecycle { .. } => "complete-lifecycle",
        }
    }

    /// The node that this is done to, where it is done to one that is there already.
    pub fn node(&self) -> Option<&NodeTarget> {
        match self {
            Action::Cordon { node }
            | Action::Uncordon { node }
            | Action::Drain { node, .. }
            | Action::Terminate { node }
            | Action::RemoveNode { node } => Some(node),
            Action::LaunchNode { .. }
            | Action::AwaitReady { .. }
            | Action::Scale { .. }
            | Action::PatchRequests { .. }
            | Action::AwaitRollOut { .. }
            | Action::TerminateGhost { .. }
            | Action::DeleteVolume { .. }
            | Action::Resize { .. }
            | Action::CompleteLifecycle { .. } => None,
        }
    }

    /// Whether performing it calls something that changes the world. Such a step has an audit row.
    pub fn mutates(&self) -> bool {
        match self {
            Action::AwaitReady { .. } | Action::AwaitRollOut { .. } => false,
            Action::PatchRequests { .. } => true,
            Action::LaunchNode { .. }
            | Action::Cordon { .. }
            | Action::Uncordon { .. }
            | Action::Drain { .. }
            | Action::Terminate { .. }
            | Action::TerminateGhost { .. }
            | Action::DeleteVolume { .. }
            | Action::RemoveNode { .. }
            | Action::Scale { .. }
            | Action::Resize { .. }
            | Action::CompleteLifecycle { .. } => true,
        }
    }
}

impl std::fmt::Display for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Action::LaunchNode { replaces: Some(old), .. } => write!(f, "launch a replacement of {}", old.instance),
            Action::LaunchNode { replaces: None, .. } => write!(f, "launch a node"),
            Action::AwaitReady { of: Which::Instance(instance), .. } => write!(f, "wait until {instance} is ready"),
            Action::AwaitReady { of: Which::LaunchedBy(_), .. } => write!(f, "wait until the launched node is ready"),
            Action::PatchRequests { workload, .. } => write!(f, "size {workload}"),
            Action::AwaitRollOut { workload, .. } => write!(f, "wait until {workload} is rolled out"),
            Action::Scale { workload, replicas } => write!(f, "scale {workload} to {replicas}"),
            Action::TerminateGhost { instance, .. } => write!(f, "end {instance}, which is no node"),
            Action::DeleteVolume { volume, .. } => write!(f, "snapshot and delete {volume}"),
            Action::Resize { target, resize } => match resize.to {
                _ if resize.from == resize.to => write!(f, "clear the note of {target}"),
                Some(size) => write!(f, "resize {target} to {size}"),
                None => write!(f, "let {target} scale again"),
            },
            Action::CompleteLifecycle { group, instance, .. } => write!(f, "let Auto Scaling group {group} go on with {instance}"),
            Action::Cordon { node }
            | Action::Uncordon { node }
            | Action::Drain { node, .. }
            | Action::Terminate { node }
            | Action::RemoveNode { node } => write!(f, "{} {}", self.kind(), node.name),
        }
    }
}
