//! A cluster of the world as a Kubernetes API over HTTPS.

pub(crate) mod render;
