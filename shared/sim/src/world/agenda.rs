//! What will happen, and when.

use super::state::State;
use domain::ids::{InstanceId, NodeUid};
use jiff::Timestamp;

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// A pending instance runs.
    Running(InstanceId),
    /// An instance's kubelet registers its Node.
    Register(InstanceId),
    /// The Node of an instance becomes Ready.
    NodeReady(InstanceId),
    /// AWS takes an instance back.
    Reclaim(InstanceId),
    /// A lifecycle action is over: nobody completed it.
    HookOver(InstanceId, String),
    /// A shutting-down instance is terminated.
    Ended(InstanceId),
    /// The cloud controller removes a Node whose instance is gone.
    NodeRemoved(usize, NodeUid),
    /// The owner of an instance launches another.
    OwnerReplaces(InstanceId),
    /// A pod's probe succeeds.
    PodReady(usize, u64),
    /// The process of a terminating pod has ended.
    PodGone(usize, u64),
    /// Controllers and the scheduler of a cluster react.
    Settle(usize),
    /// A moment of a cluster's day.
    Day(usize),
    /// Spot pools may be taken back.
    Strikes,
    /// The warning of an instance is sent.
    Warn(InstanceId),
}

impl State {
    /// Lets everything happen that is due by now, in order.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.agenda.first_entry() {
            let (at, _) = *entry.key();
            if at > now {
                break;
            }
            let due = entry.remove();
            self.now = at.max(self.now);
            self.happen(due);
        }
        self.now = now.max(self.now);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Running(id) => self.runs(&id),
            Due::Register(id) => self.registers(&id),
            Due::NodeReady(id) => self.node_ready(&id),
            Due::Reclaim(id) => self.reclaims(&id),
            Due::HookOver(id, token) => self.hook_over(&id, &token),
            Due::Ended(id) => self.ended(&id),
            Due::NodeRemoved(cluster, uid) => self.cloud_removes_node(cluster, &uid),
            Due::OwnerReplaces(id) => self.owner_replaces(&id),
            Due::PodReady(cluster, key) => self.pod_ready(cluster, key),
            Due::PodGone(cluster, key) => self.pod_gone(cluster, key),
            Due::Settle(cluster) => self.settle(cluster),
            Due::Day(cluster) => self.day_goes_on(cluster),
            Due::Strikes => self.strikes(),
            Due::Warn(id) => self.warns(&id),
        }
    }

    /// Has controllers and the scheduler of a cluster look again soon.
    pub(crate) fn soon(&mut self, cluster: usize) {
        let settle = self.timing.settle;
        let Some(kube) = self.clusters.get_mut(cluster) else { return };
        if !kube.settling {
            kube.settling = true;
            let at = self.after(settle);
            self.plan(at, Due::Settle(cluster));
        }
    }
}
