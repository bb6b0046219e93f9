//! A market that behaves: it has a past, a file with versions and a list, it may be slow, and parts of it may be down.

use crate::Deps;
use async_trait::async_trait;
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceType, Region, Zone};
use domain::market::Part;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::cloud::SpotPrice;
use domain::ports::{AdvisorFile, Clock, MarketSource, Meter, Registry, SourceError};
use domain::tenant::{Cluster, ClusterStatus};
use domain::{SignedDuration, Timestamp};
use sim::clock::{EPOCH, SimClock};
use sim::store::{MemoryMarket, MemoryStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

const RANGES: &str = r#"[{"index":0,"max":5},{"index":1,"max":11},{"index":2,"max":16},{"index":3,"max":22},{"index":4,"max":100}]"#;

#[derive(Default)]
pub(super) struct State {
    pub(super) history: BTreeMap<Region, Vec<SpotPrice>>,
    pub(super) list: BTreeMap<Region, Vec<String>>,
    pub(super) file: Option<AdvisorFile>,
    pub(super) broken: BTreeSet<Part>,
    pub(super) hangs: BTreeSet<Region>,
    pub(super) asked: Vec<(Part, Option<Region>)>,
    pub(super) counts: BTreeMap<String, usize>,
}

pub(super) struct Market {
    pub(super) clock: Arc<SimClock>,
    pub(super) kept: Arc<MemoryMarket>,
    pub(super) registry: Arc<MemoryStore>,
    /// How long each call takes.
    pub(super) takes: SignedDuration,
    state: Mutex<State>,
}

pub(super) fn region(text: &str) -> Region {
    Region::parse(text).unwrap()
}

pub(super) fn kind(text: &str) -> InstanceType {
    InstanceType::parse(text).unwrap()
}

pub(super) fn pool(zone: &str) -> Pool {
    Pool { instance_type: kind("m6i.large"), zone: Zone::parse(zone).unwrap(), capacity: CapacityType::Spot }
}

pub(super) fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

pub(super) fn product(region: &Region, name: &str, usd: &str) -> String {
    format!(
        r#"{{"product":{{"attributes":{{"instanceType":"{name}","regionCode":"{region}","tenancy":"Shared","operatingSystem":"Linux",
        "preInstalledSw":"NA","capacitystatus":"Used"}}}},
        "terms":{{"OnDemand":{{"T":{{"priceDimensions":{{"D":{{"unit":"Hrs","pricePerUnit":{{"USD":"{usd}"}}}}}}}}}}}}}}"#
    )
}

impl Market {
    /// A market in which a cluster is registered in each of these Regions; each has two pools, a price and some advice.
    pub(super) async fn of(regions: &[&str], takes: SignedDuration) -> Arc<Market> {
        let market =
            Arc::new(Market { clock: SimClock::new(), kept: Arc::default(), registry: Arc::default(), takes, state: Mutex::default() });
        for name in regions {
            market.register(name).await;
        }
        market.publish("one", SignedDuration::from_hours(-30), 60);
        market
    }

    pub(super) async fn register(&self, name: &str) {
        let here = region(name);
        self.registry.put_cluster(&cluster(&here), None).await.unwrap();
        self.moves(&format!("{name}a"), SignedDuration::from_hours(-300), 40_000);
        self.moves(&format!("{name}b"), SignedDuration::from_hours(-5), 50_000);
        self.with(|state| state.list.insert(here.clone(), vec![product(&here, "m6i.large", "0.096")]));
    }

    /// A price of `m6i.large` in a zone, this long after now.
    pub(super) fn moves(&self, zone: &str, after: SignedDuration, micros: i64) {
        let price = SpotPrice { pool: pool(zone), price_per_hour: MicroDollars(micros), since: self.clock.now() + after };
        self.with(|state| state.history.entry(region(&zone[..zone.len() - 1])).or_default().push(price));
    }

