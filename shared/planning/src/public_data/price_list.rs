//! On-demand prices, as the AWS Price List answers them: one JSON document per product (`GetProducts`).

use super::decimal::usd;
use super::sheet::Sheet;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::money::MicroDollars;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How long one document may be, bytes. They have about 5 KB, most of it reserved terms.
pub const PRICE_LIST_BYTES_MAX: usize = 256 << 10;

/// Why a document was not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceListFault {
    /// Longer than [`PRICE_LIST_BYTES_MAX`].
    #[error("a product has {0} bytes; more than {PRICE_LIST_BYTES_MAX} are not read")]
    TooLong(usize),
    /// Not JSON, or not of the known shape.
    #[error("a product cannot be read: {0}")]
    Shape(String),
    /// A Region, type or price that cannot be; the text says which.
    #[error("a product says what cannot be: {0}")]
    Nonsense(String),
    /// One type in one Region with two prices: which is right is not ours to guess.
    #[error("{0} in {1} has two on-demand prices")]
    TwoPrices(InstanceType, Region),
}

#[derive(Deserialize)]
struct Document {
    product: Product,
    terms: Terms,
}

#[derive(Deserialize)]
struct Product {
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    #[serde(default)]
    instance_type: String,
    #[serde(default)]
    region_code: String,
    #[serde(default)]
    operating_system: String,
    #[serde(default)]
    tenancy: String,
    #[serde(default)]
    pre_installed_sw: String,
    #[serde(rename = "capacitystatus", default)]
    capacity_status: String,
}

#[derive(Deserialize)]
struct Terms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, Term>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    price_dimensions: BTreeMap<String, Dimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dimension {
    unit: String,
    price_per_unit: BTreeMap<String, String>,
}

/// Reads the documents of an answer: Linux, shared tenancy, nothing preinstalled, capacity in use. Other products are passed
/// over; so are those without an hourly price in dollars (China is paid in yuan) and those that cost nothing: a price of zero
/// in the list means "not sold alone".
///
/// # Errors
/// [`PriceListFault`]: one bad document refuses the answer; the prices that were known before stay.
pub fn parse_price_list<'a>(documents: impl IntoIterator<Item = &'a str>, as_of: Timestamp) -> Result<Sheet<MicroDollars>, PriceListFault> {
    let mut sheet: Sheet<MicroDollars> = Sheet::default();
    for text in documents {
        if text.len() > PRICE_LIST_BYTES_MAX {
            return Err(PriceListFault::TooLong(text.len()));
        }
        let document: Document = serde_json::from_str(text).map_err(|error| PriceListFault::Shape(error.to_string()))?;
        let Some((region, name, price)) = price(document)? else { continue };
        if sheet.get(&region, &name).is_some_and(|(known, _)| *known != price) {
            return Err(PriceListFault::TwoPrices(name, region));
        }
        sheet.insert(&region, name, price, as_of);
    }
    Ok(sheet)
}

fn wanted(of: &Attributes) -> bool {
    of.operating_system == "Linux" && of.tenancy == "Shared" && of.pre_installed_sw == "NA" && of.capacity_status == "Used"
}

fn price(document: Document) -> Result<Option<(Region, InstanceType, MicroDollars)>, PriceListFault> {
    let of = document.product.attributes;
    if !wanted(&of) {
        return Ok(None);
    }
    let region = Region::parse(of.region_code).map_err(|error| PriceListFault::Nonsense(error.to_string()))?;
    let name = InstanceType::parse(of.instance_type).map_err(|error| PriceListFault::Nonsense(error.to_string()))?;
    let mut found: Option<MicroDollars> = None;
    let hourly = document.terms.on_demand.values().flat_map(|term| term.price_dimensions.values()).filter(|rate| rate.unit == "Hrs");
    for text in hourly.filter_map(|rate| rate.price_per_unit.get("USD")) {
        let short: String = text.chars().take(40).collect();
        let price = usd(text).ok_or_else(|| PriceListFault::Nonsense(format!("a price of {short:?} for {name}")))?;
        if found.is_some_and(|known| known != price) {
            return Err(PriceListFault::TwoPrices(name, region));
        }
        found = Some(price);
    }
    Ok(found.filter(|price| price.0 > 0).map(|price| (region, name, price)))
}
