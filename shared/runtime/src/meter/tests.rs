use super::*;

#[test]
fn a_count_is_one_line_that_cloudwatch_reads() {
    let line = line("NoticesReceived", "spot_interruption", Timestamp::from_millisecond(1_700_000_000_123).unwrap());
    assert!(line.ends_with('\n') && line.trim_end().lines().count() == 1);
    let document: serde_json::Value = serde_json::from_str(&line).unwrap();
    let directive = &document["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(document["_aws"]["Timestamp"], 1_700_000_000_123_i64);
    assert_eq!(directive["Namespace"], "CloudOptim");
    // Every metric and every dimension that the directive names must stand at the root.
    assert_eq!(document[directive["Metrics"][0]["Name"].as_str().unwrap()], 1);
    assert_eq!(document[directive["Dimensions"][0][0].as_str().unwrap()], "spot_interruption");
}

#[test]
fn a_hostile_kind_stays_inside_its_string() {
    let line = line("Rejected", "a\n\"b", Timestamp::UNIX_EPOCH);
    assert_eq!(line.trim_end().lines().count(), 1);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap()["kind"], "a\n\"b");
}
