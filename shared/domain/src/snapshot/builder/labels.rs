//! Which labels count: those that some selector of the cluster looks at.

use crate::pod::Selector;
use crate::scheduling::{PodTerm, Scheduling};
use crate::snapshot::PodClass;
use std::collections::{BTreeMap, BTreeSet};

/// Labels that are another for each pod of a controller. They count only where a selector looks at them.
pub(super) const PER_POD: [&str; 7] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
    "statefulset.kubernetes.io/pod-name",
];

#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Keys that selectors over all namespaces look at.
    everywhere: BTreeSet<String>,
    /// Keys that selectors over one namespace look at.
    within: BTreeMap<String, BTreeSet<String>>,
    /// Keys that were dropped because they tell too many pods apart.
    dropped: BTreeSet<String>,
    /// Keys that are known to be looked at once every pod was seen: the others go.
    complete: bool,
    /// Keys that were taken away from a pod of this pass, by namespace.
    taken: BTreeMap<String, BTreeSet<String>>,
    missed: bool,
}

impl Labels {
    /// A selector over one namespace, or over all (`None`), looks at its keys.
    pub(super) fn look(&mut self, namespace: Option<&str>, selector: Option<&Selector>) {
        let Some(selector) = selector else { return };
        let keys = selector.match_labels.keys().chain(selector.match_expressions.iter().map(|need| &need.key));
        for key in keys {
            if self.looked_at(namespace, key) {
                continue;
            }
            let taken = match namespace {
                Some(namespace) => self.taken.get(namespace).is_some_and(|keys| keys.contains(key)),
                None => self.taken.values().any(|keys| keys.contains(key)),
            };
            self.missed |= taken;
            match namespace {
                Some(namespace) => self.within.entry(namespace.to_owned()).or_default().insert(key.clone()),
                None => self.everywhere.insert(key.clone()),
            };
        }
    }

    /// All selectors of a pod of this namespace.
    pub(super) fn look_all(&mut self, namespace: &str, scheduling: &Scheduling) {
        let preferred = scheduling.preferred_affinity.iter().chain(&scheduling.preferred_anti_affinity).map(|weighted| &weighted.term);
        for term in scheduling.affinity.iter().chain(&scheduling.anti_affinity).chain(preferred) {
            self.look_term(namespace, term);
        }
        for spread in &scheduling.spread {
            self.look(Some(namespace), spread.selector.as_ref());
        }
    }

    fn look_term(&mut self, own: &str, term: &PodTerm) {
        let selector = term.selector.as_ref();
        if term.any_namespace {
            return self.look(None, selector);
        }
        if term.namespaces.is_empty() {
            return self.look(Some(own), selector);
        }
        for namespace in &term.namespaces {
            self.look(Some(namespace), selector);
        }
    }

    fn looked_at(&self, namespace: Option<&str>, key: &str) -> bool {
        self.everywhere.contains(key) || namespace.and_then(|n| self.within.get(n)).is_some_and(|keys| keys.contains(key))
    }

    /// From now on only what is looked at is kept: every selector was seen.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// Takes away what does not count, as far as is known by now.
    pub(super) fn project(&mut self, namespace: &str, labels: &mut BTreeMap<String, String>) {
        labels.retain(|key, _| {
            if self.looked_at(Some(namespace), key) {
                return true;
            }
            let goes = self.complete || self.dropped.contains(key) || PER_POD.contains(&key.as_str());
            if goes && !self.complete {
                remember(&mut self.taken, namespace, key);
            }
            !goes
        });
    }

    /// Drops the label that has the most values among these classes and that no selector looks at. `false`: there is none.
    pub(super) fn drop_most_distinct(&mut self, classes: &[PodClass]) -> bool {
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for class in classes {
            for (key, value) in class.labels.iter().filter(|(key, _)| !self.looked_at(Some(&class.namespace), key)) {
                values.entry(key).or_default().insert(value);
            }
        }
        let most = values.into_iter().max_by_key(|(_, values)| values.len()).filter(|(_, values)| values.len() > 1);
        most.is_some_and(|(key, _)| self.dropped.insert(key.to_owned()))
    }

    /// Whether a key was looked at after it had been taken away.
    pub(super) fn missed(&self) -> bool {
        self.missed
    }

    /// What was learned stays; what was missed is kept this time.
    pub(super) fn next_pass(&mut self) {
        self.taken.clear();
        self.missed = false;
    }
}

fn remember(taken: &mut BTreeMap<String, BTreeSet<String>>, namespace: &str, key: &str) {
    match taken.get_mut(namespace) {
        Some(keys) if keys.contains(key) => {}
        Some(keys) => {
            keys.insert(key.to_owned());
        }
        None => {
            taken.insert(namespace.to_owned(), BTreeSet::from([key.to_owned()]));
        }
    }
}
