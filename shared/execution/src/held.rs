//! Ports that are bound to one customer: what a handler is given in place of the ports themselves.
//!
//! # Guarantees
//! Whatever names another customer, in a key or in what is written, is refused before the table is asked, and so is what is of all
//! customers. An instance of another customer is not there.
//!
//! Not here: whose a request is. Who authenticates it makes the handle, and whoever has only the handle cannot make another.

mod beside;
mod core;

use async_trait::async_trait;
use domain::SignedDuration;
use domain::ids::CustomerId;
use domain::optimization::Round;
use domain::plan::PlanKey;
use domain::ports::{Cluster, ClusterError, Clusters, Parked, Queue, QueueError, Rounds, Scans, StoreError};
use domain::tenant;
use domain::watch::ScanOrder;
use std::sync::Arc;

/// A port, bound to one customer.
pub struct Held<P: ?Sized> {
    port: Arc<P>,
    customer: CustomerId,
}

/// Binds a port to a customer.
pub fn held<P: ?Sized>(port: &Arc<P>, customer: &CustomerId) -> Arc<Held<P>> {
    Arc::new(Held { port: Arc::clone(port), customer: customer.clone() })
}

impl<P: ?Sized> Held<P> {
    /// Nobody gets here but through a bug of ours, so it is told loudly, and without the name of the other.
    fn is_theirs(&self, customer: &CustomerId) -> bool {
        let theirs = *customer == self.customer;
        if !theirs {
            tracing::error!(customer.id = %self.customer, "Something of another customer was asked for, and refused");
        }
        theirs
    }

    fn owns(&self, customer: &CustomerId) -> Result<(), StoreError> {
        if self.is_theirs(customer) { Ok(()) } else { Err(StoreError::Refused("it is another customer's".to_owned())) }
    }

    fn sends(&self, customer: &CustomerId) -> Result<(), QueueError> {
        if self.is_theirs(customer) { Ok(()) } else { Err(QueueError("it is another customer's".to_owned())) }
    }

    fn of_all(&self) -> StoreError {
        tracing::error!(customer.id = %self.customer, "Something of all customers was asked for, and refused");
        StoreError::Refused("it is of all customers".to_owned())
    }
}

#[async_trait]
impl Rounds for Held<dyn Rounds> {
    async fn ask(&self, round: &Round) -> Result<(), QueueError> {
        self.sends(&round.customer)?;
        self.port.ask(round).await
    }
}

#[async_trait]
impl Scans for Held<dyn Scans> {
    async fn ask_scan(&self, order: &ScanOrder) -> Result<(), QueueError> {
        self.sends(&order.customer)?;
        self.port.ask_scan(order).await
    }
}

#[async_trait]
impl Queue for Held<dyn Queue> {
    async fn continue_plan(&self, key: &PlanKey, delay: SignedDuration) -> Result<(), QueueError> {
        self.sends(&key.customer)?;
        self.port.continue_plan(key, delay).await
    }

    /// A notice names no customer: whose its instances are is asked before ([`crate::theirs`]), and again by who handles it.
    async fn notice(&self, body: &str) -> Result<(), QueueError> {
        self.port.notice(body).await
    }

    async fn park(&self, parked: &Parked) -> Result<(), QueueError> {
        self.port.park(parked).await
    }
}

#[async_trait]
impl Clusters for Held<dyn Clusters> {
    async fn connect(&self, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        if self.is_theirs(&cluster.customer) {
            return self.port.connect(cluster).await;
        }
        Err(ClusterError::Refused("it is another customer's".to_owned()))
    }
}
