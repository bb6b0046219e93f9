//! Reads the golden cases, `conformance/*.json`.

use serde_json::Value;

pub(super) struct Golden(Value);

impl Golden {
    pub(super) fn read(name: &str) -> Golden {
        let path = format!("{}/../../conformance/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Golden(serde_json::from_str(&text).unwrap())
    }

    pub(super) fn cases(&self) -> &[Value] {
        self.0["cases"].as_array().unwrap()
    }

    /// The case of this name; a file without it is broken.
    pub(super) fn case(&self, id: &str) -> &Value {
        self.cases().iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("there is no case {id}"))
    }
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

pub(super) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

pub(super) fn whole(value: &Value) -> i64 {
    // `125.0` is a whole number that is written with a fraction.
    let text = value.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().unwrap_or_else(|_| panic!("not whole: {value}"))
}

pub(super) fn amount(value: &Value) -> Option<u64> {
    (!value.is_null()).then(|| u64::try_from(whole(value)).unwrap())
}

/// Equal to within the relative tolerance of the files, 1e-9.
pub(super) fn near(is: f64, wanted: f64, what: &str) {
    assert!((is - wanted).abs() <= 1e-9 * wanted.abs().max(f64::MIN_POSITIVE), "{what}: {is} instead of {wanted}");
}
