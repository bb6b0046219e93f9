//! A cluster whose load follows the day: Deployments have many replicas in the afternoon and few before dawn, and, where a pool is
//! named for it, nodes are launched for pods that wait.

use super::World;
use super::agenda::Due;
use super::happened::{By, What};
use super::machines::Birth;
use super::state::{Sort, State};
use domain::ids::ClusterId;
use domain::node::NodeOwner;
use domain::offering::Pool;
use domain::workload::{WorkloadKind, WorkloadRef};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How a day goes.
#[derive(Debug, Clone)]
pub struct Daily {
    /// How often replicas are set.
    pub every: SignedDuration,
    /// What is left of the replicas at the lowest hour, per cent.
    pub low_percent: u32,
    /// The hour (UTC) with the fewest replicas.
    pub low_hour: u32,
    /// By how many minutes a workload's day may be shifted.
    pub shift_min: u32,
    /// Where nodes are launched when pods wait, as the cluster's own autoscaler would. `None`: nowhere.
    pub grow: Option<Pool>,
    /// Tags of the instances that are launched so, besides the cluster's own.
    pub tags: BTreeMap<String, String>,
}

impl Default for Daily {
    /// Every ten minutes; 40 % at 4 o'clock; shifted by up to two hours; no new nodes.
    fn default() -> Daily {
        let every = SignedDuration::from_mins(10);
        Daily { every, low_percent: 40, low_hour: 4, shift_min: 120, grow: None, tags: BTreeMap::new() }
    }
}

/// The day of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    spec: Daily,
    /// Workloads, with their replicas at noon and the shift of their day in minutes.
    full: Vec<(WorkloadRef, u32, i64)>,
}

impl World {
    /// Lets the replicas of a cluster's Deployments, as they are now, be the most of the day, and follow it from now on.
    pub fn follow_the_day(&self, cluster: &ClusterId, spec: Daily) {
        self.with(|state| {
            let cluster = state.known(cluster);
            let shift = i64::from(spec.shift_min);
            let mut full = Vec::new();
            for workload in state.clusters[cluster].workloads.iter().filter(|workload| workload.sort == Sort::Deployment) {
                let of = WorkloadRef { kind: WorkloadKind::Deployment, namespace: workload.namespace.clone(), name: workload.name.clone() };
                full.push((of, workload.replicas, state.rng.i64(-shift..=shift)));
            }
            state.clusters[cluster].day = Some(Day { spec, full });
            state.plan(state.now, Due::Day(cluster));
        });
    }
}

/// The part of the full replicas at a minute of the day: a cosine between the low and all.
fn part(spec: &Daily, minute: i64) -> f64 {
    let low = f64::from(spec.low_percent.min(100)) / 100.0;
    let minutes = u32::try_from((minute - i64::from(spec.low_hour) * 60).rem_euclid(24 * 60)).unwrap_or(0);
    let turn = f64::from(minutes) / (24.0 * 60.0) * std::f64::consts::TAU;
    low + (1.0 - low) * (1.0 - turn.cos()) / 2.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of replicas")]
fn replicas(full: u32, part: f64) -> u32 {
    ((f64::from(full) * part).round() as u32).clamp(1, full.max(1))
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().rem_euclid(86_400) / 60
}

/// The longest that a launched node is waited for before another is launched.
const PATIENCE: SignedDuration = SignedDuration::from_mins(3);

impl State {
    /// A moment of the day has come.
    pub(crate) fn day_goes_on(&mut self, cluster: usize) {
        let Some(day) = self.clusters.get(cluster).and_then(|kube| kube.day.clone()) else { return };
        let now = minute(self.now);
        for (workload, full, shift) in &day.full {
            self.scale(cluster, workload, replicas(*full, part(&day.spec, now + shift)));
        }
        if let Some(pool) = &day.spec.grow {
            self.grow(cluster, pool, &day.spec.tags);
        }
        self.plan(self.after(day.spec.every), Due::Day(cluster));
    }

    /// Launches as many nodes as the CPU that waiting pods ask for fills, unless some are on their way.
    fn grow(&mut self, cluster: usize, pool: &Pool, tags: &BTreeMap<String, String>) {
        let Some(kube) = self.clusters.get(cluster) else { return };
        let old_enough = self.now.checked_sub(SignedDuration::from_mins(1)).unwrap_or(self.now);
        let waiting = kube.pods.unbound().filter(|(_, pod)| pod.active() && pod.created_at <= old_enough);
        let cpu: u64 = waiting.map(|(_, pod)| pod.shape.cpu_millis.max(1)).sum();
        let young = self.now.checked_sub(PATIENCE).unwrap_or(self.now);
        let coming = self.machines.values().any(|m| m.cluster == Some(cluster) && m.state.live() && m.launched_at > young);
        if cpu == 0 || coming {
            return;
        }
        let Some(subnet) = kube.subnets.get(&pool.zone).cloned() else { return };
        let of = kube.spec.clone();
        let wanted = cpu.div_ceil(self.type_of(&pool.instance_type).cpu_millis.max(1));
        let mut tags = tags.clone();
        tags.insert(format!("kubernetes.io/cluster/{}", of.name), "owned".to_owned());
        for _ in 0..wanted {
            if !self.draw(pool) {
                self.note(Some(cluster), What::NoCapacity { pool: pool.clone() });
                return;
            }
            let birth = Birth {
                cluster: Some(cluster),
                account: of.account.clone(),
                region: of.region.clone(),
                pool: pool.clone(),
                subnet: subnet.clone(),
                owner: NodeOwner::CloudOptim,
                token: None,
                tags: tags.clone(),
                user_data: super::join::user_data(&of.name, &BTreeMap::new(), &[]),
            };
            self.born(birth, By::Aws);
        }
    }
}
