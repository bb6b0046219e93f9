//! What a world is populated with.

use super::catalog;
use super::minted;
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceId, InstanceType, NodeName, Region, Zone};
use domain::node::{NodeOwner, Taint};
use domain::offering::{CapacityType, Pool};
use domain::pod::Selector;
use domain::scheduling::{Scheduling, Toleration};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// A cluster.
#[derive(Debug, Clone)]
pub struct ClusterSpec {
    /// Whose it is.
    pub customer: CustomerId,
    /// Its id.
    pub id: ClusterId,
    /// Its name, as in the tag `kubernetes.io/cluster/<name>`.
    pub name: String,
    /// The account of its instances.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Zones it has a subnet in.
    pub zones: Vec<Zone>,
}

impl ClusterSpec {
    /// A cluster with the zones a, b and c of the Region, named like its id.
    ///
    /// # Panics
    /// If one of the texts is not an identifier.
    pub fn new(customer: &str, id: &str, account: &str, region: &str) -> ClusterSpec {
        ClusterSpec {
            customer: minted(customer),
            id: minted(id),
            name: id.to_owned(),
            account: minted(account),
            region: minted(region),
            zones: ["a", "b", "c"].iter().map(|z| minted(format!("{region}{z}"))).collect(),
        }
    }
}

/// A node that is there from the beginning.
#[derive(Debug, Clone)]
pub struct NodeSpec {
    /// Type, zone and capacity type of its instance.
    pub pool: Pool,
    /// Who replaces it.
    pub owner: NodeOwner,
    /// Its taints.
    pub taints: Vec<Taint>,
    /// Labels besides the usual ones.
    pub labels: BTreeMap<String, String>,
    /// Tags of the instance besides the usual ones.
    pub tags: BTreeMap<String, String>,
    /// Allocatable CPU, thousandths of a core.
    pub cpu_millis: u64,
    /// Allocatable memory, bytes.
    pub memory_bytes: u64,
    /// How many pods fit.
    pub pods_max: u32,
    /// What else it has by name, in whole units: `nvidia.com/gpu`.
    pub extended: BTreeMap<String, u64>,
    /// How long ago it was launched.
    pub age: SignedDuration,
    /// Its name; made up where there is none.
    pub name: Option<NodeName>,
    /// The id of its instance; made up where there is none.
    pub instance: Option<InstanceId>,
}

impl NodeSpec {
    /// A day-old node of ours with the size that its type has in life.
    ///
    /// # Panics
    /// If one of the texts is not an identifier.
    pub fn new(instance_type: &str, zone: &str, capacity: CapacityType) -> NodeSpec {
        let instance_type: InstanceType = minted(instance_type);
        let size = catalog::size(&instance_type);
        NodeSpec {
            pool: Pool { instance_type, zone: minted(zone), capacity },
            owner: NodeOwner::CloudOptim,
            taints: Vec::new(),
            labels: BTreeMap::new(),
            tags: BTreeMap::new(),
            cpu_millis: size.cpu_millis,
            memory_bytes: size.memory_bytes,
            pods_max: size.pods_max,
            extended: BTreeMap::new(),
            age: SignedDuration::from_hours(24),
            name: None,
            instance: None,
        }
    }
}

/// What the pods of a workload are like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodShape {
    /// Labels; where empty, `app: <name of the workload>`.
    pub labels: BTreeMap<String, String>,
    /// Requested CPU, thousandths of a core.
    pub cpu_millis: u64,
    /// Requested memory, bytes.
    pub memory_bytes: u64,
    /// CPU limit, thousandths of a core.
    pub cpu_limit: Option<u64>,
    /// Memory limit, bytes.
    pub memory_limit: Option<u64>,
    /// `terminationGracePeriodSeconds`.
    pub grace_s: u32,
    /// Seconds its process takes to end once it is asked to.
    pub exit_s: u32,
    /// Seconds from being bound to being ready.
    pub start_s: u32,
    /// It never becomes ready.
    pub never_ready: bool,
    /// Scheduling priority.
    pub priority: i32,
    /// It mounts an `emptyDir`.
    pub empty_dir: bool,
    /// It is annotated `karpenter.sh/do-not-disrupt: "true"`.
    pub do_not_disrupt: bool,
    /// What else it requests by name, in whole units.
    pub extended: BTreeMap<String, u64>,
    /// What it asks of its node besides. What stands there of volumes has no meaning here: volumes come of `volume`.
    pub scheduling: Scheduling,
    /// The volume that it mounts: of a StatefulSet and of a bare pod each pod its own, of other workloads all pods the same.
    pub volume: Option<Volume>,
}

