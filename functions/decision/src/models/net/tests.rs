//! Laws of the runtime, on tiny models that `testdata/make_models.py` makes.

use super::*;
use crate::models::tests::{Trees, forest};
use domain::model::MODEL_BYTES_MAX;
use serde::Deserialize;
use std::collections::BTreeMap;

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/", $name, ".onnx")).as_slice()
    };
}

/// Models that fit.
const RIGHT: [(&str, &[u8]); 9] = [
    ("linear", file!("linear")),
    ("identity", file!("identity")),
    ("net", file!("net")),
    ("tree", file!("tree")),
    ("everything", file!("everything")),
    ("forest", file!("forest")),
    ("forest_rest", file!("forest_rest")),
    ("forest_logistic", file!("forest_logistic")),
    ("scaled_linear", file!("scaled_linear")),
];

#[derive(Deserialize)]
struct Expected {
    rows: Vec<Row>,
    answers: BTreeMap<String, Vec<f32>>,
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("../../../testdata/expected.json")).unwrap()
}

fn checked(onnx: &[u8]) -> Result<(Net, ModelCheck), Fault> {
    Net::checked(onnx, MODEL_BYTES_MAX)
}

fn row(band_rate: f32, built_in: f32) -> Row {
    let mut row = Row::default();
    (row[1], row[11]) = (band_rate, built_in);
    row
}

#[test]
fn every_model_answers_what_onnx_runtime_answers() {
    let expected = expected();
    assert_eq!(expected.answers.len(), RIGHT.len());
    for (name, onnx) in RIGHT {
        let answers = checked(onnx).unwrap_or_else(|fault| panic!("{name}: {fault}")).0.run(&expected.rows, || true).unwrap();
        let wanted = &expected.answers[name];
        for (number, (ours, theirs)) in answers.iter().zip(wanted).enumerate() {
            assert!((ours - theirs).abs() < 2e-5, "{name}, row {number}: {ours} and {theirs}");
        }
        assert_eq!(answers.len(), wanted.len(), "{name}");
    }
}

#[test]
fn a_model_says_what_it_is_made_of() {
    let (net, check) = checked(file!("linear")).unwrap();
    assert_eq!((check.opset, check.operators.join(" ").as_str(), check.operations), (17, "Gemm Sigmoid", 2));
    assert_eq!((check.cost, net.cost()), (22, 22), "twelve weights, and one that is no plain arithmetic");
    assert!(check.lowest < 0.01 && check.highest > 0.99, "{check:?}");
    assert_eq!(checked(file!("tree")).unwrap().1.operators, ["ai.onnx.ml.TreeEnsembleClassifier"]);
}

#[test]
fn rows_are_answered_in_their_order_however_many_they_are() {
    let net = Net::known(file!("identity")).unwrap();
    for many in [0_u16, 1, 63, 64, 65, 1_000] {
        let rows: Vec<Row> = (0..many).map(|n| row(0.0, f32::from(n) / 1_000.0)).collect();
        let wanted: Vec<f32> = rows.iter().map(|row| row[11]).collect();
        assert_eq!(net.run(&rows, || true).unwrap(), wanted, "{many}");
    }
}

#[test]
fn whoever_has_no_more_time_stops_between_two_portions() {
    let net = Net::known(file!("identity")).unwrap();
    let mut looks = 0;
    let time = || {
        looks += 1;
        looks <= 2
    };
    let fault = net.run(&[row(0.0, 0.5); 300], time).unwrap_err();
    assert_eq!((fault.code(), looks), ("model-too-slow", 3), "{fault}");
}

#[test]
fn every_model_that_does_not_fit_is_refused_with_its_reason() {
    let large = vec![0; MODEL_BYTES_MAX + 1];
    let cases: [(&str, &[u8]); 16] = [
        ("model-not-onnx", file!("no_model")),
        ("model-not-onnx", b""),
        ("model-not-onnx", b"{\"json\": true}"),
        ("model-too-large", &large),
        ("model-operator", file!("newer_operators")),
        ("model-operator", file!("branches")),
        ("model-operator", file!("external")),
        ("model-operator", file!("constants")),
        ("model-wrong-input", file!("eleven_features")),
        ("model-wrong-input", file!("one_row_only")),
        ("model-wrong-input", file!("doubles")),
        ("model-wrong-output", file!("three_answers")),
        ("model-output-not-finite", file!("nan")),
        ("model-output-no-probability", file!("above_one")),
        ("model-too-wide", file!("wide")),
        ("model-too-slow", file!("slow")),
    ];
    for (number, (code, onnx)) in cases.into_iter().enumerate() {
        let fault = checked(onnx).map(|(_, check)| check).unwrap_err();
        assert_eq!(fault.code(), code, "case {number}: {fault}");
    }
}

#[test]
fn a_file_that_is_cut_off_or_changed_anywhere_is_answered_or_refused_and_never_panics() {
    for (name, onnx) in RIGHT {
        let step = onnx.len().div_ceil(100);
        for place in (0..onnx.len()).step_by(step) {
            let taken = checked(&onnx[..place]).is_ok();
            // The last fields only name versions of operators, and their default is as good.
            assert!(!taken || place > onnx.len() - 30, "{name} is taken when it is cut off after {place} of {} bytes", onnx.len());
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = onnx.to_vec();
                changed[place] ^= bits;
                if let Ok((net, _)) = checked(&changed) {
                    let answers = net.run(&[row(0.1, 0.2); 3], || true);
                    assert!(answers.is_err() || answers.is_ok_and(|answers| answers.len() == 3), "{name}, byte {place}");
                }
            }
        }
    }
}

/// Trees by the thousand, as they are uploaded by themselves.
#[test]
fn a_forest_larger_than_a_request_is_run_like_any_other_and_refused_where_it_came_in_one() {
    let onnx = forest(Trees { many: 1_300, depth: 6, weights: 1 });
    assert!(onnx.len() > MODEL_BYTES_MAX, "{}", onnx.len());
    assert_eq!(checked(&onnx).map(|_| ()).unwrap_err().code(), "model-too-large");
    let (net, check) = Net::checked(&onnx, MODEL_UPLOAD_BYTES_MAX).unwrap();
    assert_eq!((net.cost(), check.operators.join(" ").as_str()), (1_300 * 7, "ai.onnx.ml.TreeEnsembleRegressor"));
    assert!(check.lowest >= 0.0 && check.highest <= 1.0 && check.lowest < check.highest, "{check:?}");
}

#[test]
fn an_average_is_over_all_trees_however_many_they_are() {
    // More than sixteen bits count. Each is one leaf that says a half.
    let net = Net::known(&forest(Trees { many: 70_000, depth: 0, weights: 1 })).unwrap();
    let answers = net.run(&[row(0.0, 0.5)], || true).unwrap();
    assert!((answers[0] - 0.5).abs() < 1e-3, "{answers:?}");
}

#[test]
fn what_a_leaf_adds_is_counted_as_work() {
    let fault = Net::known(&forest(Trees { many: 1, depth: 0, weights: 1_100_000 })).map(|_| ()).unwrap_err();
    assert_eq!(fault.code(), "model-too-slow", "{fault}");
}
