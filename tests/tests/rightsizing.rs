//! The sizes of workloads from end to end: what is used leads to findings, proposals and plans, and plans to roll-outs that are taken
//! back where they fail.

use async_trait::async_trait;
use domain::SignedDuration;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::money::MicroDollars;
use domain::optimization::{ProposalState, Round};
use domain::plan::{Outcome, PlanKind, PlanRecord};
use domain::pod::PodRef;
use domain::policy::Mode;
use domain::ports::{Clock, Findings, Ledger, Optimizations, Usages};
use domain::savings::Lever;
use domain::sizing::{ContainerSizes, Sizes, WorkloadPolicy};
use execution::optimize::{Surveyed, Surveyor, Unseen};
use execution::ports::Site;
use harness::plans::one_plan::OnePlan;
use harness::plans::one_size::{self, FIRST, MIB, web};
use harness::plans::{WorldSurveyor, allow};
use sim::faults::{Fault, Kind};
use sim::world::World;
use std::sync::{Arc, Mutex};

struct Story(OnePlan);

impl Story {
    /// Three pods whose containers were watched for a week, using so many thousandths of a core and so many MiB.
    async fn watched(cpu_millis: u64, memory_mib: u64, change: impl FnOnce(&mut WorkloadPolicy)) -> Story {
        Story(one_size::watched(cpu_millis, memory_mib, change).await)
    }

    async fn round(&mut self, name: &str) {
        self.round_of("a law", name).await;
    }

    /// Rounds of the schedule, ten minutes apart.
    async fn scheduled(&mut self, rounds: std::ops::Range<usize>) {
        for number in rounds {
            self.round_of("schedule", &format!("s-{number}")).await;
            self.pass(10).await;
        }
    }

    /// In how many rounds the container was seen, as far as they are folded in.
    async fn folded(&self) -> u64 {
        let usages = self.0.system.store.usages(&self.0.customer, &self.0.cluster).await.unwrap();
        usages.into_iter().find(|(of, _)| of.workload == web()).unwrap().1.rounds
    }

    async fn round_of(&mut self, asked_by: &str, name: &str) {
        let round = Round {
            customer: self.0.customer.clone(),
            cluster: self.0.cluster.clone(),
            round: name.to_owned(),
            asked_by: asked_by.to_owned(),
            types: Vec::new(),
            dry_run: false,
            nodes: None,
        };
        let until = self.0.system.clock.now() + SignedDuration::from_mins(5);
        self.0.system.optimizer.clone().unwrap().round(&round, until).await.unwrap();
    }

    /// A person agrees to the one proposal.
    async fn agree(&self) {
        let mut proposal = self.0.system.store.all_proposals().remove(0);
        assert!(matches!(proposal.state, ProposalState::Waiting { .. }));
        (proposal.state, proposal.version) = (ProposalState::Approved { by: "ops".to_owned(), at: self.0.system.clock.now() }, 2);
        self.0.system.store.put_proposal(&proposal, None).await.unwrap();
    }

    async fn pass(&mut self, minutes: i64) {
        self.0.system.run(SignedDuration::from_mins(minutes), |_| {}).await;
    }

    fn plans(&self) -> Vec<PlanRecord> {
        one_size::sized(&self.0)
    }

    fn findings(&self) -> Vec<Finding> {
        self.0.system.store.all_findings()
    }

    /// The sizes of the template, and of each pod.
    async fn sizes(&self) -> (Sizes, Vec<Sizes>) {
        one_size::sizes(&self.0).await
    }

    async fn another_hand_sizes(&self, sizes: Sizes) {
        let cluster = self.0.system.world.cluster(&self.0.cluster).unwrap();
        let view = cluster.workload(&web()).await.unwrap();
        let wanted = [ContainerSizes { container: "main".to_owned(), sizes }];
        cluster.patch_requests(&web(), &view.version, &wanted).await.unwrap();
    }
}

