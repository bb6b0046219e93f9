//! How nodes come in: those of the snapshot, and those launched.

use super::changes::Change;
use super::{NOWHERE, Node, NodeId, Signature, State};
use crate::placement::compile::HOSTNAME;
use crate::placement::template::Template;
use crate::placement::{CPU, MEMORY};
use domain::node::Taint;
use std::collections::{BTreeMap, BTreeSet};

/// A node as it enters a state.
pub(super) struct Entry<'e> {
    pub(super) name: &'e str,
    pub(super) labels: &'e BTreeMap<String, String>,
    pub(super) taints: &'e [Taint],
    pub(super) zone: Option<&'e str>,
    pub(super) free: Vec<i64>,
    pub(super) open: bool,
}

impl State<'_> {
    pub(super) fn enter(&mut self, entry: Entry<'_>) -> NodeId {
        let id = self.nodes.len();
        let signature = self.signature(&entry);
        let mut domains = Vec::with_capacity(self.index.keys.len());
        for (key, known) in self.index.keys.iter().zip(&mut self.domains) {
            domains.push(match entry.labels.get(*key) {
                Some(value) => {
                    let fresh = known.len();
                    *known.entry(value.clone()).or_insert(fresh)
                }
                None => NOWHERE,
            });
        }
        let whole = [entry.free[CPU].max(1), entry.free[MEMORY].max(1)];
        self.free.extend(entry.free);
        let largest = &mut self.signatures[signature].largest;
        largest.iter_mut().zip(whole).for_each(|(most, whole)| *most = whole.max(*most));
        self.nodes.push(Node { signature, open: entry.open, domains, whole, pods: Vec::new() });
        self.seen(id, 1);
        if entry.open {
            let score = self.score(id);
            self.signatures[signature].order.insert((score, id));
        }
        id
    }

    /// Adds a node like the template. Its DaemonSets' pods are on it from the beginning.
    pub fn launch(&mut self, template: &Template) -> NodeId {
        let name = format!("{}.{}", template.name, self.nodes.len());
        let mut labels = template.labels.clone();
        if let Some(host) = labels.get_mut(HOSTNAME) {
            host.clone_from(&name);
        }
        let entry = Entry {
            name: &name,
            labels: &labels,
            taints: &template.taints,
            zone: Some(template.zone.as_str()),
            free: template.allocatable.clone(),
            open: true,
        };
        let id = self.enter(entry);
        self.changes.push(Change::Added(id));
        for (class, count) in &template.companions {
            for _ in 0..*count {
                self.place(*class, id);
            }
        }
        id
    }

    fn signature(&mut self, entry: &Entry<'_>) -> usize {
        let mut text = format!("{}|", entry.zone.unwrap_or_default());
        let wide = self.index.keys.iter().filter(|key| **key != HOSTNAME);
        for key in self.index.labels.iter().chain(wide) {
            if let Some(value) = entry.labels.get(*key) {
                text.push_str(&format!("{key}={value},"));
            }
        }
        for taint in entry.taints {
            text.push_str(&format!("|{}={}:{}", taint.key, taint.value, taint.effect));
        }
        if let Some(known) = self.known.get(&text) {
            return *known;
        }
        let classes = &self.index.snapshot.classes;
        let tolerates: Vec<bool> = classes.iter().map(|class| class.scheduling.tolerates(entry.taints)).collect();
        let selects: Vec<bool> = classes
            .iter()
            .zip(&self.index.classes)
            .map(|(class, compiled)| compiled.named || class.scheduling.selects_node(entry.name, entry.labels))
            .collect();
        let attaches = |zones: &Option<Vec<domain::ids::Zone>>| {
            zones.as_ref().is_none_or(|zones| zones.iter().any(|zone| Some(zone.as_str()) == entry.zone))
        };
        let allows = classes
            .iter()
            .enumerate()
            .map(|(id, class)| tolerates[id] && selects[id] && attaches(&class.scheduling.volume_zones))
            .collect();
        self.signatures.push(Signature { allows, selects, tolerates, largest: [1; 2], order: BTreeSet::new() });
        self.known.insert(text, self.signatures.len() - 1);
        self.signatures.len() - 1
    }
}
