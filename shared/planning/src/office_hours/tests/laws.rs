use super::*;
use domain::ids::{ClusterId, CustomerId};
use domain::office_hours::ORIGINAL;
use domain::workload::{Scalables, WorkloadKind, WorkloadRef};

const NIGHT: &str = "2026-07-15T01:00:00Z";
const DAY: &str = "2026-07-15T10:00:00Z";
const HOURS: &str = "Mon-Fri 08:00-18:00 Europe/Berlin";

fn row(object: &Scalable, original: Option<u32>, seen: bool) -> Asleep {
    Asleep {
        customer: CustomerId::parse("acme").unwrap(),
        cluster: ClusterId::parse("c1").unwrap(),
        target: object.target.clone(),
        uid: object.uid.clone(),
        original,
        downtime_replicas: 0,
        decided_at: at("2026-07-14T18:00:00Z"),
        seen_at: seen.then(|| at("2026-07-14T18:01:00Z")),
    }
}

#[test]
fn a_roll_out_in_the_night_does_not_overwrite_the_original() {
    let (object, policy) = (web(2), up_at(HOURS));
    let row = row(&object, Some(8), true);
    let decision = decide(&Situation { asleep: Some(&row), ..on(&object, &policy, NIGHT) });
    assert_eq!(decision.verdict, Verdict::Sleep { from: Some(2), to: 0, original: Original::Size(8) });
}

#[test]
fn the_row_of_a_night_before_says_nothing_of_what_was_set_by_day() {
    let (object, policy) = (web(2), up_at(HOURS));
    // All of the day in between, nobody was there to remove it.
    let row = Asleep { seen_at: Some(at("2026-07-13T18:01:00Z")), ..row(&object, Some(8), true) };
    let decision = decide(&Situation { asleep: Some(&row), ..on(&object, &policy, NIGHT) });
    assert_eq!(decision.verdict, Verdict::Sleep { from: Some(2), to: 0, original: Original::Size(2) });
}

#[test]
fn a_plan_that_came_to_nothing_leaves_no_original_behind() {
    let (object, policy) = (web(5), up_at(HOURS));
    let row = row(&object, Some(8), false);
    let decision = decide(&Situation { asleep: Some(&row), ..on(&object, &policy, NIGHT) });
    assert_eq!(decision.verdict, Verdict::Sleep { from: Some(5), to: 0, original: Original::Size(5) });
}

#[test]
fn either_copy_of_the_original_is_enough_to_wake_it() {
    let policy = up_at(HOURS);
    let mut object = web(0);
    let row = row(&object, Some(8), true);
    let bare = decide(&Situation { asleep: Some(&row), ..on(&object, &policy, DAY) });
    assert_eq!(bare.verdict, Verdict::Wake { from: 0, to: Some(8) });
    object.annotations.insert(ORIGINAL.to_owned(), "8".to_owned());
    assert_eq!(decide(&on(&object, &policy, DAY)).verdict, Verdict::Wake { from: 0, to: Some(8) });
}

#[test]
fn what_was_scaled_to_nothing_by_hand_is_never_woken() {
    let (object, policy) = (web(0), up_at(HOURS));
    for now in [NIGHT, DAY] {
        assert_eq!(decide(&on(&object, &policy, now)).verdict, Verdict::Leave);
    }
}

#[test]
fn the_size_that_it_sleeps_with_is_never_an_original() {
    let mut object = web(0);
    object.annotations.insert(ORIGINAL.to_owned(), "0".to_owned());
    assert_eq!(decide(&on(&object, &up_at(HOURS), DAY)).verdict, Verdict::Leave);
}

