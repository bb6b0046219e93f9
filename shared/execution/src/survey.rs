//! Looks at a cluster from all sides and makes one snapshot of what was seen.
//!
//! Nodes and pods must be readable, for without them there is nothing to decide about. Every other part may be missing: the
//! snapshot then says so, and what depends on the part is left as it is.

use crate::ports::{Ports, Site};
use domain::Timestamp;
use domain::ids::{ClusterId, Region};
use domain::market::Quote;
use domain::offering::Pool;
use domain::pod::PodDetail;
use domain::ports::{Clock, Cluster, ClusterError, InstanceFilter, PodSink};
use domain::sizing::PodContainers;
use domain::snapshot::{Part, SNAPSHOT_VERSION, Snapshot, SnapshotBuilder};

mod nodes;

pub use nodes::Machines;

/// The list of pods is read once more where a selector turned up late; a cluster that needs more passes than this is changing
/// faster than it can be read.
const PASSES_MAX: u32 = 3;
/// How many pods pass between two reports of progress.
const PROGRESS_EVERY: usize = 1_000;

/// What a survey is given besides the ports.
pub struct Sources<'a> {
    /// The price of a pool now; `None`: unknown, and then its nodes are not moved.
    pub prices: &'a (dyn Fn(&Pool) -> Option<Quote> + Send + Sync),
    /// Told how far the survey is: a part, and how many of it were read by now.
    pub progress: &'a (dyn Fn(&str, usize) + Send + Sync),
}

/// A cluster as it was looked at.
#[derive(Debug)]
pub struct Looked {
    /// What decisions rest on.
    pub snapshot: Snapshot,
    /// The containers of its pods, where somebody asks for them: they are on the same pages as all else of a pod.
    pub containers: Vec<PodContainers>,
}

/// Whether containers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Containers {
    /// They are.
    Kept,
    /// They are not: a hundred thousand pods have tens of megabytes of them.
    Dropped,
}

/// A snapshot of a registered cluster, with its instances as EC2 shows them.
///
/// # Errors
/// Nodes or pods could not be read.
pub async fn survey(ports: &Ports, site: &Site, sources: &Sources<'_>) -> Result<Snapshot, ClusterError> {
    let cluster = site.kubernetes.as_ref().map_err(Clone::clone)?;
    let whose = (&site.cluster.id, &site.cluster.region);
    let instances = async {
        match ports.cloud.instances(&site.scope, &InstanceFilter::Cluster(site.cluster.name.clone())).await {
            Ok(instances) => Machines::Seen(instances),
            Err(error) => Machines::Unseen(format!("instances could not be read: {error}")),
        }
    };
    Ok(look(cluster.as_ref(), whose, instances, ports.clock.as_ref(), sources, Containers::Dropped).await?.snapshot)
}

/// A look at any cluster. `machines` is asked at the same time as the cluster is.
///
/// # Errors
/// Nodes or pods could not be read.
pub async fn look(
    cluster: &dyn Cluster,
    (id, region): (&ClusterId, &Region),
    machines: impl Future<Output = Machines> + Send,
    clock: &dyn Clock,
    sources: &Sources<'_>,
    containers: Containers,
) -> Result<Looked, ClusterError> {
    let began = clock.now();
    // What pods are grouped by comes first; nodes with it, so that a pod's node is seldom newer than the list of nodes.
    let (nodes, budgets, claims, usage, machines) =
        futures::join!(cluster.nodes(), cluster.pod_budgets(), cluster.claims(), cluster.usage(), machines);
    let nodes = nodes?;
    (sources.progress)("nodes", nodes.len());
    let (budgets, claims, usage) = (Seen::new(budgets), Seen::new(claims), Seen::new(usage));
    let pods_at = clock.now();
    let builder = SnapshotBuilder::new(budgets.found.as_deref().unwrap_or_default(), claims.found);
    let kept = (containers == Containers::Kept).then(Vec::new);
    let Counted { builder: pods, containers, .. } =
        pods(cluster, Counted { builder, containers: kept, seen: 0, progress: sources.progress }).await?;
    let mut parts = vec![
        part("nodes", began, None),
        part("budgets", began, budgets.gap.map(|why| format!("budgets could not be read, so that no pod may be moved: {why}"))),
        part("volumes", began, claims.gap.map(|why| format!("volumes could not be read, so that no pod with one is moved: {why}"))),
        part("usage", began, usage.gap.map(|why| format!("what nodes use could not be read: {why}"))),
        part("instances", began, machines.gap()),
    ];
    let joined = nodes::join(nodes, pods, &machines, usage.found.unwrap_or_default(), sources);
    let strangers = joined.strangers;
    let stray = (strangers > 0).then(|| format!("{strangers} pods are on nodes that joined while the cluster was read"));
    parts.push(part("pods", pods_at, stray));
    let unpriced = joined.nodes.iter().filter(|node| node.price.is_none()).count();
    let gap = (unpriced > 0).then(|| format!("{unpriced} of {} nodes have no known price and are not moved", joined.nodes.len()));
    parts.push(part("prices", clock.now(), gap));
    let snapshot = Snapshot {
        version: SNAPSHOT_VERSION,
        cluster: id.clone(),
        region: region.clone(),
        taken_at: began,
        subnets: joined.subnets,
        nodes: joined.nodes,
        classes: joined.classes,
        pending: joined.pending,
        budgets: budgets.found,
        parts,
    };
    Ok(Looked { snapshot, containers: containers.unwrap_or_default() })
}

/// A part that may be missing.
struct Seen<T> {
    found: Option<Vec<T>>,
    gap: Option<String>,
}

impl<T> Seen<T> {
    fn new(answer: Result<Vec<T>, ClusterError>) -> Self {
        match answer {
            Ok(found) => Self { found: Some(found), gap: None },
            Err(error) => Self { found: None, gap: Some(error.to_string()) },
        }
    }
}

fn part(name: &str, taken_at: Timestamp, gap: Option<String>) -> Part {
    Part { name: name.to_owned(), taken_at, gap }
}

/// All pods, grouped.
async fn pods<'a>(cluster: &dyn Cluster, mut counted: Counted<'a>) -> Result<Counted<'a>, ClusterError> {
    for _ in 0..PASSES_MAX {
        cluster.pods_in_detail(&mut counted).await?;
        (counted.progress)("pods", counted.seen);
        if !counted.builder.needs_another_pass() {
            return Ok(counted);
        }
        counted.restart();
    }
    Err(ClusterError::Refused("pods name new labels faster than they can be listed".to_owned()))
}

/// Tells how many pods have passed.
struct Counted<'a> {
    builder: SnapshotBuilder,
    containers: Option<Vec<PodContainers>>,
    seen: usize,
    progress: &'a (dyn Fn(&str, usize) + Send + Sync),
}

impl PodSink for Counted<'_> {
    fn pod(&mut self, mut pod: PodDetail) {
        if let Some(kept) = &mut self.containers {
            kept.push(PodContainers::take(&mut pod));
        }
        self.seen += 1;
        if self.seen.is_multiple_of(PROGRESS_EVERY) {
            (self.progress)("pods", self.seen);
        }
        self.builder.pod(pod);
    }

    fn restart(&mut self) {
        self.seen = 0;
        if let Some(kept) = &mut self.containers {
            kept.clear();
        }
        self.builder.restart();
    }
}
