//! What the tags of an instance say: whose it is, what it is for, and whether it is to be left alone.

use domain::Timestamp;
use domain::plan::precondition::PROTECT_TAG;
use std::collections::BTreeMap;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The tag of clusters from before 2017.
const LEGACY: &str = "KubernetesCluster";
/// What the tag of a cluster begins with; its name follows.
const PREFIX: &str = "kubernetes.io/cluster/";
/// The tags by which Karpenter knows its own (its instance garbage collection lists by these keys).
const KARPENTER: [&str; 3] = ["karpenter.sh/nodepool", "karpenter.sh/provisioner-name", "karpenter.sh/nodeclaim"];
/// Tags of machines that are in a cluster's account for it, and never become nodes of ours to end (kops and Cluster API).
const ROLES: [&str; 5] =
    ["k8s.io/role/control-plane", "k8s.io/role/master", "k8s.io/role/apiserver", "k8s.io/role/bastion", "k8s.io/etcd/main"];
/// Cluster API writes the role as a value: `node` is the one that is an ordinary node.
const CLUSTER_API_ROLE: &str = "sigs.k8s.io/cluster-api-provider-aws/role";
/// Tags with which people keep other cleaners away (cloud-nuke); whoever set them means us, too.
const EXCLUDED: &str = "cloud-nuke-excluded";
const EXCLUDED_UNTIL: &str = "cloud-nuke-after";

/// A cluster without a name. The cloud provider's own check takes everything for its own then; ours stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cluster has no name: without one, every instance of the account would look like its own")]
pub struct NoClusterName;

/// Checks that there is a name to look for.
///
/// # Errors
/// [`NoClusterName`].
pub fn named(cluster: &str) -> Result<(), NoClusterName> {
    if cluster.trim().is_empty() { Err(NoClusterName) } else { Ok(()) }
}

/// Whether the tags name this cluster at all, as its owner or as one of many.
///
/// # Errors
/// [`NoClusterName`].
pub fn of_cluster(cluster: &str, tags: &Tags) -> Result<bool, NoClusterName> {
    named(cluster)?;
    Ok(tags.get(LEGACY).is_some_and(|name| name == cluster) || said(tags).any(|(name, _)| name == cluster))
}

/// Whether the tags say that the cluster owns it.
///
/// # Errors
/// [`NoClusterName`].
pub fn owned(cluster: &str, tags: &Tags) -> Result<bool, NoClusterName> {
    named(cluster)?;
    let legacy = tags.get(LEGACY).is_some_and(|name| name == cluster);
    Ok(legacy || said(tags).any(|(name, word)| name == cluster && word == "owned"))
}

/// The clusters that the tags name, each with its word. Tags are in order, so those of clusters stand together.
fn said(tags: &Tags) -> impl Iterator<Item = (&str, &str)> {
    let from = (std::ops::Bound::Included(PREFIX), std::ops::Bound::Unbounded);
    tags.range::<str, _>(from).map_while(|(key, word)| Some((key.strip_prefix(PREFIX)?, word.as_str())))
}

/// What speaks against ending something that [`owned`] calls ours: another cluster that is named, too, or a word other than `owned`.
pub fn contested(cluster: &str, tags: &Tags) -> Option<String> {
    if let Some(name) = tags.get(LEGACY).filter(|name| *name != cluster) {
        return Some(format!("{LEGACY}={name}"));
    }
    said(tags).find(|(name, word)| *name != cluster || *word != "owned").map(|(name, word)| format!("{PREFIX}{name}={word}"))
}

/// Whether a time set as `cloud-nuke-after` protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UntilExpiry {
    /// It does, until it has passed.
    Protects,
    /// It is not looked at.
    Ignored,
}

/// The tag that asks for it to be left alone, if there is one. A time that cannot be read protects for ever.
pub fn left_alone(tags: &Tags, now: Timestamp, until: UntilExpiry) -> Option<&'static str> {
    if tags.contains_key(PROTECT_TAG) {
        return Some(PROTECT_TAG);
    }
    if tags.get(EXCLUDED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Some(EXCLUDED);
    }
    let later = |text: &String| text.parse::<Timestamp>().map_or(true, |at| at > now);
    (until == UntilExpiry::Protects && tags.get(EXCLUDED_UNTIL).is_some_and(later)).then_some(EXCLUDED_UNTIL)
}

/// Whether Karpenter made it: it collects its own.
pub fn of_karpenter(tags: &Tags) -> bool {
    KARPENTER.iter().any(|key| tags.contains_key(*key))
}

/// What the machine is for, where it is no ordinary node.
pub fn special_role(tags: &Tags) -> Option<String> {
    let role = tags.get(CLUSTER_API_ROLE).filter(|role| *role != "node").map(|role| format!("{CLUSTER_API_ROLE}={role}"));
    role.or_else(|| tags.keys().find(|key| ROLES.contains(&key.as_str()) || key.starts_with("k8s.io/etcd/")).cloned())
}
