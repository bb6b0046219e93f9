//! What lies idle in the network of a cluster: addresses that stand for nothing, gateways that no route leads to, load balancers with
//! nothing behind or before them.
//!
//! Only what names the cluster in its tags is spoken of: an account has addresses and gateways that belong to nobody's cluster, and each
//! of them would be found once per cluster. Nothing here is ever ended by itself: an address that is released cannot be had back.

use crate::ghosts::tags::{NoClusterName, Tags, UntilExpiry, left_alone, named, of_cluster};
use domain::finding::FindingKind;
use domain::money::MicroDollars;
use domain::ports::estate::{Address, NatGateway};
use domain::{SignedDuration, Timestamp};

/// A public IPv4 address that is not in use, per hour: the same in every commercial Region (AWS VPC pricing page, 2026-11).
const ADDRESS_HOUR: MicroDollars = MicroDollars(5_000);
/// A NAT gateway per hour in `us-east-1`, without what flows through it (AWS VPC pricing page, 2026-11). Other Regions are up to twice
/// as dear, and nobody is promised more than this.
const NAT_GATEWAY_HOUR: MicroDollars = MicroDollars(45_000);
/// Hours of a month.
const MONTH: i64 = 730;
/// A gateway this young may still be waiting for its route: tools make it first.
pub const GATEWAY_AGE_MIN: SignedDuration = SignedDuration::from_hours(24);
/// Tags by which eksctl names the cluster of what it makes (its CloudFormation templates).
const EKSCTL: [&str; 2] = ["alpha.eksctl.io/cluster-name", "eksctl.cluster.k8s.io/v1alpha1/cluster-name"];

mod balancers;

pub use balancers::{idle_balancers, ours};

/// Something that lies idle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idle {
    /// Which kind of finding it is.
    pub kind: FindingKind,
    /// `eipalloc-...`, `nat-...`.
    pub subject: String,
    /// What it rests on, a sentence each.
    pub evidence: Vec<String>,
    /// What a person can do about it.
    pub remedy: String,
    /// What it costs per month of 730 hours.
    pub cost_per_month: MicroDollars,
}

/// The addresses of an account that lie idle and are this cluster's.
///
/// # Errors
/// [`NoClusterName`]: without a name everything would look like its own.
pub fn idle_addresses(cluster: &str, addresses: &[Address], now: Timestamp) -> Result<Vec<Idle>, NoClusterName> {
    named(cluster)?;
    Ok(addresses.iter().filter(|it| !it.associated && spoken_of(cluster, &it.tags, now)).map(address).collect())
}

/// The gateways of an account that lie idle and are this cluster's.
///
/// # Errors
/// [`NoClusterName`].
pub fn idle_gateways(cluster: &str, gateways: &[NatGateway], now: Timestamp) -> Result<Vec<Idle>, NoClusterName> {
    named(cluster)?;
    let old = |gateway: &&NatGateway| gateway.created_at.is_some_and(|at| now.duration_since(at) >= GATEWAY_AGE_MIN);
    let unused = gateways.iter().filter(|gateway| gateway.available && !gateway.routed && spoken_of(cluster, &gateway.tags, now));
    Ok(unused.filter(old).map(gateway).collect())
}

/// Whether it is this cluster's and nobody asked for it to be left alone.
fn spoken_of(cluster: &str, tags: &Tags, now: Timestamp) -> bool {
    belongs(cluster, tags) && left_alone(tags, now, UntilExpiry::Protects).is_none()
}

fn belongs(cluster: &str, tags: &Tags) -> bool {
    // The name was checked before.
    of_cluster(cluster, tags).unwrap_or(false) || EKSCTL.iter().any(|key| tags.get(*key).is_some_and(|name| name == cluster))
}

fn address(address: &Address) -> Idle {
    Idle {
        kind: FindingKind::IdleAddress,
        subject: address.id.clone(),
        evidence: vec![format!("{} ({}) stands for no instance and no network interface.", address.id, address.ip)],
        remedy: format!(
            "aws ec2 release-address --allocation-id {}. Nothing does it by itself: a released address cannot be had back.",
            address.id
        ),
        cost_per_month: MicroDollars(ADDRESS_HOUR.0 * MONTH),
    }
}

fn gateway(gateway: &NatGateway) -> Idle {
    let since = gateway.created_at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string());
    Idle {
        kind: FindingKind::IdleNatGateway,
        subject: gateway.id.clone(),
        evidence: vec![
            format!("{} is there since {since}, and no route table leads to it.", gateway.id),
            "Priced by the hour as in us-east-1; nothing flows through it.".to_owned(),
        ],
        remedy: format!(
            "aws ec2 delete-nat-gateway --nat-gateway-id {}. Nothing does it by itself; a new one can be made, its address stays.",
            gateway.id
        ),
        cost_per_month: MicroDollars(NAT_GATEWAY_HOUR.0 * MONTH),
    }
}

#[cfg(test)]
mod tests;
