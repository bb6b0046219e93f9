//! DescribeSpotPriceHistory.

use crate::access::Session;
use crate::describe::{filter, timestamp};
use crate::errors::{self, unreadable};
use crate::throttle::Call;
use aws_sdk_ec2::operation::describe_spot_price_history::builders::DescribeSpotPriceHistoryFluentBuilder;
use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types;
use domain::Timestamp;
use domain::ids::{InstanceType, Zone};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::CloudError;
use domain::ports::cloud::SpotPrice;

/// What nodes run. Red Hat and SUSE are priced apart.
const PRODUCT: &str = "Linux/UNIX";
/// How many types are asked for in one call.
const TYPES_PER_CALL: usize = 100;
/// The largest page EC2 gives.
const PAGE: i32 = 1_000;

/// Spot prices, oldest first. No types: no prices. No zones: all of the Region.
pub(crate) async fn spot(
    session: &Session,
    types: &[InstanceType],
    zones: &[Zone],
    since: Timestamp,
) -> Result<Vec<SpotPrice>, CloudError> {
    let mut prices = Vec::new();
    for some in types.chunks(TYPES_PER_CALL) {
        let mut call = history(session, some, since);
        if !zones.is_empty() {
            call = call.filters(filter("availability-zone", zones.iter().map(Zone::as_str)));
        }
        let take = |row: &types::SpotPrice| -> Result<(), CloudError> {
            prices.push(price(row).ok_or_else(|| unreadable(&format!("a spot price ({row:?})")))?);
            Ok(())
        };
        each(session, call, take).await?;
    }
    prices.sort_by(|a, b| (a.since, &a.pool).cmp(&(b.since, &b.pool)));
    Ok(prices)
}

/// Spot prices of a whole Region, in any order. No types: all of them. Of thousands of pools one may have a name that we do not
/// know yet: it is passed over, and told.
pub(crate) async fn market(session: &Session, types: &[InstanceType], since: Timestamp) -> Result<Vec<SpotPrice>, CloudError> {
    let calls: Vec<&[InstanceType]> = if types.is_empty() { vec![types] } else { types.chunks(TYPES_PER_CALL).collect() };
    let (mut prices, mut strange) = (Vec::new(), 0_usize);
    for some in calls {
        let take = |row: &types::SpotPrice| -> Result<(), CloudError> {
            match price(row) {
                Some(price) => prices.push(price),
                None => strange += 1,
            }
            Ok(())
        };
        each(session, history(session, some, since), take).await?;
    }
    if strange > 0 && prices.is_empty() {
        return Err(unreadable(&format!("{strange} spot prices, and none of them")));
    }
    if strange > 0 {
        tracing::warn!(strange, "Spot prices of pools whose names we do not know are passed over");
    }
    Ok(prices)
}

/// The call for these types; none: for all.
fn history(session: &Session, types: &[InstanceType], since: Timestamp) -> DescribeSpotPriceHistoryFluentBuilder {
    let names = (!types.is_empty()).then(|| types.iter().map(|t| t.as_str().into()).collect());
    session
        .ec2
        .describe_spot_price_history()
        .product_descriptions(PRODUCT)
        .set_instance_types(names)
        .start_time(DateTime::from_secs(since.as_second()))
        .max_results(PAGE)
}

/// Reads page after page, each at the account's pace, and hands on each row.
async fn each(
    session: &Session,
    call: DescribeSpotPriceHistoryFluentBuilder,
    mut take: impl FnMut(&types::SpotPrice) -> Result<(), CloudError> + Send,
) -> Result<(), CloudError> {
    let mut pages = call.into_paginator().send();
    loop {
        session.pace(Call::Describe).await?;
        let Some(page) = pages.next().await else { return Ok(()) };
        let page = page.map_err(|error| errors::from_sdk(&error))?;
        page.spot_price_history().iter().try_for_each(&mut take)?;
    }
}

fn price(row: &types::SpotPrice) -> Option<SpotPrice> {
    Some(SpotPrice {
        pool: Pool {
            instance_type: InstanceType::parse(row.instance_type()?.as_str()).ok()?,
            zone: Zone::parse(row.availability_zone()?).ok()?,
            capacity: CapacityType::Spot,
        },
        price_per_hour: micro_dollars(row.spot_price()?)?,
        since: timestamp(row.timestamp()?)?,
    })
}

/// Reads a decimal number of dollars without a float. What is below a millionth is rounded, half up. `None`: not such a number.
fn micro_dollars(text: &str) -> Option<MicroDollars> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
    let up = i64::from(fraction.as_bytes().get(6).is_some_and(|digit| *digit >= b'5'));
    let micros = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(kept.parse::<i64>().ok()?)?;
    Some(MicroDollars(micros.checked_add(up)?))
}

#[cfg(test)]
mod tests;
