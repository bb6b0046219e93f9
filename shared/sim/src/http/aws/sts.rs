//! STS: who may act as which role, and who a signature is.

use super::answer::{Fault, Xml};
use super::query::Params;
use super::session_policy::SessionPolicy;
use domain::ids::{AccountId, Region};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The namespace of its answers.
pub(crate) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Who signed a call, as its Authorization header says. The signature itself is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signer {
    pub(crate) key: String,
    pub(crate) region: Option<Region>,
    pub(crate) service: String,
    /// When it was signed, by the caller's clock.
    pub(crate) at: Option<Timestamp>,
}

impl Signer {
    /// Reads `Authorization: AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, ...` and `X-Amz-Date`.
    pub(crate) fn read(headers: &axum::http::HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let credential = text("authorization")?.split_once("Credential=")?.1.split([',', ' ']).next()?;
        let mut parts = credential.split('/');
        let (key, _date, region, service) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            key: key.to_owned(),
            region: Region::parse(region).ok(),
            service: service.to_owned(),
            at: text("x-amz-date").and_then(amz_date),
        })
    }
}

/// `20260105T000000Z`.
fn amz_date(text: &str) -> Option<Timestamp> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to);
    let (date, time) =
        (format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?), format!("{}:{}:{}", part(8, 10)?, part(10, 12)?, part(12, 14)?));
    format!("{date}T{time}Z").parse().ok()
}

/// A role that somebody assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assumed {
    pub(crate) role_arn: String,
    pub(crate) account: AccountId,
    pub(crate) session: String,
    /// What the session may do at most; `None`: whatever the role may.
    pub(crate) policy: Option<SessionPolicy>,
    expires_at: Option<Timestamp>,
}

/// The token service.
#[derive(Debug, Default)]
pub(crate) struct Sts {
    external_ids: BTreeMap<String, String>,
    sessions: Mutex<BTreeMap<String, Assumed>>,
}

impl Sts {
    /// `external_ids`: by role ARN. A role that is not in it may be assumed with any external id.
    pub(crate) fn new(external_ids: BTreeMap<String, String>) -> Self {
        Self { external_ids, sessions: Mutex::default() }
    }

    pub(crate) fn call(&self, action: &str, params: &Params, signer: Option<&Signer>) -> Result<Xml, Fault> {
        match action {
            "AssumeRole" => self.assume_role(params, signer),
            "GetCallerIdentity" => Ok(self.caller(signer)),
            other => Err(Fault::client("InvalidAction", format!("Could not find operation {other}"))),
        }
    }

    /// The role behind a signature.
    pub(crate) fn role_of(&self, signer: &Signer) -> Result<Assumed, Fault> {
        let sessions = self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let assumed = sessions
            .get(&signer.key)
            .cloned()
            .ok_or_else(|| Fault::client("AuthFailure", "AWS was not able to validate the provided access credentials").status(401))?;
        if let (Some(end), Some(at)) = (assumed.expires_at, signer.at)
            && at > end
        {
            return Err(Fault::client("RequestExpired", "Request has expired."));
        }
        Ok(assumed)
    }

