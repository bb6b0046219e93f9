//! Single fields of a cluster. Each check answers with what the field must be.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use domain::Timestamp;
use domain::address::{Door, Place, Refused, Rules};
use domain::ids::{AccountId, Region};
use domain::policy::ClusterPolicy;
use serde_json::Value;

/// A cluster name: 1 to 128 letters, digits, `-`, `_` or `.`, beginning with a letter or digit.
///
/// # Errors
/// What it must be.
pub fn name(text: &str) -> Result<String, String> {
    let inner = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if (1..=128).contains(&text.len()) && inner && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err("1 to 128 letters, digits, '-', '_' or '.', beginning with a letter or a digit".to_owned())
}

/// `https://host[:port][/path]`, without a slash at the end, and where it leads as it is spelled. Its name is resolved by whoever asks
/// the gate.
///
/// # Errors
/// What it must be.
pub fn endpoint(text: &str, rules: &Rules) -> Result<String, String> {
    Place::parse(text, Door::ApiServer, rules).map_err(|refused| endpoint_refused(&refused))?;
    Ok(text.trim_end_matches('/').to_owned())
}

/// What is said of an endpoint that is not called.
pub fn endpoint_refused(refused: &Refused) -> String {
    format!("an address such as https://HOST or https://HOST:6443; {refused}")
}

/// The name that EKS knows a cluster by (EKS API Reference, CreateCluster: 1 to 100 letters, digits, `-` or `_`, beginning with a
/// letter or digit).
///
/// # Errors
/// What it must be.
pub fn eks_name(text: &str) -> Result<String, String> {
    let inner = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if (1..=100).contains(&text.len()) && inner && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(text.to_owned());
    }
    Err("the cluster's name in EKS: 1 to 100 letters, digits, '-' or '_', beginning with a letter or a digit".to_owned())
}

/// An address that EKS itself gives out in this Region. A token of a role is sent nowhere else: whoever receives one could use it
/// on the cluster for a quarter of an hour.
///
/// # Errors
/// What it must be.
pub fn eks_endpoint(endpoint: &str, region: &Region) -> Result<(), String> {
    let host = endpoint.trim_start_matches("https://");
    // `<id>.<two characters>.<Region>.eks.amazonaws.com`, and with IPv6 `<id>.eks-cluster.<Region>.api.aws` (EKS user guide).
    let endings = [
        format!(".{region}.eks.amazonaws.com"),
        format!(".{region}.eks.amazonaws.com.cn"),
        format!(".eks-cluster.{region}.api.aws"),
        format!(".eks-cluster.{region}.api.amazonwebservices.com.cn"),
    ];
    if endings.iter().any(|ending| host.ends_with(ending.as_str())) {
        return Ok(());
    }
    Err(format!("with eks_cluster_name, the address that `aws eks describe-cluster` prints: https://ID.xyz.{region}.eks.amazonaws.com"))
}

/// A service account token; answers when it says it expires. A token that is no JWT is taken as it is.
///
/// # Errors
/// What it must be; never the token.
pub fn token(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    if !(1..=16_384).contains(&text.len()) || text.bytes().any(|b| !b.is_ascii_graphic()) {
        return Err("the token itself: one line, no spaces, no `Bearer` before it, at most 16 KiB".to_owned());
    }
    match expiry(text) {
        Some(end) if end <= now => Err(format!("a token that is still valid: this one expired at {end}")),
        other => Ok(other),
    }
}

/// The `exp` of a JWT. Only read, not verified: the API server verifies, we only show.
fn expiry(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('.');
    let (_header, payload, _signature, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

/// The ARN of an IAM role; answers its account.
///
/// # Errors
/// What it must be.
pub fn role(arn: &str) -> Result<AccountId, String> {
    let expected = || "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/CloudOptimRole".to_owned();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", "aws" | "aws-cn" | "aws-us-gov", "iam", "", account, resource] = parts.as_slice() else {
        return Err(expected());
    };
    let name = resource.strip_prefix("role/").ok_or_else(expected)?;
    let legal = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b));
    if arn.len() > 512 || !legal || name.split('/').any(|part| part.is_empty() || part == "..") {
        return Err(expected());
    }
    AccountId::parse(*account).map_err(|_| expected())
}

