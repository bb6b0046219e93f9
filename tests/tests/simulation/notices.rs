//! Notices to receivers of every temper, over simulated days: none lost, none out of order, none doubled under another id.

use domain::ids::{ClusterId, CustomerId, TargetId};
use domain::notify::{Channel, Sending, Target, TargetState, Waiting};
use domain::ports::{Clock, Moment, Notice, Outbox, Vault};
use domain::{SignedDuration, Timestamp};
use execution::notify::{Desk, Looked, sign};
use harness::system::Counts;
use secrecy::SecretString;
use sim::clock::{EPOCH, SimClock};
use sim::courier::{SimCourier, Temper};
use sim::faults::{Fault, Kind};
use sim::store::{MemoryNotices, MemoryStore, MemoryVault};
use std::sync::Arc;

struct House {
    clock: Arc<SimClock>,
    store: Arc<MemoryStore>,
    vault: Arc<MemoryVault>,
    courier: Arc<SimCourier>,
    told: Arc<MemoryNotices>,
    desk: Desk,
}

fn house() -> House {
    let clock = SimClock::new();
    let (store, vault, told) = (Arc::new(MemoryStore::default()), Arc::new(MemoryVault::default()), Arc::new(MemoryNotices::default()));
    let courier = SimCourier::new(clock.clone());
    let desk = Desk {
        outbox: store.clone(),
        vault: vault.clone(),
        courier: courier.clone(),
        notices: told.clone(),
        clock: clock.clone(),
        meter: Arc::new(Counts::default()),
    };
    House { clock, store, vault, courier, told, desk }
}

fn customer(index: usize) -> CustomerId {
    CustomerId::parse(format!("customer-{index}")).unwrap()
}

impl House {
    async fn target(&self, of: usize, name: &str, temper: Temper) -> Target {
        let url = format!("https://{name}.example.com/customer-{of}");
        self.courier.receiver(&url, temper);
        let mut target = Target {
            id: TargetId::parse(name).unwrap(),
            customer: customer(of),
            label: format!("the receiver {name}"),
            channel: Channel::Email { to: "nobody".to_owned() },
            kinds: Vec::new(),
            state: TargetState::Active,
            created_at: self.clock.now(),
            version: 1,
        };
        let context = target.seal_context();
        let sealed = self.vault.seal(&context, &SecretString::from(url.clone())).await.unwrap();
        let secret = self.vault.seal(&context, &sign::secret(&[7; 32])).await.unwrap();
        target.channel = Channel::Webhook { host: format!("{name}.example.com"), url: sealed, secret, secret_before: None };
        self.store.put_target(&target).await.unwrap();
        target
    }

    fn notice(&self, of: usize, index: usize) -> Notice {
        let now = self.clock.now();
        let cluster = ClusterId::parse("prod").unwrap();
        Notice::new(
            (&customer(of), &cluster),
            ("ghost", Moment::Detected),
            (&format!("i-{index}"), now),
            vec![format!("number {index}")],
            now,
        )
    }

    /// What the function does every minute, until nothing is due before `end`.
    async fn work(&self, end: Timestamp) {
        let mut tick = 0;
        while self.clock.now() < end {
            tick += 1;
            let until = self.clock.now() + SignedDuration::from_secs(55);
            let lanes = self.desk.due(1_000).await.unwrap();
            let worker = format!("tick-{tick}");
            let all = lanes.iter().map(|lane| self.desk.deliver(lane, &worker, until));
            let looked: Vec<Looked> = futures::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
            if looked.contains(&Looked::OutOfTime) {
                continue;
            }
            if self.store.notices_waiting() == 0 {
                return;
            }
            let now = self.clock.now();
            let next = self.store.next_lane_due().unwrap_or(now).max(now + SignedDuration::from_secs(1));
            self.clock.sleep(next.min(end).duration_since(now).max(SignedDuration::from_secs(1))).await;
        }
    }
}

/// The numbers in the bodies that a receiver got, in order, without what it got again.
fn numbers(house: &House, of: usize, name: &str) -> Vec<usize> {
    let mut seen = std::collections::BTreeSet::new();
    let got = house.courier.got(&format!("https://{name}.example.com/customer-{of}"));
    let fresh = got.iter().filter(|got| seen.insert(got.id.clone()));
    fresh.map(|got| got.body.split("number ").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()).collect()
}

const CUSTOMERS: usize = 10;
const EVENTS: usize = 1_000;