    /// A new file for all Regions, of a date this long after now.
    pub(super) fn publish(&self, version: &str, after: SignedDuration, savings_percent: i8) {
        self.with(|state| {
            let cell = |region: &Region| format!(r#""{region}":{{"Linux":{{"m6i.large":{{"s":{savings_percent},"r":1}}}}}}"#);
            let cells: Vec<String> = state.history.keys().map(cell).collect();
            let bytes = format!(r#"{{"ranges":{RANGES},"spot_advisor":{{{}}}}}"#, cells.join(",")).into_bytes();
            state.file = Some(AdvisorFile { bytes, version: version.to_owned(), as_of: self.clock.now() + after });
        });
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// What was asked since the last time.
    pub(super) fn asked(&self) -> Vec<(Part, Option<Region>)> {
        self.with(|state| std::mem::take(&mut state.asked))
    }

    pub(super) async fn pass(&self, duration: SignedDuration) {
        tokio::time::advance(duration.try_into().unwrap()).await;
    }

    pub(super) fn deps(self: &Arc<Market>) -> Deps {
        Deps {
            registry: self.registry.clone(),
            source: self.clone(),
            store: self.kept.clone(),
            wishes: self.kept.clone(),
            work: self.kept.clone(),
            clock: self.clock.clone(),
            meter: self.clone(),
        }
    }

    async fn call<T>(&self, part: Part, region: Option<&Region>, answer: impl FnOnce(&mut State) -> T) -> Result<T, SourceError> {
        let hangs = self.with(|state| {
            state.asked.push((part, region.cloned()));
            region.is_some_and(|region| state.hangs.contains(region))
        });
        self.clock.sleep(if hangs { SignedDuration::from_hours(9) } else { self.takes }).await;
        self.with(|state| if state.broken.contains(&part) { Err(SourceError::Throttled) } else { Ok(answer(state)) })
    }
}

#[async_trait]
impl MarketSource for Market {
    async fn spot_prices(&self, region: &Region, types: &[InstanceType], since: Timestamp) -> Result<Vec<SpotPrice>, SourceError> {
        let answer = |state: &mut State| {
            let mut all = state.history.get(region).cloned().unwrap_or_default();
            all.retain(|price| types.is_empty() || types.contains(&price.pool.instance_type));
            let held = |price: &SpotPrice| {
                all.iter().filter(|other| other.pool == price.pool && other.since <= since).map(|other| other.since).max()
                    == Some(price.since)
            };
            all.iter().filter(|price| price.since > since || held(price)).cloned().collect()
        };
        self.call(Part::SpotPrices, Some(region), answer).await
    }

    async fn advisor(&self, known: Option<&str>, _bytes_max: usize) -> Result<Option<AdvisorFile>, SourceError> {
        self.call(Part::Advisor, None, |state| state.file.clone().filter(|file| Some(file.version.as_str()) != known)).await
    }

    async fn on_demand(&self, region: &Region) -> Result<Vec<String>, SourceError> {
        self.call(Part::OnDemand, Some(region), |state| state.list.get(region).cloned().unwrap_or_default()).await
    }
}

impl Meter for Market {
    fn count(&self, name: &'static str, kind: &str) {
        self.with(|state| *state.counts.entry(format!("{name} {kind}")).or_default() += 1);
    }
}

fn cluster(region: &Region) -> Cluster {
    Cluster {
        id: ClusterId::parse(region.as_str()).unwrap(),
        customer: CustomerId::parse("acme").unwrap(),
        name: "prod".into(),
        k8s_api_endpoint: "https://example.com".into(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: "arn:aws:iam::123456789012:role/cloudoptim".into(),
        account: AccountId::parse("123456789012").unwrap(),
        region: region.clone(),
        sqs_queue_url: None,
        status: ClusterStatus::Connected,
        status_reason: String::new(),
        node_count: 0,
        seen_at: None,
        policy: Default::default(),
        version: 1,
        created_at: EPOCH,
        updated_at: EPOCH,
    }
}