fn auto(policy: &mut WorkloadPolicy) {
    (policy.rightsizing, policy.oom_remediation) = (Mode::Auto, Mode::Auto);
}

#[tokio::test(start_paused = true)]
async fn a_workload_that_needs_more_gets_it_and_its_pods_stay_available() {
    let mut story = Story::watched(400, 500, auto).await;
    story.round("r").await;
    let cluster = story.0.cluster.clone();
    let ready = |system: &harness::system::System| system.world.pods(&cluster).iter().filter(|pod| pod.ready).count();
    story.0.system.run(SignedDuration::from_mins(10), |system| assert!(ready(system) >= 3, "no pod was missed")).await;
    let plans = story.plans();
    assert_eq!(
        (plans.len(), plans[0].plan.kind, plans[0].progress.outcome.clone()),
        (1, PlanKind::ResizeWorkload, Some(Outcome::Succeeded))
    );
    let (template, pods) = story.sizes().await;
    assert!(template.cpu_request >= Some(400) && template.memory_request >= Some(575 * MIB), "{template:?}");
    assert_eq!(pods, vec![template; 3]);
    let found = story.findings();
    assert_eq!((found.len(), found[0].kind), (1, FindingKind::UndersizedWorkload));
    assert!(found[0].cost_per_month < Some(MicroDollars(0)), "more is dearer, and says so: {:?}", found[0].cost_per_month);
}

#[tokio::test(start_paused = true)]
async fn what_is_lowered_goes_down_a_step_a_day() {
    let mut story = Story::watched(50, 64, auto).await;
    story.round("r-1").await;
    story.pass(10).await;
    let (first, _) = story.sizes().await;
    assert_eq!(first.cpu_request, Some(175), "30 % of 250 is gone");
    for round in 2..6 {
        story.round(&format!("r-{round}")).await;
        story.pass(10).await;
    }
    assert_eq!((story.plans().len(), story.sizes().await.0), (1, first), "one roll-out a day");
    story.pass(24 * 60).await;
    story.round("r-9").await;
    story.pass(10).await;
    assert_eq!(story.plans().len(), 2);
    assert!(story.sizes().await.0.cpu_request < first.cpu_request);
    assert!(story.findings()[0].cost_per_month > Some(MicroDollars(0)));
}

#[tokio::test(start_paused = true)]
async fn a_roll_out_that_finds_no_room_is_taken_back() {
    let mut story = Story::watched(250, 200 << 10, auto).await;
    story.round("r").await;
    story.pass(60).await;
    let plans = story.plans();
    assert!(matches!(&plans[0].progress.outcome, Some(Outcome::RolledBack { .. })), "{:?}", plans[0].progress.outcome);
    let (template, pods) = story.sizes().await;
    assert_eq!((template, pods), (FIRST, vec![FIRST; 3]));
}

#[tokio::test(start_paused = true)]
async fn the_schedule_samples_each_round_and_judges_every_six_hours() {
    let mut story = Story::watched(250, 200, |_| {}).await;
    let before = story.folded().await;
    story.scheduled(0..1).await;
    assert_eq!(story.folded().await, before + 1, "the first is judged at once");
    story.scheduled(1..36).await;
    assert_eq!(story.folded().await, before + 1, "those after it are only kept");
    story.scheduled(36..37).await;
    assert_eq!(story.folded().await, before + 37, "none of them is lost");
    story.scheduled(37..38).await;
    story.round("now").await;
    assert_eq!(story.folded().await, before + 39, "who asks is answered at once");
}

#[tokio::test(start_paused = true)]
async fn a_round_that_no_row_can_hold_is_folded_in_at_once() {
    let mut story = Story::watched(250, 200, |_| {}).await;
    let before = story.folded().await;
    story.0.system.gate.script(|call| (call.name == "usages.put_round").then_some(Fault::Before(Kind::Denied)));
    story.scheduled(0..3).await;
    assert_eq!(story.folded().await, before + 3);
}

