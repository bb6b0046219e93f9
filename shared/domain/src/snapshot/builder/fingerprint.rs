//! A number that equal classes share. Unequal ones seldom do: those are told apart by comparison.

use crate::pod::Selector;
use crate::scheduling::PodTerm;
use crate::snapshot::PodClass;
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) fn of(class: &PodClass) -> u64 {
    let mut into = DefaultHasher::new();
    (&class.namespace, &class.controller, &class.labels, &class.requests, class.priority, class.grace_s).hash(&mut into);
    (class.do_not_disrupt, class.daemon, class.mirror, class.empty_dir).hash(&mut into);
    let own = &class.scheduling;
    (&own.node_selector, &own.required_nodes, &own.tolerations, &own.host_ports).hash(&mut into);
    (&own.volume_zones, own.pinned, own.volumes, &own.foreign_scheduler).hash(&mut into);
    own.preferred_nodes.iter().for_each(|weighted| (weighted.weight, &weighted.term).hash(&mut into));
    terms(&own.affinity, &mut into);
    terms(&own.anti_affinity, &mut into);
    for weighted in own.preferred_affinity.iter().chain(&own.preferred_anti_affinity) {
        weighted.weight.hash(&mut into);
        terms(std::slice::from_ref(&weighted.term), &mut into);
    }
    for spread in &own.spread {
        (&spread.topology_key, spread.max_skew, spread.hard, spread.min_domains).hash(&mut into);
        selector(spread.selector.as_ref(), &mut into);
    }
    into.finish()
}

fn terms(terms: &[PodTerm], into: &mut DefaultHasher) {
    terms.len().hash(into);
    for term in terms {
        (&term.topology_key, &term.namespaces, term.any_namespace).hash(into);
        selector(term.selector.as_ref(), into);
    }
}

fn selector(selector: Option<&Selector>, into: &mut DefaultHasher) {
    let Some(selector) = selector else { return false.hash(into) };
    selector.match_labels.hash(into);
    selector.match_expressions.iter().for_each(|need| (&need.key, &need.values).hash(into));
}