/// The URL of an SQS queue.
///
/// # Errors
/// What it must be.
pub fn queue_url(text: &str) -> Result<String, String> {
    let expected = || "the URL of an SQS queue, such as https://sqs.us-east-1.amazonaws.com/111122223333/NAME".to_owned();
    let rest = text.strip_prefix("https://").ok_or_else(expected)?;
    let (host, path) = rest.split_once('/').ok_or_else(expected)?;
    let ours = host.starts_with("sqs.") || host.ends_with(".queue.amazonaws.com");
    let amazon = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    let legal = |text: &str, extra: &[u8]| text.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b));
    let parts: Vec<&str> = path.split('/').collect();
    if text.len() <= 512
        && ours
        && amazon
        && legal(host, b"-.")
        && parts.len() == 2
        && parts.iter().all(|p| !p.is_empty() && legal(p, b"-_."))
    {
        return Ok(text.to_owned());
    }
    Err(expected())
}

const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// Certificates, as PEM or as base64 of PEM (`certificateAuthority.data` of EKS); answers PEM.
///
/// # Errors
/// What it must be.
pub fn authority(text: &str) -> Result<String, String> {
    let expected = || "certificates as PEM, or base64 of PEM as EKS prints it; no private key, at most 64 KiB".to_owned();
    if text.len() > 96 * 1024 {
        return Err(expected());
    }
    let pem = if text.contains("-----BEGIN") {
        text.trim().to_owned()
    } else {
        let compact: String = text.split_whitespace().collect();
        String::from_utf8(BASE64.decode(compact.as_bytes()).map_err(|_| expected())?).map_err(|_| expected())?.trim().to_owned()
    };
    let plain = pem.bytes().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    let begins = pem.matches(PEM_BEGIN).count();
    let whole = begins > 0 && begins == pem.matches("-----BEGIN").count() && begins == pem.matches("-----END CERTIFICATE-----").count();
    if plain && whole && pem.len() <= 64 * 1024 { Ok(pem) } else { Err(expected()) }
}

/// A policy whose numbers make sense.
///
/// # Errors
/// What they must be.
pub fn policy(policy: &ClusterPolicy) -> Result<(), String> {
    if policy.budget.nodes_percent_max > 100 {
        return Err("budget.nodes_percent_max is a percentage from 0 to 100".to_owned());
    }
    policy.office_hours.check()?;
    if let Some(template) = &policy.launch_template {
        let version = !template.version.is_empty() && template.version.bytes().all(|b| b.is_ascii_digit());
        if !template.id.starts_with("lt-") || template.id.len() > 64 || !version {
            return Err("launch_template has an id such as lt-0123456789abcdef0 and a version number, not $Latest or $Default".to_owned());
        }
    }
    let sizes = &policy.workloads;
    if ![sizes.cpu_percentile, sizes.memory_percentile].iter().all(|percent| (1..=100).contains(percent)) {
        return Err("workloads.cpu_percentile and workloads.memory_percentile are from 1 to 100".to_owned());
    }
    if [sizes.confidence_percent_min, sizes.change_percent_min, sizes.down_step_percent_max].iter().any(|percent| *percent > 100) {
        return Err(
            "workloads.confidence_percent_min, change_percent_min and down_step_percent_max are percentages from 0 to 100".to_owned()
        );
    }
    Ok(())
}

/// A policy with some of its values changed: a JSON merge patch, so that what is not named stays.
///
/// # Errors
/// What it must be.
pub fn patched(policy: &ClusterPolicy, patch: Value) -> Result<ClusterPolicy, String> {
    let mut value = serde_json::to_value(policy).map_err(|e| e.to_string())?;
    if !patch.is_object() {
        return Err("an object such as {\"interruption\":{\"mode\":\"observe\"}}".to_owned());
    }
    merge(&mut value, patch);
    let (changed, unknown): (ClusterPolicy, _) = crate::extract::known(value).map_err(|e| e.to_string())?;
    if let Some(field) = unknown {
        return Err(format!("unknown field `{field}`"));
    }
    self::policy(&changed)?;
    Ok(changed)
}

/// RFC 7396.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, change) in patch {
        if change.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests;
