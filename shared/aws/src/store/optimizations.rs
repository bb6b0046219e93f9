//! Runs, proposals, and what stands between rounds.

use super::errors::Written;
use super::item::{self, Item, n};
use super::keys::{self, Key};
use super::schema::incomplete;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::ids::{ClusterId, CustomerId, PlanId, RunId};
use domain::optimization::{PROPOSALS_MAX, Proposal, Run, Standing};
use domain::ports::{Optimizations, Page, StoreError};
use domain::savings::Books;
use serde::Serialize;
use std::collections::BTreeSet;

/// What conditions compare.
const VERSION: &str = "version";
/// How long runs and proposals are kept after they were made, in days: as long as finished plans.
const HISTORY_DAYS: i64 = 90;

#[async_trait]
impl Optimizations for Table {
    async fn decide(&self, run: &Run, proposals: &[Proposal]) -> Result<(), StoreError> {
        if proposals.len() > PROPOSALS_MAX {
            return Err(StoreError::Refused(format!("{} proposals are more than one transaction takes", proposals.len())));
        }
        if proposals.iter().any(|proposal| proposal.plan.key.customer != run.customer || proposal.plan.key.cluster != run.cluster) {
            return Err(StoreError::Refused("a proposal is another cluster's".to_owned()));
        }
        let mut first = item::packed(keys::run(&run.customer, &run.id), "run", run)?;
        item::index(&mut first, keys::runs(&run.customer), keys::run_place(run.at, &run.id));
        item::expire(&mut first, item::days_after(run.at, HISTORY_DAYS));
        let mut operations = vec![item::put_if_free(&self.name, first)?];
        for proposal in proposals {
            operations.push(item::put(&self.name, proposal_item(proposal)?)?);
            operations.extend(self.mark(proposal, Known::New)?);
        }
        written(self.transact(operations).await?)
    }

    async fn run(&self, customer: &CustomerId, id: &RunId) -> Result<Option<Run>, StoreError> {
        self.get(keys::run(customer, id)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn named_runs(&self, customer: &CustomerId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        let wanted: BTreeSet<&RunId> = ids.iter().collect();
        let items = self.get_many(wanted.into_iter().map(|id| keys::run(customer, id)).collect()).await?;
        let readable = |item: &Item| {
            item::body(item).inspect_err(|error| tracing::error!(%error, "A run cannot be read and is left out of a list")).ok()
        };
        Ok(items.iter().filter_map(readable).collect())
    }

    async fn runs(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Run>, StoreError> {
        let sort = match after {
            None | Some("") => Sort::All,
            Some(place) => Sort::Before(place.to_owned()),
        };
        let limit = limit.max(1);
        let range = Range::index(keys::runs(customer)).sort(sort).descending();
        // One more than is asked for says whether there is a next page.
        let mut items: Vec<Run> = self.range(range, limit.saturating_add(1), item::body).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|run| keys::run_place(run.at, &run.id));
        Ok(Page { items, next })
    }

    async fn proposal(&self, customer: &CustomerId, plan: &PlanId) -> Result<Option<Proposal>, StoreError> {
        self.get(keys::proposal(customer, plan)).await?.map(|item| item::body(&item)).transpose()
    }

    async fn open_proposals(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Proposal>, StoreError> {
        let marks = Range::table(keys::proposed(customer, cluster));
        let plans = self
            .range(marks, usize::MAX, |item| {
                PlanId::parse(item::text(item, keys::SK)?).map_err(|_| item::corrupt(item, "it names no plan"))
            })
            .await?;
        let items = self.get_many(plans.iter().map(|plan| keys::proposal(customer, plan)).collect()).await?;
        let mut open: Vec<Proposal> = items.iter().filter_map(readable).filter(|proposal| proposal.state.open()).collect();
        open.sort_by(|a, b| a.plan.key.cmp(&b.plan.key));
        Ok(open)
    }

    async fn put_proposal(&self, proposal: &Proposal, books: Option<&Books>) -> Result<(), StoreError> {
        let mut operations = vec![versioned(&self.name, proposal_item(proposal)?, proposal.version)?];
        operations.extend(self.mark(proposal, Known::There)?);
        if let Some(books) = books {
            let item = versioned_item(keys::books(&books.customer, &books.cluster), "books", books, books.version)?;
            operations.push(versioned(&self.name, item, books.version)?);
        }
        written(self.transact(operations).await?)
    }

    async fn standing(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Standing, StoreError> {
        let item = self.get(keys::standing(customer, cluster)).await?;
        Ok(item.map(|item| item::body(&item)).transpose()?.unwrap_or_default())
    }

    async fn put_standing(&self, customer: &CustomerId, cluster: &ClusterId, standing: &Standing) -> Result<(), StoreError> {
        let item = versioned_item(keys::standing(customer, cluster), "standing", standing, standing.version)?;
        written(self.transact(vec![versioned(&self.name, item, standing.version)?]).await?)
    }
}

/// Whether a proposal is in the table already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    New,
    There,
}

impl Table {
    /// The mark of a proposal: there while something may still come of it.
    fn mark(&self, proposal: &Proposal, known: Known) -> Result<Option<TransactWriteItem>, StoreError> {
        let mark = item::key_attributes(keys::proposed_mark(&proposal.plan.key));
        if proposal.state.open() {
            return item::put(&self.name, mark).map(Some);
        }
        if known == Known::New {
            return Ok(None);
        }
        let delete = Delete::builder().table_name(&self.name).set_key(Some(mark)).build().map_err(incomplete)?;
        Ok(Some(TransactWriteItem::builder().delete(delete).build()))
    }
}

fn proposal_item(proposal: &Proposal) -> Result<Item, StoreError> {
    let key = keys::proposal(&proposal.plan.key.customer, &proposal.plan.key.plan);
    let mut item = versioned_item(key, "proposal", proposal, proposal.version)?;
    item::expire(&mut item, item::days_after(proposal.plan.created_at, HISTORY_DAYS));
    Ok(item)
}

pub(super) fn versioned_item<T: Serialize>(key: Key, kind: &str, body: &T, version: u64) -> Result<Item, StoreError> {
    let mut item = item::packed(key, kind, body)?;
    item.insert(VERSION.to_owned(), n(version));
    Ok(item)
}

/// Writes the item over the one with the version before; version 1 over none.
pub(super) fn versioned(table: &str, item: Item, version: u64) -> Result<TransactWriteItem, StoreError> {
    match version {
        0 => Err(StoreError::Conflict),
        1 => item::put_if_free(table, item),
        more => {
            let put = Put::builder()
                .table_name(table)
                .set_item(Some(item))
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", VERSION)
                .expression_attribute_values(":expected", n(more - 1));
            Ok(TransactWriteItem::builder().put(put.build().map_err(incomplete)?).build())
        }
    }
}

pub(super) fn written(written: Written) -> Result<(), StoreError> {
    match written {
        Written::Yes => Ok(()),
        // Whoever has an item in hand moves its version.
        Written::Lost(_) | Written::Busy => Err(StoreError::Conflict),
    }
}

/// A proposal of a list, or a line in the log.
fn readable(item: &Item) -> Option<Proposal> {
    item::body(item).inspect_err(|error| tracing::error!(%error, "A proposal cannot be read and is left out of a list")).ok()
}
