//! What everything that answers over HTTP has in common: errors as problem documents, keys, bodies and how answers travel.

pub mod answer;
#[cfg(feature = "identity")]
pub mod caller;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod ids;
#[cfg(feature = "identity")]
pub mod issuer;
pub mod json;
pub mod keys;
pub mod openapi;
pub mod problem;
#[cfg(feature = "identity")]
pub mod token;
