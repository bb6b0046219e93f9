//! The AWS Price List: on-demand prices, one document per product.

use aws_sdk_pricing::Client;
use aws_sdk_pricing::config::timeout::TimeoutConfig;
use aws_sdk_pricing::config::{Builder, Region as SdkRegion};
use aws_sdk_pricing::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_pricing::types::{Filter, FilterType};
use aws_types::SdkConfig;
use domain::ids::Region;
use domain::ports::SourceError;
use std::time::Duration;

/// Where the Price List answers for all Regions of the public partition; it does in three others, too, and in no more
/// (Billing user guide, "AWS Price List service endpoints").
const HOME: &str = "us-east-1";
/// One call with all its tries, and one try. A page has a megabyte and is put together for us: slower than what our other
/// clients call, and nobody waits for it.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(25), Duration::from_secs(10));
/// The largest page that GetProducts gives.
const PAGE: i32 = 100;
/// More pages than a Region has: 1,000 types are ten. A server that never ends its list is not followed for ever.
const PAGES_MAX: usize = 100;
/// What nodes run, as the Price List spells it: Linux, nothing preinstalled, shared tenancy, capacity in use.
const WANTED: [(&str, &str); 4] =
    [("operatingSystem", "Linux"), ("preInstalledSw", "NA"), ("tenancy", "Shared"), ("capacitystatus", "Used")];
/// How much of a message is kept, in characters.
const MESSAGE_MAX: usize = 300;

/// On-demand prices, as AWS publishes them. They are the same for every account; ours asks.
#[derive(Debug, Clone)]
pub struct PriceList {
    client: Client,
}

impl PriceList {
    /// Makes no call. The endpoint is that of `us-east-1`, whatever the Region of `config`.
    pub fn new(config: &SdkConfig) -> PriceList {
        let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUTS.0).operation_attempt_timeout(TIMEOUTS.1).build();
        let config = Builder::from(config).region(SdkRegion::new(HOME)).timeout_config(timeouts).build();
        PriceList { client: Client::from_conf(config) }
    }

    /// The documents of the Linux instances of a Region, one per product, not yet believed: `planning::public_data` reads them.
    ///
    /// # Errors
    /// [`SourceError`]; [`SourceError::TooLong`] where the list has no end.
    pub async fn on_demand(&self, region: &Region) -> Result<Vec<String>, SourceError> {
        let mut call = self.client.get_products().service_code("AmazonEC2").format_version("aws_v1").max_results(PAGE);
        for (field, value) in WANTED.into_iter().chain([("regionCode", region.as_str())]) {
            let filter = Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build();
            call = call.filters(filter.map_err(|error| SourceError::Refused(error.to_string()))?);
        }
        let mut pages = call.into_paginator().send();
        let mut documents = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { return Ok(documents) };
            documents.extend(page.map_err(|error| source_error(&error))?.price_list.unwrap_or_default());
        }
        Err(SourceError::TooLong(documents.iter().map(String::len).sum()))
    }
}

/// What an error of a read means to us: nothing was changed by it, so the difference is whether somebody should look.
fn source_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> SourceError {
    match error {
        SdkError::ConstructionFailure(_) => SourceError::Refused(error.to_string()),
        SdkError::ServiceError(answer) => {
            let (code, message) = (answer.err().code().unwrap_or("no code"), answer.err().message().unwrap_or("no message"));
            let said: String = format!("{code}: {message}").chars().take(MESSAGE_MAX).collect();
            match answer.raw().status().as_u16() {
                _ if code.starts_with("Throttling") || code == "TooManyRequestsException" => SourceError::Throttled,
                429 => SourceError::Throttled,
                // A token of a page lives for a day, so one that is refused is a fault of a moment.
                _ if code.ends_with("NextTokenException") => SourceError::Unreachable(said),
                400..500 => SourceError::Refused(said),
                _ => SourceError::Unreachable(said),
            }
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => SourceError::Refused(error.to_string()),
        // Timeouts, resets, answers that cannot be read, and what later versions of the SDK add.
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => {
            SourceError::Unreachable(error.to_string())
        }
    }
}

#[cfg(test)]
mod tests;