#[test]
fn a_namesake_that_came_later_is_not_woken_by_the_row_of_the_one_before() {
    let (object, policy) = (web(0), up_at(HOURS));
    let row = Asleep { uid: "another".to_owned(), ..row(&object, Some(8), true) };
    let scalables = Scalables { objects: vec![object], ..Scalables::default() };
    let sight = Sight {
        scalables: &scalables,
        policy: &policy,
        customer: None,
        asleep: std::slice::from_ref(&row),
        forced_up: false,
        now: at(DAY),
    };
    assert_eq!(judge(sight)[0].decision.verdict, Verdict::Leave);
}

#[test]
fn what_loses_its_schedule_while_it_sleeps_is_woken() {
    let (object, policy) = (web(0), OfficeHoursPolicy::default());
    let row = row(&object, Some(3), true);
    let decision = decide(&Situation { asleep: Some(&row), ..on(&object, &policy, NIGHT) });
    assert_eq!(decision.verdict, Verdict::Wake { from: 0, to: Some(3) });
}

#[test]
fn a_stateful_set_that_would_lose_its_volumes_is_refused_and_says_what_to_do() {
    let mut object = web(3);
    object.target.kind = ScaleKind::StatefulSet;
    object.deletes_volumes = true;
    let decision = decide(&on(&object, &up_at(HOURS), NIGHT));
    assert_eq!((decision.verdict, decision.refused), (Verdict::Leave, true));
    assert!(decision.why.contains("whenScaled"));
}

#[test]
fn holidays_are_slept_through_but_what_is_always_up_stays() {
    let object = web(3);
    let mut policy = up_at(HOURS);
    policy.holidays = vec![jiff::civil::date(2026, 7, 15)];
    assert!(matches!(decide(&on(&object, &policy, DAY)).verdict, Verdict::Sleep { .. }));
    policy.cluster.uptime = Some(Spec::always());
    assert_eq!(decide(&on(&object, &policy, DAY)).verdict, Verdict::Leave);
}

