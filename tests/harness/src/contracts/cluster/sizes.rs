//! Laws of sizes: what office hours read and change.

use super::Scene;
use domain::office_hours::ORIGINAL;
use domain::ports::ClusterError;
use domain::workload::{Beside, Resize, Resized, Scalable, ScaleKind, ScaleRef, WorkloadKind};

const ALL: Beside = Beside { pods: true, cron_jobs: true };

fn named(kind: ScaleKind, name: &str) -> ScaleRef {
    ScaleRef { kind, namespace: "default".to_owned(), name: name.to_owned() }
}

async fn seen(scene: &Scene<'_>, target: &ScaleRef) -> Scalable {
    let all = scene.cluster.scalables(ALL).await.unwrap().objects;
    all.into_iter().find(|object| object.target == *target).unwrap_or_else(|| panic!("{target} is not listed"))
}

fn resize(of: &Scalable, to: Option<u32>, note: Option<&str>) -> Resize {
    Resize { uid: of.uid.clone(), from: of.size, to, note: note.map(str::to_owned) }
}

pub(super) async fn a_workload_sleeps_with_a_note_and_is_woken_without_one(scene: &Scene<'_>) {
    scene.deployed("sleeper", 2).await;
    let target = named(ScaleKind::Deployment, "sleeper");
    let before = seen(scene, &target).await;
    assert_eq!((before.size, before.annotations.get(ORIGINAL)), (Some(2), None));
    assert!(before.created_at.is_some() && before.cpu_millis > 0 && before.memory_bytes > 0 && !before.deletes_volumes);
    let sleep = resize(&before, Some(0), Some("2"));
    // The answer may be lost: asked again, it is done already.
    for _twice in 0..2 {
        assert_eq!(scene.cluster.resize(&target, &sleep).await.unwrap(), Resized::Done);
        let asleep = seen(scene, &target).await;
        assert_eq!((asleep.size, asleep.annotations.get(ORIGINAL).map(String::as_str)), (Some(0), Some("2")));
    }
    scene.stage.pass(10);
    assert!(scene.pods("sleeper").await.is_empty());
    for _twice in 0..2 {
        assert_eq!(scene.cluster.resize(&target, &sleep.back()).await.unwrap(), Resized::Done);
        let awake = seen(scene, &target).await;
        assert_eq!((awake.size, awake.annotations.get(ORIGINAL)), (Some(2), None));
    }
}

pub(super) async fn who_was_faster_is_left_alone(scene: &Scene<'_>) {
    scene.deployed("contested", 3).await;
    let target = named(ScaleKind::Deployment, "contested");
    let before = seen(scene, &target).await;
    let stale = Resize { from: Some(5), ..resize(&before, Some(0), Some("5")) };
    assert_eq!(scene.cluster.resize(&target, &stale).await.unwrap(), Resized::Differs(Some(3)));
    let namesake = Resize { uid: "another".to_owned(), ..resize(&before, Some(0), Some("3")) };
    assert!(matches!(scene.cluster.resize(&target, &namesake).await, Err(ClusterError::Gone)));
    let nobody = named(ScaleKind::StatefulSet, "contested");
    assert!(matches!(scene.cluster.resize(&nobody, &resize(&before, Some(0), None)).await, Err(ClusterError::Gone)));
    assert_eq!(seen(scene, &target).await, before, "nothing was changed");
}

pub(super) async fn autoscalers_have_sizes_of_their_own(scene: &Scene<'_>) {
    for (name, kind, size, to, note) in
        [("bounded", ScaleKind::HorizontalPodAutoscaler, Some(3), Some(1), "3"), ("driven", ScaleKind::ScaledObject, None, Some(0), "-1")]
    {
        scene.deployed(name, 3).await;
        scene.stage.scaler("default", name, size);
        let target = named(kind, name);
        let before = seen(scene, &target).await;
        let scales = before.scales.clone().unwrap();
        assert_eq!((before.size, scales.kind, scales.name.as_str()), (size, WorkloadKind::Deployment, name));
        let sleep = resize(&before, to, Some(note));
        assert_eq!(scene.cluster.resize(&target, &sleep).await.unwrap(), Resized::Done);
        let asleep = seen(scene, &target).await;
        assert_eq!((asleep.size, asleep.annotations.get(ORIGINAL).map(String::as_str)), (to, Some(note)));
        assert_eq!(scene.cluster.resize(&target, &sleep.back()).await.unwrap(), Resized::Done);
        let awake = seen(scene, &target).await;
        assert_eq!((awake.size, awake.annotations.get(ORIGINAL)), (size, None));
    }
}

pub(super) async fn a_namespace_is_read_with_its_annotations(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.deployment("quiet-hours", "noted", 1, &node);
    scene.stage.annotated_namespace("quiet-hours", "downscaler/uptime", "never");
    let scalables = scene.cluster.scalables(ALL).await.unwrap();
    let namespace = &scalables.namespaces["quiet-hours"];
    assert_eq!(namespace.annotations.get("downscaler/uptime").map(String::as_str), Some("never"));
    assert!(!namespace.terminating && scalables.awake_for_pods.is_empty());
}

pub(super) async fn a_cron_job_is_suspended_with_a_note_and_goes_on_without_one(scene: &Scene<'_>) {
    scene.stage.cron_job("nightly");
    let target = named(ScaleKind::CronJob, "nightly");
    let before = seen(scene, &target).await;
    assert_eq!((before.size, before.scales.as_ref()), (Some(1), None));
    let sleep = resize(&before, Some(0), Some("1"));
    for _twice in 0..2 {
        assert_eq!(scene.cluster.resize(&target, &sleep).await.unwrap(), Resized::Done);
        let asleep = seen(scene, &target).await;
        assert_eq!((asleep.size, asleep.annotations.get(ORIGINAL).map(String::as_str)), (Some(0), Some("1")));
    }
    assert_eq!(scene.cluster.resize(&target, &sleep.back()).await.unwrap(), Resized::Done);
    assert_eq!((seen(scene, &target).await.size, seen(scene, &target).await.annotations.get(ORIGINAL)), (Some(1), None));
    let beside = Beside { cron_jobs: false, ..ALL };
    let listed = scene.cluster.scalables(beside).await.unwrap().objects;
    assert!(listed.iter().all(|object| object.target.kind != ScaleKind::CronJob), "who does not ask for them pays for no list");
}
