//! EC2, Auto Scaling and Elastic Load Balancing behind [`domain::ports::Cloud`], and the spot prices of whole Regions ([`SpotMarket`]).
//!
//! Every call goes through the role of one customer ([`access`]), at half of the account's published rate ([`throttle`]), and
//! comes back in our words ([`errors`]). Apart from the crate `aws`, because the EC2 SDK takes minutes to compile.
//!
//! ```
//! use domain::ports::Cloud;
//! use std::sync::Arc;
//!
//! # let config = aws_types::SdkConfig::builder().behavior_version(aws_sdk_ec2::config::BehaviorVersion::latest()).build();
//! let cloud: Arc<dyn Cloud> = Arc::new(ec2::Ec2::new(config));
//! ```

mod access;
mod account;
mod balancers;
mod describe;
mod errors;
mod estate;
mod launch;
mod looks;
mod market;
mod prices;
mod reserved;
mod template;
mod throttle;

pub use looks::Looks;
pub use market::SpotMarket;

use access::{Session, Task};
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
use throttle::Call;

/// The cloud port on real EC2 and Auto Scaling. Keep one per process: it caches sessions and paces calls.
#[derive(Debug)]
pub struct Ec2 {
    looks: Looks,
}

impl Ec2 {
    /// Takes our own credentials, Region and, for tests, endpoint from `config`; customers' roles are assumed with them.
    /// Makes no call. `config` has the clock and the HTTP client that the SDK needs.
    pub fn new(config: SdkConfig) -> Self {
        Self { looks: Looks::new(config) }
    }

    /// A session of this scope, once the account's rate allows this call.
    async fn session(&self, scope: &AwsScope, task: Task, call: Call) -> Result<Session, CloudError> {
        let session = self.looks.access.session(scope, task).await?;
        session.pace(call).await?;
        Ok(session)
    }
}

#[async_trait]
impl Cloud for Ec2 {
    async fn launch(&self, scope: &AwsScope, request: &LaunchRequest) -> Result<Instance, CloudError> {
        launch::launch(&self.session(scope, Task::Launch, Call::Launch).await?, request).await
    }

    async fn instances(&self, scope: &AwsScope, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError> {
        self.looks.instances(scope, filter).await
    }

    async fn terminate(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        launch::terminate(&self.session(scope, Task::End(instance.clone()), Call::Terminate).await?, instance).await
    }

    async fn complete_lifecycle(&self, scope: &AwsScope, lifecycle: &Lifecycle) -> Result<(), CloudError> {
        let session = self.looks.access.session(scope, Task::GoOn).await?;
        let call = session
            .scaling
            .complete_lifecycle_action()
            .auto_scaling_group_name(&lifecycle.group)
            .lifecycle_hook_name(&lifecycle.hook)
            .instance_id(lifecycle.instance.as_str())
            .lifecycle_action_result("CONTINUE")
            .set_lifecycle_action_token(lifecycle.token.clone());
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) if errors::lifecycle_is_over(&error) => Ok(()),
            Err(error) => Err(errors::from_sdk(&error)),
        }
    }

    async fn template_of(&self, scope: &AwsScope, instance: &InstanceId) -> Result<NodeTemplate, CloudError> {
        template::of(&self.looks.access.session(scope, Task::Launch).await?, instance).await
    }

    async fn spot_prices(
        &self,
        scope: &AwsScope,
        types: &[InstanceType],
        zones: &[Zone],
        since: Timestamp,
    ) -> Result<Vec<SpotPrice>, CloudError> {
        self.looks.spot_prices(scope, types, zones, since).await
    }

    async fn reserved(&self, scope: &AwsScope) -> Result<Vec<Commitment>, CloudError> {
        self.looks.reserved(scope).await
    }
}

#[async_trait]
impl AccountRights for Ec2 {
    async fn may(&self, scope: &AwsScope, question: &Question) -> Result<Said, CloudError> {
        Box::pin(account::may(&self.looks.access, scope, question)).await
    }
}

#[async_trait]
impl Estate for Ec2 {
    async fn members(&self, scope: &AwsScope, instances: &[InstanceId]) -> Result<Vec<Member>, CloudError> {
        estate::members(&self.looks.access.session(scope, Task::Look).await?, instances).await
    }

    async fn end_forbidden(&self, scope: &AwsScope, instance: &InstanceId) -> Result<bool, CloudError> {
        estate::end_forbidden(&self.looks.access.session(scope, Task::End(instance.clone())).await?, instance).await
    }

    async fn end_member(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        estate::end_member(&self.looks.access.session(scope, Task::End(instance.clone())).await?, instance).await
    }

    async fn volumes(&self, scope: &AwsScope, filter: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError> {
        estate::volumes(&self.looks.access.session(scope, Task::Look).await?, filter).await
    }

    async fn snapshot(&self, scope: &AwsScope, volume: &VolumeId, mark: &str) -> Result<VolumeSnapshot, CloudError> {
        estate::snapshot(&self.looks.access.session(scope, Task::Clear(volume.clone())).await?, volume, mark).await
    }

    async fn delete_volume(&self, scope: &AwsScope, volume: &VolumeId) -> Result<(), CloudError> {
        estate::delete_volume(&self.looks.access.session(scope, Task::Clear(volume.clone())).await?, volume).await
    }

    async fn addresses(&self, scope: &AwsScope) -> Result<Vec<Address>, CloudError> {
        estate::addresses(&self.looks.access.session(scope, Task::Look).await?).await
    }

    async fn nat_gateways(&self, scope: &AwsScope) -> Result<Vec<NatGateway>, CloudError> {
        estate::nat_gateways(&self.looks.access.session(scope, Task::Look).await?).await
    }

    async fn load_balancers(&self, scope: &AwsScope) -> Result<Vec<LoadBalancer>, CloudError> {
        balancers::load_balancers(&self.looks.access.session(scope, Task::Look).await?).await
    }

    async fn behind(&self, scope: &AwsScope, balancers: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError> {
        balancers::behind(&self.looks.access.session(scope, Task::Look).await?, balancers).await
    }
}
