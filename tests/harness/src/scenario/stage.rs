//! What commands do.

use super::tell::Teller;
use crate::events;
use crate::system::System;
use domain::ids::{ClusterId, CustomerId, InstanceId};
use domain::node::NodeOwner;
use domain::offering::CapacityType;
use domain::policy::RebalancePolicy;
use domain::ports::{Clock, Lifecycle, Registry};
use domain::{SignedDuration, Timestamp};
use sim::checkers::{Rest, Watch, at_rest};
use sim::clock::{EPOCH, SimClock};
use sim::faults::{Fault, Kind};
use sim::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, Timing, WorkloadSpec, World};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const CUSTOMER: &str = "acme";
const ACCOUNT: &str = "123456789012";
/// The clock is as far behind the sender's as a delivery takes.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(1);

/// Faults that a story has asked for.
#[derive(Default)]
struct Faults {
    once: Vec<(String, Fault)>,
    down_until: Option<Timestamp>,
}

/// Where a story is.
#[derive(Default)]
pub(super) struct Stage {
    begins: Option<Timestamp>,
    scene: Option<Scene>,
}

struct Scene {
    system: System,
    cluster: ClusterId,
    customer: CustomerId,
    region: String,
    nodes: BTreeMap<String, InstanceId>,
    faults: Arc<Mutex<Faults>>,
    policy: Vec<(String, String)>,
    /// From the first event on.
    watch: Option<Watch>,
    noticed: Vec<InstanceId>,
    broken: Vec<String>,
    crashes: u64,
    teller: Teller,
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim_end_matches('s').parse().map_err(|_| format!("{text:?} is no number"))
}

fn seconds(text: &str) -> Result<SignedDuration, String> {
    number(text).map(SignedDuration::from_secs)
}

impl Stage {
    /// Carries one command out; the lines tell what came of it.
    pub(super) async fn act(&mut self, words: &[&str]) -> Result<Vec<String>, String> {
        match words {
            ["at", time] => self.begins = Some(time.parse().map_err(|_| format!("{time:?} is no time"))?),
            ["cluster", name, region] => self.scene = Some(Scene::new(self.begins.unwrap_or(EPOCH), name, region)),
            _ => return self.scene.as_mut().ok_or("there is no cluster yet")?.act(words).await,
        }
        Ok(Vec::new())
    }
}

impl Scene {
    fn new(begins: Timestamp, name: &str, region: &str) -> Scene {
        let clock = SimClock::starting(begins + ON_THE_WAY);
        let world = World::new(clock.clone(), 1);
        let cluster = world.add_cluster(ClusterSpec::new(CUSTOMER, name, ACCOUNT, region));
        let system = System::around(clock.clone(), world, SignedDuration::ZERO);
        let faults = Arc::new(Mutex::new(Faults::default()));
        let asked = faults.clone();
        system.gate.script(move |call| {
            let mut faults = asked.lock().unwrap();
            if let Some(at) = faults.once.iter().position(|(name, _)| name == call.name) {
                return Some(faults.once.remove(at).1);
            }
            let down = faults.down_until.is_some_and(|until| clock.now() < until) && call.name.starts_with("cluster.");
            down.then_some(Fault::Before(Kind::Unavailable))
        });
        Scene {
            teller: Teller::new(begins),
            system,
            cluster,
            customer: CustomerId::parse(CUSTOMER).unwrap(),
            region: region.to_owned(),
            nodes: BTreeMap::new(),
            faults,
            policy: Vec::new(),
            watch: None,
            noticed: Vec::new(),
            broken: Vec::new(),
            crashes: 0,
        }
    }

    fn node(&self, name: &str) -> Result<InstanceId, String> {
        self.nodes.get(name).cloned().ok_or_else(|| format!("there is no node {name:?}"))
    }

    async fn act(&mut self, words: &[&str]) -> Result<Vec<String>, String> {
        if self.watch.is_none() && self.build(words)? {
            return Ok(Vec::new());
        }
        self.open().await?;
        match words {
            ["show", what] => return self.show(what).await,
            ["check"] => return Ok(self.check()),
            ["take", node, "in", within] => {
                let node = self.node(node)?;
                self.system.world.interrupt(&node, seconds(within)?);
                self.noticed.push(node);
            }
            ["hook", node, "as", case] => {
                let lifecycle = self.lifecycle(node, case)?;
                self.system.world.asg_waits(&lifecycle, SignedDuration::from_mins(60));
            }
            ["end", node] => self.system.world.human_terminates(&self.node(node)?),
            ["notice", case, "for", node] => self.notice(&self.readdressed(case, node)?, &[]).await?,
            ["notice", case, rest @ ..] => self.notice(&events::body(case), rest).await?,
            ["warn", node] => {
                let node = self.node(node)?;
                let body = self.system.world.interrupt(&node, domain::interruption::SPOT_NOTICE);
                self.notice(&body, &[]).await?;
                self.noticed.push(node);
            }
            ["recommend", node] => {
                let body = self.system.world.rebalance(&self.node(node)?);
                self.notice(&body, &[]).await?;
            }
            ["crash", "before", call] => self.fault(call, Fault::CrashBefore),
            ["crash", "after", call] => self.fault(call, Fault::CrashAfter),
            ["fail", call] => self.fault(call, Fault::Before(Kind::Unavailable)),
            ["kubernetes", "down", within] => {
                self.faults.lock().unwrap().down_until = Some(self.system.clock.now() + seconds(within)?);
            }
            ["run", "all"] => self.run_all().await,
            ["run", duration] => self.run(seconds(duration)?).await,
            _ => return Err("no such command, or too late for it".to_owned()),
        }
        Ok(self.news())
    }

