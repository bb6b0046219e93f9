//! The smallest whole story: one node with pods is taken, everything is replaced. For exhaustive faults and for benches.

use crate::system::System;
use domain::SignedDuration;
use domain::ids::{ClusterId, InstanceId};
use domain::interruption::SPOT_NOTICE;
use domain::offering::CapacityType;
use sim::checkers::{Rest, Watch, at_rest};
use sim::clock::SimClock;
use sim::faults::{Call, Fault};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};

/// A system with one cluster of three nodes; the first is the victim and carries the pods.
pub struct OneRescue {
    /// The system.
    pub system: System,
    /// The cluster.
    pub cluster: ClusterId,
    /// The instance that will be taken.
    pub victim: InstanceId,
}

/// Sets the scene; every call of EC2 and Kubernetes takes `delay`.
pub async fn scene(pods: u32, delay: SignedDuration) -> OneRescue {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 7);
    let cluster = world.add_cluster(ClusterSpec::new("acme", "shop", "123456789012", "us-east-1"));
    let mut nodes = Vec::new();
    for zone in ["us-east-1a", "us-east-1b", "us-east-1c"] {
        let mut spec = NodeSpec::new("m6i.8xlarge", zone, CapacityType::Spot);
        spec.pods_max = 250;
        nodes.push(world.add_node(&cluster, spec));
    }
    let victim = nodes[0].clone();
    let mut spec = WorkloadSpec::new("web", pods);
    spec.pod.cpu_millis = 50;
    spec.pod.memory_bytes = 32 << 20;
    spec.on = vec![victim.clone()];
    world.add_deployment(&cluster, spec);
    let system = System::around(clock, world, delay);
    system.register("acme", "shop", "123456789012", "us-east-1").await;
    OneRescue { system, cluster, victim }
}

impl OneRescue {
    /// AWS takes the victim; the warning is in the queue.
    pub fn interrupt(&self) {
        let body = self.system.world.interrupt(&self.victim, SPOT_NOTICE);
        self.system.notice(&body);
    }

    /// Lets everything end, and judges it.
    ///
    /// # Errors
    /// The law that was broken.
    pub async fn judge(&mut self) -> Result<(), String> {
        let mut watch = Watch::over(&self.system.world, &self.cluster);
        watch.noticed(&self.victim);
        let (mut broken, cluster) = (None, self.cluster.clone());
        for turn in 0..24 {
            let look = |s: &System| {
                if let Err(law) = watch.look(&s.world, &cluster) {
                    broken.get_or_insert(law);
                }
            };
            self.system.run(SignedDuration::from_mins(10), look).await;
            if turn > 0 && self.system.quiet() {
                break;
            }
        }
        if let Some(law) = broken {
            return Err(law);
        }
        let doubled = self.system.launched().len();
        if doubled > 1 {
            return Err(format!("{doubled} replacements were launched"));
        }
        crate::told::told(&self.system)?;
        // A notice whose function died on every delivery stands in the dead-letter queue, where an alarm and a person see it.
        let noticed: Vec<InstanceId> = if self.system.queue.dead_letters().is_empty() { vec![self.victim.clone()] } else { Vec::new() };
        at_rest(&Rest { world: &self.system.world, store: &self.system.store, cluster: &self.cluster, noticed: &noticed })
    }
}

/// Runs the story with one fault rule, in virtual time; returns the calls that were made.
///
/// # Errors
/// The law that was broken.
pub fn with(script: impl FnMut(Call) -> Option<Fault> + Send + 'static) -> Result<Vec<&'static str>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut story = scene(3, SignedDuration::ZERO).await;
        let before = story.system.gate.calls();
        let mut script = script;
        story.system.gate.script(move |call| script(Call { index: call.index.saturating_sub(before), name: call.name }));
        story.interrupt();
        story.judge().await?;
        Ok(story.system.gate.names().split_off(usize::try_from(before).unwrap_or(0)))
    })
}
