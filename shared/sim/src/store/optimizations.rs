//! Runs, proposals, what stands between rounds, and the ledger.

use super::MemoryStore;
use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId, PlanId, RunId};
use domain::optimization::{PROPOSALS_MAX, Proposal, Run, Standing, together};
use domain::ports::{Ledger, Optimizations, Page, StoreError};
use domain::savings::{Baseline, Books, Hour, Metered, Month};
use std::collections::{BTreeMap, BTreeSet};

type Of = (CustomerId, ClusterId);

/// What is kept of optimising.
#[derive(Default)]
pub(super) struct Kept {
    runs: BTreeMap<(CustomerId, RunId), Run>,
    /// Rounds of which runs were written together.
    rounds: BTreeSet<(CustomerId, String)>,
    proposals: BTreeMap<(CustomerId, PlanId), Proposal>,
    standing: BTreeMap<Of, Standing>,
    baselines: BTreeMap<Of, Baseline>,
    books: BTreeMap<Of, Books>,
    hours: BTreeMap<(CustomerId, ClusterId, Timestamp), Hour>,
}

impl MemoryStore {
    /// All runs, for checkers.
    pub fn all_runs(&self) -> Vec<Run> {
        self.lock().kept.runs.values().cloned().collect()
    }

    /// All proposals, for checkers.
    pub fn all_proposals(&self) -> Vec<Proposal> {
        self.lock().kept.proposals.values().cloned().collect()
    }

    /// All books, for checkers.
    pub fn all_books(&self) -> Vec<Books> {
        self.lock().kept.books.values().cloned().collect()
    }
}

/// Where a run stands in the list of its customer: newest first.
fn place(run: &Run) -> String {
    let (kind, round) = run.id.as_str().rsplit_once('-').unwrap_or((run.id.as_str(), ""));
    format!("{:.9}#{round}#{kind}", run.at)
}

fn free(kept: &Kept, run: &Run) -> bool {
    !kept.runs.contains_key(&(run.customer.clone(), run.id.clone()))
}

#[async_trait]
impl Optimizations for MemoryStore {
    async fn decide(&self, run: &Run, proposals: &[Proposal]) -> Result<(), StoreError> {
        if proposals.len() > PROPOSALS_MAX {
            return Err(StoreError::Refused(format!("{} proposals are more than one transaction takes", proposals.len())));
        }
        if proposals.iter().any(|proposal| proposal.plan.key.customer != run.customer || proposal.plan.key.cluster != run.cluster) {
            return Err(StoreError::Refused("a proposal is another cluster's".to_owned()));
        }
        let kept = &mut self.lock().kept;
        if !free(kept, run) {
            return Err(StoreError::Conflict);
        }
        for proposal in proposals {
            kept.proposals.insert((run.customer.clone(), proposal.plan.key.plan.clone()), proposal.clone());
        }
        kept.runs.insert((run.customer.clone(), run.id.clone()), run.clone());
        Ok(())
    }

    async fn decide_nothing(&self, runs: &[Run]) -> Result<(), StoreError> {
        let Some(first) = runs.first().filter(|_| together(runs)) else {
            return Err(StoreError::Refused("runs that are written together are of one round".to_owned()));
        };
        let kept = &mut self.lock().kept;
        if !kept.rounds.insert((first.customer.clone(), first.round.clone() + first.cluster.as_str())) {
            return Err(StoreError::Conflict);
        }
        for run in runs {
            // What was written alone is read first.
            kept.runs.entry((run.customer.clone(), run.id.clone())).or_insert_with(|| run.clone());
        }
        Ok(())
    }

    async fn run(&self, customer: &CustomerId, id: &RunId) -> Result<Option<Run>, StoreError> {
        Ok(self.lock().kept.runs.get(&(customer.clone(), id.clone())).cloned())
    }

    async fn named_runs(&self, customer: &CustomerId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        let state = self.lock();
        let wanted: BTreeSet<&RunId> = ids.iter().collect();
        Ok(wanted.into_iter().filter_map(|id| state.kept.runs.get(&(customer.clone(), id.clone())).cloned()).collect())
    }

