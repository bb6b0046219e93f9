use super::*;
use domain::Timestamp;
use domain::catalog::{Arch, Hypervisor};
use domain::market::Band;

mod advisor_file;
mod price_list;
mod refresh;

fn region(name: &str) -> Region {
    Region::parse(name).unwrap()
}

fn kind(name: &str) -> InstanceType {
    InstanceType::parse(name).unwrap()
}

fn day(date: &str) -> Timestamp {
    format!("{date}T00:00:00Z").parse().unwrap()
}

fn embedded() -> &'static Catalogue {
    Catalogue::embedded()
}

#[test]
fn the_embedded_tables_hold_what_their_page_says() {
    let catalogue = embedded();
    assert_eq!(catalogue.iter().count(), 1363);
    assert_eq!(catalogue.regions().count(), 32);
    assert_eq!(catalogue.on_demand.iter().count(), 14_875);
    assert_eq!(catalogue.reserved.iter().count(), 748 + 790 + 788);
    assert_eq!(catalogue.advisor.iter().count(), 14_962);
    assert_eq!(catalogue.iter().filter(|t| t.coremark.is_some()).count(), 1092);
}

#[test]
fn the_tables_together_stay_below_one_megabyte() {
    let all = [
        include_str!("../../data/instance_types.csv"),
        include_str!("../../data/on_demand.csv"),
        include_str!("../../data/reserved.csv"),
        include_str!("../../data/spot_advisor.csv"),
    ];
    assert!(all.iter().map(|table| table.len()).sum::<usize>() < 1_000_000);
}

#[test]
fn a_known_type_is_what_aws_says_it_is() {
    let m6i = embedded().get(&kind("m6i.large")).unwrap();
    assert_eq!((m6i.arch, m6i.vcpu, m6i.memory_bytes, m6i.pods_max), (Arch::Amd64, 2, 8 << 30, 29));
    assert_eq!((m6i.category.as_str(), m6i.generation, m6i.family()), ("m", 6, "m6i"));
    assert!(m6i.current && !m6i.burstable() && !m6i.metal() && !m6i.accelerated());
    assert_eq!(embedded().get(&kind("a1.metal")).map(|t| (t.arch, t.hypervisor)), Some((Arch::Arm64, Hypervisor::Metal)));
    assert!(embedded().get(&kind("t3.large")).unwrap().burstable());
    assert!(embedded().get(&kind("m7i-flex.large")).unwrap().flex);
    assert!(embedded().get(&kind("inf2.xlarge")).unwrap().accelerated());
    assert_eq!(embedded().get(&kind("nothing.large")), None);
}

#[test]
fn every_type_is_found_by_its_name_and_leaves_pods_less_than_it_has() {
    for t in embedded().iter() {
        assert_eq!(embedded().get(&t.name), Some(t));
        assert!(t.allocatable_cpu_millis > 0 && t.allocatable_cpu_millis < u64::from(t.vcpu) * 1000, "{}", t.name);
        assert!(t.allocatable_memory_bytes > 0 && t.allocatable_memory_bytes < t.memory_bytes, "{}", t.name);
        assert!(t.pods_max > 0 && t.generation > 0 && !t.category.is_empty(), "{}", t.name);
        assert!(t.name.as_str().starts_with(&t.category), "{}", t.name);
    }
}

#[test]
fn prices_are_exact_dated_and_positive() {
    let (virginia, large) = (region("us-east-1"), kind("m6i.large"));
    assert_eq!(embedded().on_demand(&virginia, &large), Some(MicroDollars(96_000)));
    let source = embedded().on_demand_quote(&virginia, &large).unwrap().source;
    assert_eq!(source, PriceSource::PublicEstimate { as_of: day("2026-07-20") });
    assert!(embedded().on_demand.iter().all(|(_, _, quote)| quote.price_per_hour.0 > 0));
    assert_eq!(embedded().on_demand(&region("eu-nowhere-1"), &large), None);
    for (region, name, reserved) in embedded().reserved.iter() {
        let full = embedded().on_demand(region, name).unwrap();
        assert!(*reserved < full, "{name} in {region}: a reservation that saves nothing");
    }
}

