//! Findings: what people read of sizes.

use super::super::Optimizer;
use super::Sizing;
use crate::ports::{Site, Trouble};
use domain::finding::{Finding, FindingKind, FindingState};
use domain::money::MicroDollars;
use domain::ports::StoreError;
use domain::sizing::{Resource, Sizes};
use domain::usage::{ContainerRef, Usage};
use domain::{SignedDuration, Timestamp};
use planning::rightsizing::advise::fit;
use std::collections::BTreeSet;

/// How often a finding that stays the same is written again, and one of kills, which is told by when it was last seen.
const EVERY: SignedDuration = SignedDuration::from_hours(24);
const KILLS_EVERY: SignedDuration = SignedDuration::from_hours(6);
/// For how long a kill is told of after it was last seen.
const KILLS_TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What is found of sizes.
const KINDS: [FindingKind; 4] =
    [FindingKind::OversizedWorkload, FindingKind::UndersizedWorkload, FindingKind::OutOfMemory, FindingKind::LikelyLeak];

/// What a finding is about.
pub(super) struct Subject<'a> {
    pub(super) site: &'a Site,
    pub(super) of: &'a ContainerRef,
    pub(super) usage: &'a Usage,
    pub(super) replicas: u32,
    pub(super) now: Timestamp,
}

/// A finding on a container: what it has, and what it should have.
pub(super) fn found(
    about: &Subject<'_>,
    kind: FindingKind,
    cost_per_month: Option<MicroDollars>,
    evidence: Vec<String>,
    from: &Sizes,
    to: &Sizes,
) -> Finding {
    let cluster = &about.site.cluster;
    let changed =
        [Resource::Cpu, Resource::Memory].into_iter().filter(|of| from.request(*of) != to.request(*of) || from.limit(*of) != to.limit(*of));
    let say = |amount: Option<u64>, of: Resource| amount.map_or_else(|| "none".to_owned(), |amount| of.describe(amount));
    let sentence = |of: Resource| {
        format!(
            "{} request {} instead of {}, limit {} instead of {}",
            of.as_str(),
            say(to.request(of), of),
            say(from.request(of), of),
            say(to.limit(of), of),
            say(from.limit(of), of)
        )
    };
    let changes: Vec<String> = changed.map(sentence).collect();
    let remedy = match changes.is_empty() {
        true => "A person should look at what it does with its memory; more of it is not given.".to_owned(),
        false => format!("{}. What it had stands in the plan, and is put back where the roll-out fails.", changes.join("; ")),
    };
    let finding = Finding::new(cluster.customer.clone(), cluster.id.clone(), kind, &about.of.to_string(), about.now);
    let fit = Some(Box::new(fit(about.of, about.usage, about.replicas, (*from, *to), about.now.as_second())));
    Finding { evidence, cost_per_month, remedy, fit, ..finding }
}

fn of_kills(kind: FindingKind) -> bool {
    matches!(kind, FindingKind::OutOfMemory | FindingKind::LikelyLeak)
}

impl Optimizer {
    /// What was found of sizes before.
    pub(super) async fn found_before(&self, site: &Site, sizing: &Sizing) -> Result<Vec<Finding>, Trouble> {
        let (customer, cluster) = (&site.cluster.customer, &site.cluster.id);
        let mut before = Vec::new();
        for kind in KINDS {
            before.extend(sizing.findings.findings_of(customer, cluster, Some(kind)).await?);
        }
        Ok(before)
    }

    /// Writes what was found, and ends what is not found any more.
    pub(super) async fn keep_found(&self, sizing: &Sizing, found: Vec<Finding>, before: &[Finding], now: Timestamp) -> Result<(), Trouble> {
        let seen: BTreeSet<_> = found.iter().map(|finding| finding.id.clone()).collect();
        let mut writes = Vec::new();
        for finding in found {
            let there = before.iter().find(|there| there.id == finding.id);
            let every = if of_kills(finding.kind) { KILLS_EVERY } else { EVERY };
            writes.extend(finding.seen_over(there, every));
        }
        for gone in before.iter().filter(|there| !seen.contains(&there.id) && there.state.stands()) {
            if !of_kills(gone.kind) || now > gone.last_seen + KILLS_TOLD_FOR {
                let why = "its sizes fit what it uses, or it is gone".to_owned();
                writes.push(gone.with(FindingState::Resolved { at: now, why }));
            }
        }
        for finding in writes {
            match sizing.findings.put_finding(&finding).await {
                // Another delivery of the round wrote the same; the next round looks again.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }
}
