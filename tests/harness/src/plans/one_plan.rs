//! The smallest whole story of an optimisation: one move, carried out or taken back. For exhaustive faults.

use super::wild::{a_move, answer, launch};
use super::{allow, endable, optimizer, savings_are_true, voluntary, within_budget};
use crate::system::System;
use async_trait::async_trait;
use domain::SignedDuration;
use domain::decision::{DecisionAnswer, DecisionRequest, DecisionType, PredictRequest, Prediction, PredictionOutcome};
use domain::ids::{ClusterId, CustomerId, InstanceId};
use domain::offering::CapacityType;
use domain::optimization::Round;
use domain::plan::{Outcome, Status};
use domain::policy::{DisruptionBudget, Mode};
use domain::ports::{Advisor, AdvisorError, Rounds};
use domain::workload::WorkloadKind;
use sim::checkers::{Rest, Watch, at_rest};
use sim::clock::SimClock;
use sim::faults::{Call, Fault};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::sync::Arc;

/// What is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// By which lever.
    pub decision: DecisionType,
    /// How many nodes go.
    pub go: usize,
    /// How many come.
    pub come: usize,
}

/// Every kind of plan, and moves of one and two nodes to none and one.
pub const SHAPES: [Shape; 4] = [
    Shape { decision: DecisionType::SpotOptimize, go: 1, come: 1 },
    Shape { decision: DecisionType::BinPack, go: 1, come: 0 },
    Shape { decision: DecisionType::BinPack, go: 2, come: 1 },
    Shape { decision: DecisionType::Rightsize, go: 1, come: 1 },
];

/// Always proposes the same move, as long as its nodes may be touched.
struct Fixed {
    shape: Shape,
    victims: Vec<InstanceId>,
}

#[async_trait]
impl Advisor for Fixed {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        if request.decision_type != self.shape.decision {
            return Ok(answer(request, Vec::new()));
        }
        let victim = |id: &InstanceId| request.snapshot.nodes.iter().find(|node| node.instance.as_ref() == Some(id));
        let nodes: Vec<_> = self.victims.iter().filter_map(victim).collect();
        let Some(first) = nodes.first().filter(|_| nodes.len() == self.shape.go) else {
            return Ok(answer(request, Vec::new()));
        };
        let (kind, capacities) = match self.shape.decision {
            DecisionType::SpotOptimize => ("m6i.2xlarge", vec![CapacityType::Spot, CapacityType::OnDemand]),
            DecisionType::BinPack => ("m6i.2xlarge", vec![CapacityType::OnDemand]),
            DecisionType::Rightsize => ("m6i.xlarge", vec![CapacityType::OnDemand]),
        };
        let launches = (0..self.shape.come).filter_map(|_| launch(&request.snapshot, first, kind, &capacities)).collect();
        Ok(answer(request, vec![a_move(&request.snapshot, &nodes, launches)]))
    }

    async fn predict(&self, _request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        Ok(Vec::new())
    }

    /// It has promised nothing.
    async fn learn(&self, _outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        Ok(())
    }
}

/// A system in which one plan is to be made.
pub struct OnePlan {
    /// The system.
    pub system: System,
    /// The cluster.
    pub cluster: ClusterId,
    /// The customer.
    pub customer: CustomerId,
    /// The instances that are to go.
    pub victims: Vec<InstanceId>,
    shape: Shape,
    pods: usize,
}

/// Six on-demand nodes, of which the first carry the pods of a Deployment, and a decision server that wants those to go.
pub async fn scene(shape: Shape) -> OnePlan {
    scene_of(shape, WorkloadKind::Deployment).await
}

/// The same with a workload of another kind.
pub async fn scene_of(shape: Shape, kind: WorkloadKind) -> OnePlan {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 11);
    let cluster = world.add_cluster(ClusterSpec::new("acme", "shop", "123456789012", "us-east-1"));
    let mut nodes = Vec::new();
    for zone in ["a", "b", "c", "a", "b", "c"] {
        let spec = NodeSpec::new("m6i.2xlarge", &format!("us-east-1{zone}"), CapacityType::OnDemand);
        nodes.push(world.add_node(&cluster, endable(spec, "shop")));
    }
    let victims: Vec<InstanceId> = nodes.iter().take(shape.go).cloned().collect();
    let mut spec = WorkloadSpec::new("web", 3);
    spec.on = victims.clone();
    match kind {
        WorkloadKind::Deployment => world.add_deployment(&cluster, spec),
        WorkloadKind::StatefulSet => world.add_stateful_set(&cluster, spec),
    };
    let mut system = System::around(clock, world, SignedDuration::ZERO);
    let (customer, _) = system.register("acme", "shop", "123456789012", "us-east-1").await;
    allow(&system, &customer, &cluster, |policy| {
        policy.budget = DisruptionBudget { nodes_percent_max: 50, nodes_max: 5 };
        policy.optimization.spot = Mode::Auto;
        policy.optimization.bin_packing = Mode::Auto;
        policy.optimization.rightsizing = Mode::Auto;
    })
    .await;
    system.optimizer = Some(optimizer(&system, Arc::new(Fixed { shape, victims: victims.clone() })));
    let pods = system.world.pods(&cluster).len();
    OnePlan { system, cluster, customer, victims, shape, pods }
}