    fn fault(&self, call: &str, fault: Fault) {
        self.faults.lock().unwrap().once.push((call.to_owned(), fault));
    }

    /// Commands that fill the world; `false`: it is none of them.
    fn build(&mut self, words: &[&str]) -> Result<bool, String> {
        let world = &self.system.world;
        match words {
            ["node", name, rest @ ..] => {
                let (spec, joined) = spec(&self.region, rest)?;
                let id = if joined { world.add_node(&self.cluster, spec) } else { world.add_instance(&self.cluster, spec) };
                let dns = world.node_name(&id).map(|n| n.to_string()).unwrap_or_default();
                self.teller.call(&id, &dns, name);
                self.nodes.insert((*name).to_owned(), id);
            }
            ["workload", name, replicas, "on", node, rest @ ..] => {
                let mut spec = WorkloadSpec::new(name, number(replicas)?);
                spec.on = vec![self.node(node)?];
                for pair in rest.chunks(2) {
                    match pair {
                        ["exit", s] => spec.pod.exit_s = number(s)?,
                        ["grace", s] => spec.pod.grace_s = number(s)?,
                        _ => return Err(format!("a workload knows no {pair:?}")),
                    }
                }
                world.add_deployment(&self.cluster, spec);
            }
            ["budget", name, "min-available", n] => world.add_pdb(&self.cluster, PdbSpec::new(name, Allows::MinAvailable(number(n)?))),
            ["budget", name, "max-unavailable", n] => world.add_pdb(&self.cluster, PdbSpec::new(name, Allows::MaxUnavailable(number(n)?))),
            ["join", "never"] => world.set_timing(Timing { join: None, ..world.timing() }),
            ["join", within] => world.set_timing(Timing { join: Some(seconds(within)?), ..world.timing() }),
            ["policy", key, value] => self.policy.push(((*key).to_owned(), (*value).to_owned())),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Registers the cluster, once everything is there.
    async fn open(&mut self) -> Result<(), String> {
        if self.watch.is_some() {
            return Ok(());
        }
        self.system.register(CUSTOMER, self.cluster.as_str(), ACCOUNT, &self.region).await;
        let mut record = self.system.store.cluster(&self.customer, &self.cluster).await.map_err(|e| e.to_string())?.ok_or("no cluster")?;
        for (key, value) in &self.policy {
            let policy = &mut record.policy.interruption;
            match (key.as_str(), value.as_str()) {
                ("rebalance", "ignore") => policy.rebalance = RebalancePolicy::Ignore,
                ("rebalance", "cordon") => policy.rebalance = RebalancePolicy::Cordon,
                ("rebalance", "replace-then-drain") => policy.rebalance = RebalancePolicy::ReplaceThenDrain,
                ("rebalances-per-hour", n) => policy.rebalances_per_hour_max = number(n)?,
                _ => return Err(format!("there is no policy {key} {value}")),
            }
        }
        record.version += 1;
        self.system.store.put_cluster(&record, Some(record.version - 1)).await.map_err(|e| e.to_string())?;
        self.watch = Some(Watch::over(&self.system.world, &self.cluster));
        self.teller.skip(&self.system.world);
        self.system.swept();
        Ok(())
    }

    /// Puts copies of a body into the queue; `at once` hands them to as many functions at the same time.
    async fn notice(&mut self, body: &str, how: &[&str]) -> Result<(), String> {
        let (times, at_once) = match how {
            [] => (1, false),
            [n, "times"] => (number(n)?, false),
            [n, "times", "at", "once"] => (number(n)?, true),
            _ => return Err(format!("a notice cannot come {how:?}")),
        };
        for instance in self.nodes.values().filter(|id| body.contains(id.as_str())) {
            if let Some(watch) = &mut self.watch {
                watch.noticed(instance);
            }
        }
        (0..times).for_each(|_| self.system.notice(body));
        if at_once {
            let due = self.system.queue.take_due(self.system.clock.now());
            futures::future::join_all(due.iter().map(|message| self.system.invoke(message))).await;
        }
        Ok(())
    }

    /// The body of a case as it would be sent for a node of this story, now.
    fn readdressed(&self, case: &str, node: &str) -> Result<String, String> {
        let mut event: serde_json::Value = serde_json::from_str(&events::body(case)).map_err(|e| e.to_string())?;
        let now = Timestamp::from_second(self.system.clock.now().as_second()).map_err(|e| e.to_string())?;
        event["time"] = now.to_string().into();
        event["region"] = self.region.as_str().into();
        event["account"] = ACCOUNT.into();
        for field in ["instance-id", "EC2InstanceId"] {
            if event["detail"].get(field).is_some() {
                event["detail"][field] = self.node(node)?.as_str().into();
            }
        }
        Ok(event.to_string())
    }

    fn lifecycle(&self, node: &str, case: &str) -> Result<Lifecycle, String> {
        let event: serde_json::Value = serde_json::from_str(&events::body(case)).map_err(|e| e.to_string())?;
        let text = |name: &str| event["detail"][name].as_str().or_else(|| event[name].as_str()).map(str::to_owned);
        Ok(Lifecycle {
            group: text("AutoScalingGroupName").ok_or("the body names no group")?,
            hook: text("LifecycleHookName").ok_or("the body names no hook")?,
            token: text("LifecycleActionToken"),
            instance: self.node(node)?,
        })
    }

    async fn run(&mut self, duration: SignedDuration) {
        let Scene { system, watch, broken, cluster, .. } = self;
        let look = |system: &System| {
            if let Some(Err(law)) = watch.as_mut().map(|watch| watch.look(&system.world, cluster)) {
                broken.push(law);
            }
        };
        system.run(duration, look).await;
    }

    async fn run_all(&mut self) {
        for turn in 0..24 {
            self.run(SignedDuration::from_mins(10)).await;
            if turn > 0 && self.system.quiet() {
                return;
            }
        }
    }

    /// What has happened since the last command.
    fn news(&mut self) -> Vec<String> {
        let mut lines = self.teller.news(&self.system.world);
        let died = self.system.gate.crashes() - self.crashes;
        self.crashes += died;
        if died > 0 {
            lines.insert(0, format!("the process died {died} times").replace("1 times", "once"));
        }
        lines
    }

    fn check(&mut self) -> Vec<String> {
        let rest = Rest { world: &self.system.world, store: &self.system.store, cluster: &self.cluster, noticed: &self.noticed };
        self.broken.extend(at_rest(&rest).err());
        let broken: Vec<String> = self.broken.drain(..).map(|law| format!("BROKEN: {}", self.teller.named(&law))).collect();
        if broken.is_empty() { vec!["all laws hold".to_owned()] } else { broken }
    }

    async fn show(&self, what: &str) -> Result<Vec<String>, String> {
        match what {
            "plans" => Ok(self.teller.plans(&self.system.store.plans())),
            "events" => Ok(self.teller.events(&self.system.store.all_spot_events())),
            "pods" => Ok(self.teller.pods(&self.system.world.pods(&self.cluster))),
            "dead-letters" => Ok(vec![format!("{} dead letters", self.system.queue.dead_letters().len())]),
            _ => Err(format!("{what} cannot be shown")),
        }
    }
}

/// A node, and whether it has joined.
fn spec(region: &str, mut words: &[&str]) -> Result<(NodeSpec, bool), String> {
    let mut spec = NodeSpec::new("m6i.xlarge", &format!("{region}a"), CapacityType::Spot);
    let mut joined = true;
    loop {
        words = match words {
            [] => return Ok((spec, joined)),
            ["is", id, rest @ ..] => {
                spec.instance = Some(InstanceId::parse(*id).map_err(|e| e.to_string())?);
                rest
            }
            ["owner", kind, name, rest @ ..] => {
                let name = (*name).to_owned();
                spec.owner = match *kind {
                    "asg" => NodeOwner::AutoScalingGroup { group: name },
                    "managed" => NodeOwner::ManagedNodeGroup { group: name },
                    "karpenter" => NodeOwner::Karpenter { claim: name },
                    _ => return Err(format!("nobody is called {kind}")),
                };
                rest
            }
            ["zone", zone, rest @ ..] => {
                spec.pool.zone = domain::ids::Zone::parse(format!("{region}{zone}")).map_err(|e| e.to_string())?;
                rest
            }
            ["unregistered", rest @ ..] => {
                joined = false;
                rest
            }
            _ => return Err(format!("a node knows no {words:?}")),
        };
    }
}