/// Ten thousand events, six receivers each: those that fail, hang, redirect, drip, lie or are busy get every event in order in the end, and
/// the one in a forbidden place gets none.
#[tokio::test(start_paused = true)]
async fn ten_thousand_events_reach_receivers_of_every_temper_in_order() {
    let house = house();
    let soon = EPOCH + SignedDuration::from_hours(7);
    let tempers = [
        ("well", Temper::Well),
        ("fails", Temper::Fails(2)),
        ("hangs", Temper::HangsUntil(soon)),
        ("redirects", Temper::RedirectsUntil(soon)),
        ("drips", Temper::DripsUntil(soon)),
        ("lies", Temper::LiesUntil(soon)),
        ("busy", Temper::BusyUntil(soon, 600)),
        ("forbidden", Temper::Forbidden),
    ];
    for of in 0..CUSTOMERS {
        for (name, temper) in tempers {
            house.target(of, name, temper).await;
        }
    }
    for index in 0..EVENTS {
        for of in 0..CUSTOMERS {
            let notice = house.notice(of, index);
            house.desk.post(&notice).await.unwrap();
            // SQS delivers some of them twice.
            if index % 7 == 0 {
                house.desk.post(&notice).await.unwrap();
            }
        }
        house.clock.sleep(SignedDuration::from_millis(500)).await;
    }
    house.work(EPOCH + SignedDuration::from_hours(24 * 30)).await;
    let all: Vec<usize> = (0..EVENTS).collect();
    let mut lost = 0;
    for of in 0..CUSTOMERS {
        for (name, _) in tempers.iter().filter(|(name, _)| *name != "forbidden") {
            let got = numbers(&house, of, name);
            lost += EVENTS - got.len().min(EVENTS);
            assert_eq!(got, all, "customer {of}, {name}");
        }
        assert!(numbers(&house, of, "forbidden").is_empty());
        // What could not be sent waits for a person, and its owner was told.
        let target = house.store.target(&customer(of), &TargetId::parse("forbidden").unwrap()).await.unwrap().unwrap();
        assert!(matches!(target.state, TargetState::Disabled { .. }));
    }
    assert_eq!(house.store.notices_waiting(), CUSTOMERS * EVENTS);
    assert_eq!(house.told.told().len(), CUSTOMERS);
    println!("BENCH notices_lost_of_{} {lost} count <= 0", CUSTOMERS * EVENTS);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_is_disabled_at_once_and_gets_all_of_it_when_it_is_enabled_again() {
    let house = house();
    let target = house.target(0, "gone", Temper::Gone).await;
    for index in 0..3 {
        house.desk.post(&house.notice(0, index)).await.unwrap();
    }
    let until = house.clock.now() + SignedDuration::from_mins(1);
    assert_eq!(house.desk.deliver(&target.lane(), "a", until).await.unwrap(), Looked::Resting);
    let disabled = house.store.target(&target.customer, &target.id).await.unwrap().unwrap();
    assert!(matches!(disabled.state, TargetState::Disabled { .. }));
    // What is told meanwhile waits too, and wakes nobody.
    house.desk.post(&house.notice(0, 3)).await.unwrap();
    assert_eq!(house.desk.due(10).await.unwrap(), vec![]);
    let enabled = Target { state: TargetState::Active, version: disabled.version + 1, ..disabled };
    house.courier.receiver("https://gone.example.com/customer-0", Temper::Well);
    house.store.put_target(&enabled).await.unwrap();
    house.store.wake(&enabled, house.clock.now()).await.unwrap();
    assert_eq!(house.desk.deliver(&target.lane(), "b", until).await.unwrap(), Looked::Empty);
    assert_eq!(numbers(&house, 0, "gone"), vec![0, 1, 2, 3]);
    let log = house.store.deliveries(&target.lane(), None, 10).await.unwrap().items;
    assert_eq!(log.len(), 5);
    assert!(matches!(log.last().unwrap().sending, Sending::Refused { status: 410, .. }));
}

#[tokio::test(start_paused = true)]
async fn two_workers_share_no_lane_and_a_dead_ones_lane_is_taken_over() {
    let house = house();
    let target = house.target(0, "hangs", Temper::HangsUntil(EPOCH + SignedDuration::from_secs(10))).await;
    house.desk.post(&house.notice(0, 0)).await.unwrap();
    let until = house.clock.now() + SignedDuration::from_mins(5);
    let lane = target.lane();
    let (first, second) = futures::join!(house.desk.deliver(&lane, "a", until), async {
        house.clock.sleep(SignedDuration::from_secs(1)).await;
        // Messages of one batch have the same name.
        house.desk.deliver(&lane, "a", until).await
    });
    assert_eq!((first.unwrap(), second.unwrap()), (Looked::Resting, Looked::Taken));
    // A worker that dies in the middle of a sending leaves a lease that runs out.
    house.clock.sleep(SignedDuration::from_secs(10)).await;
    house.courier.receiver("https://hangs.example.com/customer-0", Temper::HangsUntil(Timestamp::MAX));
    let dying =
        tokio::time::timeout(std::time::Duration::from_secs(5), house.desk.deliver(&lane, "c", until + SignedDuration::from_hours(1)));
    assert!(dying.await.is_err(), "it was killed");
    house.courier.receiver("https://hangs.example.com/customer-0", Temper::Well);
    assert_eq!(house.desk.deliver(&lane, "d", until).await.unwrap(), Looked::Taken);
    house.clock.sleep(SignedDuration::from_secs(90)).await;
    let until = house.clock.now() + SignedDuration::from_mins(1);
    assert_eq!(house.desk.deliver(&lane, "e", until).await.unwrap(), Looked::Empty);
    assert_eq!(numbers(&house, 0, "hangs"), vec![0]);
}

#[tokio::test(start_paused = true)]
async fn a_notice_stamped_before_its_lane_was_taken_up_does_not_stop_the_worker() {
    let house = house();
    let target = house.target(0, "well", Temper::Well).await;
    let stamped = house.clock.now();
    house.clock.sleep(SignedDuration::from_secs(1)).await;
    house.desk.post(&house.notice(0, 0)).await.unwrap();
    let until = house.clock.now() + SignedDuration::from_mins(5);
    let lane = target.lane();
    let late = Waiting { since: stamped, replay: 0, notice: house.notice(0, 1) };
    // The worker has the lane in hand, and waits for the receiver's answer, when the late one comes in.
    let (looked, entered) = futures::join!(house.desk.deliver(&lane, "a", until), house.store.enter(&target, late));
    entered.unwrap();
    assert_eq!(looked.unwrap(), Looked::Empty);
    assert_eq!(numbers(&house, 0, "well"), vec![0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_target_gets_what_it_asked_for_and_nothing_else() {
    let house = house();
    let target = house.target(0, "some", Temper::Well).await;
    let narrowed = Target { kinds: vec!["plan.".to_owned(), "ghost.after".to_owned()], version: 2, ..target.clone() };
    house.store.put_target(&narrowed).await.unwrap();
    assert_eq!(house.desk.post(&house.notice(0, 0)).await.unwrap(), vec![]);
    assert_eq!(house.desk.post(&house.notice(1, 0)).await.unwrap(), vec![], "another customer's");
    let wanted = Notice { kind: "ghost.after".to_owned(), ..house.notice(0, 1) };
    assert_eq!(house.desk.post(&wanted).await.unwrap(), vec![target.lane()]);
}

/// A rescue whose every second telling fails, loses its answer or dies; what was told goes to two receivers, doubles and all.
#[tokio::test(start_paused = true)]
async fn each_plan_that_has_ended_reaches_each_target_once_whoever_dies() {
    let faults = [Fault::Before(Kind::Unavailable), Fault::After, Fault::CrashBefore, Fault::CrashAfter];
    for seed in 0..40 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut story = harness::one_rescue::scene(2, SignedDuration::ZERO).await;
        story.system.gate.script(move |call| {
            let falls = (call.name == "notices.tell" || call.name == "journal.record") && dice.u8(0..3) == 0;
            falls.then(|| faults[dice.usize(..faults.len())])
        });
        story.interrupt();
        story.judge().await.unwrap_or_else(|law| panic!("seed {seed}: {law}"));
        if !story.system.queue.dead_letters().is_empty() {
            continue;
        }
        let house = house();
        let customer = CustomerId::parse("acme").unwrap();
        for name in ["one", "other"] {
            let mut target = house.target(0, name, Temper::Fails(1)).await;
            (target.customer, target.version) = (customer.clone(), 1);
            let sealed = SecretString::from(format!("https://{name}.example.com/customer-0"));
            let url = house.vault.seal(&target.seal_context(), &sealed).await.unwrap();
            let secret = house.vault.seal(&target.seal_context(), &sign::secret(&[7; 32])).await.unwrap();
            target.channel = Channel::Webhook { host: format!("{name}.example.com"), url, secret, secret_before: None };
            house.store.put_target(&target).await.unwrap();
        }
        for notice in story.system.told.told() {
            house.desk.post(&notice).await.unwrap();
        }
        house.work(EPOCH + SignedDuration::from_hours(24)).await;
        let ended = story.system.store.plans().iter().filter(|record| record.progress.outcome.is_some()).count();
        for name in ["one", "other"] {
            let got = house.courier.got(&format!("https://{name}.example.com/customer-0"));
            let ids: std::collections::BTreeSet<&String> = got.iter().map(|got| &got.id).collect();
            let of = |part: &str| {
                got.iter().filter(|got| got.body.contains(part)).map(|got| &got.id).collect::<std::collections::BTreeSet<_>>().len()
            };
            assert_eq!((of("interruption.detected"), of("interruption.after")), (ended, ended), "seed {seed}, {name}");
            assert_eq!(ids.len(), 2 * ended, "seed {seed}, {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_nobody_was_told_of_is_noticed_by_the_law() {
    let mut story = harness::one_rescue::scene(2, SignedDuration::ZERO).await;
    story.interrupt();
    story.judge().await.unwrap();
    assert!(harness::told::told(&story.system).is_ok());
    story.system.told.take();
    assert!(harness::told::told(&story.system).is_err());
}
