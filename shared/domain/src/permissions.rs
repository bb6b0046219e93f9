//! What we need to be allowed in a cluster, capability by capability, and what was found when somebody looked. What we need in the
//! account around it is in [`account`].
//!
//! `infra/customer/rbac.yaml` grants the same, a role each; a test holds the two to each other.

pub mod account;

use crate::ids::ClusterId;
use crate::ports::Trust;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a look is good for: what is granted changes by hand, and seldom.
pub const LOOKED_AT_FOR: SignedDuration = SignedDuration::from_hours(6);

/// Where a checklist is kept among the configuration of its customer.
pub fn key(cluster: &ClusterId) -> String {
    format!("permissions.{cluster}")
}

/// Where it is kept that somebody asked for a look, and when.
pub fn asked_key(cluster: &ClusterId) -> String {
    format!("permissions-asked.{cluster}")
}

/// A right in all namespaces, in RBAC's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Right {
    /// `get`, `list`, `patch`, `create`, `delete` and the like.
    pub verb: String,
    /// API group; empty for the core group.
    pub group: String,
    /// `nodes`, or with a subresource `pods/eviction`.
    pub resource: String,
}

impl std::fmt::Display for Right {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if self.group.is_empty() { Ok(()) } else { write!(f, ".{}", self.group) }
    }
}

/// Something that we do, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// The role that grants it is called `cloudoptim-` and this.
    pub name: &'static str,
    /// What happens without it, in one sentence.
    pub without: &'static str,
    grants: &'static [(&'static str, &'static [&'static str], &'static [&'static str])],
}

/// Every capability: group, resources and verbs of its rules.
pub const CAPABILITIES: [Capability; 8] = [
    Capability {
        name: "read",
        without: "Nothing works.",
        grants: &[
            ("", &["nodes", "pods", "persistentvolumeclaims"], &["get", "list"]),
            ("", &["persistentvolumes"], &["get", "list"]),
            ("storage.k8s.io", &["storageclasses"], &["get", "list"]),
            ("", &["services"], &["get", "list"]),
            ("discovery.k8s.io", &["endpointslices"], &["get", "list"]),
            ("apps", &["daemonsets", "deployments", "statefulsets"], &["get", "list"]),
            ("", &["namespaces"], &["get", "list"]),
            ("autoscaling", &["horizontalpodautoscalers"], &["get", "list"]),
            ("keda.sh", &["scaledobjects"], &["get", "list"]),
            ("batch", &["cronjobs"], &["get", "list"]),
            ("policy", &["poddisruptionbudgets"], &["get", "list"]),
            ("metrics.k8s.io", &["nodes", "pods"], &["get", "list"]),
        ],
    },
    Capability {
        name: "act-cordon",
        without: "New pods are scheduled onto a node that AWS takes back.",
        grants: &[("", &["nodes"], &["patch"])],
    },
    Capability { name: "act-evict", without: "Pods are not moved in time.", grants: &[("", &["pods/eviction"], &["create"])] },
    Capability {
        name: "act-deadline",
        without: "Pods that a budget holds back are not given a goodbye before the node is taken.",
        grants: &[("", &["pods"], &["delete"])],
    },
    Capability {
        name: "act-scale",
        without: "Workloads cannot be scaled through CloudOptim.",
        grants: &[("apps", &["deployments/scale", "statefulsets/scale"], &["get", "patch"])],
    },
    Capability {
        name: "act-size",
        without: "Requests and limits of workloads are recommended and not changed.",
        grants: &[("apps", &["deployments", "statefulsets"], &["patch"]), ("", &["pods/resize"], &["patch"])],
    },
    Capability {
        name: "act-sleep",
        without: "Workloads are neither put to sleep nor woken.",
        grants: &[
            ("apps", &["deployments", "statefulsets"], &["patch"]),
            ("autoscaling", &["horizontalpodautoscalers"], &["patch"]),
            ("keda.sh", &["scaledobjects"], &["patch"]),
            ("batch", &["cronjobs"], &["patch"]),
        ],
    },
    Capability {
        name: "act-remove-node",
        without: "Node objects of ended instances stay until the cloud controller removes them.",
        grants: &[("", &["nodes"], &["delete"])],
    },
];

