//! What a scan remembers from one look at a cluster to the next: how long something has looked like waste without a break.

use crate::ids::{ClusterId, CustomerId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far people have been told of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// Not at all.
    #[default]
    Nothing,
    /// That it was found.
    Found,
    /// That it will be dealt with soon.
    Warned,
}

/// What is not looked at in every scan: each in its turn, so that a scan's requests stay few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Volumes that nothing claims.
    Volumes,
    /// Elastic IP addresses that stand for nothing.
    Addresses,
    /// NAT gateways that no route leads to.
    Gateways,
    /// Load balancers with nothing behind them.
    Balancers,
    /// Connections from zone to zone.
    Zones,
}

/// All parts.
pub const PARTS: [Part; 5] = [Part::Volumes, Part::Addresses, Part::Gateways, Part::Balancers, Part::Zones];

/// Something that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// When it was first seen so, without a break since. Our own clock: nobody else's time is believed.
    pub first_seen: Timestamp,
    /// When it was last seen so.
    pub last_seen: Timestamp,
    /// How often it was seen so, sightings close to each other counted once.
    pub sightings: u32,
    /// How far people have been told.
    pub told: Told,
}

impl Watch {
    /// The first sight.
    pub fn new(now: Timestamp) -> Watch {
        Watch { first_seen: now, last_seen: now, sightings: 1, told: Told::Nothing }
    }
}

/// What is watched in one cluster. Written against its version, so that two scans at once cannot both be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watchbook {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// When a whole look last succeeded.
    pub scanned_at: Option<Timestamp>,
    /// How many nodes stood for an EC2 instance then.
    pub nodes: u32,
    /// How many instances of the cluster ran then.
    pub running: u32,
    /// Since when nothing is believed or done, and why; `None`: all is well.
    #[serde(default)]
    pub stopped: Option<(Timestamp, String)>,
    /// What is watched, by its id: `i-...`, `vol-...`, `eipalloc-...`, `nat-...`.
    pub watches: BTreeMap<String, Watch>,
    /// Whether the PersistentVolume of an EBS volume said `Retain`, by volume: noted while it is there, needed once it is not.
    #[serde(default)]
    pub retained: BTreeMap<String, bool>,
    /// From when on each part is due again; what is absent was never looked at.
    #[serde(default)]
    pub next: BTreeMap<Part, Timestamp>,
    /// Grows with every write; 0 where nothing was written yet.
    pub version: u64,
}

impl Watchbook {
    /// An empty book.
    pub fn new(customer: CustomerId, cluster: ClusterId) -> Watchbook {
        Watchbook {
            customer,
            cluster,
            scanned_at: None,
            nodes: 0,
            running: 0,
            stopped: None,
            watches: BTreeMap::new(),
            retained: BTreeMap::new(),
            next: BTreeMap::new(),
            version: 0,
        }
    }
}

/// A message of the scanner's queue: one scan of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanOrder {
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// Who asked.
    pub asked_by: String,
    /// Look at every part that one scan has requests for, whether it is due or not: those not looked at for the longest first.
    #[serde(default)]
    pub whole: bool,
}
