//! Adapters to DynamoDB, SQS and KMS: the real side of the ports that keep state, carry messages and seal secrets.
//!
//! ```no_run
//! # async fn wire() {
//! let config = aws::sdk_config("us-east-1").await;
//! let table = aws::Table::new(&config, "cloudoptim".to_owned());
//! # let _ = table;
//! # }
//! ```
//!
//! Not here, and never: decisions about nodes or plans, EC2 (the crate `ec2`), Kubernetes (the crate `kubernetes`), and any
//! SDK type in a port.

mod config;
mod queue;
mod store;
mod vault;

pub use aws_config::SdkConfig;
pub use config::{local_config, sdk_config};
pub use queue::{QueueUrls, Queues, RoundQueue, create_queue, take_messages};
pub use store::{Table, create_table};
pub use vault::{KeyVault, create_key};
