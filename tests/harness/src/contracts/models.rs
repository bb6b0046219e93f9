//! The contract of the table in which models, uploads, predictions and wishes are kept.

use domain::decision::PoolName;
use domain::ids::{InstanceType, Region, Zone};
use domain::market::{
    Asked, FillProgress, FillState, FillWish, FilledPool, Part, PricePoint, ReadEntry, ReadFate, ReadRun, RefreshWish, Schedule,
};
use domain::model::{CONTRACT, Deployment, KeptIn, ModelCheck, ModelRecord, PredictionBatch, PredictionRow, Upload, model_id};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::{MarketWishes, MarketWork, Models, PredictionLog, StoreError};
use domain::{SignedDuration, Timestamp};

fn at(minutes: i64) -> Timestamp {
    "2026-11-23T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn region(text: &str) -> Region {
    Region::parse(text).unwrap()
}

fn kind(text: &str) -> InstanceType {
    InstanceType::parse(text).unwrap()
}

fn pool(name: &str, zone: &str) -> Pool {
    Pool { instance_type: kind(name), zone: Zone::parse(zone).unwrap(), capacity: CapacityType::Spot }
}

fn record(onnx: &[u8], name: &str) -> ModelRecord {
    let (id, sha256) = model_id(onnx);
    ModelRecord {
        id,
        name: name.to_owned(),
        note: None,
        sha256,
        bytes: u32::try_from(onnx.len()).unwrap(),
        kept_in: KeptIn::Table,
        contract: CONTRACT.to_owned(),
        by: "ann".to_owned(),
        at: at(0),
        check: ModelCheck { opset: 17, operators: vec!["Gemm".to_owned()], operations: 1, cost: 12, lowest: 0.25, highest: 0.5 },
    }
}

/// Runs every law of models and of the log. Nobody else may write to the table meanwhile.
pub async fn models(store: &(impl Models + PredictionLog)) {
    a_model_is_kept_with_its_file_whatever_its_size(store).await;
    what_is_known_of_an_upload_is_kept_and_written_anew(store).await;
    a_deployment_is_changed_by_one_at_a_time(store).await;
    predictions_are_kept_once_and_read_newest_first(store).await;
}

async fn a_model_is_kept_with_its_file_whatever_its_size(store: &impl Models) {
    assert_eq!(store.models().await.unwrap(), []);
    assert_eq!((store.model("m-none").await.unwrap(), store.model_bytes("m-none").await.unwrap()), (None, None));
    let files: Vec<Vec<u8>> =
        [1_usize, 350_000, 350_001, 2_999_999].iter().map(|size| (0..*size).map(|n| (n % 251) as u8).collect()).collect();
    for (file, name) in files.iter().zip(["a", "b", "c", "d"]) {
        store.put_model(&record(file, name), Some(file)).await.unwrap();
    }
    store.put_model(&record(&files[1], "b again"), Some(&files[1])).await.unwrap();
    let mut names: Vec<String> = store.models().await.unwrap().into_iter().map(|model| model.name).collect();
    names.sort();
    assert_eq!(names, ["a", "b again", "c", "d"], "the same file is the same model");
    for file in &files {
        let id = model_id(file).0;
        assert_eq!(store.model_bytes(&id).await.unwrap().as_ref(), Some(file), "{} bytes", file.len());
        assert_eq!(store.model(&id).await.unwrap().unwrap().bytes as usize, file.len());
    }
    for _ in 0..2 {
        store.remove_model(&model_id(&files[3]).0).await.unwrap();
        assert_eq!((store.models().await.unwrap().len(), store.model_bytes(&model_id(&files[3]).0).await.unwrap()), (3, None));
    }
    // A file that is kept elsewhere: the model is listed, says so, and has none here.
    let elsewhere = ModelRecord { kept_in: KeptIn::Objects, ..record(b"elsewhere", "e") };
    store.put_model(&elsewhere, None).await.unwrap();
    assert_eq!(store.model(&elsewhere.id).await.unwrap(), Some(elsewhere.clone()));
    assert_eq!(store.model_bytes(&elsewhere.id).await.unwrap(), None);
    store.remove_model(&elsewhere.id).await.unwrap();
    assert_eq!(store.model(&elsewhere.id).await.unwrap(), None);
}

