//! Laws of runs, proposals and what stands between rounds.

use super::make::{NOON, cluster_id, customer_id, plan_key, run};
use super::{Store, at};
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::ids::{NodeName, PlanId};
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Run, run_id};
use domain::plan::Outcome;
use domain::ports::StoreError;
use domain::savings::Books;
use futures::future::join_all;

fn plan(name: &str) -> PlanId {
    PlanId::parse(name).unwrap()
}

fn with(proposal: &Proposal, state: ProposalState) -> Proposal {
    Proposal { state, version: proposal.version + 1, ..proposal.clone() }
}

pub(super) async fn a_run_and_its_proposals_are_written_together_and_once(store: &dyn Store) {
    let (customer, cluster) = (customer_id("together"), cluster_id("prod"));
    let (first, proposals) = run("together", "prod", "s1", at(NOON), &["a", "b"]);
    assert_eq!(store.run(&customer, &first.id).await.unwrap(), None);
    store.decide(&first, &proposals).await.unwrap();
    let (second, others) = run("together", "prod", "s1", at(NOON) + SignedDuration::from_secs(1), &["a", "c"]);
    assert!(matches!(store.decide(&second, &others).await, Err(StoreError::Conflict)), "the same round has decided");
    assert_eq!(store.run(&customer, &first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.proposal(&customer, &plan("a")).await.unwrap(), Some(proposals[0].clone()));
    assert_eq!(store.proposal(&customer, &plan("c")).await.unwrap(), None, "what lost left nothing behind");
    assert_eq!(store.open_proposals(&customer, &cluster).await.unwrap(), proposals);
    assert_eq!(store.open_proposals(&customer, &cluster_id("pro")).await.unwrap(), []);
    assert_eq!(store.proposal(&customer_id("together-2"), &plan("a")).await.unwrap(), None, "another customer's are absent");
    let (foreign, _) = run("together", "other", "s1", at(NOON), &[]);
    assert!(matches!(store.decide(&foreign, &proposals).await, Err(StoreError::Refused(_))), "a proposal of another cluster");
    let names: Vec<String> = (0..41).map(|n| format!("many-{n}")).collect();
    let (many, too_many) = run("together", "prod", "s2", at(NOON), &names.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(matches!(store.decide(&many, &too_many).await, Err(StoreError::Refused(_))));
    store.decide(&many, &too_many[..40]).await.unwrap();
    assert_eq!(store.open_proposals(&customer, &cluster).await.unwrap().len(), 42);
}

pub(super) async fn one_of_forty_workers_decides(store: &dyn Store) {
    let made: Vec<(Run, Vec<Proposal>)> = (0..40).map(|n| run("workers", "prod", "s1", at(NOON), &[&format!("p-{n}")])).collect();
    let written = join_all(made.iter().map(|(run, proposals)| store.decide(run, proposals))).await;
    assert_eq!(written.iter().filter(|w| w.is_ok()).count(), 1);
    assert!(written.iter().all(|w| matches!(w, Ok(()) | Err(StoreError::Conflict))));
    assert_eq!(store.open_proposals(&customer_id("workers"), &cluster_id("prod")).await.unwrap().len(), 1);
}

pub(super) async fn runs_are_listed_newest_first(store: &dyn Store) {
    let customer = customer_id("listed");
    for (n, cluster) in ["prod", "test", "prod", "test", "prod"].into_iter().enumerate() {
        let when = at(NOON) + SignedDuration::from_secs(i64::try_from(n).unwrap());
        let (run, _) = run("listed", cluster, &format!("s{n}"), when, &[]);
        store.decide(&run, &[]).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.runs(&customer, after.as_deref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|run| run.round));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["s4", "s3", "s2", "s1", "s0"]);
    assert_eq!(store.runs(&customer_id("liste"), None, 2).await.unwrap().items, []);
    let all = store.runs(&customer, None, 9).await.unwrap().items;
    let named = [all[3].id.clone(), all[0].id.clone(), all[3].id.clone()];
    let mut found: Vec<String> = store.named_runs(&customer, &named).await.unwrap().into_iter().map(|run| run.round).collect();
    found.sort();
    assert_eq!(found, ["s1", "s4"], "each once");
    assert_eq!(store.named_runs(&customer_id("liste"), &named).await.unwrap(), []);
    assert_eq!(store.named_runs(&customer, &[]).await.unwrap(), []);
}

/// The runs of one round that lead to nothing, of these types.
fn nothing(customer: &str, cluster: &str, round: &str, when: domain::Timestamp, types: &[DecisionType]) -> Vec<Run> {
    let of = |decision: &DecisionType| {
        let (run, _) = run(customer, cluster, round, when, &[]);
        Run { id: run_id(&run.cluster, round, *decision), decision: *decision, ..run }
    };
    types.iter().map(of).collect()
}

const TYPES: [DecisionType; 3] = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];