    async fn runs(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Run>, StoreError> {
        let state = self.lock();
        let mut all: Vec<&Run> = state.kept.runs.values().filter(|run| run.customer == *customer).collect();
        all.sort_by_key(|run| std::cmp::Reverse(place(run)));
        let behind = |run: &&&Run| after.is_none_or(|after| place(run).as_str() < after);
        let mut items: Vec<Run> = all.iter().filter(behind).take(limit.max(1) + 1).map(|run| (*run).clone()).collect();
        let more = items.len() > limit.max(1);
        items.truncate(limit.max(1));
        let next = items.last().filter(|_| more).map(place);
        Ok(Page { items, next })
    }

    async fn proposal(&self, customer: &CustomerId, plan: &PlanId) -> Result<Option<Proposal>, StoreError> {
        Ok(self.lock().kept.proposals.get(&(customer.clone(), plan.clone())).cloned())
    }

    async fn open_proposals(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Proposal>, StoreError> {
        let theirs = |p: &&Proposal| p.plan.key.customer == *customer && p.plan.key.cluster == *cluster && p.state.open();
        Ok(self.lock().kept.proposals.values().filter(theirs).cloned().collect())
    }

    async fn put_proposal(&self, proposal: &Proposal, books: Option<&Books>) -> Result<(), StoreError> {
        let kept = &mut self.lock().kept;
        let id = (proposal.plan.key.customer.clone(), proposal.plan.key.plan.clone());
        if kept.proposals.get(&id).is_none_or(|there| there.version + 1 != proposal.version) {
            return Err(StoreError::Conflict);
        }
        if let Some(books) = books {
            let of = (books.customer.clone(), books.cluster.clone());
            if kept.books.get(&of).map_or(0, |there| there.version) + 1 != books.version {
                return Err(StoreError::Conflict);
            }
            kept.books.insert(of, books.clone());
        }
        kept.proposals.insert(id, proposal.clone());
        Ok(())
    }

    async fn standing(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Standing, StoreError> {
        Ok(self.lock().kept.standing.get(&(customer.clone(), cluster.clone())).cloned().unwrap_or_default())
    }

    async fn put_standing(&self, customer: &CustomerId, cluster: &ClusterId, standing: &Standing) -> Result<(), StoreError> {
        let kept = &mut self.lock().kept;
        let of = (customer.clone(), cluster.clone());
        if kept.standing.get(&of).map_or(0, |there| there.version) + 1 != standing.version {
            return Err(StoreError::Conflict);
        }
        kept.standing.insert(of, standing.clone());
        Ok(())
    }
}

#[async_trait]
impl Ledger for MemoryStore {
    async fn freeze(&self, baseline: &Baseline) -> Result<Baseline, StoreError> {
        let of = (baseline.customer.clone(), baseline.cluster.clone());
        Ok(self.lock().kept.baselines.entry(of).or_insert_with(|| baseline.clone()).clone())
    }

    async fn baseline(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Baseline>, StoreError> {
        Ok(self.lock().kept.baselines.get(&(customer.clone(), cluster.clone())).cloned())
    }

    async fn books(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Books, StoreError> {
        let of = (customer.clone(), cluster.clone());
        Ok(self.lock().kept.books.get(&of).cloned().unwrap_or_else(|| Books::new(customer.clone(), cluster.clone())))
    }

    async fn close(&self, hour: &Hour) -> Result<bool, StoreError> {
        let key = (hour.customer.clone(), hour.cluster.clone(), hour.begins);
        let hours = &mut self.lock().kept.hours;
        let closes = !hours.contains_key(&key);
        hours.entry(key).or_insert_with(|| hour.clone());
        Ok(closes)
    }

    async fn metered(&self, customer: &CustomerId, month: Month) -> Result<Vec<Metered>, StoreError> {
        let state = self.lock();
        let theirs = state.kept.hours.values().filter(|hour| hour.customer == *customer && Month::of(hour.begins) == month);
        let mut all: BTreeMap<ClusterId, Metered> = BTreeMap::new();
        for hour in theirs {
            all.entry(hour.cluster.clone()).or_insert_with(|| Metered::new(hour.cluster.clone())).add(hour);
        }
        Ok(all.into_values().collect())
    }

    async fn hours(&self, customer: &CustomerId, cluster: &ClusterId, from: Timestamp, limit: usize) -> Result<Vec<Hour>, StoreError> {
        let state = self.lock();
        let theirs = |hour: &&Hour| hour.customer == *customer && hour.cluster == *cluster && hour.begins >= from;
        Ok(state.kept.hours.values().filter(theirs).take(limit).cloned().collect())
    }
}
