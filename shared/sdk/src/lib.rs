//! How AWS is called: the configuration that all clients of the SDKs share, the HTTP that they are sent over, and the roles of customers.
//!
//! ```
//! let base = sdk::local_config("http://127.0.0.1:1", "us-east-1");
//! let role = sdk::Role {
//!     arn: "arn:aws:iam::111122223333:role/CloudOptim-eu-west-1".to_owned(),
//!     external_id: Some("5f6c".to_owned()),
//!     session_name: "cloudoptim-acme-c-1".to_owned(),
//!     policy: r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
//!     region: "eu-west-1".to_owned(),
//! };
//! let there = role.assumed(&base).build();
//! assert_eq!(there.region().map(AsRef::as_ref), Some("eu-west-1"));
//! ```
//!
//! Not here, and never: what is called, which role is whose, and what a session may do. The adapters say those.

mod config;
mod http;
mod role;

pub use aws_types::SdkConfig;
pub use config::{local_config, local_config_as, sdk_config};
pub use http::connector;
pub use role::{Role, SESSION};
