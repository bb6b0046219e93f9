use super::{Thousandths, millis, units};

#[test]
fn cpu_is_read_in_thousandths_rounded_up() {
    for (text, value) in [
        ("100m", 100),
        ("1", 1000),
        ("0.1", 100),
        (".5", 500),
        ("2.", 2000),
        ("1.5", 1500),
        ("1e3", 1_000_000),
        ("1E3", 1_000_000),
        ("1e-1", 100),
        ("+2", 2000),
        ("1n", 1),
        ("1000001n", 2),
        ("250u", 1),
        ("0.0001", 1),
        ("0", 0),
        ("00", 0),
        ("0.000", 0),
        ("2k", 2_000_000),
    ] {
        assert_eq!(millis(text), value, "{text}");
    }
}

#[test]
fn memory_is_read_in_bytes_rounded_up() {
    for (text, value) in [
        ("1Gi", 1 << 30),
        ("1.5Gi", 3 << 29),
        ("128974848", 128_974_848),
        ("129e6", 129_000_000),
        ("129M", 129_000_000),
        ("128974848000m", 128_974_848),
        ("123Mi", 123 << 20),
        ("1E", 1_000_000_000_000_000_000),
        ("7Ti", 7 << 40),
        ("1m", 1),
        ("15Ei", 15 << 60),
    ] {
        assert_eq!(units(text), value, "{text}");
    }
}

#[test]
fn rubbish_is_nothing_and_too_much_is_the_most() {
    for text in [
        "",
        " ",
        "-1",
        "-100m",
        "1 Gi",
        "1gi",
        "Gi",
        ".",
        "1.2.3",
        "e3",
        "1e",
        "1e999",
        "1e99999999999",
        "1e-2147483648",
        "abc",
        "1KiB",
        "٣",
        "1\0",
        "0x10",
    ] {
        assert_eq!((millis(text), units(text)), (0, 0), "{text:?}");
    }
    let many = "9".repeat(10_000);
    for text in [many.as_str(), "99999999999999999999Ei", "1e60"] {
        assert_eq!((millis(text), units(text)), (u64::MAX, u64::MAX), "{text}");
    }
    assert_eq!(millis(&format!("0.{}", "3".repeat(10_000))), 334);
}

#[test]
fn the_short_way_and_the_long_way_read_the_same() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let suffix = ["", "m", "k", "M", "Ki", "Mi", "Gi"][random.usize(..7)];
        let number = random.u64(..1_000_000_000) / 10_u64.pow(random.u32(..9));
        let long: Thousandths = format!("{number}{suffix}").parse().unwrap();
        assert_eq!(u128::from(millis(&format!("{number}{suffix}"))), long.0.min(u128::from(u64::MAX)), "{number}{suffix}");
        assert_eq!(u128::from(units(&format!("{number}{suffix}"))), long.0.div_ceil(1000), "{number}{suffix}");
    }
}

#[test]
fn quantities_are_read_as_other_tools_read_them() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../conformance/krr.json");
    let golden: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let case = golden["cases"].as_array().unwrap().iter().find(|case| case["id"] == "quantity_formats").unwrap();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for row in case["expect"]["cpu"].as_array().unwrap() {
        assert_eq!(millis(&text(&row[0])) as f64 / 1_000.0, row[1].as_f64().unwrap(), "{row}");
    }
    for row in case["expect"]["memory_floor_bytes"].as_array().unwrap() {
        assert_eq!(Some(units(&text(&row[0]))), row[1].as_u64(), "{row}");
    }
}
