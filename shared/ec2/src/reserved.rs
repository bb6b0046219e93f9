//! DescribeReservedInstances.

use crate::access::Session;
use crate::describe::filter;
use crate::errors::{self, unreadable};
use crate::throttle::Call;
use aws_sdk_ec2::types::{ReservedInstances, Scope, Tenancy};
use domain::decision::Commitment;
use domain::ids::{InstanceType, Zone};
use domain::ports::CloudError;
use std::collections::BTreeMap;

/// What nodes run, in the two ways in which EC2 words it.
const PRODUCTS: [&str; 2] = ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"];

/// What is reserved now. The call has no pages.
///
/// # Errors
/// [`CloudError::Ambiguous`] also where a row cannot be read: a reservation that is passed over would be stranded.
pub(crate) async fn reserved(session: &Session) -> Result<Vec<Commitment>, CloudError> {
    session.pace(Call::Describe).await?;
    let call = session.ec2.describe_reserved_instances().filters(filter("state", ["active"]));
    let answer = call.filters(filter("product-description", PRODUCTS)).send().await.map_err(|error| errors::from_sdk(&error))?;
    let mut found: BTreeMap<(InstanceType, Option<Zone>), u32> = BTreeMap::new();
    for row in answer.reserved_instances().iter().filter(|row| shared(row)) {
        let (place, count) = read(row).ok_or_else(|| unreadable("a reserved instance"))?;
        let sum = found.entry(place).or_default();
        *sum = sum.saturating_add(count);
    }
    Ok(found.into_iter().map(|((instance_type, zone), count)| Commitment { instance_type, zone, count }).collect())
}

/// Nodes share their machine; a reservation of a dedicated one does not apply to them.
fn shared(row: &ReservedInstances) -> bool {
    row.instance_tenancy().is_none_or(|tenancy| *tenancy == Tenancy::Default)
}

fn read(row: &ReservedInstances) -> Option<((InstanceType, Option<Zone>), u32)> {
    let instance_type = InstanceType::parse(row.instance_type()?.as_str()).ok()?;
    let zone = match row.scope() {
        Some(Scope::AvailabilityZone) => Some(Zone::parse(row.availability_zone()?).ok()?),
        // A Region's reservation names no zone.
        Some(_) | None => row.availability_zone().and_then(|zone| Zone::parse(zone).ok()),
    };
    Some(((instance_type, zone), u32::try_from(row.instance_count()?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::InstanceType as Type;

    #[test]
    fn a_reservation_is_of_a_zone_or_of_the_whole_region() {
        let row = || ReservedInstances::builder().instance_type(Type::M6iLarge).instance_count(3);
        let kind = InstanceType::parse("m6i.large").unwrap();
        let zonal = row().scope(Scope::AvailabilityZone).availability_zone("us-east-1a").build();
        assert_eq!(read(&zonal), Some(((kind.clone(), Some(Zone::parse("us-east-1a").unwrap())), 3)));
        assert_eq!(read(&row().scope(Scope::Regional).build()), Some(((kind, None), 3)));
        assert_eq!(read(&row().scope(Scope::AvailabilityZone).build()), None, "a zonal one without its zone");
        assert_eq!(read(&row().instance_count(-1).build()), None);
    }

    #[test]
    fn a_dedicated_machine_is_not_what_nodes_run_on() {
        let row = |tenancy: Tenancy| ReservedInstances::builder().instance_tenancy(tenancy).build();
        assert!(shared(&row(Tenancy::Default)) && !shared(&row(Tenancy::Dedicated)));
    }
}
