//! The capabilities that execution works with, and the site of one plan.

use crate::roster::Roster;
use domain::ids::{ClusterId, CustomerId, InstanceKey};
use domain::interruption::Notice;
use domain::ports::{
    Clock, Cloud, ClusterError, Clusters, Journal, Meter, Notices, Pools, Queue, QueueError, Registry, Routes, StoreError, Watchbooks,
};
use domain::tenant::{AwsScope, Cluster, Customer};
use std::sync::Arc;

/// All ports. What is not in here a function cannot do; its IAM policy lists the same things.
#[derive(Clone)]
pub struct Ports {
    /// Plans, audit rows and spot events.
    pub journal: Arc<dyn Journal>,
    /// Customers, clusters and stops.
    pub registry: Arc<dyn Registry>,
    /// From an instance to its node.
    pub routes: Arc<dyn Routes>,
    /// Pools without capacity.
    pub pools: Arc<dyn Pools>,
    /// What scans remember: read once more before a ghost is ended.
    pub watchbooks: Arc<dyn Watchbooks>,
    /// EC2 and Auto Scaling.
    pub cloud: Arc<dyn Cloud>,
    /// The Kubernetes APIs.
    pub clusters: Arc<dyn Clusters>,
    /// The queues.
    pub queue: Arc<dyn Queue>,
    /// What people are told.
    pub notices: Arc<dyn Notices>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub meter: Arc<dyn Meter>,
    /// All clusters, as this process has read them last.
    pub roster: Roster,
}

/// Whether a notice may come from this customer: its account is one of theirs, and none of its instances is known as somebody else's.
/// What a body says of accounts is what whoever wrote it says; only EventBridge is believed without this.
///
/// # Errors
/// The table did not say.
pub async fn theirs(routes: &dyn Routes, customer: &CustomerId, notice: &Notice) -> Result<bool, StoreError> {
    let clusters = routes.clusters_of(&notice.account).await?;
    if !clusters.iter().any(|cluster| cluster.customer == *customer) {
        return Ok(false);
    }
    for instance in &notice.instances {
        let key = InstanceKey { account: notice.account.clone(), region: notice.region.clone(), instance: instance.clone() };
        if routes.route(&key).await?.is_some_and(|record| record.customer != *customer) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Why an invocation gave up: the message comes back, and nothing that was written is lost.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The table did not do it.
    #[error("the journal could not be read or written")]
    Store(#[from] StoreError),
    /// The queue did not take the continuation.
    #[error("the continuation could not be sent")]
    Queue(#[from] QueueError),
    /// EC2 could not be asked whose an unknown instance is.
    #[error("an unknown instance could not be looked up")]
    Cloud(#[from] domain::ports::CloudError),
}

/// A plan's cluster, its customer, and how to reach both of its APIs.
pub struct Site {
    /// The cluster.
    pub cluster: Cluster,
    /// For EC2.
    pub scope: AwsScope,
    /// For Kubernetes: connected once per invocation, kept as an error too, so that each step can say why.
    pub kubernetes: Result<Arc<dyn domain::ports::Cluster>, ClusterError>,
}

/// A registered cluster and whose it is, as the table has them.
pub struct Home {
    /// The cluster.
    pub cluster: Cluster,
    /// Its customer.
    pub customer: Customer,
}

impl Home {
    /// Reads both, side by side. `None`: one of them is not registered any more.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn read(ports: &Ports, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Home>, StoreError> {
        let (cluster, customer) = futures::try_join!(ports.registry.cluster(customer, cluster), ports.registry.customer(customer))?;
        Ok(cluster.zip(customer).map(|(cluster, customer)| Home { cluster, customer }))
    }

    /// Connects.
    pub async fn connect(self, ports: &Ports) -> Site {
        Site::connect(ports, self.cluster, &self.customer).await
    }
}

impl Site {
    /// Reads the cluster and its customer, and connects. `None`: one of them is not registered any more.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn open(ports: &Ports, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Site>, StoreError> {
        match Home::read(ports, customer, cluster).await? {
            Some(home) => Ok(Some(home.connect(ports).await)),
            None => Ok(None),
        }
    }

    /// Connects to a cluster that was read already.
    pub async fn connect(ports: &Ports, cluster: Cluster, customer: &Customer) -> Site {
        let kubernetes = ports.clusters.connect(&cluster).await;
        Site { scope: scope(&cluster, customer), cluster, kubernetes }
    }
}

/// What is needed to call AWS for a cluster.
pub fn scope(cluster: &Cluster, customer: &Customer) -> AwsScope {
    AwsScope {
        customer: customer.id.clone(),
        account: cluster.account.clone(),
        region: cluster.region.clone(),
        role_arn: cluster.aws_role_arn.clone(),
        external_id: customer.external_id.clone(),
        cluster: cluster.id.clone(),
        cluster_name: cluster.name.clone(),
    }
}
