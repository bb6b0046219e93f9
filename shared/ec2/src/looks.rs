//! The cloud port of whoever only looks: what would act in an account is refused, whatever its role may do. A function that holds this one
//! links no call that changes anything. Who acts, [looks](crate::Ec2) through it, too.

use crate::access::{Access, Task};
use crate::{describe, prices, reserved};
use async_trait::async_trait;
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::decision::Commitment;
use domain::ids::{InstanceId, InstanceType, VolumeId, Zone};
use domain::node::NodeTemplate;
use domain::ports::account::{Question, Said};
use domain::ports::cloud::SpotPrice;
use domain::ports::estate::{Address, Behind, EbsVolume, Estate, LoadBalancer, Member, NatGateway, VolumeFilter, VolumeSnapshot};
use domain::ports::{AccountRights, Cloud, CloudError, Instance, InstanceFilter, LaunchRequest, Lifecycle};
use domain::tenant::AwsScope;
use std::collections::BTreeMap;

/// Instances, spot prices and reservations, on real EC2. Keep one per process: it caches sessions and paces calls.
#[derive(Debug)]
pub struct Looks {
    pub(crate) access: Access,
}

impl Looks {
    /// Takes our own credentials, Region and, for tests, endpoint from `config`; customers' roles are assumed with them. Makes no call.
    pub fn new(config: SdkConfig) -> Looks {
        Looks { access: Access::new(config) }
    }
}

fn only_looks<T>() -> Result<T, CloudError> {
    Err(CloudError::NoAccess("who asks only looks at instances and prices".to_owned()))
}

#[async_trait]
impl Cloud for Looks {
    async fn instances(&self, scope: &AwsScope, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError> {
        describe::instances(&self.access.session(scope, Task::Look).await?, filter).await
    }

    async fn spot_prices(
        &self,
        scope: &AwsScope,
        types: &[InstanceType],
        zones: &[Zone],
        since: Timestamp,
    ) -> Result<Vec<SpotPrice>, CloudError> {
        prices::spot(&self.access.session(scope, Task::Look).await?, types, zones, since).await
    }

    async fn reserved(&self, scope: &AwsScope) -> Result<Vec<Commitment>, CloudError> {
        reserved::reserved(&self.access.session(scope, Task::Look).await?).await
    }

    async fn launch(&self, _: &AwsScope, _: &LaunchRequest) -> Result<Instance, CloudError> {
        only_looks()
    }

    async fn terminate(&self, _: &AwsScope, _: &InstanceId) -> Result<(), CloudError> {
        only_looks()
    }

    async fn complete_lifecycle(&self, _: &AwsScope, _: &Lifecycle) -> Result<(), CloudError> {
        only_looks()
    }

    async fn template_of(&self, _: &AwsScope, _: &InstanceId) -> Result<NodeTemplate, CloudError> {
        only_looks()
    }
}

#[async_trait]
impl AccountRights for Looks {
    async fn may(&self, _: &AwsScope, _: &Question) -> Result<Said, CloudError> {
        only_looks()
    }
}

#[async_trait]
impl Estate for Looks {
    async fn members(&self, _: &AwsScope, _: &[InstanceId]) -> Result<Vec<Member>, CloudError> {
        only_looks()
    }

    async fn end_forbidden(&self, _: &AwsScope, _: &InstanceId) -> Result<bool, CloudError> {
        only_looks()
    }

    async fn end_member(&self, _: &AwsScope, _: &InstanceId) -> Result<(), CloudError> {
        only_looks()
    }

    async fn volumes(&self, _: &AwsScope, _: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError> {
        only_looks()
    }

    async fn snapshot(&self, _: &AwsScope, _: &VolumeId, _: &str) -> Result<VolumeSnapshot, CloudError> {
        only_looks()
    }

    async fn delete_volume(&self, _: &AwsScope, _: &VolumeId) -> Result<(), CloudError> {
        only_looks()
    }

    async fn addresses(&self, _: &AwsScope) -> Result<Vec<Address>, CloudError> {
        only_looks()
    }

    async fn nat_gateways(&self, _: &AwsScope) -> Result<Vec<NatGateway>, CloudError> {
        only_looks()
    }

    async fn load_balancers(&self, _: &AwsScope) -> Result<Vec<LoadBalancer>, CloudError> {
        only_looks()
    }

    async fn behind(&self, _: &AwsScope, _: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError> {
        only_looks()
    }
}
