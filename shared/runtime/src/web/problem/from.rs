//! What the errors of our ports mean for a caller.

use super::Problem;
use domain::ports::{ClusterError, QueueError, StoreError, VaultError};
use http::StatusCode;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Conflict => {
                let detail = "Somebody else changed this at the same time. Read it again and repeat your change.";
                Problem::new(StatusCode::CONFLICT, "changed-meanwhile", detail)
            }
            StoreError::Throttled => {
                let detail = "Our table takes no more requests now, and nothing was done. Try again after the time in Retry-After.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-throttled", detail).retry_after(2)
            }
            StoreError::Ambiguous(_) => {
                let detail =
                    "Our table did not answer in time; the request may or may not have been done. Repeat it with the same Idempotency-Key.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-not-answering", detail).retry_after(2).because(error)
            }
            StoreError::Corrupt(_) | StoreError::Refused(_) => Problem::internal(error),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        let detail = "Our queue did not take the message. Try again after the time in Retry-After.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "queue-not-answering", detail).retry_after(5).because(error)
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match &error {
            VaultError::Unreachable(_) => {
                let detail =
                    "The key service that seals tokens did not answer. Nothing was stored; try again after the time in Retry-After.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "vault-not-answering", detail).retry_after(5).because(error)
            }
            VaultError::Refused(_) => Problem::internal(error),
        }
    }
}

/// The cluster of the customer is behind us: its faults are a 502, so that a caller can tell them from a fault of the request.
impl From<ClusterError> for Problem {
    fn from(error: ClusterError) -> Self {
        let bad_gateway = |code: &'static str, detail: &str| Problem::new(StatusCode::BAD_GATEWAY, code, detail);
        match &error {
            ClusterError::Unreachable(_) => bad_gateway(
                "cluster-unreachable",
                "The Kubernetes API of the cluster does not answer. Check k8s_api_endpoint and k8s_ca of the cluster, and that its API server lets our addresses in.",
            )
            .because(error),
            ClusterError::Unauthorized => bad_gateway(
                "cluster-unauthorized",
                "The Kubernetes API does not accept the stored token: it is wrong, expired or revoked. Make a new one for the service account and PUT it to the cluster as k8s_token.",
            ),
            ClusterError::Forbidden(right) => {
                let detail = format!(
                    "The service account lacks a right in the cluster: {}. Apply infra/customer/rbac.yaml, or grant it.",
                    plain(right)
                );
                bad_gateway("cluster-forbidden", &detail)
            }
            ClusterError::Gone => {
                let detail = "The cluster has no such object. List what it has, and mind namespace and spelling.";
                Problem::new(StatusCode::NOT_FOUND, "object-unknown", detail)
            }
            ClusterError::Conflict => {
                let detail = "The object was changed in the cluster at the same time. Try again.";
                Problem::new(StatusCode::CONFLICT, "changed-meanwhile", detail)
            }
            ClusterError::Overloaded(after) => {
                let detail = "The Kubernetes API of the cluster is overloaded. Try again after the time in Retry-After.";
                let seconds = after.map_or(5, |after| after.as_secs().clamp(1, 60));
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "cluster-overloaded", detail).retry_after(seconds)
            }
            ClusterError::Refused(_) => bad_gateway(
                "cluster-refused",
                "The Kubernetes API refused the request or gave an answer that cannot be read. Check that k8s_api_endpoint leads to a Kubernetes API server, and k8s_ca and k8s_token to its credentials.",
            )
            .because(error),
        }
    }
}

/// Words of another server, made harmless for ours.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
