//! Adapter to the remote Kubernetes API; the only crate that names kube.
