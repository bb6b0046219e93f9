//! One console over one store: two customers, keys of every role, and a cluster in which something of everything has happened.

use crate::fleet::Fleets;
use crate::session::{Signer, hash_of};
use crate::{Deps, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use domain::decision::{DecisionType, Untouched, WhyNot};
use domain::finding::{Finding, FindingKind};
use domain::ids::{CustomerId, InstanceId, InstanceKey, NodeName, PlanId, Region};
use domain::interruption::NoticeKind;
use domain::market::{PricePoint, PriceSeries};
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeRecord, NodeTarget};
use domain::offering::{CapacityType, Pool};
use domain::optimization::{Proposal, ProposalState, Recommendation, Run, RunStatus, run_id};
use domain::plan::action::AskedBy;
use domain::plan::stakes::{NodeStake, Stakes};
use domain::plan::{Action, OnFailure, Plan, PlanKey, PlanKind, Step};
use domain::policy::{ClusterPolicy, Mode};
use domain::ports::{Clock, Findings, Journal, Ledger, MarketStore, Optimizations, Registry, Routes};
use domain::savings::{Baseline, Hour, Lever, hour_of};
use domain::scheduling::Resources;
use domain::spot_event::SpotEvent;
use domain::tenant::{ApiKey, Cluster, ClusterStatus, Role};
use domain::{SignedDuration, Timestamp};
use http::{HeaderMap, Method, Request, StatusCode};
use runtime::advisor::Connection;
use runtime::http::Limits;
use runtime::web::issuer::Issuer;
use secrecy::SecretString;
use sim::clock::SimClock;
use sim::store::{MemoryMarket, MemoryObjects, MemoryQueue, MemoryStore};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt;

/// A name that must stay a name.
pub(crate) const RUBBISH: &str = "<script>alert('&')</script>";
/// The node of the cluster.
pub(crate) const NODE: &str = "ip-10-0-0-1.ec2.internal";
/// The plan that waits.
pub(crate) const PLAN: &str = "plan-1";

/// Everything behind the console.
pub(crate) struct Bench {
    pub(crate) pages: Router,
    pub(crate) deps: Arc<Deps>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) clock: Arc<SimClock>,
    pub(crate) market: Arc<MemoryMarket>,
}

/// A decision server that answers, its table and its clock.
pub(crate) type Served = (Arc<Connection>, Arc<MemoryMarket>, Arc<SimClock>);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The token in the forms of the page.
    pub(crate) fn token(&self) -> String {
        let at = self.text.split("name=\"token\" value=\"").nth(1).expect("the page has a form");
        at.split('"').next().unwrap().to_owned()
    }
}

