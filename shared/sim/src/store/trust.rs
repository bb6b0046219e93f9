//! Whom roles trust, as tests and local mode say.

use async_trait::async_trait;
use domain::ports::{Trust, Trusts};
use domain::tenant::Cluster;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Trusts by role; a role that nothing is said of trusts us alone.
#[derive(Debug, Default)]
pub struct MemoryTrust {
    said: Mutex<BTreeMap<String, Trust>>,
}

impl MemoryTrust {
    /// Says whom a role trusts.
    pub fn say(&self, role_arn: &str, trust: Trust) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(role_arn.to_owned(), trust);
    }
}

#[async_trait]
impl Trusts for MemoryTrust {
    async fn trust(&self, cluster: &Cluster, _external_id: &str) -> Trust {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).get(&cluster.aws_role_arn).cloned().unwrap_or(Trust::Us)
    }
}