#[test]
fn the_advisor_knows_bands_savings_and_its_date() {
    let advice = embedded().advisor(&region("us-east-1"), &kind("a1.2xlarge")).unwrap();
    assert_eq!(advice, Advice { band: Band::Above20, savings_percent: 0, as_of: day("2025-06-28") });
    let bands = Band::ALL.map(|band| {
        let here = embedded().advisor.iter().filter(|(at, _, _)| at.as_str() == "us-east-1");
        here.filter(|(_, _, advice)| advice.band == band).count()
    });
    assert_eq!(bands, [192, 138, 81, 82, 401]);
}

#[test]
fn a_spot_estimate_is_the_on_demand_price_less_the_savings_and_says_that_it_is_one() {
    let (virginia, name) = (region("us-east-1"), kind("m6i.large"));
    let full = embedded().on_demand(&virginia, &name).unwrap();
    let savings = i64::from(embedded().advisor(&virginia, &name).unwrap().savings_percent);
    let quote = embedded().spot_estimate(&virginia, &name).unwrap();
    assert_eq!(quote.price_per_hour.0, full.0 * (100 - savings) / 100);
    assert_eq!(quote.source, PriceSource::PublicEstimate { as_of: day("2025-06-28") });
    // On-demand only: no advice, so no estimate.
    assert_eq!(embedded().spot_estimate(&virginia, &kind("u-12tb1.112xlarge")), None);
}

#[test]
fn fresher_values_win_older_ones_do_not_and_the_rest_stays() {
    let (virginia, large, xlarge) = (region("us-east-1"), kind("m6i.large"), kind("m6i.xlarge"));
    let mut fresh = Sheet::default();
    fresh.insert(&virginia, large.clone(), MicroDollars(90_000), day("2026-08-01"));
    fresh.insert(&virginia, xlarge.clone(), MicroDollars(1), day("2020-01-01"));
    let catalogue = embedded().clone().with_on_demand(fresh);
    let observed = Quote { price_per_hour: MicroDollars(90_000), source: PriceSource::Observed { at: day("2026-08-01") } };
    assert_eq!(catalogue.on_demand_quote(&virginia, &large), Some(observed));
    assert_eq!(catalogue.on_demand(&virginia, &xlarge), Some(MicroDollars(192_000)));
    assert_eq!(catalogue.on_demand.iter().count(), embedded().on_demand.iter().count());
}

#[test]
fn money_is_read_to_the_millionth_and_nothing_else_is_read() {
    for (text, micros) in
        [("0.096", 96_000), ("12", 12_000_000), ("0.0960000000", 96_000), ("0.0000005", 1), ("0.0000004999", 0), ("360.98695", 360_986_950)]
    {
        assert_eq!(usd(text), Some(MicroDollars(micros)), "{text}");
    }
    for text in ["", ".", "-1", "+1", "1e3", " 1", "1.", ".5", "NaN", "1,5", "1.2.3", "9999999", "٣", "0.١"] {
        assert_eq!(usd(text), None, "{text:?}");
    }
}

#[test]
fn a_table_with_a_fault_names_its_line() {
    let read = |text: &str| Sheet::read("t", text, |cell, _| usd(cell)).unwrap_err();
    let head = "type,us-east-1\nas_of,2025-04-04\n";
    assert_eq!(read("").line, 1);
    assert_eq!(read("type,Mars\n").line, 1);
    assert_eq!(read("type,us-east-1\nas_of,soon\n").line, 2);
    assert_eq!(read("type,us-east-1,us-east-2\nas_of,2025-04-04\n").line, 2);
    assert_eq!(read(&format!("{head}m6i.large,cheap\n")).line, 3);
    assert_eq!(read(&format!("{head}m6i.large,1,2\n")).what, "more cells than Regions");
    assert_eq!(read(&format!("{head}no type,1\n")).what, "a type that is none");
}
