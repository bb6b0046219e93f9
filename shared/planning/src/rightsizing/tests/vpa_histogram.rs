//! The Vertical Pod Autoscaler's histograms.

use super::golden::{Golden, list, near, number, whole};
use crate::rightsizing::buckets::Buckets;
use crate::rightsizing::decaying::{Decaying, HALF_LIFE_S};
use crate::rightsizing::histogram::{Checkpoint, Histogram};
use serde_json::Value;

fn buckets(case: &Value) -> Buckets {
    match case["options_ref"].as_str() {
        Some("default_cpu") => return Buckets::cpu().clone(),
        Some("default_memory") => return Buckets::memory().clone(),
        Some(other) => panic!("{other}"),
        None => {}
    }
    let options = &case["options"];
    // Cases of decay and merging that name none use those of their neighbours.
    if options.is_null() {
        return Buckets::linear(10.0, 1.0, 1e-15);
    }
    let of = |name: &str| number(&options[name]);
    match options["kind"].as_str().unwrap() {
        "linear" => Buckets::linear(of("max"), of("bucket"), of("epsilon")),
        "exponential" => Buckets::exponential(of("max"), of("first"), of("ratio"), of("epsilon")),
        other => panic!("{other}"),
    }
}

fn filled(case: &Value, samples: &Value) -> Histogram {
    let mut made = Histogram::new(buckets(case));
    for sample in list(samples) {
        made.add(number(&sample[0]), number(&sample[1]));
    }
    made
}

fn decayed(case: &Value, samples: &Value) -> Decaying {
    let mut made = Decaying::new(buckets(case), whole(&case["half_life_s"]));
    for sample in list(samples) {
        match case["sample_weight"].as_f64() {
            Some(weight) => made.add(number(&sample[0]), weight, whole(&sample[1])),
            None => made.add(number(&sample[0]), number(&sample[1]), whole(&sample[2])),
        }
    }
    made
}

fn checkpoint(value: &Value) -> Checkpoint {
    let weights = value["bucket_weights"].as_object().unwrap();
    Checkpoint {
        total_weight: number(&value["total_weight"]),
        bucket_weights: weights.iter().map(|(b, w)| (b.parse().unwrap(), u32::try_from(whole(w)).unwrap())).collect(),
    }
}

/// Checks what a case expects of a histogram; says how many things it was.
fn expect(case: &Value, made: &Histogram, percentile: impl Fn(f64) -> f64) -> usize {
    let (id, expect) = (case["id"].as_str().unwrap(), &case["expect"]);
    let mut checked = 0;
    if let Some(empty) = expect["is_empty"].as_bool() {
        assert_eq!(made.is_empty(), empty, "{id}");
        checked += 1;
    }
    for pair in expect["percentile"].as_array().into_iter().flatten() {
        near(percentile(number(&pair[0])), number(&pair[1]), &format!("{id}, percentile {}", pair[0]));
        checked += 1;
    }
    if let Some(weights) = expect["checkpoint_bucket_weights"].as_object() {
        let is: Vec<(String, i64)> = made.checkpoint().bucket_weights.iter().map(|(b, w)| (b.to_string(), i64::from(*w))).collect();
        let mut wanted: Vec<(String, i64)> = weights.iter().map(|(b, w)| (b.clone(), whole(w))).collect();
        wanted.sort_by_key(|(bucket, _)| bucket.parse::<i64>().unwrap());
        assert_eq!(is, wanted, "{id}");
        checked += 1;
    }
    checked
}

#[test]
fn buckets_begin_where_they_should_and_values_fall_into_them() {
    let golden = Golden::read("vpa_histogram");
    let mut checked = 0;
    for case in golden.cases().iter().filter(|case| !case["expect"]["num_buckets"].is_null()) {
        let (id, buckets, expect) = (case["id"].as_str().unwrap(), buckets(case), &case["expect"]);
        assert_eq!(i64::try_from(buckets.count()).unwrap(), whole(&expect["num_buckets"]), "{id}");
        for pair in list(&expect["bucket_start"]) {
            near(buckets.start(usize::try_from(whole(&pair[0])).unwrap()), number(&pair[1]), id);
        }
        for pair in list(&expect["find_bucket"]) {
            assert_eq!(i64::try_from(buckets.find(number(&pair[0]))).unwrap(), whole(&pair[1]), "{id}, {}", pair[0]);
        }
        for pair in expect["single_sample_percentile"].as_array().into_iter().flatten() {
            let mut one = Histogram::new(buckets.clone());
            one.add(number(&pair[0]), 1.0);
            near(one.percentile(0.9), number(&pair[1]), id);
        }
        checked += 1;
    }
    assert!(checked >= 3, "{checked}");
}