#[tokio::test(start_paused = true)]
async fn a_kill_is_answered_by_the_next_round_of_the_schedule() {
    let mut story = Story::watched(250, 100, |policy| policy.oom_remediation = Mode::Auto).await;
    story.scheduled(0..2).await;
    assert_eq!(story.plans().len(), 0);
    let pod = story.0.system.world.pods(&story.0.cluster).remove(0).pod;
    story.0.system.world.kill_for_memory(&story.0.cluster, &pod);
    story.scheduled(2..3).await;
    assert_eq!(story.plans().iter().map(|record| record.plan.kind).collect::<Vec<_>>(), [PlanKind::RemedyOom]);
}

/// Takes a minute and a half to hand over what it has seen; once, a container is killed when it has looked.
struct Slow {
    eyes: WorldSurveyor,
    world: Arc<World>,
    victim: Mutex<Option<PodRef>>,
}

#[async_trait]
impl Surveyor for Slow {
    async fn survey(&self, site: &Site) -> Result<Surveyed, Unseen> {
        let seen = self.eyes.survey(site).await?;
        let clock = self.world.clock();
        clock.sleep(SignedDuration::from_secs(5)).await;
        if let Some(pod) = self.victim.lock().unwrap().take() {
            self.world.kill_for_memory(&site.cluster.id, &pod);
        }
        clock.sleep(SignedDuration::from_secs(85)).await;
        Ok(seen)
    }
}

