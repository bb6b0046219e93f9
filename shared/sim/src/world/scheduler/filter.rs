//! Whether a pod may go on a node: everything that changes while pods are bound.

use super::super::claims::ZONE;
use super::super::spec::Volume;
use super::super::state::Pod;
use super::rules::Rules;
use super::view::{Spot, View, signed};
use domain::scheduling::HostPort;

/// All addresses. kube-scheduler knows no other word for it.
const EVERY_ADDRESS: &str = "0.0.0.0";

fn address(port: &HostPort) -> &str {
    if port.ip.is_empty() { EVERY_ADDRESS } else { &port.ip }
}

fn clash(one: &HostPort, other: &HostPort) -> bool {
    let (a, b) = (address(one), address(other));
    one.port == other.port && one.protocol == other.protocol && (a == b || a == EVERY_ADDRESS || b == EVERY_ADDRESS)
}

/// Whether what a pod requests is left. What is not requested is not asked for, even where a node is overfull.
fn has_room(spot: &Spot<'_>, pod: &Pod) -> bool {
    let shape = &pod.shape;
    spot.pods_left >= 1
        && (shape.cpu_millis == 0 || spot.cpu_left >= signed(shape.cpu_millis))
        && (shape.memory_bytes == 0 || spot.memory_left >= signed(shape.memory_bytes))
        && shape.extended.iter().filter(|(_, amount)| **amount > 0).all(|(name, amount)| {
            let has = spot.node.extended.get(name).copied().unwrap_or(0);
            has.saturating_sub(spot.extended_used.get(name.as_str()).copied().unwrap_or(0)) >= *amount
        })
}

fn ports_are_free(spot: &Spot<'_>, pod: &Pod) -> bool {
    pod.shape.scheduling.host_ports.iter().all(|port| spot.ports.iter().all(|taken| !clash(port, taken)))
}

impl View<'_> {
    /// Whether a pod may go on a node now.
    pub(super) fn fits(&self, pod: &Pod, rules: &Rules, node: usize) -> bool {
        let Some(spot) = self.spots.get(node) else { return false };
        rules.allowed.get(node) == Some(&true)
            && has_room(spot, pod)
            && ports_are_free(spot, pod)
            && self.nobody_to_avoid(rules, node)
            && self.somebody_to_join(rules, node)
            && self.stays_even(rules, node)
            && (pod.claims.is_empty() || self.volumes_reached(pod, spot))
    }

    fn nobody_to_avoid(&self, rules: &Rules, node: usize) -> bool {
        rules.apart.iter().filter_map(|tally| self.tallies.get(*tally)).all(|tally| {
            // A node without the label is in no domain, and nobody is there with it.
            self.domain(tally.topology, node).is_none_or(|domain| tally.in_domain(domain) == 0)
        })
    }

    fn somebody_to_join(&self, rules: &Rules, node: usize) -> bool {
        let tallies = || rules.together.iter().filter_map(|tally| self.tallies.get(*tally));
        let in_domains = tallies().all(|tally| self.domain(tally.topology, node).is_some());
        if !in_domains {
            return false;
        }
        let found = tallies().all(|tally| self.domain(tally.topology, node).is_some_and(|domain| tally.in_domain(domain) > 0));
        // The first pod of a group that looks for its own kind may go anywhere.
        found || (rules.own_kind && tallies().all(super::tally::Tally::empty))
    }

    fn stays_even(&self, rules: &Rules, node: usize) -> bool {
        rules.even.iter().all(|even| {
            let Some(tally) = self.tallies.get(even.tally) else { return false };
            let Some(domain) = self.domain(tally.topology, node) else { return false };
            tally.in_domain(domain) + even.own <= tally.floor(even.min_domains) + even.max_skew
        })
    }

    fn volumes_reached(&self, pod: &Pod, spot: &Spot<'_>) -> bool {
        let namespace = pod.pod.namespace.as_str();
        self.kube.reaches_volumes(pod, spot.node)
            && pod.claims.iter().all(|claim| {
                let Some((zone, home)) = self.made.get(&(namespace, claim.as_str())) else { return true };
                match pod.shape.volume {
                    Some(Volume::Local) => spot.node.name == *home,
                    Some(Volume::Zonal) | None => spot.node.labels.get(ZONE).is_some_and(|at| at == zone.as_str()),
                }
            })
    }
}
