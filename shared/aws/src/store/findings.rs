//! Findings, and what scans remember.

use super::item;
use super::keys;
use super::optimizations::{versioned, versioned_item, written};
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId, FindingId};
use domain::ports::{Findings, Page, StoreError, Watchbooks};
use domain::watch::Watchbook;

/// How long a finding is kept after it was last seen, in days: as long as finished plans.
const KEPT_DAYS: i64 = 90;

#[async_trait]
impl Findings for Table {
    async fn put_finding(&self, finding: &Finding) -> Result<(), StoreError> {
        let key = keys::finding(&finding.customer, &finding.cluster, &finding.id);
        let mut item = versioned_item(key, "finding", finding, finding.version)?;
        item::index(&mut item, keys::all_findings(&finding.customer), keys::finding_place(finding.last_seen, &finding.id));
        item::expire(&mut item, item::days_after(finding.last_seen, KEPT_DAYS));
        written(self.transact(vec![versioned(&self.name, item, finding.version)?]).await?)
    }

    async fn finding(&self, customer: &CustomerId, cluster: &ClusterId, id: &FindingId) -> Result<Option<Finding>, StoreError> {
        self.get(keys::finding(customer, cluster, id)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn findings_of(&self, customer: &CustomerId, cluster: &ClusterId, kind: Option<FindingKind>) -> Result<Vec<Finding>, StoreError> {
        let sort = kind.map_or(Sort::All, |kind| Sort::Prefix(kind.as_str()));
        self.range(Range::table(keys::findings(customer, cluster)).sort(sort), usize::MAX, item::body).await
    }

    async fn findings(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Finding>, StoreError> {
        let sort = match after {
            None | Some("") => Sort::All,
            Some(place) => Sort::Before(place.to_owned()),
        };
        let limit = limit.max(1);
        let range = Range::index(keys::all_findings(customer)).sort(sort).descending();
        // One more than is asked for says whether there is a next page.
        let mut items: Vec<Finding> = self.range(range, limit.saturating_add(1), item::body).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|finding| keys::finding_place(finding.last_seen, &finding.id));
        Ok(Page { items, next })
    }
}

#[async_trait]
impl Watchbooks for Table {
    async fn watchbook(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Watchbook, StoreError> {
        let item = self.get(keys::watchbook(customer, cluster)).await?;
        let book = item.map(|item| item::body(&item)).transpose()?;
        Ok(book.unwrap_or_else(|| Watchbook::new(customer.clone(), cluster.clone())))
    }

    async fn put_watchbook(&self, book: &Watchbook) -> Result<(), StoreError> {
        let mut item = versioned_item(keys::watchbook(&book.customer, &book.cluster), "watchbook", book, book.version)?;
        if let Some(at) = book.scanned_at {
            item::expire(&mut item, item::days_after(at, KEPT_DAYS));
        }
        written(self.transact(vec![versioned(&self.name, item, book.version)?]).await?)
    }
}
