//! What a round leads to, by mode; what a lying, slow or dead decision server leads to; and a person's word.

use async_trait::async_trait;
use domain::SignedDuration;
use domain::decision::verify::Rule as Lie;
use domain::decision::{Commitment, DecisionAnswer, DecisionRequest, DecisionType, PredictRequest, Prediction, PredictionOutcome};
use domain::ids::NodeUid;
use domain::interruption::SPOT_NOTICE;
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use domain::optimization::{ProposalState, Round, Run, RunStatus};
use domain::plan::Outcome;
use domain::plan::check::Rule;
use domain::policy::{Mode, Window};
use domain::ports::{Advisor, AdvisorError, Clock, Ledger, Optimizations, Rounds};
use execution::optimize::Lookout;
use harness::plans::one_plan::{OnePlan, SHAPES, Shape, scene};
use harness::plans::{allow, optimizer, voluntary};
use std::sync::Arc;

const SPOT: Shape = SHAPES[0];

/// Changes the answer of the story's own server, or gives none.
struct Changed(Arc<dyn Advisor>, fn(DecisionAnswer) -> Result<DecisionAnswer, AdvisorError>);

#[async_trait]
impl Advisor for Changed {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        self.1(self.0.decide(request).await?)
    }
    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        self.0.predict(request).await
    }
    async fn learn(&self, outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        self.0.learn(outcomes).await
    }
}

/// What is made of an honest answer.
type Twist = fn(&mut DecisionAnswer);

/// Lies.
struct Lying(Arc<dyn Advisor>, Twist);

#[async_trait]
impl Advisor for Lying {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        let mut answer = self.0.decide(request).await?;
        // There is something to lie about.
        assert!(request.decision_type != DecisionType::SpotOptimize || answer.execution_plan.len() == 1);
        if request.decision_type == DecisionType::SpotOptimize {
            self.1(&mut answer);
        }
        Ok(answer)
    }
    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        self.0.predict(request).await
    }
    async fn learn(&self, outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        self.0.learn(outcomes).await
    }
}

async fn round(story: &mut OnePlan, name: &str) -> Run {
    story.ask(name).await;
    story.system.run(SignedDuration::from_secs(1), |_| {}).await;
    let id = domain::optimization::run_id(&story.cluster, name, DecisionType::SpotOptimize);
    story.system.store.run(&story.customer, &id).await.unwrap().expect("the round has decided")
}

async fn in_mode(mode: Mode) -> OnePlan {
    let story = scene(SPOT).await;
    allow(&story.system, &story.customer, &story.cluster, |policy| policy.optimization.spot = mode).await;
    story
}

