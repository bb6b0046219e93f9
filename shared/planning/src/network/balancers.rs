//! Load balancers with no target behind them, and such as no Service asks for any more.

use super::{Idle, MONTH, belongs};
use crate::ghosts::tags::{NoClusterName, Tags, UntilExpiry, left_alone, named};
use domain::finding::FindingKind;
use domain::money::MicroDollars;
use domain::ports::estate::{BalancerKind, Behind, LoadBalancer};
use domain::ports::inventory::ServiceView;
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The tag by which the AWS Load Balancer Controller names the cluster of what it makes.
const CONTROLLER: &str = "elbv2.k8s.aws/cluster";
/// The tag by which the cloud provider names the Service, `<namespace>/<name>`, and the one of the controller.
const SERVICE: [&str; 2] = ["kubernetes.io/service-name", "service.k8s.aws/stack"];
/// A load balancer this young may still be waiting for its targets: controllers make it first.
const AGE_MIN: SignedDuration = SignedDuration::from_hours(24);

/// What one costs per hour in `us-east-1`, without what flows through it and without its public addresses (AWS Elastic Load
/// Balancing pricing page, 2026-11). Other Regions are dearer, and nobody is promised more than this.
fn hour(kind: BalancerKind) -> MicroDollars {
    match kind {
        BalancerKind::Application | BalancerKind::Network => MicroDollars(22_500),
        BalancerKind::Gateway => MicroDollars(12_500),
        BalancerKind::Classic => MicroDollars(25_000),
    }
}

/// Those of an account's load balancers that are this cluster's: only what is behind these need be asked.
///
/// # Errors
/// [`NoClusterName`]: without a name everything would look like its own.
pub fn ours(cluster: &str, all: Vec<LoadBalancer>, now: Timestamp) -> Result<Vec<LoadBalancer>, NoClusterName> {
    named(cluster)?;
    let controlled = |tags: &Tags| tags.get(CONTROLLER).is_some_and(|name| name == cluster);
    let kept = |tags: &Tags| left_alone(tags, now, UntilExpiry::Protects).is_some();
    Ok(all.into_iter().filter(|it| (belongs(cluster, &it.tags) || controlled(&it.tags)) && !kept(&it.tags)).collect())
}

/// Which of a cluster's load balancers lie idle. `services`: all Services of the cluster, where they could be listed.
pub fn idle_balancers(
    ours: &[LoadBalancer],
    behind: &BTreeMap<String, Behind>,
    services: Option<&[ServiceView]>,
    now: Timestamp,
) -> Vec<Idle> {
    let old = |it: &&LoadBalancer| it.active && it.created_at.is_some_and(|at| now.duration_since(at) >= AGE_MIN);
    ours.iter().filter(old).filter_map(|it| idle(it, *behind.get(&it.id)?, services)).collect()
}

fn idle(balancer: &LoadBalancer, behind: Behind, services: Option<&[ServiceView]>) -> Option<Idle> {
    let wanted_by = SERVICE.iter().find_map(|key| balancer.tags.get(*key)).and_then(|name| name.split_once('/'));
    let asks =
        |service: &ServiceView, (namespace, name): (&str, &str)| service.balanced && service.namespace == namespace && service.name == name;
    let orphan = wanted_by.zip(services).is_some_and(|(by, services)| services.iter().all(|service| !asks(service, by)));
    let mut evidence = vec![said(balancer)];
    match (behind.any, orphan) {
        (true, false) => return None,
        (_, true) => {
            let (namespace, name) = wanted_by.unwrap_or_default();
            evidence.push(format!("It was made for Service {namespace}/{name}, and the cluster has no such Service of type LoadBalancer."));
        }
        (false, false) => {}
    }
    if !behind.any {
        evidence.push(match (balancer.kind, behind.groups) {
            (BalancerKind::Classic, _) => "No instance is registered with it.".to_owned(),
            (_, 0) => "It has no target group; a listener that only redirects needs none, so look at its listeners first.".to_owned(),
            (_, _) => "No target is registered in any of its target groups.".to_owned(),
        });
    }
    evidence.push("Priced by the hour as in us-east-1, without what flows through it and without its addresses.".to_owned());
    Some(Idle {
        kind: FindingKind::IdleLoadBalancer,
        subject: balancer.name.clone(),
        evidence,
        remedy: format!("{}. Nothing does it by itself: a new one has another name in DNS.", command(balancer)),
        cost_per_month: MicroDollars(hour(balancer.kind).0 * MONTH),
    })
}

fn said(balancer: &LoadBalancer) -> String {
    let kind = match balancer.kind {
        BalancerKind::Application => "Application Load Balancer",
        BalancerKind::Network => "Network Load Balancer",
        BalancerKind::Gateway => "Gateway Load Balancer",
        BalancerKind::Classic => "Classic Load Balancer",
    };
    let since = balancer.created_at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string());
    format!("{kind} {} is there since {since} and is tagged as this cluster's.", balancer.name)
}

