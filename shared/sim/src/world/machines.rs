//! The life of instances.

use super::agenda::Due;
use super::happened::{By, What};
use super::minted;
use super::state::{Machine, State};
use domain::ids::{AccountId, InstanceId, NodeName, Region, SubnetId};
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Pool};
use domain::ports::InstanceState;
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// What a new instance is made of.
#[derive(Debug, Clone)]
pub(crate) struct Birth {
    pub(crate) cluster: Option<usize>,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) pool: Pool,
    pub(crate) subnet: SubnetId,
    pub(crate) owner: NodeOwner,
    pub(crate) token: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) user_data: String,
}

impl State {
    /// Takes one out of the pool, if it has one.
    pub(crate) fn draw(&mut self, pool: &Pool) -> bool {
        if self.short(pool) {
            return false;
        }
        match self.capacity.get_mut(pool) {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    /// Launches an instance; what it needs of capacity has been drawn.
    pub(crate) fn born(&mut self, birth: Birth, by: By) -> InstanceId {
        let id = self.instance_id();
        let (visible_from, running_at) = (self.after(self.timing.describe_lag), self.after(SignedDuration::from_secs(5)));
        let dns = self.node_name(birth.cluster, &birth.region);
        let machine = Machine {
            id: id.clone(),
            cluster: birth.cluster,
            account: birth.account,
            region: birth.region,
            pool: birth.pool.clone(),
            subnet: birth.subnet,
            owner: birth.owner,
            state: InstanceState::Pending,
            launched_at: self.now,
            visible_from,
            ended_at: None,
            stopped_at: None,
            token: birth.token.clone(),
            dns,
            state_reason: None,
            marked: None,
            hook: None,
            tags: birth.tags.clone(),
            user_data: birth.user_data,
            replaced: false,
        };
        self.machines.insert(id.clone(), machine);
        self.note(birth.cluster, What::Launched { instance: id.clone(), pool: birth.pool, by, token: birth.token, tags: birth.tags });
        self.plan(running_at, Due::Running(id.clone()));
        if let (Some(join), Some(_)) = (self.timing.join, birth.cluster) {
            // The kubelet registers a little before its network is up.
            let head_start = (join / 4).min(SignedDuration::from_secs(5));
            self.plan(self.after(join - head_start), Due::Register(id.clone()));
        }
        id
    }

    pub(crate) fn node_name(&mut self, cluster: Option<usize>, region: &Region) -> NodeName {
        if let Some(name) = cluster.and_then(|c| self.clusters.get_mut(c)).and_then(|kube| kube.next_names.pop_front()) {
            return name;
        }
        let serial = self.serial();
        let (a, b, c) = (self.rng.u8(..), serial >> 8 & 0xff, serial & 0xff);
        minted(format!("ip-10-{a}-{b}-{c}.{region}.compute.internal"))
    }

    pub(crate) fn runs(&mut self, id: &InstanceId) {
        if let Some(machine) = self.machines.get_mut(id).filter(|m| m.state == InstanceState::Pending) {
            machine.state = InstanceState::Running;
        }
    }

    /// Begins to end an instance: what runs on it dies now. No effect on one that is ending or gone.
    pub(crate) fn ends(&mut self, id: &InstanceId, by: By, reason: &str) {
        let now = self.now;
        let Some(machine) = self.machines.get_mut(id).filter(|m| m.state.live()) else { return };
        machine.state = InstanceState::ShuttingDown;
        machine.state_reason = Some(reason.to_owned());
        machine.hook = None;
        machine.ended_at = None;
        machine.stopped_at = Some(now);
        let (cluster, marked) = (machine.cluster, machine.marked.is_some());
        self.note(cluster, What::Terminated { instance: id.clone(), by, marked });
        self.plan(self.after(self.timing.shutdown), Due::Ended(id.clone()));
        self.ask_owner(id, self.timing.owner_replaces);
        if let Some(cluster) = cluster {
            self.node_dies(cluster, id);
        }
    }

    pub(crate) fn ended(&mut self, id: &InstanceId) {
        let now = self.now;
        if let Some(machine) = self.machines.get_mut(id) {
            machine.state = InstanceState::Terminated;
            machine.ended_at = Some(now);
        }
    }

    pub(crate) fn reclaims(&mut self, id: &InstanceId) {
        self.ends(id, By::Aws, "Server.SpotInstanceTermination: Spot instance termination");
    }

    pub(crate) fn hook_over(&mut self, id: &InstanceId, token: &str) {
        if self.machines.get(id).and_then(|m| m.hook.as_ref()).is_some_and(|hook| hook.token == token) {
            self.hook_let_go(id, By::Aws);
        }
    }

    /// A lifecycle action is over, by whom ever: the group ends the instance.
    pub(crate) fn hook_let_go(&mut self, id: &InstanceId, by: By) {
        let cluster = self.machines.get(id).and_then(|m| m.cluster);
        self.note(cluster, What::LifecycleCompleted { instance: id.clone(), by });
        self.ends(id, By::Aws, "Client.UserInitiatedShutdown: User initiated shutdown");
    }

    /// Has the owner of an instance launch another, once.
    pub(crate) fn ask_owner(&mut self, id: &InstanceId, delay: SignedDuration) {
        let at = self.after(delay);
        let Some(machine) = self.machines.get_mut(id) else { return };
        if machine.owner != NodeOwner::CloudOptim && !machine.replaced {
            machine.replaced = true;
            self.plan(at, Due::OwnerReplaces(id.clone()));
        }
    }

    /// The owner launches another out of the same pool; where that is empty, out of the on-demand pool beside it.
    pub(crate) fn owner_replaces(&mut self, id: &InstanceId) {
        let Some(old) = self.machines.get(id).cloned() else { return };
        let fallback = Pool { capacity: CapacityType::OnDemand, ..old.pool.clone() };
        let Some(pool) = [old.pool, fallback].into_iter().find(|pool| self.draw(pool)) else { return };
        let mut tags = old.tags;
        tags.retain(|key, _| !key.starts_with("cloudoptim.io/"));
        let birth = Birth {
            cluster: old.cluster,
            account: old.account,
            region: old.region,
            pool,
            subnet: old.subnet,
            owner: old.owner,
            token: None,
            tags,
            user_data: old.user_data,
        };
        self.born(birth, By::Aws);
    }
}
