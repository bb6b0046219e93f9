//! The tables themselves. In production `template.yaml` makes them; these are the same tables for local mode and tests.

use super::errors::store_error;
use super::keys::{EXPIRES_AT, GSI1, GSI1PK, GSI1SK, PK, SK};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType, ScalarAttributeType,
    TimeToLiveSpecification,
};
use aws_types::SdkConfig;
use domain::ports::StoreError;
use std::time::Duration;

/// How long a new table may take: seconds in life, nothing at all in an emulator.
const ACTIVE_WITHIN: Duration = Duration::from_secs(60);

/// Makes the core's table with its index and TTL, and waits until it can be used. One that is there already is left as it is.
///
/// # Errors
/// DynamoDB did not do it.
pub async fn create_table(config: &SdkConfig, name: &str) -> Result<(), StoreError> {
    let client = Client::new(config);
    let index = GlobalSecondaryIndex::builder()
        .index_name(GSI1)
        .set_key_schema(Some(schema(GSI1PK, GSI1SK)?))
        .projection(Projection::builder().projection_type(ProjectionType::All).build())
        .build()
        .map_err(incomplete)?;
    if make(&client, name, &[PK, SK, GSI1PK, GSI1SK], Some(index)).await? == Made::Before {
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES_AT).build().map_err(incomplete)?;
    let set = client.update_time_to_live().table_name(name).time_to_live_specification(ttl).send().await;
    set.map(|_| ()).map_err(|e| store_error(&e))
}

/// Makes the decision server's table, which has neither index nor TTL, and waits until it can be used. One that is there already
/// is left as it is.
///
/// # Errors
/// DynamoDB did not do it.
pub async fn create_decision_table(config: &SdkConfig, name: &str) -> Result<(), StoreError> {
    make(&Client::new(config), name, &[PK, SK], None).await.map(|_| ())
}

/// Who made a table.
#[derive(PartialEq, Eq)]
enum Made {
    Now,
    Before,
}

async fn make(client: &Client, name: &str, keys: &[&str], index: Option<GlobalSecondaryIndex>) -> Result<Made, StoreError> {
    let made = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(keys.iter().copied().map(attribute).collect::<Result<_, _>>()?))
        .set_key_schema(Some(schema(PK, SK)?))
        .set_global_secondary_indexes(index.map(|index| vec![index]))
        .send()
        .await;
    match made {
        Ok(_) => {}
        Err(error) if error.code() == Some("ResourceInUseException") => return Ok(Made::Before),
        Err(error) => return Err(store_error(&error)),
    }
    let ready = client.wait_until_table_exists().table_name(name).wait(ACTIVE_WITHIN).await;
    ready.map_err(|e| StoreError::Refused(format!("the new table is not ready: {e}")))?;
    Ok(Made::Now)
}

fn schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(incomplete);
    Ok(vec![element(partition, KeyType::Hash)?, element(sort, KeyType::Range)?])
}

fn attribute(name: &str) -> Result<AttributeDefinition, StoreError> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build().map_err(incomplete)
}

/// The SDK found a request of ours incomplete before it was sent.
pub(super) fn incomplete(error: BuildError) -> StoreError {
    StoreError::Refused(error.to_string())
}
