//! What must hold just before an instance is ended: six times yes.

use crate::ids::{ClusterId, InstanceId};
use crate::node::NodeView;
use crate::ports::Instance;

/// The tag that says which cluster of ours an instance was launched for.
pub const CLUSTER_TAG: &str = "cloudoptim.io/cluster";
/// The tag that says which customer it was launched for.
pub const CUSTOMER_TAG: &str = "cloudoptim.io/customer";
/// The tag that says which plan launched it.
pub const PLAN_TAG: &str = "cloudoptim.io/plan";
/// The tag with which a customer protects an instance from us.
pub const PROTECT_TAG: &str = "cloudoptim.io/do-not-terminate";

/// What is known when an instance is about to be ended.
#[derive(Debug, Clone, Copy)]
pub struct EndFacts<'a> {
    /// The instance that the journal names.
    pub wanted: &'a InstanceId,
    /// What EC2 says.
    pub instance: &'a Instance,
    /// The cluster that the plan belongs to.
    pub cluster: &'a ClusterId,
    /// The Node object that claims to stand for the instance, if there is one.
    pub node: Option<&'a NodeView>,
    /// Whether the node was found without pods that a drain would move.
    pub drained: bool,
}

/// Whether the instance may be ended; else why not, in one sentence.
pub fn may_end(facts: EndFacts<'_>) -> Result<(), String> {
    let EndFacts { wanted, instance, cluster, node, drained } = facts;
    if instance.id != *wanted {
        return Err(format!("EC2 answered for {} instead of {wanted}", instance.id));
    }
    if instance.tags.contains_key(PROTECT_TAG) {
        return Err(format!("{wanted} carries the tag {PROTECT_TAG}"));
    }
    if instance.tags.get(CLUSTER_TAG).map(String::as_str) != Some(cluster.as_str()) {
        return Err(format!("{wanted} does not carry the tag {CLUSTER_TAG}={cluster}"));
    }
    let Some(node) = node else {
        return Ok(());
    };
    if node.instance().as_ref() != Some(wanted) {
        return Err(format!("node {} stands for {:?}, not for {wanted}", node.name, node.provider_id));
    }
    if !drained {
        return Err(format!("node {} still has pods", node.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offering::{CapacityType, Pool};
    use crate::ports::InstanceState;

    fn instance(id: &str, tags: &[(&str, &str)]) -> Instance {
        Instance {
            id: InstanceId::parse(id).unwrap(),
            state: InstanceState::Running,
            pool: Pool {
                instance_type: "m6i.large".to_owned().try_into().unwrap(),
                zone: "us-east-1a".to_owned().try_into().unwrap(),
                capacity: CapacityType::Spot,
            },
            subnet: None,
            launched_at: None,
            client_token: None,
            private_dns: None,
            state_reason: None,
            marked_for_interruption: false,
            tags: tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        }
    }

    fn verdict(asked: &str, found: &Instance, drained: bool) -> Result<(), String> {
        let (wanted, cluster) = (InstanceId::parse(asked).unwrap(), ClusterId::parse("c-1").unwrap());
        may_end(EndFacts { wanted: &wanted, instance: found, cluster: &cluster, node: None, drained })
    }

    #[test]
    fn only_an_unprotected_instance_with_our_cluster_tag_may_be_ended() {
        let ours = [(CLUSTER_TAG, "c-1")];
        assert!(verdict("i-12345678", &instance("i-12345678", &ours), true).is_ok());
        assert!(verdict("i-12345679", &instance("i-12345678", &ours), true).is_err());
        assert!(verdict("i-12345678", &instance("i-12345678", &[]), true).is_err());
        assert!(verdict("i-12345678", &instance("i-12345678", &[(CLUSTER_TAG, "c-2")]), true).is_err());
        assert!(verdict("i-12345678", &instance("i-12345678", &[(CLUSTER_TAG, "c-1"), (PROTECT_TAG, "")]), true).is_err());
    }
}
