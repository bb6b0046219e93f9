//! What everything that answers over HTTP has in common: errors as problem documents, keys, bodies and how answers travel.

pub mod answer;
pub mod json;
pub mod keys;
pub mod problem;