impl Capability {
    /// The rights that it takes.
    pub fn rights(&self) -> Vec<Right> {
        let one = |verb: &str, group: &str, resource: &str| Right {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
        };
        let grants = self.grants.iter();
        grants
            .flat_map(|(group, resources, verbs)| resources.iter().flat_map(move |of| verbs.iter().map(move |verb| one(verb, group, of))))
            .collect()
    }
}

/// Every right that any capability takes, once.
pub fn all_rights() -> Vec<Right> {
    let all: std::collections::BTreeSet<Right> = CAPABILITIES.iter().flat_map(Capability::rights).collect();
    all.into_iter().collect()
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// When it was looked.
    pub at: Timestamp,
    /// Whom the role trusts that acts in AWS.
    pub role: Trust,
    /// Rights that the cluster does not give us; `None`: it could not be asked.
    pub missing: Option<Vec<Right>>,
    /// Why not, in one sentence.
    pub why: Option<String>,
    /// What was found of the account, grant by grant; empty: it was never asked.
    #[serde(default)]
    pub account: Vec<account::GrantFound>,
}

impl Checklist {
    /// Whether nobody need look again: it is not old, and nobody has asked since.
    pub fn holds(&self, asked_at: Option<Timestamp>, now: Timestamp) -> bool {
        now < self.at.saturating_add(LOOKED_AT_FOR).unwrap_or(Timestamp::MAX) && asked_at.is_none_or(|asked| asked <= self.at)
    }

    /// Whether the cluster gives us a right; `None`: it is not known.
    pub fn holds_right(&self, right: &Right) -> Option<bool> {
        self.missing.as_ref().map(|missing| !missing.contains(right))
    }

    /// Whether the cluster gives us everything that a capability takes; `None`: it is not known.
    pub fn allows(&self, capability: &Capability) -> Option<bool> {
        whole(capability.rights().iter().map(|right| self.holds_right(right)))
    }

    /// What was found of a grant of the account; `None`: it was never asked about.
    pub fn found(&self, grant: &account::Grant) -> Option<&account::GrantFound> {
        self.account.iter().find(|found| found.statement == grant.statement && found.action == grant.action)
    }

    /// Whether the account grants everything that a capability takes; `None`: it is not known.
    pub fn grants(&self, capability: &account::AccountCapability) -> Option<bool> {
        whole(capability.grants().iter().map(|grant| self.found(grant).and_then(|found| found.held)))
    }
}

/// One that is missing makes it incomplete, whatever is not known of the others.
fn whole(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    parts.fold(Some(true), |so_far, part| match (so_far, part) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, _) | (_, None) => None,
        (Some(true), Some(true)) => Some(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_good_until_it_is_old_or_somebody_asks() {
        let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let later = |minutes| at + SignedDuration::from_mins(minutes);
        let list = Checklist { at, role: Trust::Us, missing: Some(Vec::new()), why: None, account: Vec::new() };
        assert!(list.holds(None, later(359)) && !list.holds(None, later(360)));
        assert!(list.holds(Some(at), later(1)) && !list.holds(Some(later(1)), later(2)));
    }

    #[test]
    fn what_is_missing_counts_before_what_is_not_known() {
        let whole = |parts: &[Option<bool>]| super::whole(parts.iter().copied());
        assert_eq!(whole(&[Some(true), Some(true)]), Some(true));
        assert_eq!(whole(&[Some(true), None]), None);
        assert_eq!(whole(&[None, Some(false), Some(true)]), Some(false));
    }

    #[test]
    fn every_capability_takes_something_and_reading_changes_nothing() {
        assert!(CAPABILITIES.iter().all(|capability| !capability.rights().is_empty()));
        assert!(CAPABILITIES[0].rights().iter().all(|right| ["get", "list"].contains(&right.verb.as_str())));
        assert!(all_rights().len() > 30);
    }
}
