//! Keeps the index that leads from an instance to its node, with the standing advice for its replacement.

use crate::ports::{Ports, Site, Trouble};
use domain::ids::{InstanceKey, NodeName};
use domain::node::{NodeOwner, NodeRecord, NodeTarget, NodeTemplate, NodeView};
use domain::ports::{ClusterError, Instance, InstanceFilter};
use domain::tenant::ClusterStatus;
use domain::{SignedDuration, Timestamp};
use planning::replacement::{Known, standing_advice};
use std::collections::BTreeMap;

/// How long a record that says the same is left as it is. It bounds how wrong the choice between two clusters that name one instance can be.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(6);

/// Reads a cluster's nodes and instances and writes their index. Says how many nodes it has.
///
/// # Errors
/// [`Trouble::Cloud`] or [`Trouble::Store`]; an API server that does not answer is no error: the cluster's status says so.
pub async fn refresh(ports: &Ports, site: &Site) -> Result<usize, Trouble> {
    let nodes = match &site.kubernetes {
        Ok(cluster) => cluster.nodes().await,
        Err(error) => Err(error.clone()),
    };
    let nodes = match nodes {
        Ok(nodes) => nodes,
        Err(error) => {
            note_status(ports, site, Err(&error)).await?;
            return Ok(0);
        }
    };
    let instances = ports.cloud.instances(&site.scope, &InstanceFilter::Cluster(site.cluster.name.clone())).await?;
    let instances: BTreeMap<_, _> = instances.into_iter().map(|i| (i.id.clone(), i)).collect();
    let before = ports.routes.nodes(&site.cluster.customer, &site.cluster.id).await?;
    let before: BTreeMap<_, _> = before.into_iter().map(|record| (record.key.instance.clone(), record)).collect();
    let mut records = Vec::new();
    for node in &nodes {
        let Some(instance) = node.instance().and_then(|id| instances.get(&id)) else {
            continue;
        };
        let Some(mut record) = record(ports, site, node, instance) else {
            continue;
        };
        record.template = match before.get(&record.key.instance).and_then(|known| known.template.clone()) {
            Some(known) => Some(known),
            None => template(ports, site, &record).await,
        };
        records.push(record);
    }
    advise(&mut records, &instances);
    for record in &mut records {
        if let Some(known) = before.get(&record.key.instance) {
            keep(record, known);
        }
    }
    // Most looks find what stands there; who writes reads all of it once more, to see what goes.
    let same = records.len() == before.len() && records.iter().all(|record| before.get(&record.key.instance) == Some(record));
    if !same {
        ports.routes.put_nodes(&site.cluster.customer, &site.cluster.id, &records).await?;
    }
    note_status(ports, site, Ok(nodes.len())).await?;
    Ok(nodes.len())
}

/// A record that says what is known already stays as it was written, for a while: most nodes are the same at most looks, and each write costs.
fn keep(record: &mut NodeRecord, known: &NodeRecord) {
    let said_before = NodeRecord { seen_at: known.seen_at, ..record.clone() };
    if said_before == *known && record.seen_at < known.seen_at + KEPT_FOR {
        record.seen_at = known.seen_at;
    }
}

