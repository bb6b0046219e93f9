//! Plans in flight: begun by one version, finished by another.

use crate::golden::{PRESENT, all, lost, of_a_later_version, write_if_asked};
use domain::SignedDuration;
use domain::plan::{Outcome, PlanRecord};
use harness::one_rescue::{self, OneRescue};
use harness::plans::one_plan::{OnePlan, SHAPES, Shape, scene};
use harness::system::System;
use serde_json::{Value, json};
use sim::faults::Fault;
use std::collections::BTreeMap;

/// Where the process dies, and every process after it, until the other version is there: before a node is launched, while it is awaited,
/// while pods are evicted, and before the one change that cannot be taken back.
const DIES_AT: [&str; 4] = ["cloud.launch", "cluster.cordon", "cluster.evict", "cloud.terminate"];

/// From the first call of this name on, every process dies.
fn dies_from(system: &System, name: &'static str) {
    let mut dead = false;
    system.gate.script(move |call| {
        dead = dead || call.name == name;
        dead.then_some(Fault::CrashBefore)
    });
}

/// A plan of the optimizer, stopped at this call. `None`: this plan makes no such call.
async fn stopped(shape: Shape, at: &'static str) -> Option<OnePlan> {
    let mut story = scene(shape).await;
    story.ask("first").await;
    dies_from(&story.system, at);
    story.system.run(SignedDuration::from_mins(5), |_| {}).await;
    let under_way = story.system.store.plans().iter().any(|record| record.progress.outcome.is_none());
    under_way.then_some(story)
}

/// A rescue, stopped at this call, well before the node is gone.
async fn stopped_rescue(at: &'static str) -> OneRescue {
    let mut story = one_rescue::scene(3, SignedDuration::ZERO).await;
    story.interrupt();
    dies_from(&story.system, at);
    story.system.run(SignedDuration::from_secs(10), |_| {}).await;
    story
}

fn only_plan(system: &System) -> PlanRecord {
    let plans = system.store.plans();
    assert_eq!(plans.len(), 1, "one plan is under way");
    plans.into_iter().next().expect("it was counted")
}

/// All plans in flight, by what they do and where they stand.
async fn in_flight() -> BTreeMap<String, PlanRecord> {
    let mut found = BTreeMap::new();
    for at in DIES_AT {
        for (index, shape) in SHAPES.into_iter().enumerate() {
            if let Some(story) = stopped(shape, at).await {
                found.insert(format!("{:?} {index}, {at}", shape.decision), only_plan(&story.system));
            }
        }
        if at != "cloud.terminate" {
            found.insert(format!("rescue, {at}"), only_plan(&stopped_rescue(at).await.system));
        }
    }
    found
}

/// Puts what another version wrote in the place of what this one wrote, and lets this one finish it.
async fn finish(name: &str, record: PlanRecord) -> Result<(), String> {
    let (what, at) = name.split_once(", ").expect("a name has two parts");
    let at = DIES_AT.into_iter().find(|call| *call == at).ok_or_else(|| format!("nobody dies at {at}"))?;
    let taken_over = |system: &System| {
        assert_eq!(only_plan(system).plan.key, record.plan.key, "{name}: plans are named otherwise now");
        system.store.replace_plan(record.clone());
        system.gate.script(|_| None);
    };
    let (judged, system) = if what == "rescue" {
        let mut story = stopped_rescue(at).await;
        taken_over(&story.system);
        (story.judge().await, story.system)
    } else {
        let index: usize = what.rsplit(' ').next().and_then(|index| index.parse().ok()).expect("a shape has a number");
        let mut story = stopped(SHAPES[index], at).await.ok_or_else(|| format!("{name} makes no such call any more"))?;
        taken_over(&story.system);
        (story.judge(false).await, story.system)
    };
    judged?;
    let ended = system.store.plans().into_iter().find(|ended| ended.plan.key == record.plan.key).and_then(|ended| ended.progress.outcome);
    if ended == Some(Outcome::Succeeded) { Ok(()) } else { Err(format!("it ended as {ended:?}")) }
}

fn read(value: &Value) -> Result<PlanRecord, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

fn stories(golden: &Value) -> Vec<(String, Value)> {
    let all = golden.as_object().expect("plans stand by name");
    assert!(all.len() >= 12, "only {} plans are in flight", all.len());
    all.iter().map(|(name, plan)| (name.clone(), plan.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_every_version_is_finished_by_this_one() {
    if std::env::var_os("UPDATE").is_some() {
        let made = in_flight().await;
        write_if_asked("flight.json", || json!(made));
    }
    let mut wrong = Vec::new();
    for (version, golden) in all("flight.json") {
        for (name, plan) in stories(&golden) {
            let finished = match read(&plan) {
                Ok(record) => {
                    let now = serde_json::to_value(&record).expect("a plan has a JSON form");
                    wrong.extend(lost(&plan, &now).into_iter().map(|what| format!("{version}: {name}: {what}")));
                    finish(&name, record).await
                }
                Err(error) => Err(error),
            };
            if let Err(why) = finished {
                wrong.push(format!("{version}: {name}: {why}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rollback: a later version has written more than this one knows.
#[tokio::test(start_paused = true)]
async fn a_plan_of_a_later_version_is_finished_by_this_one() {
    let golden = all("flight.json").into_iter().find(|(version, _)| version == PRESENT).expect("there is a folder").1;
    let (mut wrong, mut fields) = (Vec::new(), 0);
    for (name, plan) in stories(&golden) {
        let later = of_a_later_version(&plan, |value| read(value).is_ok());
        fields += later.to_string().matches("of_a_later_version").count();
        let finished = match read(&later) {
            Ok(record) => finish(&name, record).await,
            Err(error) => Err(error),
        };
        if let Err(why) = finished {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(fields > 100, "a plan can be read with hardly a field more: {fields}");
}

/// Where the plans stand today is where the checked-in ones stand: else the files tell of another plan than this version makes.
#[tokio::test(start_paused = true)]
async fn the_plans_that_are_checked_in_are_those_that_this_version_makes() {
    let made = in_flight().await;
    let golden = all("flight.json").into_iter().find(|(version, _)| version == PRESENT).expect("there is a folder").1;
    let names: Vec<&String> = made.keys().collect();
    assert_eq!(
        golden.as_object().expect("plans stand by name").keys().collect::<Vec<_>>(),
        names,
        "UPDATE=1 cargo test --workspace --test upgrade"
    );
}