/// A volume that is provisioned where its first pod is scheduled (`WaitForFirstConsumer`), and stays there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volume {
    /// Can be attached in one zone, as EBS.
    Zonal,
    /// Exists on one node.
    Local,
}

/// A toleration of every taint.
pub fn tolerates_all() -> Toleration {
    Toleration { key: None, exists: true, value: String::new(), effect: None }
}

impl Default for PodShape {
    fn default() -> Self {
        PodShape {
            labels: BTreeMap::new(),
            cpu_millis: 250,
            memory_bytes: 256 << 20,
            cpu_limit: None,
            memory_limit: None,
            grace_s: 30,
            exit_s: 2,
            start_s: 5,
            never_ready: false,
            priority: 0,
            empty_dir: false,
            do_not_disrupt: false,
            extended: BTreeMap::new(),
            scheduling: Scheduling::default(),
            volume: None,
        }
    }
}

/// A Deployment, a StatefulSet, a Job or a DaemonSet; which one, says the call it is given to.
#[derive(Debug, Clone)]
pub struct WorkloadSpec {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// How many pods; of no meaning for a DaemonSet.
    pub replicas: u32,
    /// What they are like.
    pub pod: PodShape,
    /// Nodes that the first pods are put on, in turn, whether they fit or not. Empty: the scheduler chooses.
    pub on: Vec<InstanceId>,
}

/// A Deployment.
pub type DeploymentSpec = WorkloadSpec;

impl WorkloadSpec {
    /// A workload in the namespace `default` with ordinary pods.
    pub fn new(name: &str, replicas: u32) -> WorkloadSpec {
        WorkloadSpec { namespace: "default".into(), name: name.into(), replicas, pod: PodShape::default(), on: Vec::new() }
    }
}

/// How much disruption a budget allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allows {
    /// `minAvailable`, a number.
    MinAvailable(u32),
    /// `minAvailable`, per cent of the expected pods, rounded up.
    MinAvailablePercent(u32),
    /// `maxUnavailable`, a number.
    MaxUnavailable(u32),
    /// `maxUnavailable`, per cent of the expected pods, rounded up.
    MaxUnavailablePercent(u32),
}

/// A PodDisruptionBudget.
#[derive(Debug, Clone)]
pub struct PdbSpec {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Which pods. `None` covers none.
    pub selector: Option<Selector>,
    /// How much.
    pub allows: Allows,
    /// `unhealthyPodEvictionPolicy: AlwaysAllow`.
    pub always_allow_unhealthy: bool,
}

impl PdbSpec {
    /// A budget in the namespace `default` over the pods labelled `app: <app>`.
    pub fn new(app: &str, allows: Allows) -> PdbSpec {
        let match_labels = BTreeMap::from([("app".to_owned(), app.to_owned())]);
        PdbSpec {
            namespace: "default".into(),
            name: app.into(),
            selector: Some(Selector { match_labels, match_expressions: Vec::new() }),
            allows,
            always_allow_unhealthy: false,
        }
    }
}

/// How long things take in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// From a launch to a Ready node. `None`: launched instances never join.
    pub join: Option<SignedDuration>,
    /// How long a new instance is missing from lists.
    pub describe_lag: SignedDuration,
    /// From shutting-down to terminated.
    pub shutdown: SignedDuration,
    /// From the death of an instance to the removal of its Node object.
    pub node_removed: SignedDuration,
    /// From the going of an owned instance to the launch of its replacement by its owner.
    pub owner_replaces: SignedDuration,
    /// What controllers and the scheduler need to react.
    pub settle: SignedDuration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            join: Some(SignedDuration::from_secs(40)),
            describe_lag: SignedDuration::ZERO,
            shutdown: SignedDuration::from_secs(10),
            node_removed: SignedDuration::from_secs(60),
            owner_replaces: SignedDuration::from_secs(30),
            settle: SignedDuration::from_millis(500),
        }
    }
}