pub(super) async fn runs_that_lead_to_nothing_are_written_together_and_once(store: &dyn Store) {
    let customer = customer_id("nothing");
    let runs = nothing("nothing", "prod", "s1", at(NOON), &TYPES);
    store.decide_nothing(&runs).await.unwrap();
    for run in &runs {
        assert_eq!(store.run(&customer, &run.id).await.unwrap().as_ref(), Some(run));
    }
    let later = nothing("nothing", "prod", "s1", at(NOON) + SignedDuration::from_secs(1), &TYPES[1..]);
    assert!(matches!(store.decide_nothing(&later).await, Err(StoreError::Conflict)), "another worker was faster");
    assert_eq!(store.run(&customer, &runs[1].id).await.unwrap().as_ref(), Some(&runs[1]), "what was written first holds");
    assert_eq!(store.run(&customer_id("nothing-2"), &runs[1].id).await.unwrap(), None, "another customer's are absent");
    // The second of them was decided with its plans, apart.
    let (planned, proposals) = run("nothing", "prod", "s2", at(NOON) + SignedDuration::from_secs(9), &["a"]);
    store.decide(&planned, &proposals).await.unwrap();
    let others: Vec<DecisionType> = TYPES.into_iter().filter(|decision| *decision != planned.decision).collect();
    let rest = nothing("nothing", "prod", "s2", planned.at, &others);
    store.decide_nothing(&rest).await.unwrap();
    let mut ids: Vec<_> = rest.iter().chain([&planned]).map(|run| run.id.clone()).collect();
    let mut found: Vec<_> = store.named_runs(&customer, &ids).await.unwrap().into_iter().map(|run| run.id).collect();
    ids.sort();
    found.sort();
    assert_eq!(found, ids, "in both rows, each once");
    let foreign = nothing("nothing", "test", "s3", at(NOON), &TYPES[..1]);
    let mixed = [nothing("nothing", "prod", "s3", at(NOON), &TYPES[1..]), foreign].concat();
    assert!(matches!(store.decide_nothing(&mixed).await, Err(StoreError::Refused(_))), "they are not of one round");
    assert!(matches!(store.decide_nothing(&[]).await, Err(StoreError::Refused(_))), "there are none");
}

pub(super) async fn runs_are_turned_over_page_by_page_however_they_were_written(store: &dyn Store) {
    let customer = customer_id("pages");
    let mut all = Vec::new();
    for n in 0..6_i64 {
        // Two rounds at each instant; every third was written run by run.
        let when = at(NOON) + SignedDuration::from_secs(n / 2);
        let runs = nothing("pages", "prod", &format!("s{n}"), when, &TYPES);
        if n % 3 == 0 {
            for run in &runs {
                store.decide(run, &[]).await.unwrap();
            }
        } else {
            store.decide_nothing(&runs).await.unwrap();
        }
        all.extend(runs);
    }
    let whole = store.runs(&customer, None, 100).await.unwrap();
    assert_eq!((whole.items.len(), whole.next), (all.len(), None));
    assert!(whole.items.is_sorted_by(|a, b| a.at >= b.at), "newest first");
    for limit in 1..=7 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.runs(&customer, after.as_deref(), limit).await.unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, whole.items, "{limit} at a time");
    }
}