/// The record of one instance that the index does not know yet. Without a Node object it is named by its private DNS name,
/// which is what most nodes are called; the drain finds it by its provider id.
pub(crate) async fn record_of(ports: &Ports, site: &Site, instance: &Instance) -> Option<NodeRecord> {
    let nodes = match &site.kubernetes {
        Ok(cluster) => cluster.nodes().await.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let known = ports.routes.nodes(&site.cluster.customer, &site.cluster.id).await.unwrap_or_default();
    let mut record = match nodes.iter().find(|n| n.instance().as_ref() == Some(&instance.id)) {
        Some(node) => record(ports, site, node, instance)?,
        None => unregistered(ports, site, instance)?,
    };
    record.template = template(ports, site, &record).await;
    // Brothers of its type tell where else it could run.
    let brother = known.iter().find(|k| k.pool.instance_type == record.pool.instance_type).or_else(|| known.first());
    if let Some(brother) = brother {
        record.advice = brother.advice.clone();
    }
    if record.advice.is_empty() {
        let mut alone = vec![record.clone()];
        advise(&mut alone, &BTreeMap::from([(instance.id.clone(), instance.clone())]));
        record = alone.pop()?;
    }
    Some(record)
}

fn unregistered(ports: &Ports, site: &Site, instance: &Instance) -> Option<NodeRecord> {
    let name =
        instance.private_dns.clone().and_then(|dns| NodeName::parse(dns).ok()).or_else(|| NodeName::parse(instance.id.as_str()).ok())?;
    Some(NodeRecord {
        key: key(site, instance),
        customer: site.cluster.customer.clone(),
        cluster: site.cluster.id.clone(),
        target: NodeTarget { name, uid: None, instance: instance.id.clone(), taints: Vec::new() },
        pool: instance.pool.clone(),
        cpu_millis: 0,
        memory_bytes: 0,
        owner: owner(&BTreeMap::new(), &instance.tags),
        template: None,
        advice: Vec::new(),
        seen_at: ports.clock.now(),
    })
}

fn key(site: &Site, instance: &Instance) -> InstanceKey {
    InstanceKey { account: site.cluster.account.clone(), region: site.cluster.region.clone(), instance: instance.id.clone() }
}

fn record(ports: &Ports, site: &Site, node: &NodeView, instance: &Instance) -> Option<NodeRecord> {
    Some(NodeRecord {
        key: key(site, instance),
        customer: site.cluster.customer.clone(),
        cluster: site.cluster.id.clone(),
        target: node.target()?,
        pool: instance.pool.clone(),
        cpu_millis: node.cpu_millis,
        memory_bytes: node.memory_bytes,
        owner: owner(&node.labels, &instance.tags),
        template: None,
        advice: Vec::new(),
        seen_at: ports.clock.now(),
    })
}

/// Who replaces a node, from its labels and its instance's tags. Managed node groups first: their instances carry the tag of
/// a plain Auto Scaling group, too.
pub(crate) fn owner(labels: &BTreeMap<String, String>, tags: &BTreeMap<String, String>) -> NodeOwner {
    let find = |key: &str| labels.get(key).or_else(|| tags.get(key)).cloned();
    if let Some(claim) = find("karpenter.sh/nodeclaim").or_else(|| find("karpenter.sh/nodepool")) {
        return NodeOwner::Karpenter { claim };
    }
    if let Some(group) = find("eks.amazonaws.com/nodegroup").or_else(|| find("eks:nodegroup-name")) {
        return NodeOwner::ManagedNodeGroup { group };
    }
    match find("aws:autoscaling:groupName") {
        Some(group) => NodeOwner::AutoScalingGroup { group },
        None => NodeOwner::CloudOptim,
    }
}

/// How another node like this is made; asked of EC2 once per instance, for it does not change.
async fn template(ports: &Ports, site: &Site, record: &NodeRecord) -> Option<NodeTemplate> {
    if record.owner != NodeOwner::CloudOptim {
        return None;
    }
    if let Some(named) = &site.cluster.policy.launch_template {
        return Some(NodeTemplate::LaunchTemplate { id: named.id.clone(), version: named.version.clone() });
    }
    match ports.cloud.template_of(&site.scope, &record.key.instance).await {
        Ok(template) => Some(template),
        Err(error) => {
            tracing::warn!(instance = %record.key, %error, "No template could be made from an instance; it could not be replaced");
            None
        }
    }
}

/// Gives each node its standing advice, from what the cluster runs on.
fn advise(records: &mut [NodeRecord], instances: &BTreeMap<domain::ids::InstanceId, Instance>) {
    let known: Vec<Known> = records
        .iter()
        .filter_map(|r| {
            let subnet = instances.get(&r.key.instance)?.subnet.clone()?;
            Some(Known { pool: r.pool.clone(), subnet, cpu_millis: r.cpu_millis, memory_bytes: r.memory_bytes })
        })
        .collect();
    for record in records {
        record.advice = standing_advice(record, &known);
    }
}

/// Writes what the last look at a cluster said. Another writer's change wins: the next look comes soon.
async fn note_status(ports: &Ports, site: &Site, seen: Result<usize, &ClusterError>) -> Result<(), Trouble> {
    let now: Timestamp = ports.clock.now();
    let mut cluster = site.cluster.clone();
    let expected = cluster.version;
    match seen {
        Ok(count) => {
            cluster.status = ClusterStatus::Connected;
            cluster.status_reason = "the last look at its nodes succeeded".to_owned();
            cluster.node_count = u32::try_from(count).unwrap_or(u32::MAX);
            cluster.seen_at = Some(now);
        }
        Err(error) => {
            cluster.status = if cluster.k8s_token.is_none() { ClusterStatus::NeedsToken } else { ClusterStatus::NotResponding };
            cluster.status_reason = error.to_string();
        }
    }
    cluster.version += 1;
    cluster.updated_at = now;
    match ports.registry.put_cluster(&cluster, Some(expected)).await {
        Ok(()) | Err(domain::ports::StoreError::Conflict) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