impl OnePlan {
    /// Asks for a round under this name.
    pub async fn ask(&self, round: &str) {
        self.round(round, false).await;
    }

    async fn round(&self, round: &str, dry_run: bool) {
        let round = Round {
            customer: self.customer.clone(),
            cluster: self.cluster.clone(),
            round: round.to_owned(),
            asked_by: "a law".to_owned(),
            types: vec![self.shape.decision],
            dry_run,
            nodes: None,
        };
        self.system.queue.ask(&round).await.unwrap();
    }

    /// How the one plan ended; `None`: none was made.
    pub fn outcome(&self) -> Option<Outcome> {
        voluntary(&self.system).first().and_then(|record| record.progress.outcome.clone())
    }

    /// Lets everything end, and judges it. `twice` delivers every message of a plan to two workers.
    ///
    /// # Errors
    /// The law that was broken.
    pub async fn judge(&mut self, twice: bool) -> Result<(), String> {
        let mut watch = Watch::over(&self.system.world, &self.cluster);
        let (mut broken, cluster) = (None, self.cluster.clone());
        for turn in 0..24 {
            let look = |s: &System| {
                for record in voluntary(s) {
                    watch.planned(&record.plan);
                }
                let law = watch.look(&s.world, &cluster).and_then(|()| within_budget(s, &cluster, 3));
                if let Err(law) = law {
                    broken.get_or_insert(law);
                }
                if twice {
                    s.queue.double();
                }
            };
            self.system.run(SignedDuration::from_mins(10), look).await;
            if turn > 0 && self.system.quiet() {
                break;
            }
        }
        // The faults are over; the next round enters what has ended, and decides nothing new.
        self.system.gate.script(|_| None);
        self.round("last", true).await;
        self.system.run(SignedDuration::from_mins(1), |_| {}).await;
        if let Some(law) = broken {
            return Err(law);
        }
        at_rest(&Rest { world: &self.system.world, store: &self.system.store, cluster: &self.cluster, noticed: &[] })?;
        savings_are_true(&self.system)?;
        self.restored()
    }

    /// What was not done to its end is as before.
    fn restored(&self) -> Result<(), String> {
        let world = &self.system.world;
        let first = voluntary(&self.system).into_iter().find(|record| record.progress.outcome.is_some());
        let launched = self.system.launched().len();
        let Some(record) = first else {
            return if launched == 0 { Ok(()) } else { Err(format!("{launched} nodes were launched without a plan")) };
        };
        let outcome = record.progress.outcome.clone();
        let alive = |id: &&InstanceId| world.instance(id).is_some_and(|i| i.state.live());
        let left = self.victims.iter().filter(alive).count();
        match &outcome {
            Some(Outcome::Succeeded) if left > 0 => return Err(format!("the plan succeeded and {left} of its nodes live")),
            Some(Outcome::RolledBack { .. } | Outcome::Cancelled { .. }) if left < self.victims.len() => {
                return Err(format!("the plan was taken back, and {left} of its nodes live: {outcome:?}"));
            }
            _ => {}
        }
        let pods = world.pods(&self.cluster);
        let pending = world.pending_pods(&self.cluster).len();
        if pods.len() != self.pods || pending > 0 {
            return Err(format!("{} pods are there and {pending} pending, after {outcome:?}", pods.len()));
        }
        let irreversible = record.progress.steps.iter().any(|state| state.status == Status::Started);
        if irreversible {
            return Err("a step is begun and the plan is over".to_owned());
        }
        Ok(())
    }
}

/// Runs the story with one fault rule, in virtual time; returns the calls that were made, and how the plan ended.
///
/// # Errors
/// The law that was broken.
pub fn with(
    shape: Shape,
    twice: bool,
    script: impl FnMut(Call) -> Option<Fault> + Send + 'static,
) -> Result<(Vec<&'static str>, Option<Outcome>), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let mut story = scene(shape).await;
        let before = story.system.gate.calls();
        let mut script = script;
        story.system.gate.script(move |call| script(Call { index: call.index.saturating_sub(before), name: call.name }));
        story.ask("first").await;
        story.judge(twice).await?;
        let calls = story.system.gate.names().split_off(usize::try_from(before).unwrap_or(0));
        Ok((calls, story.outcome()))
    })
}