pub(super) async fn a_proposal_changes_against_its_version(store: &dyn Store) {
    let (customer, cluster) = (customer_id("versions"), cluster_id("prod"));
    let (first, proposals) = run("versions", "prod", "s1", at(NOON), &["a", "b"]);
    store.decide(&first, &proposals).await.unwrap();
    let approved = with(&proposals[0], ProposalState::Approved { by: "ops".to_owned(), at: at(NOON) });
    let rejected = with(&proposals[0], ProposalState::Rejected { by: "ops".to_owned(), at: at(NOON) });
    store.put_proposal(&approved, None).await.unwrap();
    assert!(matches!(store.put_proposal(&rejected, None).await, Err(StoreError::Conflict)), "somebody else has decided");
    assert_eq!(store.proposal(&customer, &plan("a")).await.unwrap(), Some(approved.clone()));
    assert_eq!(store.open_proposals(&customer, &cluster).await.unwrap().len(), 2);
    store.put_proposal(&with(&approved, ProposalState::Expired), None).await.unwrap();
    let open = store.open_proposals(&customer, &cluster).await.unwrap();
    assert_eq!(open, proposals[1..], "nothing comes of what has expired");
    let absent = Proposal { plan: proposals[0].plan.clone(), version: 2, ..proposals[0].clone() };
    let mut absent = with(&absent, ProposalState::Expired);
    absent.plan.key = plan_key("versions", "prod", "nowhere");
    assert!(matches!(store.put_proposal(&absent, None).await, Err(StoreError::Conflict)));
}

pub(super) async fn an_ended_plan_and_the_books_are_written_both_or_not_at_all(store: &dyn Store) {
    let (customer, cluster) = (customer_id("books"), cluster_id("prod"));
    let (first, proposals) = run("books", "prod", "s1", at(NOON), &["a", "b"]);
    store.decide(&first, &proposals).await.unwrap();
    let ended = ProposalState::Ended { outcome: Outcome::Succeeded, saved_per_hour: MicroDollars(5), at: at(NOON) };
    let empty = store.books(&customer, &cluster).await.unwrap();
    assert_eq!(empty, Books::new(customer.clone(), cluster.clone()));
    let entered = Books { plans: 1, version: 1, ..empty.clone() };
    store.put_proposal(&with(&proposals[0], ended.clone()), Some(&entered)).await.unwrap();
    let twice = Books { plans: 2, version: 2, ..empty.clone() };
    assert!(matches!(store.put_proposal(&with(&proposals[0], ended.clone()), Some(&twice)).await, Err(StoreError::Conflict)));
    assert_eq!(store.books(&customer, &cluster).await.unwrap(), entered, "one plan is entered once");
    let stale = Books { plans: 1, version: 1, ..empty };
    assert!(matches!(store.put_proposal(&with(&proposals[1], ended), Some(&stale)).await, Err(StoreError::Conflict)));
    assert_eq!(store.proposal(&customer, &plan("b")).await.unwrap(), Some(proposals[1].clone()), "neither was written");
}

pub(super) async fn what_stands_between_rounds_is_written_against_its_version(store: &dyn Store) {
    let (customer, cluster) = (customer_id("standing"), cluster_id("prod"));
    let mut standing = store.standing(&customer, &cluster).await.unwrap();
    assert_eq!(standing.version, 0);
    standing.version = 1;
    standing.cursors.insert("bin_pack".to_owned(), NodeName::parse("n-1").unwrap());
    store.put_standing(&customer, &cluster, &standing).await.unwrap();
    assert!(matches!(store.put_standing(&customer, &cluster, &standing).await, Err(StoreError::Conflict)));
    assert_eq!(store.standing(&customer, &cluster).await.unwrap(), standing);
    standing.version = 2;
    store.put_standing(&customer, &cluster, &standing).await.unwrap();
    assert_eq!(store.standing(&customer, &cluster_id("pro")).await.unwrap().version, 0);
}
