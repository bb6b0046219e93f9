use super::*;

#[test]
fn a_price_is_read_without_a_float() {
    let table = [
        ("0.045600", 45_600),
        ("0.0456", 45_600),
        ("0.1", 100_000),
        ("3", 3_000_000),
        ("12.", 12_000_000),
        ("0.0000004", 0),
        ("0.0000005", 1),
        ("0.0312345678", 31_235),
        ("98.320000", 98_320_000),
        ("0.9999999", 1_000_000),
    ];
    for (text, micros) in table {
        assert_eq!(micro_dollars(text), Some(MicroDollars(micros)), "{text}");
    }
}

#[test]
fn what_is_not_a_price_is_not_read_as_zero() {
    for text in ["", ".", ".5", "-1", "1e3", "0,5", "NaN", "1.2.3", "99999999999999999999", "+1", " 1"] {
        assert_eq!(micro_dollars(text), None, "{text:?}");
    }
}
