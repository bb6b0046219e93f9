//! What we need to be allowed in a customer's account, capability by capability, and what AWS said when it was asked.
//!
//! `infra/customer/cloudformation.yaml` grants the same, statement by statement; a test holds the two to each other.

use crate::ports::account::{Attribute, Read};
use serde::{Deserialize, Serialize};

/// An action, and the statement of `infra/customer/cloudformation.yaml` that grants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Its `Sid`.
    pub statement: &'static str,
    /// `ec2:RunInstances`.
    pub action: &'static str,
}

/// Something that we do in an account, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountCapability {
    /// Its name.
    pub name: &'static str,
    /// What happens without it, in one sentence.
    pub without: &'static str,
    grants: &'static [(&'static str, &'static [&'static str])],
}

/// The statement that lets instances be looked into before they are copied or ended.
pub const COPY_BOOTSTRAP: &str = "CopyBootstrap";

/// Every capability: the actions of its statements.
pub const ACCOUNT_CAPABILITIES: [AccountCapability; 9] = [
    AccountCapability {
        name: "look-instances",
        without: "Nothing works: instances, their prices and their interruptions are not seen.",
        grants: &[(
            "Look",
            &["ec2:DescribeInstances", "ec2:DescribeReservedInstances", "ec2:DescribeSpotInstanceRequests", "ec2:DescribeSpotPriceHistory"],
        )],
    },
    AccountCapability {
        name: "look-groups",
        without: "It is not known which instances Auto Scaling groups replace, so those are left alone.",
        grants: &[("Look", &["autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeAutoScalingGroups"])],
    },
    AccountCapability {
        name: "look-volumes",
        without: "Volumes that nobody uses are not found.",
        grants: &[("Look", &["ec2:DescribeVolumes", "ec2:DescribeSnapshots"])],
    },
    AccountCapability {
        name: "look-network",
        without: "Addresses, gateways and load balancers that nobody uses are not found.",
        grants: &[(
            "Look",
            &[
                "ec2:DescribeAddresses",
                "ec2:DescribeNatGateways",
                "ec2:DescribeRouteTables",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
        )],
    },
    AccountCapability {
        name: "launch",
        without: "No replacement is launched: what is interrupted is only drained, and nothing is packed onto cheaper nodes.",
        grants: &[
            (COPY_BOOTSTRAP, &["ec2:DescribeInstanceAttribute"]),
            ("LaunchFrom", &["ec2:RunInstances"]),
            ("LaunchTagged", &["ec2:RunInstances"]),
            ("TagWhileLaunching", &["ec2:CreateTags"]),
            ("GiveNodesTheirRole", &["iam:PassRole"]),
        ],
    },
    AccountCapability {
        name: "end-own",
        without: "Nodes that CloudOptim has launched are not ended again.",
        grants: &[("EndOurs", &["ec2:TerminateInstances"])],
    },
    AccountCapability {
        name: "end-ghosts",
        without: "Instances that are no nodes any more are found and not ended.",
        grants: &[
            (COPY_BOOTSTRAP, &["ec2:DescribeInstanceAttribute"]),
            ("EndGhosts", &["ec2:TerminateInstances"]),
            ("EndGhostsOfGroups", &["autoscaling:TerminateInstanceInAutoScalingGroup"]),
        ],
    },
    AccountCapability {
        name: "clear-volumes",
        without: "Volumes that nobody uses are found and not deleted.",
        grants: &[
            ("SnapshotVolumes", &["ec2:CreateSnapshot"]),
            ("SnapshotTagged", &["ec2:CreateSnapshot"]),
            ("TagSnapshots", &["ec2:CreateTags"]),
            ("DeleteVolumes", &["ec2:DeleteVolume"]),
        ],
    },
    AccountCapability {
        name: "go-on",
        without: "Auto Scaling groups wait for the end of their hooks, although a node is drained already.",
        grants: &[("LetGroupsGoOn", &["autoscaling:CompleteLifecycleAction"])],
    },
];

impl AccountCapability {
    /// What it takes.
    pub fn grants(&self) -> Vec<Grant> {
        let of = |(statement, actions): &(&'static str, &'static [&'static str])| {
            let statement = *statement;
            actions.iter().map(move |action| Grant { statement, action }).collect::<Vec<_>>()
        };
        self.grants.iter().flat_map(of).collect()
    }
}

impl Read {
    /// The action in IAM's words.
    pub fn action(self) -> &'static str {
        match self {
            Read::Instances => "ec2:DescribeInstances",
            Read::ReservedInstances => "ec2:DescribeReservedInstances",
            Read::SpotInstanceRequests => "ec2:DescribeSpotInstanceRequests",
            Read::SpotPriceHistory => "ec2:DescribeSpotPriceHistory",
            Read::Volumes => "ec2:DescribeVolumes",
            Read::Snapshots => "ec2:DescribeSnapshots",
            Read::Addresses => "ec2:DescribeAddresses",
            Read::NatGateways => "ec2:DescribeNatGateways",
            Read::RouteTables => "ec2:DescribeRouteTables",
            Read::LoadBalancers => "elasticloadbalancing:DescribeLoadBalancers",
            Read::BalancerTags => "elasticloadbalancing:DescribeTags",
            Read::TargetGroups => "elasticloadbalancing:DescribeTargetGroups",
            Read::TargetHealth => "elasticloadbalancing:DescribeTargetHealth",
            Read::GroupMembers => "autoscaling:DescribeAutoScalingInstances",
            Read::Groups => "autoscaling:DescribeAutoScalingGroups",
        }
    }
}

impl Attribute {
    /// As EC2 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Attribute::UserData => "userData",
            Attribute::DisableApiTermination => "disableApiTermination",
        }
    }
}

/// What was found of one grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFound {
    /// `Sid` of the statement that grants it.
    pub statement: String,
    /// `ec2:RunInstances`.
    pub action: String,
    /// Whether we have it; `None`: it is not known.
    pub held: Option<bool>,
    /// Why that is not known, in one sentence.
    pub why: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_read_of_the_port_is_one_that_a_capability_takes() {
        let taken: BTreeSet<&str> =
            ACCOUNT_CAPABILITIES.iter().flat_map(AccountCapability::grants).filter(|g| g.statement == "Look").map(|g| g.action).collect();
        assert_eq!(Read::ALL.map(Read::action).into_iter().collect::<BTreeSet<_>>(), taken);
    }
}
