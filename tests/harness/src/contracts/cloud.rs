//! The contract of EC2 and Auto Scaling.
//!
//! Launches are few: the real adapter keeps to half of the account's rate, one launch per second.

mod launches;
mod reads;

use domain::decision::Commitment;
use domain::ids::{InstanceId, InstanceType, SubnetId, Zone};
use domain::node::NodeTemplate;
use domain::offering::{CapacityType, Offering, Pool};
use domain::ports::{Cloud, Instance, InstanceFilter, LaunchRequest, Lifecycle};
use domain::tenant::AwsScope;

/// What the other side knows of what EC2 does. A side that does not know something is held to *that*, so that the day it
/// learns is noticed.
#[derive(Debug, Clone, Copy)]
pub struct Knows {
    /// The same client token launches once.
    pub client_token: bool,
    /// Instances can be asked for by client token and by capacity reservation.
    pub filters: bool,
    /// Which spot requests are marked for interruption.
    pub marks: bool,
    /// Which instances are reserved.
    pub reservations: bool,
}

/// Hands that reach into the world behind a Cloud.
pub trait Hands {
    /// Leaves no capacity in a pool.
    fn exhaust(&self, pool: &Pool);
    /// AWS marks an instance and will take it back.
    fn interrupt(&self, instance: &InstanceId);
    /// The account reserves instances.
    fn reserve(&self, commitment: &Commitment);
    /// An Auto Scaling group waits for a lifecycle action of this instance.
    fn lifecycle(&self, instance: &InstanceId) -> Lifecycle;
}

/// A Cloud to judge, with what is needed to call it.
pub struct Bench<'a> {
    /// The Cloud.
    pub cloud: &'a dyn Cloud,
    /// A scope that may do everything.
    pub scope: AwsScope,
    /// A scope whose role cannot be assumed, where the other side refuses any.
    pub denied: Option<AwsScope>,
    /// How to make an instance.
    pub template: NodeTemplate,
    /// Two zones with a subnet each.
    pub subnets: [(Zone, SubnetId); 2],
    /// What the other side knows.
    pub knows: Knows,
    /// Hands, where there are any.
    pub hands: Option<&'a dyn Hands>,
    /// Sets the client tokens of this run apart from those of another on the same endpoint.
    pub run: String,
}

/// Runs every law.
///
/// # Panics
/// Where one does not hold.
pub async fn cloud(bench: &Bench<'_>) {
    let first = launches::a_launch_gives_what_was_asked_for(bench).await;
    launches::the_same_request_launches_once(bench, &first).await;
    launches::a_token_with_other_parameters_is_a_mismatch(bench).await;
    let second = launches::a_copy_of_an_instance_is_launched_in_another_zone(bench, &first).await;
    launches::what_can_never_work_is_refused(bench).await;
    launches::an_empty_pool_is_a_definite_answer_and_leaves_the_token_free(bench).await;
    launches::a_role_that_cannot_be_assumed_is_no_access(bench).await;
    reads::instances_are_found_by_id_token_and_cluster(bench, &first, &second).await;
    reads::what_is_not_there_is_absent_and_no_error(bench).await;
    reads::prices_are_those_of_the_pools_asked_for_oldest_first(bench).await;
    reads::what_is_reserved_is_told_by_type_and_zone(bench).await;
    reads::a_mark_is_seen_in_the_list_of_the_cluster(bench, &first).await;
    launches::a_lifecycle_action_is_completed_once_or_is_over(bench, &second).await;
    launches::an_instance_is_ended_once_and_may_be_ended_again(bench, &first, &second).await;
}

impl Bench<'_> {
    fn tag(&self) -> String {
        format!("kubernetes.io/cluster/{}", self.scope.cluster_name)
    }

    /// A request for the pool in one of the two zones.
    fn request(&self, token: &str, template: &NodeTemplate, zone: usize, capacity: CapacityType) -> LaunchRequest {
        let (zone, subnet) = self.subnets[zone].clone();
        let instance_type = InstanceType::parse("m6i.large").unwrap();
        LaunchRequest {
            client_token: format!("{token}-{}", self.run),
            template: template.clone(),
            offering: Offering { pool: Pool { instance_type, zone, capacity }, subnet, price_per_hour: None },
            tags: [
                (self.tag(), "owned".to_owned()),
                ("cloudoptim.io/cluster".to_owned(), self.scope.cluster.to_string()),
                ("Name".to_owned(), "a <name> & \"more\"".to_owned()),
            ]
            .into(),
        }
    }

    async fn list(&self, filter: InstanceFilter) -> Vec<Instance> {
        self.cloud.instances(&self.scope, &filter).await.unwrap()
    }

    async fn by_id(&self, id: &InstanceId) -> Option<Instance> {
        self.list(InstanceFilter::Ids(vec![id.clone()])).await.pop()
    }
}
