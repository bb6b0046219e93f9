//! Scans of clusters for what costs money and does nothing: ghosts, volumes, and what lies idle in the network.
//!
//! # Guarantees
//! People hear of something before the watchbook says that they have, and the book is written before anything is opened; so whoever
//! dies in between tells something twice at worst, and never does what nobody was told of. Two scans at once write one book; the
//! slower one has seen nothing. A look that failed is no look: nothing is marked, nothing recovers, nothing is done.

use crate::optimize::slot;
use crate::permissions::Inspector;
use crate::ports::{Ports, Site, Trouble};
use domain::SignedDuration;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::node::NodeView;
use domain::ports::{Findings, Notices, Scans, StoreError};
use domain::watch::{Part, ScanOrder, Watchbook};
use planning::looks::{self, Asked};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::{info, warn};

mod ghosts;
mod network;
mod open;
mod settle;
mod tell;
mod volumes;
mod zones;

/// How often a finding that says nothing new is written again, so that people see that it still stands.
const REFRESH: SignedDuration = SignedDuration::from_hours(6);

/// What the environment says of scanning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `GHOST_PROBE_SCANNER_ENABLED`.
    pub ghosts: bool,
    /// `ZOMBIE_VOLUME_CLEANUP_ENABLED`.
    pub volumes: bool,
    /// `NETWORK_OPTIMIZATION_ENABLED`.
    pub network: bool,
}

impl Settings {
    /// What is looked at beside ghosts.
    fn parts(self) -> Vec<Part> {
        let volumes = self.volumes.then_some(Part::Volumes);
        let network = [Part::Addresses, Part::Gateways, Part::Balancers, Part::Zones].into_iter().filter(|_| self.network);
        volumes.into_iter().chain(network).collect()
    }
}

/// Everything that scanning works with.
#[derive(Clone)]
pub struct Scanner {
    /// The ports that plans are carried out with; here they are only read, and plans opened.
    pub ports: Ports,
    /// Findings.
    pub findings: Arc<dyn Findings>,
    /// What people are told.
    pub notices: Arc<dyn Notices>,
    /// The queue of scans.
    pub scans: Arc<dyn Scans>,
    /// Who looks what we may do; `None`: nobody.
    pub inspector: Option<Inspector>,
    /// What the environment says.
    pub settings: Settings,
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// It was looked; so many findings stand, and so many plans were opened.
    Finished {
        /// Findings.
        standing: usize,
        /// Plans.
        opened: usize,
    },
    /// It could not be looked, or what was seen is not to be believed; why, in one sentence.
    Blind(String),
    /// Another scan was faster; what this one saw is void.
    Overtaken,
    /// The cluster is not registered any more.
    Gone,
}

/// What stands by now, as findings, and what in the book has changed.
struct Harvest {
    book: Watchbook,
    /// What stands, by kind; a kind that was not looked at is absent.
    standing: BTreeMap<FindingKind, Vec<Finding>>,
    /// Why something does not stand any more, by kind and subject.
    over: BTreeMap<(FindingKind, String), String>,
    notices: Vec<domain::ports::Notice>,
    due: Vec<open::Due>,
    blind: Option<String>,
    /// The nodes, where they were listed: one list is enough for a scan.
    nodes: Option<Vec<NodeView>>,
}

impl Scanner {
    /// Asks for a scan of every cluster, one message each.
    ///
    /// # Errors
    /// [`Trouble`]: not all were asked for; the schedule tries again.
    pub async fn fan_out(&self) -> Result<usize, Trouble> {
        let clusters = self.ports.registry.every_cluster().await?;
        let asked = clusters.len();
        for cluster in clusters {
            let order = ScanOrder { customer: cluster.customer, cluster: cluster.id, asked_by: "schedule".to_owned(), whole: false };
            self.scans.ask_scan(&order).await?;
        }
        Ok(asked)
    }