async fn what_is_known_of_an_upload_is_kept_and_written_anew(store: &impl Models) {
    let upload = Upload { id: "ab".repeat(16), by: "ann".to_owned(), at: at(0), bytes: Some(7), sha256: None, model: None };
    assert_eq!(store.upload(&upload.id).await.unwrap(), None);
    store.put_upload(&upload).await.unwrap();
    assert_eq!(store.upload(&upload.id).await.unwrap(), Some(upload.clone()));
    let registered = Upload { model: Some("m-1".to_owned()), ..upload };
    store.put_upload(&registered).await.unwrap();
    assert_eq!(store.upload(&registered.id).await.unwrap(), Some(registered));
}

async fn a_deployment_is_changed_by_one_at_a_time(store: &impl Models) {
    let none = store.deployment().await.unwrap();
    assert_eq!(none, Deployment::default());
    let first = none.clone().activate("m-1", true, "ann", at(0)).unwrap();
    store.put_deployment(&first).await.unwrap();
    assert!(matches!(store.put_deployment(&first).await, Err(StoreError::Conflict)), "nor the same twice");
    let other = none.activate("m-2", true, "bob", at(0)).unwrap();
    assert!(matches!(store.put_deployment(&other).await, Err(StoreError::Conflict)));
    assert_eq!(store.deployment().await.unwrap(), first);
    let next = first.roll_back("ann", at(1)).unwrap();
    store.put_deployment(&next).await.unwrap();
    assert_eq!(store.deployment().await.unwrap(), next);
}

async fn predictions_are_kept_once_and_read_newest_first(store: &impl PredictionLog) {
    let batch = |n: i64| PredictionBatch {
        id: format!("p-{n}"),
        at: at(-97 * n),
        region: region("us-east-1"),
        horizon_minutes: 60,
        active: None,
        shadow: None,
        rows: vec![PredictionRow {
            pool: PoolName { instance_type: kind("m6i.large"), zone: Zone::parse("us-east-1a").unwrap() },
            told: 0.125,
            built_in: 0.25,
            active: None,
            shadow: Some(0.5),
            features: vec![1.0, 0.025],
        }],
    };
    let all: Vec<PredictionBatch> = (0..40).map(batch).collect();
    for batch in all.iter().chain(&all[..3]) {
        store.put_predictions(batch).await.unwrap();
    }
    assert_eq!(store.predictions(at(-24 * 60 * 31), at(0), 100).await.unwrap(), all, "each once, over days");
    assert_eq!(store.predictions(at(-24 * 60 * 31), at(0), 7).await.unwrap(), all[..7]);
    assert_eq!(store.predictions(at(-97), at(0), 100).await.unwrap(), all[..2], "that instant, too");
}

/// Runs every law of wishes and work. Nobody else may write to the table meanwhile.
pub async fn work(store: &(impl MarketWishes + MarketWork)) {
    wishes_are_kept_and_the_newest_come_first(store).await;
    what_a_filling_changed_is_known_by_filling_and_by_pool(store).await;
    runs_are_read_newest_first(store).await;
}

