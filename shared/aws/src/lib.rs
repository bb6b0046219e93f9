//! Adapters to DynamoDB, S3, SQS, KMS and the Price List: the real side of the ports that keep state and files, carry messages, seal
//! secrets and read what on-demand instances cost.
//!
//! ```no_run
//! # async fn wire() {
//! let config = aws::sdk_config("us-east-1");
//! let table = aws::Table::new(&config, "cloudoptim".to_owned());
//! # let _ = table;
//! # }
//! ```
//!
//! Not here, and never: decisions about nodes or plans, EC2 (the crate `ec2`), Kubernetes (the crate `kubernetes`), and any
//! SDK type in a port.

#[cfg(feature = "eks")]
mod eks_directory;
mod eks_token;
mod function_urls;
#[cfg(feature = "mail")]
mod mail;
mod mailboxes;
mod objects;
mod price_list;
mod queue;
mod sigv4;
mod store;
mod trust;
mod vault;

#[cfg(feature = "eks")]
pub use eks_directory::EksDirectory;
pub use eks_token::{EksRole, EksTokens};
pub use function_urls::FunctionUrls;
#[cfg(feature = "mail")]
pub use mail::Mail;
pub use mailboxes::CustomerQueues;
pub use objects::{BucketObjects, create_bucket};
pub use price_list::PriceList;
pub use queue::{NoticeQueue, QueueUrls, Queues, RoundQueue, ScanQueue, create_queue, take_messages};
pub use sdk::{SdkConfig, local_config, local_config_as, sdk_config};
pub use store::{DecisionTable, Table, create_decision_table, create_table};
pub use trust::RoleTrust;
pub use vault::{KeyVault, create_key};