#[tokio::test(start_paused = true)]
async fn a_mode_says_how_far_a_round_goes() {
    for (mode, status, proposals, plans) in [
        (Mode::Observe, RunStatus::Observed, 0, 0),
        (Mode::Recommend, RunStatus::Recommended, 1, 0),
        (Mode::Approve, RunStatus::Proposed, 1, 0),
        (Mode::Auto, RunStatus::Planned, 1, 1),
    ] {
        let mut story = in_mode(mode).await;
        let run = round(&mut story, "r").await;
        assert_eq!((run.status, run.recommendations.len()), (status, 1), "{mode:?}: {:?}", run.why);
        assert!(run.estimated_saving > MicroDollars(0) && run.estimated_saving < MicroDollars(1 << 30), "our own reckoning");
        assert_eq!((story.system.store.all_proposals().len(), voluntary(&story.system).len()), (proposals, plans), "{mode:?}");
        let waits = story.system.told.told().iter().filter(|notice| notice.kind == "proposal.alert").count();
        assert_eq!(waits, usize::from(mode == Mode::Approve), "{mode:?}: who must speak is told so, and nobody else");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_round_delivered_ten_times_makes_one_plan() {
    let mut story = in_mode(Mode::Auto).await;
    for _ in 0..10 {
        story.ask("r").await;
    }
    story.system.run(SignedDuration::from_mins(1), |_| {}).await;
    assert_eq!((story.system.store.all_runs().len(), voluntary(&story.system).len()), (1, 1));
    let again = round(&mut story, "r-2").await;
    assert_eq!(again.recommendations, [], "its node is in a plan already: {:?}", again.refused);
}

/// What becomes of an honest answer.
type Change = fn(DecisionAnswer) -> Result<DecisionAnswer, AdvisorError>;

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_or_slow_leads_to_no_plan_and_a_reason_and_interruptions_are_handled_as_ever() {
    let failing: [Change; 6] = [
        |_| Err(AdvisorError::Down("connection refused".to_owned())),
        |_| Err(AdvisorError::Slow(10)),
        |_| Err(AdvisorError::TooLarge(6 << 20)),
        |_| Err(AdvisorError::Unauthorized),
        |a| Ok(DecisionAnswer { version: 2, ..a }),
        |a| Ok(DecisionAnswer { request_id: "another".to_owned(), ..a }),
    ];
    for (index, change) in failing.into_iter().enumerate() {
        let mut story = in_mode(Mode::Auto).await;
        let own = story.system.optimizer.as_ref().unwrap().advisor.clone();
        story.system.optimizer = Some(optimizer(&story.system, Arc::new(Changed(own, change))));
        let run = round(&mut story, "r").await;
        assert_eq!((run.status, run.why.is_some()), (RunStatus::Failed, true), "case {index}");
        assert!(voluntary(&story.system).is_empty() && story.system.counts.of("decisions_failed") == 1, "case {index}");
        let body = story.system.world.interrupt(&story.victims[0], SPOT_NOTICE);
        story.system.notice(&body);
        story.system.run(SignedDuration::from_mins(10), |_| {}).await;
        assert_eq!(story.system.launched().len(), 1, "case {index}: the rescue launched a replacement");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lies_leads_to_no_plan_and_every_lie_has_its_rule() {
    fn prices(answer: &mut DecisionAnswer, price: i64) {
        let offerings = answer.execution_plan.iter_mut().flat_map(|m| &mut m.launch).flat_map(|l| &mut l.offerings);
        offerings.for_each(|o| o.price_per_hour = Some(MicroDollars(price)));
    }
    let lying: [(Twist, Lie); 7] = [
        (|a| a.execution_plan.iter_mut().for_each(|m| m.remove[0].uid = NodeUid::parse("nobody").unwrap()), Lie::OtherNode),
        (|a| prices(a, -1), Lie::WrongPrice),
        (|a| prices(a, 1 << 40), Lie::WrongPrice),
        (|a| a.execution_plan.iter_mut().for_each(|m| m.launch.iter_mut().for_each(|l| l.offerings.clear())), Lie::NoOffering),
        (|a| a.execution_plan.extend(a.execution_plan.clone()), Lie::NamedTwice),
        (|a| a.execution_plan[0].saving_per_hour = MicroDollars(1 << 40), Lie::WrongSaving),
        (|a| a.estimated_saving = MicroDollars(1 << 40), Lie::WrongSum),
    ];
    for (change, rule) in lying {
        let mut story = in_mode(Mode::Auto).await;
        let own = story.system.optimizer.as_ref().unwrap().advisor.clone();
        story.system.optimizer = Some(optimizer(&story.system, Arc::new(Lying(own, change))));
        let run = round(&mut story, "r").await;
        assert!(run.rejected.iter().any(|why| why.starts_with(rule.as_str())), "{rule:?}: {:?}", run.rejected);
        assert_eq!((run.status, run.why.is_some()), (RunStatus::Failed, true), "{rule:?}");
        assert!(voluntary(&story.system).is_empty() && story.system.counts.of("decisions_failed") == 1, "{rule:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_agrees_to_is_looked_at_again_and_then_opened() {
    for still_holds in [true, false] {
        let mut story = in_mode(Mode::Approve).await;
        round(&mut story, "r").await;
        let proposal = story.system.store.all_proposals().remove(0);
        let waits = round(&mut story, "r-2").await;
        assert_eq!(waits.recommendations, [], "a person is not asked twice");
        let state = ProposalState::Approved { by: "ops".to_owned(), at: story.system.clock.now() };
        let agreed = domain::optimization::Proposal { state, version: 2, ..proposal };
        story.system.store.put_proposal(&agreed, None).await.unwrap();
        if !still_holds {
            let night = Window { days: vec!["mon".into()], from: "02:00".into(), minutes: 1, time_zone: "UTC".into() };
            allow(&story.system, &story.customer, &story.cluster, |policy| policy.optimization.windows = vec![night]).await;
        }
        round(&mut story, "agreed").await;
        let now = story.system.store.all_proposals().into_iter().find(|p| p.plan.key == agreed.plan.key).unwrap();
        if still_holds {
            assert_eq!(now.state, ProposalState::Opened);
            story.system.run(SignedDuration::from_mins(10), |_| {}).await;
            assert_eq!(story.outcome(), Some(Outcome::Succeeded));
        } else {
            assert!(matches!(&now.state, ProposalState::Stale { blocked } if blocked[0].rule == Rule::Window), "{:?}", now.state);
            assert!(voluntary(&story.system).is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_blocker_while_the_replacement_boots_takes_the_plan_back() {
    let mut story = in_mode(Mode::Auto).await;
    round(&mut story, "r").await;
    story.system.run(SignedDuration::from_secs(20), |_| {}).await;
    assert_eq!(story.system.launched().len(), 1);
    let bare = sim::world::PodShape::default();
    story.system.world.add_bare_pod(&story.cluster, "by-hand", bare, Some(&story.victims[0]));
    story.system.run(SignedDuration::from_mins(10), |_| {}).await;
    assert!(matches!(story.outcome(), Some(Outcome::Cancelled { why }) if why.contains("by-hand")), "{:?}", story.outcome());
    let record = voluntary(&story.system).remove(0);
    assert!(record.progress.blocked.iter().any(|note| note.rule == Rule::NoController));
    let live = |id: &domain::ids::InstanceId| story.system.world.instance(id).unwrap().state.live();
    assert!(live(&story.victims[0]) && !live(&story.system.launched()[0].1));
}

#[tokio::test(start_paused = true)]
async fn a_plan_whose_only_capacity_is_dear_is_taken_back() {
    let mut story = in_mode(Mode::Auto).await;
    let pool = story.system.world.instance(&story.victims[0]).unwrap().pool;
    story.system.world.set_capacity(&domain::offering::Pool { capacity: domain::offering::CapacityType::Spot, ..pool }, 0);
    round(&mut story, "r").await;
    story.system.run(SignedDuration::from_mins(10), |_| {}).await;
    let record = voluntary(&story.system).remove(0);
    assert!(record.progress.blocked.iter().any(|note| note.rule == Rule::NotWorthIt), "{:?}", record.progress);
    assert!(story.system.world.instance(&story.victims[0]).unwrap().state.live());
}

#[tokio::test(start_paused = true)]
async fn the_ledger_freezes_a_baseline_and_realises_what_has_ended() {
    let mut story = in_mode(Mode::Auto).await;
    round(&mut story, "r").await;
    let (customer, cluster) = (story.customer.clone(), story.cluster.clone());
    let baseline = story.system.store.baseline(&customer, &cluster).await.unwrap().expect("frozen by the first round");
    story.system.run(SignedDuration::from_mins(70), |_| {}).await;
    round(&mut story, "r-2").await;
    let books = story.system.store.books(&customer, &cluster).await.unwrap();
    let hours = story.system.store.hours(&customer, &cluster, domain::Timestamp::UNIX_EPOCH, 100).await.unwrap();
    assert_eq!((books.plans, hours.len()), (1, 2));
    assert_eq!(hours[0].realised_sum(), MicroDollars(0), "nothing had ended in the first hour");
    let saved: MicroDollars = books.per_hour.values().copied().sum();
    assert_eq!(hours[1].realised_sum(), saved);
    assert!(saved > MicroDollars(0) && hours[1].cost + saved == baseline.cost_per_hour, "{hours:?}");
}

#[tokio::test(start_paused = true)]
async fn a_tick_asks_for_one_round_of_each_cluster_and_a_halted_one_says_why() {
    let mut story = in_mode(Mode::Auto).await;
    let deps = story.system.optimizer.clone().unwrap();
    let event = serde_json::json!({ "source": "schedule" });
    let budget = || runtime::deadline::Budget::lasting(&*story.system.clock, SignedDuration::from_secs(60));
    for _ in 0..2 {
        optimizer::handle_any(event.clone(), &deps, budget()).await.unwrap();
    }
    story.system.store_halt("drill").await;
    story.system.run(SignedDuration::from_mins(1), |_| {}).await;
    let runs = story.system.store.all_runs();
    assert_eq!(runs.len(), 3, "one of each type, however often the tick comes");
    assert!(runs.iter().all(|run| run.status == RunStatus::Failed && run.why.as_deref().is_some_and(|why| why.contains("drill"))));
    optimizer::body("{}", &deps, runtime::deadline::Budget::lasting(&*story.system.clock, SignedDuration::from_secs(60))).await.unwrap();
    assert_eq!(story.system.queue.dead_letters().len(), 1, "what is no round is put aside");
    let gone = Round {
        customer: story.customer.clone(),
        cluster: domain::ids::ClusterId::parse("gone").unwrap(),
        round: "x".to_owned(),
        asked_by: String::new(),
        types: Vec::new(),
        dry_run: false,
        nodes: None,
    };
    story.system.queue.ask(&gone).await.unwrap();
    story.system.run(SignedDuration::from_secs(1), |_| {}).await;
    assert!(story.system.queue.is_empty());
}

/// Remembers what it was asked, and moves nothing that it would not have moved.
struct Heard(Arc<dyn Advisor>, std::sync::Mutex<Vec<DecisionRequest>>);

#[async_trait]
impl Advisor for Heard {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        self.1.lock().unwrap().push(request.clone());
        self.0.decide(request).await
    }
    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        self.0.predict(request).await
    }
    async fn learn(&self, outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        self.0.learn(outcomes).await
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_is_told_live_prices_and_what_is_paid_for_anyway() {
    let mut story = in_mode(Mode::Recommend).await;
    let kind = domain::ids::InstanceType::parse("m6i.2xlarge").unwrap();
    let of = |zone: Option<&str>, count| Commitment {
        instance_type: kind.clone(),
        zone: zone.map(|zone| domain::ids::Zone::parse(zone).unwrap()),
        count,
    };
    story.system.world.reserve(&story.cluster, of(Some("us-east-1a"), 1));
    allow(&story.system, &story.customer, &story.cluster, |policy| policy.optimization.commitments = vec![of(None, 2)]).await;
    let optimizer = story.system.optimizer.as_mut().unwrap();
    let heard = Arc::new(Heard(optimizer.advisor.clone(), std::sync::Mutex::default()));
    optimizer.advisor = heard.clone();
    optimizer.surveyor = Arc::new(Lookout::new(story.system.ports.clone()));
    round(&mut story, "r").await;
    let asked = heard.1.lock().unwrap().pop().expect("the server was asked");
    assert_eq!(asked.constraints.commitments, [of(Some("us-east-1a"), 1), of(None, 2)]);
    let zones: Vec<&str> = asked.constraints.prices.iter().map(|price| price.pool.zone.as_str()).collect();
    assert_eq!(zones, ["us-east-1a", "us-east-1b", "us-east-1c"], "a spot price for each zone, though every node is on demand");
    let now = asked.constraints.now.unwrap();
    for price in &asked.constraints.prices {
        assert_eq!((&price.pool.instance_type, price.pool.capacity), (&kind, CapacityType::Spot));
        assert_eq!(price.per_hour, story.system.world.price(&price.pool));
        assert!(price.as_of <= now && now.duration_since(price.as_of) < SignedDuration::from_mins(1));
    }
    assert!(asked.snapshot.parts.iter().all(|part| part.gap.is_none()), "{:?}", asked.snapshot.parts);
}

/// Promises the same for every pool, and remembers what became of it.
struct Oracle(Arc<dyn Advisor>, std::sync::Mutex<Vec<PredictionOutcome>>, std::sync::atomic::AtomicBool);

#[async_trait]
impl Advisor for Oracle {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        self.0.decide(request).await
    }
    async fn predict(&self, request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        let one = |pool: &domain::decision::PoolName| Prediction {
            pool: pool.clone(),
            probability: Some(0.25),
            uncorrected: None,
            risk: None,
            because: Vec::new(),
        };
        Ok(request.pools.iter().map(one).collect())
    }
    async fn learn(&self, outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        if self.2.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(AdvisorError::Down("injected".to_owned()));
        }
        self.1.lock().unwrap().extend_from_slice(outcomes);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_learns_what_became_of_its_predictions_once_they_are_over() {
    let mut story = in_mode(Mode::Observe).await;
    let spot = sim::world::NodeSpec::new("c6i.large", "us-east-1b", CapacityType::Spot);
    let nodes = [0, 1, 2].map(|_| story.system.world.add_node(&story.cluster, spot.clone()));
    let optimizer = story.system.optimizer.as_mut().unwrap();
    let oracle = Arc::new(Oracle(optimizer.advisor.clone(), std::sync::Mutex::default(), true.into()));
    optimizer.advisor = oracle.clone();
    round(&mut story, "r-1").await;
    story.system.run(SignedDuration::from_mins(20), |_| {}).await;
    let body = story.system.world.interrupt(&nodes[1], SPOT_NOTICE);
    story.system.notice(&body);
    story.system.run(SignedDuration::from_mins(20), |_| {}).await;
    round(&mut story, "r-2").await;
    let open = story.system.store.standing(&story.customer, &story.cluster).await.unwrap().forecasts;
    assert_eq!(open.len(), 1, "the hour is not over, and nothing is promised twice: {open:?}");
    story.system.run(SignedDuration::from_mins(25), |_| {}).await;
    round(&mut story, "r-3").await;
    let open = story.system.store.standing(&story.customer, &story.cluster).await.unwrap().forecasts;
    assert!(open.len() >= 2 && oracle.1.lock().unwrap().is_empty(), "the server is down: it is told later, and asked anew");
    oracle.2.store(false, std::sync::atomic::Ordering::SeqCst);
    round(&mut story, "r-4").await;
    round(&mut story, "r-5").await;
    let told = std::mem::take(&mut *oracle.1.lock().unwrap());
    let [one] = told.as_slice() else { panic!("told once: {told:?}") };
    assert_eq!((one.pool.instance_type.as_str(), one.instances, one.interrupted, one.probability), ("c6i.large", 3, 1, 0.25));
    domain::decision::verify::outcomes(&told).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_large_round_that_there_is_no_time_for_is_asked_for_anew_unless_its_slot_is_over() {
    let story = in_mode(Mode::Observe).await;
    let deps = story.system.optimizer.clone().unwrap();
    let now = execution::optimize::slot(story.system.clock.now(), deps.settings.interval);
    let rounds = [("a person", "r-1"), ("a person", "r-2"), ("schedule", now.as_str()), ("schedule", "s1")];
    let messages = rounds.iter().enumerate().map(|(number, (by, name))| {
        let round = Round {
            customer: story.customer.clone(),
            cluster: story.cluster.clone(),
            round: (*name).to_owned(),
            asked_by: (*by).to_owned(),
            types: Vec::new(),
            dry_run: false,
            nodes: Some(5_000),
        };
        serde_json::json!({ "messageId": number.to_string(), "body": serde_json::to_string(&round).unwrap() })
    });
    let event = serde_json::json!({ "Records": messages.collect::<Vec<_>>() });
    let left = runtime::deadline::Budget::lasting(&*story.system.clock, SignedDuration::from_secs(30));
    let answer = optimizer::handle_any(event, &deps, left).await.unwrap();
    assert!(answer.batch_item_failures.is_empty(), "none counts as one that has failed");
    let runs = story.system.store.all_runs();
    let of = |run: &Run| domain::optimization::run_id(&story.cluster, "r-1", run.decision);
    assert!(!runs.is_empty() && runs.iter().all(|run| run.id == of(run)), "the first of a batch always has its turn");
    let asked = story.system.queue.take_due(story.system.clock.now());
    let asked: Vec<Round> = asked.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect();
    assert_eq!(asked.iter().map(|round| round.round.as_str()).collect::<Vec<_>>(), ["r-2", now.as_str()]);
}
