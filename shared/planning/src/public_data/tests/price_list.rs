//! The Price List's answers from outside.

use super::{day, kind, region};
use crate::public_data::{PRICE_LIST_BYTES_MAX, PriceListFault, Sheet, parse_price_list};
use domain::money::MicroDollars;

fn product(name: &str, system: &str, usd: &str) -> String {
    format!(
        r#"{{"serviceCode":"AmazonEC2","product":{{"sku":"X","attributes":{{"instanceType":"{name}","regionCode":"us-east-1","tenancy":"Shared",
        "operatingSystem":"{system}","preInstalledSw":"NA","capacitystatus":"Used","vcpu":"2"}}}},
        "terms":{{"OnDemand":{{"X.Y":{{"priceDimensions":{{"X.Y.Z":{{"unit":"Hrs","pricePerUnit":{{"USD":"{usd}"}}}}}}}}}},
        "Reserved":{{"X.R":{{"priceDimensions":{{"a":{{"unit":"Quantity","pricePerUnit":{{"USD":"500"}}}}}}}}}}}}}}"#
    )
}

fn read(documents: &[String]) -> Result<Sheet<MicroDollars>, PriceListFault> {
    parse_price_list(documents.iter().map(String::as_str), day("2026-08-01"))
}

#[test]
fn linux_prices_are_read_and_other_systems_are_passed_over() {
    let sheet = read(&[product("m6i.large", "Linux", "0.0970000000"), product("m6i.xlarge", "Windows", "9.0")]).unwrap();
    assert_eq!(sheet.get(&region("us-east-1"), &kind("m6i.large")), Some((&MicroDollars(97_000), day("2026-08-01"))));
    assert_eq!(sheet.iter().count(), 1);
}

#[test]
fn a_price_of_zero_is_no_price() {
    assert_eq!(read(&[product("m6i.large", "Linux", "0.0000000000")]).unwrap().iter().count(), 0);
}

#[test]
fn two_prices_for_one_type_are_nobodys_to_choose_from() {
    let two = [product("m6i.large", "Linux", "0.1"), product("m6i.large", "Linux", "0.2")];
    assert_eq!(read(&two), Err(PriceListFault::TwoPrices(kind("m6i.large"), region("us-east-1"))));
    let twice = [product("m6i.large", "Linux", "0.1"), product("m6i.large", "Linux", "0.10")];
    assert_eq!(read(&twice).unwrap().iter().count(), 1);
}

#[test]
fn hostile_documents_are_refused_without_a_panic() {
    assert!(matches!(read(&[product("m6i.large", "Linux", "-1")]), Err(PriceListFault::Nonsense(_))));
    assert!(matches!(read(&[product("no type", "Linux", "1")]), Err(PriceListFault::Nonsense(_))));
    assert!(matches!(read(&[product("m6i.large", "Linux", "1e9")]), Err(PriceListFault::Nonsense(_))));
    assert!(matches!(read(&["{".repeat(10_000)]), Err(PriceListFault::Shape(_))));
    let long = " ".repeat(PRICE_LIST_BYTES_MAX + 1);
    assert_eq!(read(&[long]), Err(PriceListFault::TooLong(PRICE_LIST_BYTES_MAX + 1)));
}
