//! The Spot Advisor's file from outside.

use super::{day, kind, region};
use crate::public_data::{ADVISOR_BYTES_MAX, AdvisorFault, Catalogue, parse_advisor};
use domain::market::Band;

const RANGES: &str = r#"[{"index":0,"label":"<5%","dots":0,"max":5},{"index":1,"label":"5-10%","dots":1,"max":11},
{"index":2,"label":"10-15%","dots":2,"max":16},{"index":3,"label":"15-20%","dots":3,"max":22},{"index":4,"label":">20%","dots":4,"max":100}]"#;

fn file(advice: &str) -> Vec<u8> {
    format!(r#"{{"global_rate":"<10%","instance_types":{{"m6i.large":{{"cores":2}}}},"ranges":{RANGES},"spot_advisor":{advice}}}"#)
        .into_bytes()
}

fn read(advice: &str) -> Result<crate::public_data::Sheet<domain::market::Advice>, AdvisorFault> {
    parse_advisor(&file(advice), day("2026-08-01"))
}

#[test]
fn a_fresh_file_is_read_and_laid_over_the_embedded_one() {
    let sheet = read(r#"{"us-east-1":{"Linux":{"m6i.large":{"s":-62,"r":0}},"Windows":{"m6i.large":{"s":1,"r":9}}}}"#).unwrap();
    let catalogue = Catalogue::embedded().clone().with_advisor(sheet);
    let advice = catalogue.advisor(&region("us-east-1"), &kind("m6i.large")).unwrap();
    assert_eq!((advice.band, advice.savings_percent, advice.as_of), (Band::Below5, -62, day("2026-08-01")));
    // Dearer than on-demand: 96,000 x 1.62.
    assert_eq!(catalogue.spot_estimate(&region("us-east-1"), &kind("m6i.large")).unwrap().price_per_hour.0, 155_520);
    let other = catalogue.advisor(&region("us-east-1"), &kind("m6i.xlarge")).unwrap();
    assert_eq!(other.as_of, day("2025-06-28"));
}

#[test]
fn one_value_that_cannot_be_refuses_the_whole_file() {
    for cell in [r#"{"s":101,"r":0}"#, r#"{"s":-101,"r":0}"#, r#"{"s":50,"r":5}"#, r#"{"s":50,"r":256}"#] {
        let text = format!(r#"{{"us-east-1":{{"Linux":{{"m6i.large":{{"s":1,"r":1}},"m6i.xlarge":{cell}}}}}}}"#);
        assert!(matches!(read(&text), Err(AdvisorFault::Nonsense(_))), "{cell}");
    }
    for text in [r#"{"MARS":{"Linux":{"m6i.large":{"s":1,"r":1}}}}"#, r#"{"us-east-1":{"Linux":{"../../x":{"s":1,"r":1}}}}"#] {
        assert!(matches!(read(text), Err(AdvisorFault::Nonsense(_))), "{text}");
    }
    for cell in [r#"{"s":1.5,"r":0}"#, r#"{"s":"50","r":0}"#, r#"{"s":50}"#, r#"{"s":50,"r":-1}"#, "null", "[]"] {
        let text = format!(r#"{{"us-east-1":{{"Linux":{{"m6i.large":{cell}}}}}}}"#);
        assert!(matches!(read(&text), Err(AdvisorFault::Shape(_))), "{cell}");
    }
}

#[test]
fn hostile_bytes_are_refused_without_a_panic() {
    let long = vec![b' '; ADVISOR_BYTES_MAX + 1];
    assert_eq!(parse_advisor(&long, day("2026-08-01")), Err(AdvisorFault::TooLong(ADVISOR_BYTES_MAX + 1)));
    assert_eq!(read("{}"), Err(AdvisorFault::Empty));
    let deep = format!("{{\"ranges\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(matches!(parse_advisor(deep.as_bytes(), day("2026-08-01")), Err(AdvisorFault::Shape(_))));
    for bytes in [&b""[..], b"null", b"[]", b"{", b"\xff\xfe", b"{\"ranges\":[],\"spot_advisor\":{}"] {
        assert!(matches!(parse_advisor(bytes, day("2026-08-01")), Err(AdvisorFault::Shape(_))));
    }
}

#[test]
fn bands_with_another_meaning_are_refused() {
    let text = String::from_utf8(file(r#"{"us-east-1":{"Linux":{"m6i.large":{"s":1,"r":1}}}}"#)).unwrap();
    for (from, to) in [(r#""max":5}"#, r#""max":3}"#), (r#","max":100}]"#, r#","max":100},{"index":5,"max":200}]"#)] {
        let changed = text.replace(from, to);
        assert_eq!(parse_advisor(changed.as_bytes(), day("2026-08-01")), Err(AdvisorFault::OtherBands));
    }
}

/// Truncated and flipped at random places: an answer or a refusal, never a panic, and never a value out of range.
#[test]
fn a_damaged_file_never_yields_a_value_that_cannot_be() {
    let whole = file(r#"{"us-east-1":{"Linux":{"m6i.large":{"s":60,"r":1},"m6i.xlarge":{"s":7,"r":4}}}}"#);
    for seed in 0..2_000 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut bytes = whole.clone();
        for _ in 0..dice.usize(1..4) {
            let at = dice.usize(..bytes.len());
            bytes[at] = dice.u8(..);
        }
        bytes.truncate(dice.usize(bytes.len() / 2..=bytes.len()));
        if let Ok(sheet) = parse_advisor(&bytes, day("2026-08-01")) {
            assert!(sheet.iter().all(|(_, _, advice)| (-100..=100).contains(&advice.savings_percent)), "seed {seed}");
        }
    }
}