    fn assume_role(&self, params: &Params, signer: Option<&Signer>) -> Result<Xml, Fault> {
        let required = |name: &str| {
            params.text(name).ok_or_else(|| Fault::client("ValidationError", format!("1 validation error detected: {name} is required")))
        };
        let (role_arn, session) = (required("RoleArn")?, required("RoleSessionName")?);
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !(2..=64).contains(&session.len()) || !session.chars().all(allowed) {
            return Err(Fault::client(
                "ValidationError",
                "1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint",
            ));
        }
        let duration = params.get("DurationSeconds").map_or(Ok(3_600), str::parse::<i64>).unwrap_or(0);
        if !(900..=43_200).contains(&duration) {
            return Err(Fault::client(
                "ValidationError",
                "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint",
            ));
        }
        let external_id = params.text("ExternalId");
        let account = role_arn.split(':').nth(4).and_then(|a| AccountId::parse(a).ok());
        let (Some(account), true) = (account, self.external_ids.get(&role_arn).is_none_or(|id| external_id.as_ref() == Some(id))) else {
            let who = signer.map_or("anonymous", |s| s.key.as_str());
            let message = format!("User: {who} is not authorized to perform: sts:AssumeRole on resource: {role_arn}");
            return Err(Fault::client("AccessDenied", message).status(403));
        };
        let now = signer.and_then(|s| s.at).unwrap_or(crate::clock::EPOCH);
        let expires_at = now.checked_add(SignedDuration::from_secs(duration)).ok();
        let policy = params.text("Policy");
        let key = access_key(&[&role_arn, external_id.as_deref().unwrap_or_default(), &session, policy.as_deref().unwrap_or_default()]);
        let policy = policy.as_deref().map(SessionPolicy::parse).transpose()?;
        let mut xml = Xml::default();
        xml.nest("Credentials", |xml| {
            xml.text("AccessKeyId", &key).text("SecretAccessKey", "simulated").text("SessionToken", format!("session-{key}"));
            xml.maybe("Expiration", expires_at.map(|t| t.to_string()));
        });
        xml.nest("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", format!("AROASIMULATED:{session}")).text("Arn", assumed_arn(&role_arn, &account, &session));
        });
        let assumed = Assumed { role_arn, account, session, policy, expires_at };
        self.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(key, assumed);
        Ok(xml)
    }

    fn caller(&self, signer: Option<&Signer>) -> Xml {
        let assumed = signer.and_then(|s| self.role_of(s).ok());
        let (account, arn) = match &assumed {
            Some(role) => (role.account.to_string(), assumed_arn(&role.role_arn, &role.account, &role.session)),
            None => (super::OWN_ACCOUNT.to_owned(), format!("arn:aws:iam::{}:user/cloudoptim", super::OWN_ACCOUNT)),
        };
        let mut xml = Xml::default();
        xml.text("Arn", arn).text("UserId", signer.map_or("anonymous", |s| s.key.as_str())).text("Account", account);
        xml
    }
}

fn assumed_arn(role_arn: &str, account: &AccountId, session: &str) -> String {
    format!("arn:aws:sts::{account}:assumed-role/{}/{session}", role_arn.rsplit('/').next().unwrap_or_default())
}

/// An access key that is the same for the same session, and different for any other.
fn access_key(of: &[&str]) -> String {
    let digest = Sha256::digest(of.join("\n"));
    let mut key = format!("ASIA{}", data_encoding::BASE32_NOPAD.encode(&digest));
    key.truncate(20);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/CloudOptim";

    fn assume(external_id: &str) -> Result<Xml, Fault> {
        let sts = Sts::new([(ROLE.to_owned(), "right".to_owned())].into());
        let body = format!("RoleArn={ROLE}&RoleSessionName=cloudoptim&DurationSeconds=900&ExternalId={external_id}");
        sts.call("AssumeRole", &Params::parse(body.as_bytes()), None)
    }

    #[test]
    fn a_role_is_assumed_with_its_external_id_only() {
        assert!(assume("right").is_ok());
        for wrong in ["wrong", ""] {
            assert_eq!(assume(wrong).unwrap_err().code, "AccessDenied");
        }
    }

    #[test]
    fn a_signature_says_who_where_and_when() {
        let mut headers = axum::http::HeaderMap::new();
        let authorization = "AWS4-HMAC-SHA256 Credential=ASIAX/20260105/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("x-amz-date", "20260105T000000Z".parse().unwrap());
        let signer = Signer::read(&headers).unwrap();
        assert_eq!((signer.key.as_str(), signer.service.as_str()), ("ASIAX", "ec2"));
        assert_eq!(signer.region, Region::parse("us-east-1").ok());
        assert_eq!(signer.at, Some(crate::clock::EPOCH));
    }
}
