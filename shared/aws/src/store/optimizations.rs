//! Runs, proposals, and what stands between rounds.

use super::errors::Written;
use super::item::{self, Item, n};
use super::keys::{self, Key};
use super::schema::incomplete;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::ids::{ClusterId, CustomerId, PlanId, RunId};
use domain::optimization::{PROPOSALS_MAX, Proposal, Run, Standing, round_part, together};
use domain::ports::{Optimizations, Page, StoreError};
use domain::savings::Books;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

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
        let mut first = item::packed(keys::run(&run.customer, &run.id), "run", run, &item::RUNS)?;
        item::index(&mut first, keys::runs(&run.customer), keys::run_place(run.at, &run.id));
        item::expire(&mut first, item::days_after(run.at, HISTORY_DAYS));
        let mut operations = vec![item::put_if_free(&self.name, first)?];
        for proposal in proposals {
            operations.push(item::put(&self.name, proposal_item(proposal)?)?);
            operations.extend(self.mark(proposal, Known::New)?);
        }
        written(self.transact(operations).await?)
    }

    async fn decide_nothing(&self, runs: &[Run]) -> Result<(), StoreError> {
        let round = runs.first().filter(|_| together(runs)).and_then(|first| Some((first, round_part(&first.id)?)));
        let Some((first, round)) = round else {
            return Err(StoreError::Refused("runs that are written together are of one round".to_owned()));
        };
        let mut row = item::packed(keys::round_runs(&first.customer, round), "runs", &runs, &item::RUNS)?;
        item::index(&mut row, keys::runs(&first.customer), keys::round_place(first.at, round));
        item::expire(&mut row, item::days_after(first.at, HISTORY_DAYS));
        written(self.transact(vec![item::put_if_free(&self.name, row)?]).await?)
    }

    async fn run(&self, customer: &CustomerId, id: &RunId) -> Result<Option<Run>, StoreError> {
        let read = self.get_many(places(customer, [id])).await?;
        let mut found = Vec::new();
        for item in &read {
            found.extend(runs_of(item)?.into_iter().filter(|run| run.id == *id).map(|run| (!alone(item), run)));
        }
        // What was written with its plans comes before what another worker has written at the same time, which led to none.
        Ok(found.into_iter().min_by_key(|(together, _)| *together).map(|(_, run)| run))
    }

    async fn named_runs(&self, customer: &CustomerId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        let mut items = self.get_many_lately(places(customer, ids)).await?;
        items.sort_by_key(alone);
        let runs = items.iter().flat_map(readable_runs).filter(|run| ids.contains(&run.id));
        let by_name: BTreeMap<RunId, Run> = runs.map(|run| (run.id.clone(), run)).collect();
        Ok(by_name.into_values().collect())
    }

    async fn runs(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Run>, StoreError> {
        let sort = match after {
            None | Some("") => Sort::All,
            Some(place) => Sort::Before(place.to_owned()),
        };
        let limit = limit.max(1);
        let range = Range::index(keys::runs(customer)).sort(sort).descending();
        let place = |run: &Run| keys::run_place(run.at, &run.id);
        // A row holds a run at least. One more than is asked for says whether there is a next page, and one more yet is the row that the page
        // before has ended in: of its runs, none may be left.
        let rows: Vec<Vec<Run>> = self.range(range, limit.saturating_add(2), runs_of).await?;
        let behind = |run: &Run| after.is_none_or(|after| after.is_empty() || place(run).as_str() < after);
        let mut items: Vec<Run> = rows.into_iter().flatten().filter(behind).collect();
        items.sort_by_cached_key(|run| std::cmp::Reverse(place(run)));
        items.dedup_by(|a, b| a.id == b.id);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(place);
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

/// The rows in which runs of these names may be.
fn places<'a>(customer: &CustomerId, ids: impl IntoIterator<Item = &'a RunId>) -> Vec<Key> {
    let of = |id: &RunId| [Some(keys::run(customer, id)), round_part(id).map(|round| keys::round_runs(customer, round))];
    // A batch may name a row once, and all runs of a round name the same.
    ids.into_iter().flat_map(of).flatten().collect::<HashSet<Key>>().into_iter().collect()
}

/// Whether a row is that of one run, written with its plans.
fn alone(item: &Item) -> bool {
    item::text(item, keys::SK).is_ok_and(|place| place != keys::TOGETHER)
}

/// The runs of a row: one, or those that a round has written together.
fn runs_of(item: &Item) -> Result<Vec<Run>, StoreError> {
    if alone(item) { item::body(item).map(|run| vec![run]) } else { item::body(item) }
}

fn readable_runs(item: &Item) -> Vec<Run> {
    runs_of(item).inspect_err(|error| tracing::error!(%error, "A run cannot be read and is left out of a list")).unwrap_or_default()
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
    let mut item = item::packed(key, kind, body, &item::ROWS)?;
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
