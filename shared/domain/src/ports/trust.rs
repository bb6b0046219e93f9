//! Whom the roles of a customer trust.

use crate::tenant::Cluster;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Whom a role trusts, as far as asking for it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "trusts", rename_all = "kebab-case")]
pub enum Trust {
    /// Us, with the external id of its customer, and not without it.
    Us,
    /// Whoever asks through us: another external id than its customer's, or none, is enough. Such a role must not be used: any other
    /// customer of ours could have us act in its account (the confused deputy).
    Anybody,
    /// Not us, or not yet.
    NotUs,
    /// That cannot be told now.
    Unknown {
        /// What was in the way, in one sentence.
        why: String,
    },
}

/// What came of asking for a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It was given.
    Given,
    /// It was denied.
    Denied,
    /// Neither is known.
    Unclear(String),
}

impl Trust {
    /// What it means that a role was asked for without an external id, with a wrong one, and with the right one.
    ///
    /// One that is given where it must not be outweighs all the rest; and a role whose denials are not certain is not known to be safe.
    pub fn judged(without: &Taken, wrong: &Taken, right: &Taken) -> Trust {
        if [without, wrong].contains(&&Taken::Given) {
            return Trust::Anybody;
        }
        for one in [without, wrong, right] {
            if let Taken::Unclear(why) = one {
                return Trust::Unknown { why: why.clone() };
            }
        }
        if *right == Taken::Given { Trust::Us } else { Trust::NotUs }
    }
}

/// Asks STS for roles, to see whom they trust. What is given is thrown away, and was good for nothing.
#[async_trait]
pub trait Trusts: Send + Sync {
    /// Whom the role of a cluster trusts.
    async fn trust(&self, cluster: &Cluster, external_id: &str) -> Trust;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_is_given_without_its_external_id_trusts_anybody_whatever_else_is_seen() {
        let all = [Taken::Given, Taken::Denied, Taken::Unclear("slow".to_owned())];
        for without in &all {
            for wrong in &all {
                for right in &all {
                    let open = [without, wrong].contains(&&Taken::Given);
                    let trust = Trust::judged(without, wrong, right);
                    assert_eq!(trust == Trust::Anybody, open, "{without:?} {wrong:?} {right:?}");
                    let sure = (without, wrong) == (&Taken::Denied, &Taken::Denied);
                    assert_eq!(trust == Trust::Us, sure && *right == Taken::Given);
                    assert_eq!(trust == Trust::NotUs, sure && *right == Taken::Denied);
                }
            }
        }
    }
}