fn scaler(kind: ScaleKind, size: Option<u32>) -> Scalable {
    let mut object = web(0);
    object.target = ScaleRef { kind, namespace: "shop".to_owned(), name: "scaler".to_owned() };
    object.uid = "u-2".to_owned();
    object.size = size;
    object.size_max = Some(20);
    object.scales = Some(WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".to_owned(), name: "web".to_owned() });
    object
}

fn verdicts(objects: Vec<Scalable>, policy: &OfficeHoursPolicy) -> Vec<Verdict> {
    let scalables = Scalables { objects, ..Scalables::default() };
    let sight = Sight { scalables: &scalables, policy, customer: None, asleep: &[], forced_up: false, now: at(NIGHT) };
    judge(sight).into_iter().map(|judged| judged.decision.verdict).collect()
}

#[test]
fn an_autoscaler_rests_by_itself_where_its_workload_goes_to_nothing_and_is_lowered_where_it_does_not() {
    let mut policy = up_at(HOURS);
    let both = || vec![web(6), scaler(ScaleKind::HorizontalPodAutoscaler, Some(4))];
    let slept = Verdict::Sleep { from: Some(6), to: 0, original: Original::Size(6) };
    assert_eq!(verdicts(both(), &policy), [slept, Verdict::Leave]);
    policy.cluster.downtime_replicas = Some(2);
    let lowered = Verdict::Sleep { from: Some(4), to: 2, original: Original::Size(4) };
    assert_eq!(verdicts(both(), &policy), [Verdict::Leave, lowered]);
}

#[test]
fn a_keda_object_is_paused_in_place_of_its_workload_unless_somebody_else_paused_it() {
    let policy = up_at(HOURS);
    let paused = Verdict::Sleep { from: None, to: 0, original: Original::Unpaused };
    assert_eq!(verdicts(vec![web(6), scaler(ScaleKind::ScaledObject, None)], &policy), [Verdict::Leave, paused]);
    assert_eq!(verdicts(vec![web(6), scaler(ScaleKind::ScaledObject, Some(3))], &policy), [Verdict::Leave, Verdict::Leave]);
}

#[test]
fn a_month_of_nights_is_worth_its_share_of_730_hours() {
    let (object, policy) = (web(4), up_at("Mon-Fri 08:00-18:00 UTC"));
    let share = worth::share_asleep(&on(&object, &policy, "2026-07-13T00:00:00Z"));
    assert_eq!(share, (336 - 5 * 20, 336));
    // Half a core and one GiB, four times.
    let freed = worth::per_hour(4, object.cpu_millis, object.memory_bytes);
    assert_eq!(freed.0, 4 * (31_611 / 2 + 4_237));
    assert_eq!(worth::per_month(freed, share).0, freed.0 * 730 * 236 / 336);
}

fn nightly(size: u32) -> Scalable {
    Scalable { cpu_millis: 0, memory_bytes: 0, ..scaler(ScaleKind::CronJob, Some(size)) }
}

#[test]
fn a_cron_job_is_suspended_where_the_policy_names_them_and_gets_back_that_it_runs() {
    let policy = OfficeHoursPolicy { include: vec![Included::CronJobs], ..up_at("Mon-Fri 08:00-18:00 UTC") };
    let (day, night) = ("2026-11-24T12:00:00Z", "2026-11-24T22:00:00Z");
    let mut job = nightly(1);
    job.scales = None;
    let down = decide(&on(&job, &policy, night));
    assert_eq!(down.verdict, Verdict::Sleep { from: Some(1), to: 0, original: Original::Size(1) });
    job.size = Some(0);
    assert_eq!(decide(&on(&job, &policy, day)).verdict, Verdict::Leave, "its owner has suspended it, and nobody has noted anything");
    job.annotations.insert(ORIGINAL.to_owned(), "1".to_owned());
    assert_eq!(decide(&on(&job, &policy, day)).verdict, Verdict::Wake { from: 0, to: Some(1) });
}

#[test]
fn a_number_of_replicas_means_nothing_to_a_cron_job() {
    let mut policy = OfficeHoursPolicy { include: vec![Included::CronJobs], ..up_at("Mon-Fri 08:00-18:00 UTC") };
    policy.cluster.downtime_replicas = Some(3);
    let job = Scalable { scales: None, ..nightly(1) };
    assert!(matches!(decide(&on(&job, &policy, "2026-11-24T22:00:00Z")).verdict, Verdict::Sleep { to: 0, .. }));
}

#[test]
fn a_cron_job_that_is_not_named_is_left_alone_and_one_that_is_not_named_any_more_goes_on() {
    let policy = up_at("Mon-Fri 08:00-18:00 UTC");
    let mut job = Scalable { scales: None, ..nightly(1) };
    let left = decide(&on(&job, &policy, "2026-11-24T22:00:00Z"));
    assert!(left.verdict == Verdict::Leave && left.why.contains("office_hours.include"), "{}", left.why);
    job.size = Some(0);
    job.annotations.insert(ORIGINAL.to_owned(), "1".to_owned());
    assert_eq!(decide(&on(&job, &policy, "2026-11-24T22:00:00Z")).verdict, Verdict::Wake { from: 0, to: Some(1) });
}

#[test]
fn what_is_not_put_to_sleep_is_refused_with_the_reason_when_it_is_written() {
    for (kind, why) in
        [("daemonsets", "no number of replicas"), ("jobs", "loses its pods"), ("poddisruptionbudgets", "protects nobody"), ("x", "only")]
    {
        let error = serde_json::from_value::<OfficeHoursPolicy>(serde_json::json!({ "include": [kind] })).unwrap_err().to_string();
        assert!(error.contains(kind) && error.contains(why), "{error}");
    }
    let policy: OfficeHoursPolicy = serde_json::from_value(serde_json::json!({ "include": ["CronJobs"] })).unwrap();
    assert_eq!(policy.include, [Included::CronJobs]);
    assert!(
        !serde_json::to_string(&OfficeHoursPolicy::default()).unwrap().contains("include"),
        "who names nothing has approved the same as before"
    );
}
