//! What AWS says before it takes an instance: the bodies that EventBridge delivers.

use super::World;
use super::agenda::Due;
use super::happened::What;
use super::state::{Hook, Machine, State};
use domain::ids::InstanceId;
use domain::node::NodeOwner;
use domain::ports::Lifecycle;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// All of these panic if they name an instance that is not part of the world.
impl World {
    /// Takes an instance back after this notice (AWS gives two minutes) and returns the warning's body. The instance is marked
    /// at once; if it is gone already, only the body is returned.
    pub fn interrupt(&self, instance: &InstanceId, notice: SignedDuration) -> String {
        self.with(|state| state.interrupt(instance, notice))
    }

    /// The body of a rebalance recommendation. Nothing else happens.
    pub fn rebalance(&self, instance: &InstanceId) -> String {
        self.with(|state| {
            let machine = state.machine(instance);
            state.event(&machine, "EC2 Instance Rebalance Recommendation", json!({"instance-id": instance.as_str()}))
        })
    }

    /// The body of the state-change notification for the state that an instance has now.
    pub fn state_change(&self, instance: &InstanceId) -> String {
        self.with(|state| {
            let machine = state.machine(instance);
            let word = serde_json::to_value(machine.state).unwrap_or_default();
            let detail = json!({"instance-id": instance.as_str(), "state": word});
            state.event(&machine, "EC2 Instance State-change Notification", detail)
        })
    }

    /// An Auto Scaling group begins to end an instance: it waits for its hook to be completed, at most this long, and then ends
    /// it. Returns the body of the lifecycle action.
    pub fn asg_terminate(&self, instance: &InstanceId, timeout: SignedDuration) -> String {
        self.with(|state| {
            let machine = state.machine(instance);
            let group = match &machine.owner {
                NodeOwner::AutoScalingGroup { group } => group.clone(),
                NodeOwner::ManagedNodeGroup { group } => format!("eks-{group}"),
                NodeOwner::Karpenter { .. } | NodeOwner::CloudOptim => "nodes".to_owned(),
            };
            let hook = Hook { group, name: "drain".to_owned(), token: state.uid() };
            state.hold(instance, hook.clone(), timeout);
            state.lifecycle(&machine, &hook)
        })
    }

    /// The same with a hook of choice: for a body that is there already.
    pub fn asg_waits(&self, lifecycle: &Lifecycle, timeout: SignedDuration) {
        let token = lifecycle.token.clone().unwrap_or_default();
        let hook = Hook { group: lifecycle.group.clone(), name: lifecycle.hook.clone(), token };
        self.with(|state| state.hold(&lifecycle.instance, hook, timeout));
    }
}

impl State {
    /// Plans that AWS takes an instance back.
    pub(crate) fn mark(&mut self, id: &InstanceId, notice: SignedDuration) -> Option<Timestamp> {
        let deadline = self.after(notice);
        let machine = self.machines.get_mut(id).filter(|m| m.state.live())?;
        machine.marked = Some(machine.marked.map_or(deadline, |set| set.min(deadline)));
        self.plan(deadline, Due::Reclaim(id.clone()));
        Some(deadline)
    }

    pub(crate) fn interrupt(&mut self, instance: &InstanceId, notice: SignedDuration) -> String {
        let machine = self.machine(instance);
        if let Some(deadline) = self.mark(instance, notice) {
            self.note(machine.cluster, What::Interrupted { instance: instance.clone(), deadline });
        }
        match machine.owner {
            // These have handlers of their own and launch without waiting for the end.
            NodeOwner::ManagedNodeGroup { .. } | NodeOwner::Karpenter { .. } => {
                self.ask_owner(instance, SignedDuration::from_secs(5));
            }
            NodeOwner::AutoScalingGroup { .. } | NodeOwner::CloudOptim => {}
        }
        let detail = json!({"instance-id": instance.as_str(), "instance-action": "terminate"});
        self.event(&machine, "EC2 Spot Instance Interruption Warning", detail)
    }

    /// An instance that must be there.
    fn machine(&self, id: &InstanceId) -> Machine {
        self.machines.get(id).cloned().unwrap_or_else(|| panic!("instance {id} is not part of this world"))
    }

    /// Has an instance that still lives wait for its hook.
    fn hold(&mut self, instance: &InstanceId, hook: Hook, timeout: SignedDuration) {
        let over = self.after(timeout);
        let Some(machine) = self.machines.get_mut(instance).filter(|m| m.state.live()) else { return };
        let token = hook.token.clone();
        machine.hook = Some(hook);
        self.plan(over, Due::HookOver(instance.clone(), token));
    }

    fn event(&mut self, machine: &Machine, detail_type: &str, detail: Value) -> String {
        let resource = format!("arn:aws:ec2:{}:instance/{}", machine.pool.zone, machine.id);
        self.envelope(machine, ("aws.ec2", detail_type), &resource, detail)
    }

    fn lifecycle(&mut self, machine: &Machine, hook: &Hook) -> String {
        let (region, account, group) = (&machine.region, &machine.account, &hook.group);
        let arn = format!("arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{}:autoScalingGroupName/{group}", self.uid());
        let detail = json!({
            "LifecycleActionToken": hook.token,
            "AutoScalingGroupName": group,
            "LifecycleHookName": hook.name,
            "EC2InstanceId": machine.id.as_str(),
            "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
            "Origin": "AutoScalingGroup",
            "Destination": "EC2",
        });
        self.envelope(machine, ("aws.autoscaling", "EC2 Instance-terminate Lifecycle Action"), &arn, detail)
    }

    fn envelope(&mut self, machine: &Machine, (source, detail_type): (&str, &str), resource: &str, detail: Value) -> String {
        // EventBridge prints whole seconds.
        let time = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        json!({
            "version": "0",
            "id": self.uid(),
            "detail-type": detail_type,
            "source": source,
            "account": machine.account.as_str(),
            "time": time.to_string(),
            "region": machine.region.as_str(),
            "resources": [resource],
            "detail": detail,
        })
        .to_string()
    }
}