#[tokio::test(start_paused = true)]
async fn a_kill_that_a_round_has_looked_away_from_is_answered_by_the_next() {
    let mut story = Story::watched(250, 100, |policy| policy.oom_remediation = Mode::Auto).await;
    let world = story.0.system.world.clone();
    let victim = Mutex::new(Some(world.pods(&story.0.cluster).remove(0).pod));
    let eyes = WorldSurveyor(story.0.system.ports.clone());
    story.0.system.optimizer.as_mut().unwrap().surveyor = Arc::new(Slow { eyes, world, victim });
    story.scheduled(0..1).await;
    assert_eq!(story.plans().len(), 0, "it was not there to be seen");
    story.scheduled(1..2).await;
    assert_eq!(story.plans().iter().map(|record| record.plan.kind).collect::<Vec<_>>(), [PlanKind::RemedyOom]);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_agrees_to_does_not_wait() {
    let mut story = Story::watched(400, 500, |policy| policy.rightsizing = Mode::Approve).await;
    story.scheduled(0..2).await;
    story.agree().await;
    story.scheduled(2..3).await;
    assert_eq!(story.plans().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mode_says_how_far_it_goes() {
    for (mode, proposals, plans) in [(Mode::Observe, 0, 0), (Mode::Recommend, 1, 0), (Mode::Approve, 1, 0), (Mode::Auto, 1, 1)] {
        let mut story = Story::watched(400, 500, |policy| policy.rightsizing = mode).await;
        story.round("r").await;
        let made = (story.0.system.store.all_proposals().len(), story.plans().len(), story.findings().len());
        assert_eq!(made, (proposals, plans, 1), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_agrees_to_is_looked_at_again_and_opened() {
    for changed in [false, true] {
        let mut story = Story::watched(400, 500, |policy| policy.rightsizing = Mode::Approve).await;
        story.round("r-1").await;
        story.round("r-2").await;
        assert_eq!(story.0.system.store.all_proposals().len(), 1, "one proposal of a workload at a time");
        story.agree().await;
        if changed {
            story.another_hand_sizes(Sizes { cpu_request: Some(300), ..FIRST }).await;
        }
        story.round("r-3").await;
        story.pass(10).await;
        let state = story.0.system.store.all_proposals().remove(0).state;
        match changed {
            true => assert!(matches!(state, ProposalState::Stale { .. }) && story.plans().is_empty(), "{state:?}"),
            false => assert_eq!(story.plans()[0].progress.outcome, Some(Outcome::Succeeded)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_autoscaler_works_on_is_left_to_it_and_unknown_ones_keep_all() {
    let mut story = Story::watched(400, 500, auto).await;
    story.0.system.world.autoscale(&story.0.cluster, "default", "web", true, false);
    story.round("r").await;
    story.pass(10).await;
    let (template, _) = story.sizes().await;
    assert_eq!(template.cpu_request, FIRST.cpu_request);
    assert!(template.memory_request > FIRST.memory_request);

    let mut story = Story::watched(400, 500, auto).await;
    story.0.system.world.deny(&story.0.cluster, "list", "horizontalpodautoscalers");
    story.round("r").await;
    story.pass(10).await;
    assert_eq!((story.plans().len(), story.sizes().await.0), (0, FIRST));
    assert!(story.findings()[0].evidence.iter().any(|why| why.contains("autoscalers could not be listed")));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_has_sized_meanwhile_is_theirs() {
    let mut story = Story::watched(400, 500, auto).await;
    story.round("r").await;
    let theirs = Sizes { cpu_request: Some(333), ..FIRST };
    story.another_hand_sizes(theirs).await;
    story.pass(30).await;
    assert!(matches!(story.plans()[0].progress.outcome, Some(Outcome::RolledBack { .. })));
    assert_eq!(story.sizes().await.0, theirs);
}

#[tokio::test(start_paused = true)]
async fn a_kill_for_lack_of_memory_is_answered_once() {
    let limited = Sizes { memory_limit: FIRST.memory_request, ..FIRST };
    let mut story = Story::watched(250, 100, |policy| policy.oom_remediation = Mode::Auto).await;
    story.another_hand_sizes(limited).await;
    story.pass(10).await;
    let pod = story.0.system.world.pods(&story.0.cluster).remove(0).pod;
    story.0.system.world.kill_for_memory(&story.0.cluster, &pod);
    story.0.system.world.resizes_in_place(&story.0.cluster);
    for round in ["r-1", "r-2", "r-3"] {
        story.round(round).await;
        story.pass(10).await;
    }
    let plans = story.plans();
    assert_eq!((plans.len(), plans[0].plan.kind, plans[0].progress.outcome.clone()), (1, PlanKind::RemedyOom, Some(Outcome::Succeeded)));
    let (template, pods) = story.sizes().await;
    let raised = Some(308 * MIB);
    assert_eq!((template.memory_request, template.memory_limit), (raised, raised), "a fifth more, in whole MiB");
    assert_eq!(pods, vec![template; 3]);
    assert_eq!(story.findings().iter().filter(|finding| finding.kind == FindingKind::OutOfMemory).count(), 1);
    // Four more, each at what it had by then: three raises in a day are enough.
    for round in 4..8 {
        let pod = story.0.system.world.pods(&story.0.cluster).remove(0).pod;
        story.0.system.world.kill_for_memory(&story.0.cluster, &pod);
        story.round(&format!("r-{round}")).await;
        story.pass(10).await;
    }
    assert_eq!(story.plans().len(), 3);
    assert!(story.findings().iter().any(|finding| finding.kind == FindingKind::LikelyLeak));
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_off_is_neither_found_nor_done_though_it_was_agreed_to() {
    let killed = |policy: &mut WorkloadPolicy| (policy.rightsizing, policy.oom_remediation) = (Mode::Auto, Mode::Auto);
    for (rightsizing, oom) in [(false, false), (false, true), (true, false)] {
        let mut story = Story::watched(400, 500, killed).await;
        let pod = story.0.system.world.pods(&story.0.cluster).remove(0).pod;
        story.0.system.world.kill_for_memory(&story.0.cluster, &pod);
        let sizing = story.0.system.optimizer.as_mut().unwrap().sizing.as_mut().unwrap();
        (sizing.rightsizing, sizing.oom) = (rightsizing, oom);
        story.round("r").await;
        let kinds: Vec<PlanKind> = story.plans().iter().map(|record| record.plan.kind).collect();
        let wanted = if oom {
            vec![PlanKind::RemedyOom]
        } else if rightsizing {
            vec![PlanKind::ResizeWorkload]
        } else {
            Vec::new()
        };
        assert_eq!(kinds, wanted, "{rightsizing} {oom}");
        let found: Vec<FindingKind> = story.findings().iter().map(|finding| finding.kind).collect();
        let wanted = if oom {
            vec![FindingKind::OutOfMemory]
        } else if rightsizing {
            vec![FindingKind::UndersizedWorkload]
        } else {
            Vec::new()
        };
        assert_eq!(found, wanted, "{rightsizing} {oom}");
    }
    let mut story = Story::watched(400, 500, |policy| policy.rightsizing = Mode::Approve).await;
    story.round("r-1").await;
    let mut proposal = story.0.system.store.all_proposals().remove(0);
    (proposal.state, proposal.version) = (ProposalState::Approved { by: "ops".to_owned(), at: story.0.system.clock.now() }, 2);
    story.0.system.store.put_proposal(&proposal, None).await.unwrap();
    let sizing = story.0.system.optimizer.as_mut().unwrap().sizing.as_mut().unwrap();
    sizing.rightsizing = false;
    story.round("r-2").await;
    let state = story.0.system.store.all_proposals().remove(0).state;
    assert!(matches!(state, ProposalState::Stale { .. }) && story.plans().is_empty(), "{state:?}");
}

#[tokio::test(start_paused = true)]
async fn a_kill_costs_and_its_memory_is_not_taken_back_for_a_month() {
    let mut story = Story::watched(250, 100, auto).await;
    story.0.system.world.resizes_in_place(&story.0.cluster);
    let pod = story.0.system.world.pods(&story.0.cluster).remove(0).pod;
    story.0.system.world.kill_for_memory(&story.0.cluster, &pod);
    story.round("r-1").await;
    story.pass(10).await;
    let raised = Some(308 * MIB);
    assert_eq!(story.sizes().await.0.memory_request, raised);
    let found = story.findings().into_iter().find(|finding| finding.kind == FindingKind::OutOfMemory).unwrap();
    assert!(found.cost_per_month < Some(MicroDollars(0)), "{:?}", found.cost_per_month);
    assert!(story.plans()[0].plan.expected_saving < MicroDollars(0), "more memory is no saving");
    story.round("r-2").await;
    let books = story.0.system.store.books(&story.0.customer, &story.0.cluster).await.unwrap();
    assert_eq!(books.per_hour.get(&Lever::OutOfMemory), Some(&story.plans()[0].plan.expected_saving), "entered, below zero");
    // 115 MiB would do for what is used, but not for what killed it.
    for day in 3..6 {
        story.pass(24 * 60).await;
        story.round(&format!("r-{day}")).await;
        story.pass(10).await;
        assert_eq!(story.sizes().await.0.memory_request, raised, "day {day}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_person_has_dismissed_is_found_and_not_rolled_out() {
    let mut story = Story::watched(400, 500, |policy| policy.rightsizing = Mode::Observe).await;
    story.round("r-1").await;
    let (store, now) = (story.0.system.store.clone(), story.0.system.clock.now());
    let why = "It is replaced next week.".to_owned();
    let dismissed = story.findings().remove(0).with(FindingState::Dismissed { by: "ops".to_owned(), at: now, why });
    store.put_finding(&dismissed).await.unwrap();
    allow(&story.0.system, &story.0.customer, &story.0.cluster, |policy| auto(&mut policy.workloads)).await;
    for round in ["r-2", "r-3"] {
        story.round(round).await;
        story.pass(10).await;
    }
    assert!(story.plans().is_empty(), "{:?}", story.plans());
    let still = story.findings().remove(0);
    assert_eq!(still.state, dismissed.state);
    store.put_finding(&still.with(FindingState::Open)).await.unwrap();
    story.round("r-4").await;
    story.pass(10).await;
    assert_eq!(story.plans().len(), 1);
}
