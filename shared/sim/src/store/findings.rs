//! Findings, and what scans remember.

use super::MemoryStore;
use async_trait::async_trait;
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId, FindingId};
use domain::ports::{Findings, Page, StoreError, Watchbooks};
use domain::watch::Watchbook;
use std::collections::BTreeMap;

/// By customer, cluster and id.
pub(super) type Found = BTreeMap<(CustomerId, ClusterId, FindingId), Finding>;
/// By customer and cluster.
pub(super) type Books = BTreeMap<(CustomerId, ClusterId), Watchbook>;

impl MemoryStore {
    /// All findings, for checkers.
    pub fn all_findings(&self) -> Vec<Finding> {
        self.lock().found.values().cloned().collect()
    }
}

/// Where a finding stands in the list of its customer: last seen first.
fn place(finding: &Finding) -> String {
    format!("{:.9}#{}", finding.last_seen, finding.id)
}

#[async_trait]
impl Findings for MemoryStore {
    async fn put_finding(&self, finding: &Finding) -> Result<(), StoreError> {
        let found = &mut self.lock().found;
        let id = (finding.customer.clone(), finding.cluster.clone(), finding.id.clone());
        if found.get(&id).map_or(0, |there| there.version) + 1 != finding.version {
            return Err(StoreError::Conflict);
        }
        found.insert(id, finding.clone());
        Ok(())
    }

    async fn finding(&self, customer: &CustomerId, cluster: &ClusterId, id: &FindingId) -> Result<Option<Finding>, StoreError> {
        Ok(self.lock().found.get(&(customer.clone(), cluster.clone(), id.clone())).cloned())
    }

    async fn findings_of(&self, customer: &CustomerId, cluster: &ClusterId, kind: Option<FindingKind>) -> Result<Vec<Finding>, StoreError> {
        let theirs = |f: &&Finding| f.customer == *customer && f.cluster == *cluster && kind.is_none_or(|kind| f.kind == kind);
        Ok(self.lock().found.values().filter(theirs).cloned().collect())
    }

    async fn findings(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Finding>, StoreError> {
        let state = self.lock();
        let mut all: Vec<&Finding> = state.found.values().filter(|finding| finding.customer == *customer).collect();
        all.sort_by_key(|finding| std::cmp::Reverse(place(finding)));
        let behind = |finding: &&&Finding| after.is_none_or(|after| after.is_empty() || place(finding).as_str() < after);
        let mut items: Vec<Finding> = all.iter().filter(behind).take(limit.max(1) + 1).map(|finding| (*finding).clone()).collect();
        let more = items.len() > limit.max(1);
        items.truncate(limit.max(1));
        let next = items.last().filter(|_| more).map(place);
        Ok(Page { items, next })
    }
}

#[async_trait]
impl Watchbooks for MemoryStore {
    async fn watchbook(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Watchbook, StoreError> {
        let book = self.lock().watchbooks.get(&(customer.clone(), cluster.clone())).cloned();
        Ok(book.unwrap_or_else(|| Watchbook::new(customer.clone(), cluster.clone())))
    }

    async fn put_watchbook(&self, book: &Watchbook) -> Result<(), StoreError> {
        let books = &mut self.lock().watchbooks;
        let of = (book.customer.clone(), book.cluster.clone());
        if books.get(&of).map_or(0, |there| there.version) + 1 != book.version {
            return Err(StoreError::Conflict);
        }
        books.insert(of, book.clone());
        Ok(())
    }
}
