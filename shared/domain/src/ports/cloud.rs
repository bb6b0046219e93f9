//! EC2 and Auto Scaling.

use super::{AccountRights, Estate};
use crate::decision::Commitment;
use crate::ids::{InstanceId, SubnetId, Zone};
use crate::money::MicroDollars;
use crate::node::NodeTemplate;
use crate::offering::{Offering, Pool};
use crate::tenant::AwsScope;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One launch. The same request with the same token launches once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchRequest {
    /// Derived from the journal; at most 64 ASCII characters.
    pub client_token: String,
    /// How the instance is made.
    pub template: NodeTemplate,
    /// Where.
    pub offering: Offering,
    /// Tags, in the call itself.
    pub tags: BTreeMap<String, String>,
}

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being started.
    Pending,
    /// Running.
    Running,
    /// Being ended.
    ShuttingDown,
    /// Ended.
    Terminated,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
}

impl InstanceState {
    /// Whether it is running or about to.
    pub fn live(self) -> bool {
        match self {
            InstanceState::Pending | InstanceState::Running => true,
            InstanceState::ShuttingDown | InstanceState::Terminated | InstanceState::Stopping | InstanceState::Stopped => false,
        }
    }
}

/// An instance as EC2 shows it, slimmed down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its state.
    pub state: InstanceState,
    /// Its pool.
    pub pool: Pool,
    /// Its subnet.
    pub subnet: Option<SubnetId>,
    /// When it was launched.
    pub launched_at: Option<Timestamp>,
    /// The client token it was launched with.
    pub client_token: Option<String>,
    /// `PrivateDnsName`: empty once it is gone.
    pub private_dns: Option<String>,
    /// Why it is in this state: `Server.SpotInstanceTermination` and the like.
    pub state_reason: Option<String>,
    /// Whether AWS has marked its spot request for termination or stop: the second source of notices.
    pub marked_for_interruption: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which instances to list. All lists are filtered and paged: unfiltered ones have a third of the customer's throttle budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceFilter {
    /// By id. Ids that EC2 does not know are absent from the answer.
    Ids(Vec<InstanceId>),
    /// With the tag `kubernetes.io/cluster/<name>`.
    Cluster(String),
    /// With the tag `kubernetes.io/cluster/<name>` = `owned`. Marks of interruptions are not read.
    Owned(String),
    /// By client token.
    ClientToken(String),
    /// In a capacity reservation.
    CapacityReservation(String),
}

/// A lifecycle action of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// Name of the group.
    pub group: String,
    /// Name of the hook.
    pub hook: String,
    /// Token of this one action.
    pub token: Option<String>,
    /// The instance.
    pub instance: InstanceId,
}

/// A spot price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotPrice {
    /// The pool.
    pub pool: Pool,
    /// Per hour.
    pub price_per_hour: MicroDollars,
    /// Since when.
    pub since: Timestamp,
}

/// Why EC2 did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Definite: no capacity in this pool now (`InsufficientInstanceCapacity`, `MaxSpotInstanceCountExceeded`, a full subnet).
    /// Another offering may be tried, with the next generation.
    #[error("no capacity: {0}")]
    NoCapacity(String),
    /// Definite: this request will not work, here or elsewhere (rights, a bad template, a quota of the account).
    #[error("EC2 refused: {0}")]
    Refused(String),
    /// The same token with other parameters: the instance exists. Look it up by its token.
    #[error("the client token was used with other parameters")]
    TokenMismatch,
    /// It may or may not have happened. Repeat the same bytes.
    #[error("EC2 did not answer: {0}")]
    Ambiguous(String),
    /// It did not happen; try again later, with the same bytes.
    #[error("EC2 throttles us")]
    Throttled,
    /// The role cannot be assumed, or the session is refused.
    #[error("no access to the account: {0}")]
    NoAccess(String),
}

/// EC2 and Auto Scaling in one Region of one customer's account.
///
/// # Guarantees
/// `launch` with the same request launches at most once. `terminate` and `complete_lifecycle` may be repeated.
///
/// # Assumptions
/// Lists lag: an instance may be missing for some minutes after its launch.
#[async_trait]
pub trait Cloud: Estate + AccountRights + Send + Sync {
    /// Launches one instance. No retry inside: the journal retries.
    async fn launch(&self, scope: &AwsScope, request: &LaunchRequest) -> Result<Instance, CloudError>;
    /// Lists instances.
    async fn instances(&self, scope: &AwsScope, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError>;
    /// Ends an instance. One that is gone already is no error.
    async fn terminate(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError>;
    /// Lets an Auto Scaling group go on. An action that is over already is no error.
    async fn complete_lifecycle(&self, scope: &AwsScope, lifecycle: &Lifecycle) -> Result<(), CloudError>;
    /// Copies what is needed to make another instance like this one (image, profile, user data, tags).
    async fn template_of(&self, scope: &AwsScope, instance: &InstanceId) -> Result<NodeTemplate, CloudError>;
    /// Spot prices of these types since then, oldest first.
    async fn spot_prices(
        &self,
        scope: &AwsScope,
        types: &[crate::ids::InstanceType],
        zones: &[Zone],
        since: Timestamp,
    ) -> Result<Vec<SpotPrice>, CloudError>;
    /// Reserved instances of the account that are paid for now, of Linux and shared tenancy: those of one type and zone together.
    async fn reserved(&self, scope: &AwsScope) -> Result<Vec<Commitment>, CloudError>;
}