    /// One scan of one cluster.
    ///
    /// # Errors
    /// [`Trouble`]: the message must come back.
    pub async fn scan(&self, order: &ScanOrder) -> Result<Scanned, Trouble> {
        let Some(site) = Site::open(&self.ports, &order.customer, &order.cluster).await? else {
            return Ok(Scanned::Gone);
        };
        if let Some(inspector) = &self.inspector
            && let Err(error) = Box::pin(inspector.look(&site.cluster, &site.scope)).await
        {
            warn!(cluster.id = %site.cluster.id, %error, "What we may do in a cluster was not looked at; the next scan does");
        }
        let before = self.findings.findings_of(&order.customer, &order.cluster, None).await?;
        let before = self.settle(&site, before).await?;
        let book = self.ports.watchbooks.watchbook(&order.customer, &order.cluster).await?;
        let mut harvest = Harvest {
            book: book.clone(),
            standing: BTreeMap::new(),
            over: BTreeMap::new(),
            notices: Vec::new(),
            due: Vec::new(),
            blind: None,
            nodes: None,
        };
        if self.settings.ghosts {
            self.ghosts(&site, &before, &mut harvest).await?;
        }
        let asked = if order.whole { Asked::Whole } else { Asked::Due };
        for part in looks::turn(&book, &self.settings.parts(), asked, self.ports.clock.now()) {
            let seen = self.part(part, &site, &before, &mut harvest).await;
            looks::looked(&mut harvest.book, part, seen, self.ports.clock.now());
        }
        for notice in &harvest.notices {
            self.notices.tell(notice).await?;
        }
        harvest.book.version = book.version + 1;
        match self.ports.watchbooks.put_watchbook(&harvest.book).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => return Ok(Scanned::Overtaken),
            Err(other) => return Err(other.into()),
        }
        let standing = self.write(&before, &harvest).await?;
        let opened = self.open(&site, &harvest).await?;
        self.ports.meter.count("scans", if harvest.blind.is_some() { "blind" } else { "finished" });
        info!(cluster.id = %site.cluster.id, asked_by = order.asked_by, standing, opened, blind = harvest.blind.as_deref(), "A scan is over");
        Ok(match harvest.blind {
            Some(why) => Scanned::Blind(why),
            None => Scanned::Finished { standing, opened },
        })
    }

    /// Looks at one part. `false`: it could not be looked at, and is tried again before long.
    async fn part(&self, part: Part, site: &Site, before: &[Finding], harvest: &mut Harvest) -> bool {
        let seen = match part {
            Part::Volumes => self.volumes(site, before, harvest).await,
            Part::Addresses | Part::Gateways | Part::Balancers => self.idle(part, site, before, harvest).await,
            Part::Zones => self.zones(site, before, harvest).await,
        };
        if let Err(why) = &seen {
            info!(cluster.id = %site.cluster.id, ?part, why, "A part of a cluster could not be looked at");
        }
        seen.is_ok()
    }

    /// Writes what stands and what is over. Returns how many findings stand.
    async fn write(&self, before: &[Finding], harvest: &Harvest) -> Result<usize, Trouble> {
        let now = self.ports.clock.now();
        let mut count = 0;
        for (kind, standing) in &harvest.standing {
            count += standing.len();
            for finding in standing {
                let there = before.iter().find(|there| there.id == finding.id);
                if let Some(next) = finding.clone().seen_over(there, REFRESH) {
                    self.put(&next).await?;
                }
            }
            let gone = before.iter().filter(|there| there.kind == *kind && standing.iter().all(|finding| finding.id != there.id));
            for there in gone.filter(|there| !matches!(there.state, FindingState::Resolved { .. })) {
                let why = harvest.over.get(&(*kind, there.subject.clone())).cloned();
                let why = why.unwrap_or_else(|| "It is not there any more.".to_owned());
                self.put(&there.with(FindingState::Resolved { at: now, why })).await?;
            }
        }
        Ok(count)
    }

    /// Writes a finding. Where somebody else wrote first, their word stands until the next scan.
    async fn put(&self, finding: &Finding) -> Result<(), Trouble> {
        match self.findings.put_finding(finding).await {
            Ok(()) => Ok(()),
            Err(StoreError::Conflict) => {
                warn!(finding.id = %finding.id, "A finding was written by somebody else meanwhile");
                Ok(())
            }
            Err(other) => Err(other.into()),
        }
    }
}

/// What the hour is called, for ids of plans.
fn hour(ports: &Ports) -> String {
    slot(ports.clock.now(), SignedDuration::from_hours(1))
}