#[test]
fn percentiles_are_the_ends_of_their_buckets() {
    let golden = Golden::read("vpa_histogram");
    let of = |case: &&Value| !case["samples"].is_null() && !case["expect"].is_null();
    let mut checked = 0;
    for case in golden.cases().iter().filter(of) {
        let made = filled(case, &case["samples"]);
        checked += expect(case, &made, |share| made.percentile(share));
        if let Some(empty) = case["expect"]["is_empty_after_save_and_load"].as_bool() {
            let mut loaded = Histogram::new(buckets(case));
            loaded.load(&made.checkpoint()).unwrap();
            assert_eq!(loaded.is_empty(), empty);
            checked += 1;
        }
    }
    assert!(checked >= 18, "{checked}");
}

#[test]
fn weights_that_do_not_count_make_nothing_full_and_nothing_empty() {
    let golden = Golden::read("vpa_histogram");
    let mut checked = 0;
    for case in golden.cases().iter().filter(|case| !case["steps"].is_null()) {
        let mut made = Histogram::new(buckets(case));
        for step in list(&case["steps"]) {
            for sample in step["add"].as_array().into_iter().flatten() {
                made.add(number(&sample[0]), number(&sample[1]));
            }
            for sample in step["subtract"].as_array().into_iter().flatten() {
                made.subtract(number(&sample[0]), number(&sample[1]));
            }
            assert_eq!(Some(made.is_empty()), step["is_empty"].as_bool(), "{}: {step}", case["id"]);
            checked += 1;
        }
    }
    assert!(checked >= 7, "{checked}");
}

#[test]
fn merging_is_adding_and_different_half_lives_are_refused() {
    let golden = Golden::read("vpa_histogram");
    let case = golden.case("merge");
    let mut made = filled(case, &case["a"]);
    made.merge(&filled(case, &case["b"]));
    assert_eq!(made, filled(case, &case["expect_equal_to_samples"]));

    let case = golden.case("decay_merge");
    let (mut a, b) = (decayed(case, &case["a"]), decayed(case, &case["b"]));
    a.merge(&b).unwrap();
    let wanted = decayed(case, &case["expect_equal_to"]);
    assert_eq!(a.reference_s(), wanted.reference_s());
    assert_eq!(a.histogram().checkpoint().bucket_weights, wanted.histogram().checkpoint().bucket_weights);
    near(a.histogram().total(), wanted.histogram().total(), "total");
    assert!(a.merge(&Decaying::new(buckets(case), 60)).is_err());

    // Far apart: the older reference is moved to the younger, on whichever side it is.
    let day = HALF_LIFE_S;
    let one = |at: i64| {
        let mut made = Decaying::new(buckets(case), day);
        made.add(3.0, 1.0, at * day);
        made
    };
    let (mut left, mut right) = (one(10), one(300));
    left.merge(&one(300)).unwrap();
    right.merge(&one(10)).unwrap();
    assert_eq!(left, right);
    assert_eq!(left.reference_s(), Some(300 * day));
}

#[test]
fn checkpoints_keep_what_matters_and_broken_ones_are_refused() {
    let golden = Golden::read("vpa_histogram");
    let mut checked = 0;
    for case in golden.cases().iter().filter(|case| !case["expect_checkpoint"].is_null()) {
        let made = filled(case, &case["samples"]).checkpoint();
        let wanted = checkpoint(&case["expect_checkpoint"]);
        assert_eq!(made.bucket_weights, wanted.bucket_weights, "{}", case["id"]);
        near(made.total_weight, wanted.total_weight, "total");
        let mut loaded = Histogram::new(buckets(case));
        loaded.load(&made).unwrap();
        near(loaded.total(), wanted.total_weight, "total after loading");
        checked += 1;
    }
    assert!(checked >= 3, "{checked}");
    let case = golden.case("checkpoint_load_errors");
    // `null` is no checkpoint at all: here, that is not a value of the type.
    for broken in list(&case["inputs_that_must_error"]).iter().filter(|broken| !broken.is_null()) {
        assert!(Histogram::new(buckets(case)).load(&checkpoint(broken)).is_err(), "{broken}");
    }
}

#[test]
fn old_samples_weigh_less() {
    let golden = Golden::read("vpa_histogram");
    let mut checked = 0;
    for case in golden.cases() {
        let samples = if case["timed_samples"].is_null() { &case["timed_values"] } else { &case["timed_samples"] };
        if samples.is_null() {
            continue;
        }
        let made = decayed(case, samples);
        checked += expect(case, made.histogram(), |share| made.percentile(share));
        if let Some(reference) = case["expect"]["reference_unix"].as_i64() {
            assert_eq!(made.reference_s(), Some(reference), "{}", case["id"]);
        }
    }
    assert!(checked >= 29, "{checked}");
}

#[test]
fn a_reference_is_moved_before_weights_stop_being_numbers() {
    let mut made = Decaying::new(Buckets::cpu().clone(), HALF_LIFE_S);
    made.add(1.0, 0.1, 0);
    for day in 1..2_000 {
        made.add(0.1, 0.1, day * HALF_LIFE_S);
    }
    assert!(made.histogram().total().is_finite());
    assert!(made.percentile(0.999) < 0.2, "what was five years ago is forgotten");
    assert!(made.reference_s().unwrap() > 1_800 * HALF_LIFE_S);
}
