//! The pods of a cluster, with the ways in which they are looked up: by node, by workload, by name, and those without a node.

use super::state::Pod;
use domain::ids::NodeName;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Keys in the order in which pods were made. Of no pod, where nothing was entered.
type Keys = BTreeSet<u64>;

static NONE: Keys = Keys::new();

/// Pods by key; older pods have smaller keys.
#[derive(Debug, Default)]
pub(crate) struct Pods {
    all: BTreeMap<u64, Pod>,
    by_node: HashMap<NodeName, Keys>,
    by_workload: HashMap<usize, Keys>,
    by_name: HashMap<String, Keys>,
    unbound: Keys,
}

fn leave<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Keys>, at: &K, key: u64) {
    if let Some(keys) = index.get_mut(at) {
        keys.remove(&key);
        if keys.is_empty() {
            index.remove(at);
        }
    }
}

impl Pods {
    pub(crate) fn get(&self, key: &u64) -> Option<&Pod> {
        self.all.get(key)
    }

    /// A pod to change; its node is changed by [`Pods::bind`] alone.
    pub(crate) fn get_mut(&mut self, key: &u64) -> Option<&mut Pod> {
        self.all.get_mut(key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Pod> {
        self.all.values()
    }

    pub(crate) fn insert(&mut self, key: u64, pod: Pod) {
        match &pod.node {
            Some(node) => self.by_node.entry(node.clone()).or_default().insert(key),
            None => self.unbound.insert(key),
        };
        if let Some(workload) = pod.workload {
            self.by_workload.entry(workload).or_default().insert(key);
        }
        self.by_name.entry(pod.pod.name.clone()).or_default().insert(key);
        self.all.insert(key, pod);
    }

    pub(crate) fn remove(&mut self, key: &u64) -> Option<Pod> {
        let pod = self.all.remove(key)?;
        self.unbound.remove(key);
        if let Some(node) = &pod.node {
            leave(&mut self.by_node, node, *key);
        }
        if let Some(workload) = &pod.workload {
            leave(&mut self.by_workload, workload, *key);
        }
        leave(&mut self.by_name, &pod.pod.name, *key);
        Some(pod)
    }

    /// Puts a pod on a node.
    pub(crate) fn bind(&mut self, key: u64, node: &NodeName) -> Option<&mut Pod> {
        let pod = self.all.get_mut(&key)?;
        if let Some(before) = pod.node.replace(node.clone()) {
            leave(&mut self.by_node, &before, key);
        }
        self.unbound.remove(&key);
        self.by_node.entry(node.clone()).or_default().insert(key);
        Some(pod)
    }

    fn of<'a>(&'a self, keys: Option<&'a Keys>) -> impl Iterator<Item = (u64, &'a Pod)> {
        keys.unwrap_or(&NONE).iter().filter_map(|key| Some((*key, self.all.get(key)?)))
    }

    /// Those on a node, oldest first.
    pub(crate) fn on(&self, node: &NodeName) -> impl Iterator<Item = (u64, &Pod)> {
        self.of(self.by_node.get(node))
    }

    /// Those of a workload, oldest first.
    pub(crate) fn of_workload(&self, workload: usize) -> impl Iterator<Item = (u64, &Pod)> {
        self.of(self.by_workload.get(&workload))
    }

    /// Those without a node, oldest first.
    pub(crate) fn unbound(&self) -> impl Iterator<Item = (u64, &Pod)> {
        self.of(Some(&self.unbound))
    }

    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<u64> {
        self.of(self.by_name.get(name)).find(|(_, pod)| pod.pod.namespace == namespace).map(|(key, _)| key)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}
