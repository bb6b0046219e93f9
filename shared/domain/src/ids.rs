//! Identifiers. Each is parsed once at the border; inside, an illegal one cannot be built.

use serde::{Deserialize, Serialize};

/// Why a text is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {what}: {expected}")]
pub struct InvalidId {
    /// Which identifier was expected, in words.
    pub what: &'static str,
    /// The form that is accepted.
    pub expected: &'static str,
    /// What came instead, cut to 80 characters.
    pub value: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub struct $name(String);

        impl $name {
            /// Checks the form.
            ///
            /// # Errors
            /// [`InvalidId`] says which form is accepted.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    return Ok(Self(text));
                }
                Err(InvalidId { what: $what, expected: $expected, value: text.chars().take(80).collect() })
            }

            /// The text, as AWS, Kubernetes and the table spell it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Letters, digits and `-_.`, 1 to 128 of them: safe in table keys, URLs and tags.
fn slug(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// A Kubernetes object name: a DNS subdomain of at most 253 characters (a few kinds also allow `:`, ours do not).
fn dns_subdomain(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
        && !text.starts_with(['-', '.'])
        && !text.ends_with(['-', '.'])
}

fn instance_id(text: &str) -> bool {
    text.strip_prefix("i-")
        .is_some_and(|hex| (hex.len() == 8 || hex.len() == 17) && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

fn region(text: &str) -> bool {
    text.len() <= 32 && text.split('-').count() >= 3 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

id!(
    /// A customer of this control plane.
    CustomerId, "customer id", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// A registered cluster; unique over all customers.
    ClusterId, "cluster id", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// A plan. A rescue's id is derived from the instance, so that two notices name the same plan.
    PlanId, "plan id", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// One decision on one cluster: the id of its request, and of what is kept of it. The same round leads to the same id.
    RunId, "run id", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// Something that was found: the same thing seen again has the same id.
    FindingId, "finding id", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// Whom notices are sent to: one of a customer's targets.
    TargetId, "target id", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// An AWS account. Twelve digits in life; looser here, so that an unknown form is "not registered", not a crash.
    AccountId, "AWS account id", "12 digits", |t| (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_alphanumeric()));
id!(
    /// An AWS Region such as `us-east-1`.
    Region, "AWS Region", "a Region such as us-east-1", region);
id!(
    /// An availability zone such as `us-east-1a`.
    Zone, "availability zone", "a zone such as us-east-1a", region);
id!(
    /// An EC2 instance. 8 or 17 hex digits: EC2 has given out both.
    InstanceId, "instance id", "i- and 8 or 17 hex digits", instance_id);
id!(
    /// An EC2 instance type such as `m6i.large`.
    InstanceType, "instance type", "family.size", |t| t.len() <= 32 && t.contains('.') && slug(t));
id!(
    /// An EBS volume.
    VolumeId, "volume id", "vol- and hex digits", |t| t.starts_with("vol-") && slug(t));
id!(
    /// A VPC subnet.
    SubnetId, "subnet id", "subnet- and hex digits", |t| t.starts_with("subnet-") && slug(t));
id!(
    /// The name of a Node object: for display and for the URL, never for identity.
    NodeName, "node name", "a DNS subdomain of at most 253 characters", dns_subdomain);
id!(
    /// The uid that the API server gave a Node object.
    NodeUid, "node uid", "1 to 128 letters, digits, '-', '_' or '.'", slug);
id!(
    /// The uid that the API server gave a Pod object.
    PodUid, "pod uid", "1 to 128 letters, digits, '-', '_' or '.'", slug);

/// What an instance is called in the whole world. Instance ids are unique within a Region of an account only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InstanceKey {
    /// The account that pays for the instance.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Its id.
    pub instance: InstanceId,
}

impl std::fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.region, self.instance)
    }
}

#[cfg(test)]
mod tests;
