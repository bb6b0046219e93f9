//! Pods per domain, with the emptiest domain always at hand.

use super::NOWHERE;

/// Pods per domain of one counter.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// Pods by domain.
    pods: Vec<i64>,
    /// Nodes by domain: a domain without nodes is none.
    nodes: Vec<i64>,
    /// How many domains hold so many pods.
    domains_with: Vec<i64>,
    /// How many domains there are.
    domains: i64,
    total: i64,
}

impl Count {
    /// Pods in a domain.
    pub(super) fn of(&self, domain: usize) -> i64 {
        if domain == NOWHERE { 0 } else { self.pods.get(domain).copied().unwrap_or(0) }
    }

    /// Pods in all domains.
    pub(super) fn total(&self) -> i64 {
        self.total
    }

    /// Pods in the emptiest domain; zero where there are fewer domains than wanted.
    pub(super) fn least(&self, min_domains: u32) -> i64 {
        if self.domains < i64::from(min_domains) {
            return 0;
        }
        let found = self.domains_with.iter().position(|domains| *domains > 0);
        found.and_then(|least| i64::try_from(least).ok()).unwrap_or(0)
    }

    /// The domains with no more than the emptiest and `more` pods.
    pub(super) fn up_to(&self, min_domains: u32, more: i64) -> Vec<usize> {
        let limit = self.least(min_domains).saturating_add(more);
        let near = |domain: &usize| self.nodes[*domain] > 0 && self.pods[*domain] <= limit;
        let found: Vec<usize> = (0..self.pods.len()).filter(near).collect();
        if !found.is_empty() {
            return found;
        }
        // Fewer domains than wanted: none holds as little as zero, and all are as good.
        (0..self.pods.len()).filter(|domain| self.nodes[*domain] > 0).collect()
    }

    /// `by` more pods in a domain.
    pub(super) fn shift(&mut self, domain: usize, by: i64) {
        self.grow(domain);
        let exists = self.nodes[domain] > 0;
        if exists {
            self.tally(self.pods[domain], -1);
        }
        self.pods[domain] += by;
        self.total += by;
        if exists {
            self.tally(self.pods[domain], 1);
        }
    }

    /// `by` more nodes in a domain.
    pub(super) fn node(&mut self, domain: usize, by: i64) {
        self.grow(domain);
        let before = self.nodes[domain] > 0;
        self.nodes[domain] += by;
        let after = self.nodes[domain] > 0;
        if before != after {
            let by = if after { 1 } else { -1 };
            self.domains += by;
            self.tally(self.pods[domain], by);
        }
    }

    fn grow(&mut self, domain: usize) {
        if self.pods.len() <= domain {
            self.pods.resize(domain + 1, 0);
            self.nodes.resize(domain + 1, 0);
        }
    }

    fn tally(&mut self, pods: i64, by: i64) {
        let at = usize::try_from(pods).unwrap_or(0);
        if self.domains_with.len() <= at {
            self.domains_with.resize(at + 1, 0);
        }
        self.domains_with[at] += by;
    }
}