pub(crate) fn customer(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

impl Bench {
    /// With keys, and nothing else.
    pub(crate) async fn empty() -> Bench {
        Bench::with(None, None).await
    }

    /// With keys, over a decision server of our own that answers on this machine.
    pub(crate) async fn served() -> Bench {
        Bench::over(None, SimClock::new()).await
    }

    /// The same, and files of models are put into a store of their own.
    pub(crate) async fn taking_uploads(origin: &str) -> (Bench, Arc<MemoryObjects>) {
        let clock = SimClock::new();
        let objects = Arc::new(MemoryObjects::new(origin, clock.clone(), runtime::web::ids::random_ids()));
        (Bench::over(Some(objects.clone()), clock).await, objects)
    }

    async fn over(objects: Option<Arc<MemoryObjects>>, clock: Arc<SimClock>) -> Bench {
        let market = Arc::new(MemoryMarket::default());
        let models = decision::Bench::new(market.clone(), clock.clone());
        let models = match objects {
            Some(objects) => models.taking(decision::Uploads { objects, ids: runtime::web::ids::random_ids() }),
            None => models,
        };
        let deps = decision::Deps {
            engine: Arc::new(decision::planner::Planner::default()),
            library: Arc::new(decision::Library::embedded()),
            records: Some(decision::Records { store: market.clone(), clock: clock.clone() }),
            bench: Some(Arc::new(models)),
            desk: Some(decision::Desk { market: market.clone(), wishes: market.clone(), work: market.clone(), clock: clock.clone() }),
            keys: vec![decision::Key::of("a-key-of-the-tests")],
            limits: decision::Limits::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, decision::router(Arc::new(deps))).await });
        let ml = Connection::new(&url, &SecretString::from("a-key-of-the-tests"), Limits::default(), &gate::Gate::this_machine()).unwrap();
        Bench::with(Some((Arc::new(ml), market, clock)), None).await
    }

    /// With keys, and an issuer whose tokens are taken.
    pub(crate) async fn with(ml: Option<Served>, issuer: Option<Arc<Issuer>>) -> Bench {
        let (ml, market, clock) = match ml {
            Some((ml, market, clock)) => (Some(ml), market, clock),
            None => (None, Arc::default(), SimClock::new()),
        };
        let store = Arc::new(MemoryStore::default());
        for customer_id in ["acme", "other", "default"] {
            for (word, role) in [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)] {
                let name = format!("{customer_id}-{word}");
                let key = ApiKey {
                    id: name.clone(),
                    hash: hash_of(&name).unwrap(),
                    customer: customer(customer_id),
                    role,
                    label: name,
                    expires_at: None,
                    revoked: false,
                    created_at: None,
                };
                store.put_api_key(&key).await.unwrap();
            }
        }
        let queue = MemoryQueue::new(clock.clone());
        let region = Region::parse("us-east-1").unwrap();
        let at = clock.now() - SignedDuration::from_hours(30);
        let series = PriceSeries::from(vec![PricePoint { at, price_per_hour: MicroDollars(90_000) }]);
        market.put_spot_series(&region, &[(pool(), series)]).await.unwrap();
        let count = AtomicU64::new(0);
        let deps = Deps {
            registry: store.clone(),
            journal: store.clone(),
            optimizations: store.clone(),
            ledger: store.clone(),
            outbox: store.clone(),
            nights: store.clone(),
            findings: store.clone(),
            trail: store.clone(),
            routes: store.clone(),
            market: market.clone(),
            fillings: market.clone(),
            rounds: queue.clone(),
            scans: queue.clone(),
            queue: queue.clone(),
            ml,
            clock: clock.clone(),
            ids: Arc::new(move || u128::from(count.fetch_add(1, Ordering::SeqCst)) + 1),
            issuer,
            sessions: Signer::new(b"a secret of this test", true),
            fleets: Fleets::default(),
        };
        let deps = Arc::new(deps);
        Bench { pages: router(Arc::clone(&deps)), deps, store, queue, clock, market }
    }

    /// With a cluster of `acme` in which something of everything has happened.
    pub(crate) async fn full() -> Bench {
        let bench = Bench::empty().await;
        let (store, now) = (&bench.store, bench.clock.now());
        let cluster = cluster(now);
        store.put_cluster(&cluster, None).await.unwrap();
        store.put_nodes(&cluster.customer, &cluster.id, &[node(&cluster, now)]).await.unwrap();
        let baseline = Baseline {
            customer: cluster.customer.clone(),
            cluster: cluster.id.clone(),
            frozen_at: now,
            cost_per_hour: MicroDollars(1_000_000),
            nodes: 2,
            requested: Resources::default(),
        };
        store.freeze(&baseline).await.unwrap();
        for back in 0..5 {
            store.close(&hour(&cluster, hour_of(now) - SignedDuration::from_hours(back))).await.unwrap();
        }
        let proposal = proposal(&cluster, now);
        store.decide(&run(&cluster, &proposal, now), &[proposal]).await.unwrap();
        let mut finding = Finding::new(cluster.customer.clone(), cluster.id.clone(), FindingKind::Ghost, "i-0123456789abcdef0", now);
        finding.evidence = vec![RUBBISH.to_owned()];
        finding.cost_per_month = Some(MicroDollars(70_000_000));
        store.put_finding(&finding).await.unwrap();
        store.put_spot_event(&event(&cluster, now)).await.unwrap();
        bench
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// Signs in, and answers the cookie.
    pub(crate) async fn enter(&self, key: &str) -> String {
        let answer = self.post("", "/console/sign-in", &[("key", key)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{key}: {}", answer.text);
        answer.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    pub(crate) async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.send(Request::builder().uri(path).header("cookie", cookie).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::builder().method(Method::POST).uri(path).header("cookie", cookie).header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends a form with the token of the session.
    pub(crate) async fn act(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(cookie, "/console/config").await.token();
        let all: Vec<(&str, &str)> = fields.iter().copied().chain([("token", token.as_str())]).collect();
        self.post(cookie, path, &all).await
    }
}

pub(crate) fn pool() -> Pool {
    Pool {
        instance_type: "m6i.xlarge".to_owned().try_into().unwrap(),
        zone: "us-east-1a".to_owned().try_into().unwrap(),
        capacity: CapacityType::Spot,
    }
}

fn instance() -> InstanceId {
    InstanceId::parse("i-0aaaaaaaaaaaaaaaa").unwrap()
}

pub(crate) fn cluster(now: Timestamp) -> Cluster {
    Cluster {
        id: "c-acme".to_owned().try_into().unwrap(),
        customer: customer("acme"),
        name: RUBBISH.to_owned(),
        k8s_api_endpoint: "https://api.example.com".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: "arn:aws:iam::111122223333:role/CloudOptimRole".to_owned(),
        account: "111122223333".to_owned().try_into().unwrap(),
        region: "us-east-1".to_owned().try_into().unwrap(),
        sqs_queue_url: None,
        status: ClusterStatus::Connected,
        status_reason: RUBBISH.to_owned(),
        node_count: 1,
        seen_at: Some(now),
        policy: ClusterPolicy::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn node(cluster: &Cluster, now: Timestamp) -> NodeRecord {
    NodeRecord {
        key: InstanceKey { account: cluster.account.clone(), region: cluster.region.clone(), instance: instance() },
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        target: NodeTarget { name: NodeName::parse(NODE).unwrap(), uid: None, instance: instance(), taints: Vec::new() },
        pool: pool(),
        cpu_millis: 3_920,
        memory_bytes: 15 << 30,
        owner: NodeOwner::CloudOptim,
        template: None,
        advice: Vec::new(),
        seen_at: now,
    }
}

fn hour(cluster: &Cluster, begins: Timestamp) -> Hour {
    Hour {
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        begins,
        seen_at: begins,
        vcpus: 8,
        cost: MicroDollars(800_000),
        spot: Some(MicroDollars(300_000)),
        expected: MicroDollars(1_000_000),
        estimated: MicroDollars(50_000),
        freed: MicroDollars(0),
        realised: BTreeMap::from([(Lever::SpotOptimize, MicroDollars(150_000)), (Lever::OutOfMemory, MicroDollars(-10_000))]),
    }
}

fn proposal(cluster: &Cluster, now: Timestamp) -> Proposal {
    let stake = NodeStake {
        node: NodeName::parse(NODE).unwrap(),
        instance: instance(),
        pool: pool(),
        price_per_hour: MicroDollars(90_000),
        carried: Resources::default(),
        pods: 4,
    };
    let end = Action::TerminateGhost { instance: instance(), by: AskedBy::Person };
    let plan = Plan {
        key: PlanKey { customer: cluster.customer.clone(), cluster: cluster.id.clone(), plan: PlanId::parse(PLAN).unwrap() },
        kind: PlanKind::BinPack,
        reason: format!("{RUBBISH} goes."),
        requested_by: "test".to_owned(),
        created_at: now,
        deadline: now + SignedDuration::from_hours(2),
        on_failure: OnFailure::Unwind,
        steps: vec![Step { action: end, after: Vec::new(), after_unless_forced: Vec::new() }],
        expected_saving: MicroDollars(90_000),
        evidence: vec![RUBBISH.to_owned()],
        stakes: Some(Box::new(Stakes {
            decision: DecisionType::BinPack,
            request_id: "r".to_owned(),
            snapshot_at: now,
            nodes: vec![stake],
            overhead_per_hour: MicroDollars(0),
            saving_min: MicroDollars(1),
        })),
    };
    let run = run_id(&cluster.id, "r", DecisionType::BinPack);
    Proposal { plan, run, state: ProposalState::Waiting { until: now + SignedDuration::from_hours(24) }, version: 1 }
}

fn run(cluster: &Cluster, proposal: &Proposal, now: Timestamp) -> Run {
    let left = Untouched {
        node: NodeName::parse(NODE).unwrap(),
        code: WhyNot::PodBudget,
        object: Some(RUBBISH.to_owned()),
        why: format!("The budget of {RUBBISH} has no room."),
    };
    Run {
        id: proposal.run.clone(),
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        decision: DecisionType::BinPack,
        round: "r".to_owned(),
        asked_by: "schedule".to_owned(),
        mode: Mode::Approve,
        at: now,
        snapshot_at: Some(now),
        status: RunStatus::Proposed,
        why: Some(RUBBISH.to_owned()),
        engine: "planner".to_owned(),
        reasons: vec![RUBBISH.to_owned()],
        recommendations: vec![Recommendation {
            plan: proposal.plan.key.plan.clone(),
            remove: vec![NodeName::parse(NODE).unwrap()],
            launch: 0,
            saving_per_hour: MicroDollars(90_000),
            why: RUBBISH.to_owned(),
        }],
        refused: Vec::new(),
        estimated_saving: MicroDollars(90_000),
        cost_before: MicroDollars(800_000),
        cost_after: MicroDollars(710_000),
        lower_bound: MicroDollars(500_000),
        untouched_counts: BTreeMap::from([(WhyNot::PodBudget, 1)]),
        untouched: vec![left],
        rejected: vec![RUBBISH.to_owned()],
    }
}

fn event(cluster: &Cluster, now: Timestamp) -> SpotEvent {
    SpotEvent {
        event_id: "e-1".to_owned(),
        customer: cluster.customer.clone(),
        cluster: cluster.id.clone(),
        instance: InstanceKey { account: cluster.account.clone(), region: cluster.region.clone(), instance: instance() },
        event_type: NoticeKind::SpotInterruption,
        event_time: now,
        received_at: now,
        deadline: now + SignedDuration::from_secs(120),
        action_taken: RUBBISH.to_owned(),
        plan: None,
        replacement_instance_id: None,
        drain_duration_s: Some(31),
        processed_at: Some(now),
    }
}