async fn wishes_are_kept_and_the_newest_come_first(store: &(impl MarketWishes + MarketWork)) {
    assert_eq!((store.fill_wishes(10).await.unwrap(), store.fill_wish("f-1").await.unwrap()), (Vec::new(), None));
    let wish = |n: i64| FillWish {
        id: format!("f-{n:04}"),
        region: region("us-east-1"),
        types: (0..1_000).map(|n| kind(&format!("m{n}.24xlarge"))).collect(),
        since: at(-900),
        by: "ann".to_owned(),
        at: at(n),
        undo: None,
    };
    for n in 0..5 {
        store.put_fill_wish(&wish(n)).await.unwrap();
    }
    let undone = FillWish { undo: Some(Asked { by: "bob".to_owned(), at: at(9) }), ..wish(2) };
    store.put_fill_wish(&undone).await.unwrap();
    assert_eq!(store.fill_wish("f-0002").await.unwrap(), Some(undone.clone()));
    assert_eq!(store.fill_wishes(3).await.unwrap(), [wish(4), wish(3), undone]);
    let progress = FillProgress { batches_done: 3, state: FillState::Failed, ..FillProgress::begin(&wish(1), at(1)) };
    assert_eq!(store.fill_progress("f-0001").await.unwrap(), None);
    store.put_fill_progress(&progress).await.unwrap();
    assert_eq!(store.fill_progress("f-0001").await.unwrap(), Some(progress));
    let asked = |region: &str, minutes| RefreshWish {
        region: self::region(region),
        parts: vec![Part::Advisor],
        by: "ann".to_owned(),
        at: at(minutes),
    };
    for wish in [asked("us-east-1", 0), asked("us-east-1", 5), asked("us-east-2", 1)] {
        store.put_refresh_wish(&wish).await.unwrap();
    }
    assert_eq!(store.refresh_wish(&region("us-east-1")).await.unwrap(), Some(asked("us-east-1", 5)));
    assert_eq!(store.refresh_wish(&region("eu-west-1")).await.unwrap(), None);
    assert_eq!(store.schedule().await.unwrap(), Schedule::default(), "what was built in, until somebody sets it");
    let set = |version, minutes| Schedule {
        spot_prices_minutes: minutes,
        by: Some("ann".to_owned()),
        at: Some(at(0)),
        version,
        ..Schedule::default()
    };
    for (next, holds) in [(set(2, 5), false), (set(1, 5), true), (set(1, 6), false), (set(3, 6), false), (set(2, 7), true)] {
        assert_eq!(store.put_schedule(&next).await.is_ok(), holds, "{next:?} against its version");
    }
    assert_eq!(store.schedule().await.unwrap(), set(2, 7));
}

async fn what_a_filling_changed_is_known_by_filling_and_by_pool(store: &impl MarketWork) {
    let here = region("us-east-1");
    let point = |minutes| PricePoint { at: at(minutes), price_per_hour: MicroDollars(40_000) };
    let filled = |job: &str, name: &str, zone: &str| FilledPool {
        job: job.to_owned(),
        pool: pool(name, zone),
        added: vec![point(-9)],
        removed: vec![point(0)],
    };
    let first: Vec<FilledPool> = ["us-east-1a", "us-east-1b"].iter().map(|zone| filled("f-1", "m6i.large", zone)).collect();
    store.put_filled(&here, &first).await.unwrap();
    store.put_filled(&here, &first).await.unwrap();
    store.put_filled(&here, &[filled("f-2", "m6i.large", "us-east-1a"), filled("f-2", "c6i.large", "us-east-1a")]).await.unwrap();
    assert_eq!(store.filled_by("f-1", 10).await.unwrap(), first);
    assert_eq!(store.filled_by("f-1", 1).await.unwrap(), first[..1]);
    assert_eq!(store.filled_in(&here, &kind("m6i.large")).await.unwrap().len(), 3);
    assert_eq!(store.filled_in(&region("us-east-2"), &kind("m6i.large")).await.unwrap(), []);
    store.unmark(&here, &first).await.unwrap();
    assert_eq!(store.filled_in(&here, &kind("m6i.large")).await.unwrap(), [filled("f-2", "m6i.large", "us-east-1a")]);
    assert_eq!(store.filled_by("f-1", 10).await.unwrap(), first, "what it did is history");
    store.put_filled(&here, &[]).await.unwrap();
    store.unmark(&here, &[]).await.unwrap();
}

async fn runs_are_read_newest_first(store: &impl MarketWork) {
    let run = |minutes| ReadRun {
        at: at(minutes),
        took_ms: 80,
        entries: vec![ReadEntry { region: region("us-east-1"), part: Part::Advisor, fate: ReadFate::Failed, why: Some("gone".to_owned()) }],
    };
    for minutes in [-2_000, -3, 0, 10] {
        store.put_run(&run(minutes)).await.unwrap();
    }
    assert_eq!(store.runs(at(-3_000), at(5), 10).await.unwrap(), [run(0), run(-3), run(-2_000)]);
    assert_eq!(store.runs(at(-3), at(5), 10).await.unwrap(), [run(0), run(-3)]);
    assert_eq!(store.runs(at(-3_000), at(5), 1).await.unwrap(), [run(0)]);
}
