//! Session policies: what a session may do at most. As much of IAM as our own policies use, and nothing that would allow more than IAM.

use super::answer::Fault;
use super::query::Params;
use serde_json::Value;

/// IAM takes so many characters (STS API Reference, AssumeRole).
const LENGTH_MAX: usize = 2_048;

/// A policy of `Allow` statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionPolicy {
    statements: Vec<Value>,
}

impl SessionPolicy {
    pub(crate) fn parse(text: &str) -> Result<SessionPolicy, Fault> {
        let malformed = || Fault::client("MalformedPolicyDocument", "The policy is not in the valid JSON format");
        if text.len() > LENGTH_MAX {
            return Err(Fault::client("PackedPolicyTooLarge", "The policy is too long"));
        }
        let policy: Value = serde_json::from_str(text).map_err(|_| malformed())?;
        let statements = policy.get("Statement").and_then(Value::as_array).ok_or_else(malformed)?.clone();
        Ok(SessionPolicy { statements })
    }

    /// Whether a call is allowed: by its action, by the one instance or volume that it names, and by the tags that it asks for.
    pub(crate) fn allows(&self, action: &str, params: &Params) -> bool {
        let denied = |statement: &&Value| statement["Effect"] == "Deny" && acts(statement, action);
        if self.statements.iter().any(|statement| denied(&statement)) {
            return false;
        }
        let on: Vec<&Value> =
            self.statements.iter().filter(|statement| statement["Effect"] == "Allow" && acts(statement, action)).collect();
        let named = named(params);
        let reaches = |id: &String| on.iter().any(|statement| texts(&statement["Resource"]).any(|resource| covers(resource, id)));
        // A launch makes an instance: the statement that is about instances must hold for its tags.
        let made = on.iter().filter(|statement| statement.get("NotResource").is_none());
        let tagged = action != "ec2:RunInstances" || made.clone().any(|statement| carries(statement, params));
        !on.is_empty() && named.iter().all(reaches) && tagged
    }
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice).iter().filter_map(Value::as_str)
}

fn acts(statement: &Value, action: &str) -> bool {
    texts(&statement["Action"]).any(|pattern| pattern.strip_suffix('*').map_or(pattern == action, |prefix| action.starts_with(prefix)))
}

/// The instances and volumes of a call that changes them.
fn named(params: &Params) -> Vec<String> {
    let looks = params.get("Action").is_some_and(|action| action.starts_with("Describe"));
    let mut named = if looks { Vec::new() } else { params.list("InstanceId") };
    named.extend(params.text("VolumeId").filter(|_| !looks));
    named
}

fn covers(resource: &str, id: &str) -> bool {
    resource == "*" || resource.ends_with(&format!("/{id}")) || (resource.ends_with("/*") && resource.contains(":ec2:"))
}

fn carries(statement: &Value, params: &Params) -> bool {
    let wanted = statement["Condition"]["StringEquals"].as_object();
    let tags: Vec<(String, String)> = params.tags("instance");
    wanted.is_some_and(|wanted| {
        wanted.iter().all(|(key, value)| {
            let tag = key.strip_prefix("aws:RequestTag/").unwrap_or_default();
            tags.iter().any(|(name, text)| name == tag && value == text)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Statement":[
        {"Effect":"Allow","Action":["ec2:Describe*"],"Resource":"*"},
        {"Effect":"Allow","Action":"ec2:TerminateInstances","Resource":"arn:aws:ec2:r:1:instance/i-1"},
        {"Effect":"Allow","Action":"ec2:RunInstances","NotResource":["arn:aws:ec2:r:1:instance/*"]},
        {"Effect":"Allow","Action":"ec2:RunInstances","Resource":["arn:aws:ec2:r:1:instance/*"],
         "Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}]}"#;

    fn allows(action: &str, form: &str) -> bool {
        SessionPolicy::parse(POLICY).unwrap().allows(action, &Params::parse(form.as_bytes()))
    }

    #[test]
    fn a_session_does_what_its_policy_names_and_nothing_else() {
        assert!(allows("ec2:DescribeInstances", "Action=DescribeInstances&InstanceId.1=i-9"));
        assert!(allows("ec2:TerminateInstances", "Action=TerminateInstances&InstanceId.1=i-1"));
        assert!(!allows("ec2:TerminateInstances", "Action=TerminateInstances&InstanceId.1=i-1&InstanceId.2=i-2"));
        assert!(!allows("ec2:DeleteVolume", "Action=DeleteVolume&VolumeId=vol-1"));
        let tagged = |value: &str| {
            format!(
                "Action=RunInstances&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=team&TagSpecification.1.Tag.1.Value={value}"
            )
        };
        assert!(allows("ec2:RunInstances", &tagged("a")) && !allows("ec2:RunInstances", &tagged("b")));
        assert!(!allows("ec2:RunInstances", "Action=RunInstances"));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for bad in ["", "x", "{}", &" ".repeat(3_000)] {
            assert!(SessionPolicy::parse(bad).is_err());
        }
    }
}