fn command(balancer: &LoadBalancer) -> String {
    match balancer.kind {
        BalancerKind::Application | BalancerKind::Network | BalancerKind::Gateway => {
            format!("aws elbv2 delete-load-balancer --load-balancer-arn {}", balancer.id)
        }
        BalancerKind::Classic => format!("aws elb delete-load-balancer --load-balancer-name {}", balancer.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn balancer(kind: BalancerKind, tags: &[(&str, &str)]) -> LoadBalancer {
        LoadBalancer {
            id: "arn:1".to_owned(),
            name: "k8s-web".to_owned(),
            kind,
            active: true,
            created_at: Some(NOW - AGE_MIN),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        }
    }

    fn service(name: &str, balanced: bool) -> ServiceView {
        ServiceView {
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            balanced,
            spread: true,
            selector: BTreeMap::new(),
            keeps_near: None,
        }
    }

    fn found(it: &LoadBalancer, behind: Behind, services: Option<&[ServiceView]>) -> Vec<Idle> {
        idle_balancers(std::slice::from_ref(it), &BTreeMap::from([(it.id.clone(), behind)]), services, NOW)
    }

    const OWN: (&str, &str) = (CONTROLLER, "prod");
    const EMPTY: Behind = Behind { groups: 1, any: false };
    const FULL: Behind = Behind { groups: 1, any: true };

    #[test]
    fn a_load_balancer_is_the_clusters_by_any_of_the_tags_that_controllers_set() {
        for tag in [OWN, ("kubernetes.io/cluster/prod", "owned"), ("alpha.eksctl.io/cluster-name", "prod")] {
            assert_eq!(ours("prod", vec![balancer(BalancerKind::Network, &[tag])], NOW).unwrap().len(), 1, "{tag:?}");
        }
        let kept = [OWN, (domain::plan::precondition::PROTECT_TAG, "")];
        for tags in [&[][..], &[("elbv2.k8s.aws/cluster", "other")], &[("Name", "prod")], &kept] {
            assert_eq!(ours("prod", vec![balancer(BalancerKind::Network, tags)], NOW), Ok(Vec::new()), "{tags:?}");
        }
        assert!(ours("", vec![balancer(BalancerKind::Network, &[OWN])], NOW).is_err(), "without a name it would all be ours");
    }

    #[test]
    fn one_without_targets_is_idle_at_the_price_of_its_kind_and_one_with_a_target_is_not() {
        for (kind, month) in
            [(BalancerKind::Application, 16_425_000), (BalancerKind::Gateway, 9_125_000), (BalancerKind::Classic, 18_250_000)]
        {
            let idle = found(&balancer(kind, &[OWN]), EMPTY, None);
            assert_eq!(idle.iter().map(|idle| idle.cost_per_month.0).collect::<Vec<_>>(), [month]);
            assert!(found(&balancer(kind, &[OWN]), FULL, None).is_empty());
        }
        let none = found(&balancer(BalancerKind::Application, &[OWN]), Behind { groups: 0, any: false }, None);
        assert!(none[0].evidence[1].contains("redirects"), "{:?}", none[0].evidence);
    }

    #[test]
    fn one_whose_service_is_gone_or_asks_for_none_any_more_is_idle_whatever_is_behind_it() {
        let made_for = balancer(BalancerKind::Classic, &[OWN, ("kubernetes.io/service-name", "shop/web")]);
        for services in [vec![], vec![service("web", false)], vec![service("cart", true)]] {
            let idle = found(&made_for, FULL, Some(&services));
            assert!(idle[0].evidence[1].contains("shop/web"), "{:?}", idle[0].evidence);
        }
        assert!(found(&made_for, FULL, Some(&[service("web", true)])).is_empty());
        assert!(found(&made_for, FULL, None).is_empty(), "Services that cannot be listed are not gone");
        let of_ingress = balancer(BalancerKind::Application, &[OWN, ("ingress.k8s.aws/stack", "shop/web")]);
        assert!(found(&of_ingress, FULL, Some(&[])).is_empty(), "an Ingress is no Service");
    }

    #[test]
    fn what_is_young_or_not_up_or_not_known_is_left_alone() {
        let it = balancer(BalancerKind::Network, &[OWN]);
        let young = LoadBalancer { created_at: Some(NOW), ..it.clone() };
        let ageless = LoadBalancer { created_at: None, ..it.clone() };
        let pending = LoadBalancer { active: false, ..it.clone() };
        assert!([young, ageless, pending].iter().all(|it| found(it, EMPTY, None).is_empty()));
        assert!(idle_balancers(&[it], &BTreeMap::new(), None, NOW).is_empty(), "what is behind it was not told");
    }
}
